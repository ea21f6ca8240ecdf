/** What GitHub runs and asks: the workflows call what there is, with as few rights as will do, and the forms are forms. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';

const WORKFLOWS = '.github/workflows';
const FORMS = '.github/ISSUE_TEMPLATE';
const yamlIn = (folder: string) =>
  readdirSync(folder).map((name) => ({ name, text: readFileSync(`${folder}/${name}`, 'utf8') }));

interface Step {
  readonly run?: string;
  readonly uses?: string;
}
interface Job {
  readonly uses?: string;
  readonly steps?: readonly Step[];
  readonly needs?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'runs-on'?: string;
  readonly 'timeout-minutes'?: number;
}
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency: { readonly group: string };
  readonly jobs: Readonly<Record<string, Job>>;
}
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));

/** The scripts of package.json and the files that a shell is told to run, of which there is none. */
const missingIn = (script: string): string[] => [
  ...[...script.matchAll(/npm run ([\w:-]+)/g)].flatMap(([, name = '']) =>
    name in scripts ? [] : [`npm run ${name}`],
  ),
  ...[...script.matchAll(/\bbash (\S+)/g)].flatMap(([, path = '']) => (existsSync(path) ? [] : [`bash ${path}`])),
];

describe('the workflows', () => {
  for (const { name, text } of yamlIn(WORKFLOWS)) {
    const { permissions, concurrency, jobs }: Workflow = parse(text, { strict: true, uniqueKeys: true });
    const all = Object.entries(jobs);
    const steps = all.flatMap(([, job]) => job.steps ?? []);

    it(`${name} runs nothing that is not there`, () => {
      assert.ok(steps.length > 0);
      assert.deepEqual(
        steps.flatMap(({ run = '' }) => missingIn(run)),
        [],
      );
      for (const { run, uses } of steps) assert.ok((run === undefined) !== (uses === undefined), `${run} ${uses}`);
      for (const [, { uses = `./${WORKFLOWS}/${name}` }] of all) assert.ok(existsSync(uses), uses);
      for (const [id, { needs = id }] of all) assert.ok(needs in jobs, needs);
    });

    it(`${name} takes each action at one commit, and says of which version that is`, () => {
      const used = [...text.matchAll(/uses: (.*)/g)].map(([, action = '']) => action);
      for (const action of used.filter((each) => !each.startsWith('./')))
        assert.match(action, /^actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    });

    it(`${name} may only read, but for a job that says what else it must, and ends some time`, () => {
      assert.deepEqual(permissions, { contents: 'read' });
      assert.ok(concurrency.group);
      for (const [id, job] of all.filter(([, { uses }]) => uses === undefined)) {
        assert.ok(job['runs-on'], id);
        assert.ok((job['timeout-minutes'] ?? 0) > 0, id);
      }
    });

    it(`${name} puts nothing that others may have written into a script`, () => {
      for (const { run = '' } of steps) assert.doesNotMatch(run, /\$\{\{/, run);
    });
  }

  it('are for every change, and for releases', () => {
    const called = yamlIn(WORKFLOWS).map(({ name, text }) => [name, Object.keys(parse(text).on)]);
    assert.deepEqual(Object.fromEntries(called), {
      'ci.yml': ['push', 'pull_request', 'workflow_call'],
      'release.yml': ['push'],
    });
    const ci = parse(readFileSync(`${WORKFLOWS}/ci.yml`, 'utf8'));
    assert.equal(ci.jobs.check.steps.at(-1).run, 'bash .ci/run');
    const { publish } = parse(readFileSync(`${WORKFLOWS}/release.yml`, 'utf8')).jobs;
    assert.equal(publish.needs, 'check');
    assert.deepEqual(publish.permissions, { contents: 'write', 'id-token': 'write' });
    const runs = publish.steps.map(({ run = '' }: Step) => run).join('\n');
    assert.match(runs, /npm run release -- --dry-run\n.*--draft.*\nnpm publish .*--provenance.*\n.*--draft=false$/);
  });
});

/** The kinds of questions that a form may have, as GitHub documents them. */
const KINDS = ['markdown', 'textarea', 'input', 'dropdown', 'checkboxes'];

describe('the forms of issues', () => {
  for (const { name, text } of yamlIn(FORMS).filter(({ name }) => name !== 'config.yml')) {
    it(`${name} says what it is for, and asks each thing once`, () => {
      const form = parse(text, { strict: true });
      assert.ok(form.name && form.description);
      const ids = form.body.flatMap(({ id, type, attributes }: { id?: string; type: string; attributes: object }) => {
        assert.ok(KINDS.includes(type), type);
        assert.ok(type === 'markdown' ? 'value' in attributes : 'label' in attributes && id);
        return id === undefined ? [] : [id];
      });
      assert.ok(ids.length > 0);
      assert.equal(new Set(ids).size, ids.length);
    });
  }

  it('lead to what there is', () => {
    const { homepage } = JSON.parse(readFileSync('package.json', 'utf8'));
    const home = homepage.replace('#readme', '');
    const { contact_links: links } = parse(readFileSync(`${FORMS}/config.yml`, 'utf8'));
    for (const { url } of links) {
      const path = url.replace(`${home}/blob/main/`, '');
      assert.ok(url === `${home}/security/advisories/new` || existsSync(path), url);
    }
  });
});
