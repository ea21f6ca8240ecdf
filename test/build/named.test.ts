/** What says which Telle it is, apart from package.json: all of it says the same. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

const read = (path: string) => readFileSync(path, 'utf8');
const { version, description, license, homepage, repository, bugs, keywords } = JSON.parse(read('package.json'));

/** The labels of the image: those of its last stage, whose arguments have what is said by default. */
function labels(): Record<string, string> {
  const stage =
    read('Dockerfile')
      .split(/^FROM /m)
      .at(-1) ?? '';
  const given = Object.fromEntries([...stage.matchAll(/^ARG (\w+)=(.*)$/gm)].map(([, arg, value]) => [arg, value]));
  const [, block = ''] = /^LABEL ((?:.*\\\n)*.*)$/m.exec(stage) ?? [];
  return Object.fromEntries(
    [...block.matchAll(/([\w.]+)="([^"]*)"/g)].map(([, label = '', value = '']) => [
      label.replace('org.opencontainers.image.', ''),
      value.replace(/\$\{(\w+)\}/g, (_, arg) => given[arg] ?? assert.fail(`${arg} is no argument of the last stage`)),
    ]),
  );
}

describe("the image's build", () => {
  it('is given all that it copies', () => {
    const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files = '']) =>
      files.split(' '),
    );
    const given = read('.dockerignore').match(/^!.+$/gm) ?? [];
    assert.deepEqual(
      copied.filter((file) => !existsSync(file) || !given.some((each) => `${file}/`.startsWith(`${each.slice(1)}/`))),
      [],
    );
  });

  it('copies every folder that is compiled or bundled, and the licence that is handed on', () => {
    const dockerfile = read('Dockerfile');
    const folders: string[] = JSON.parse(read('tsconfig.build.json')).include;
    for (const each of [...folders.map((path) => path.split('/')[0] ?? ''), 'build', 'drizzle'])
      assert.match(dockerfile, new RegExp(`^COPY ${each} ${each}$`, 'm'));
    assert.match(dockerfile, /^COPY .*\bLICENSE\b.* \.\/$/m);
  });
});

describe('what names this Telle', () => {
  it('has the same version wherever one is written', () => {
    const lock = JSON.parse(read('package-lock.json'));
    assert.deepEqual([lock.version, lock.packages[''].version], [version, version]);
    for (const file of ['compose.yaml', 'deploy/kubernetes.yaml'])
      assert.deepEqual(read(file).match(/image: telle:.*/g), [`image: telle:${version}`]);
    assert.match(read('CHANGELOG.md'), new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\] - `, 'm'));
  });

  it('names one home, and how it is found', () => {
    const home = homepage.replace(/#.*$/, '');
    assert.deepEqual(repository, { type: 'git', url: `git+${home}.git` });
    assert.deepEqual(bugs, { url: `${home}/issues` });
    assert.ok(keywords.length > 3);
  });

  it('is on the image as labels: what it is, and, where the build is told, of which commit and when', () => {
    assert.deepEqual(labels(), {
      title: 'Telle',
      description,
      version,
      revision: '',
      created: '',
      source: homepage.replace(/#.*$/, ''),
      url: homepage,
      documentation: `${homepage.replace(/#.*$/, '')}/blob/main/docs/operations.md`,
      licenses: license,
    });
  });
});
