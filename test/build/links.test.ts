/**
 * The links of the documents: whoever reads one in the repository, and of those that the npm package carries where it was
 * installed and on its page, comes to what it names.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';

const { homepage } = JSON.parse(readFileSync('package.json', 'utf8'));
/** Where the project lives, and a file of it, as a document that is elsewhere names it. */
const HOME = new URL(homepage);
const FILE_AT_HOME = `${HOME.origin}${HOME.pathname}/blob/main/`;
/** What whoever has only the package reads first. */
const FIRST = ['README.md', 'CHANGELOG.md', 'PROTOCOL.md', 'docs/operations.md'];

const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'ignore'],
});
const [{ files }]: [{ files: { path: string }[] }] = JSON.parse(packed);
const carried = new Set(files.map(({ path }) => path));
const documents = [...carried].filter((path) => path.endsWith('.md'));
/** What is read in the repository alone. */
const AT_HOME = [
  'CONTRIBUTING.md',
  'SECURITY.md',
  '.github/pull_request_template.md',
  'docs/architecture.md',
  'docs/releasing.md',
  ...readdirSync('docs/decisions').map((name) => `docs/decisions/${name}`),
];
/** Pages of the project's home that are no file of it. */
const PAGES = ['/security/advisories/new'];

/** What is code is no link and no heading. */
const proseOf = (path: string) =>
  readFileSync(path, 'utf8')
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/`[^`\n]*`/g, (code) => (/[[\]()]/.test(code) ? '' : code));

const targetsOf = (prose: string): string[] =>
  [...prose.matchAll(/\]\(([^)\s]+)[^)]*\)|(?:src|href)="([^"]+)"/g)].map(
    ([, link, attribute]) => link ?? attribute ?? '',
  );

/** As the hosts of repositories make anchors of headings. */
const anchorsOf = (path: string): Set<string> => {
  const times = new Map<string, number>();
  const headings = [...proseOf(path).matchAll(/^#{1,6} (.*)$/gm)].map(([, heading = '']) => {
    const anchor = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-');
    const before = times.get(anchor) ?? 0;
    times.set(anchor, before + 1);
    return before ? `${anchor}-${before}` : anchor;
  });
  return new Set(headings);
};

/** What is wrong with a link, or nothing. */
function faultOf(document: string, target: string): string | null {
  if (target.startsWith(`${HOME.origin}${HOME.pathname}`)) {
    if (PAGES.includes(target.slice(HOME.origin.length + HOME.pathname.length))) return null;
    if (target === homepage || (target.startsWith(FILE_AT_HOME) && existsSync(target.slice(FILE_AT_HOME.length))))
      return null;
    return 'names a file that the repository does not have';
  }
  if (/^[a-z]+:/.test(target)) return null;
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? document : normalize(join(dirname(document), path));
  if (!existsSync(file)) return 'names a file that is not there';
  if (carried.has(document) && !carried.has(file)) return 'names a file that the package does not carry';
  return anchor === undefined || anchorsOf(file).has(anchor) ? null : `names a heading that ${file} does not have`;
}

describe('the documents, of which the npm package carries most,', () => {
  it('are at least those that are read first', () => {
    assert.deepEqual(
      FIRST.filter((path) => !documents.includes(path)),
      [],
    );
  });

  it('show every image that it carries', () => {
    const shown = documents.flatMap((document) =>
      targetsOf(proseOf(document)).map((target) => normalize(join(dirname(document), target))),
    );
    assert.deepEqual(
      [...carried].filter((path) => path.endsWith('.png') && !shown.includes(path)),
      [],
    );
  });

  for (const document of [...documents, ...AT_HOME]) {
    it(`${document} has no link and no image that leads nowhere`, () => {
      const targets = targetsOf(proseOf(document));
      assert.deepEqual(
        targets.flatMap((target) => {
          const fault = faultOf(document, target);
          return fault ? [`${target} ${fault}`] : [];
        }),
        [],
      );
    });
  }
});
