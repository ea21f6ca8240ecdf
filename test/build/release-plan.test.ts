/** What a release takes and does, with plain values: `test/release/` makes one. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  type Checkout,
  type Command,
  carryOut,
  type Lock,
  notesOf,
  obstaclesOf,
  publishing,
  sectionOf,
  shipped,
  sumsOf,
  tableOf,
  typed,
} from '../../build/release-plan.ts';
import { type Locked, lockedBy } from '../support/lockfile.ts';

const CHANGELOG = `# Changelog

## [1.10.0] - unreleased

### Added

- Of ten.

## [1.1.0] - 2026-01-02

### Fixed

- See [the protocol](PROTOCOL.md#joins), [elsewhere](https://example.com/a) and [below](#below).
`;

const READY: Checkout = {
  version: '1.1.0',
  branch: 'main',
  changes: 0,
  tagged: { here: false, origin: false },
  section: sectionOf(CHANGELOG, '1.1.0'),
  today: '2026-01-02',
  docker: true,
  provable: true,
};

describe("a version's section of the changelog", () => {
  it('ends where the next begins, and has a date or none', () => {
    assert.deepEqual(sectionOf(CHANGELOG, '1.10.0'), { date: null, notes: '### Added\n\n- Of ten.' });
    assert.equal(sectionOf(CHANGELOG, '1.1.0')?.date, '2026-01-02');
    assert.equal(sectionOf(CHANGELOG, '1.1'), null);
  });

  it('becomes notes whose links hold where the notes are read', () => {
    const notes = notesOf(
      { date: null, notes: sectionOf(CHANGELOG, '1.1.0')?.notes ?? '' },
      '1.1.0',
      'https://home.example',
    );
    assert.equal(
      notes,
      `# Telle 1.1.0

### Fixed

- See [the protocol](https://home.example/blob/v1.1.0/PROTOCOL.md#joins), [elsewhere](https://example.com/a) and [below](#below).
`,
    );
  });
});

const OBSTACLES: readonly (readonly [found: Partial<Checkout>, sentence: RegExp])[] = [
  [{ changes: 3 }, /^git status shows 3 changes: commit them/],
  [{ branch: 'next' }, /^next is checked out: releases are made of main$/],
  [{ branch: null }, /^no branch is checked out/],
  [{ section: null }, /^CHANGELOG\.md has no section of 1\.1\.0: write "## \[1\.1\.0\] - <date>"$/],
  [{ section: sectionOf(CHANGELOG, '1.10.0') }, /no date of 1\.1\.0: write "## \[1\.1\.0\] - 2026-01-02", and commit/],
  [{ tagged: { here: true, origin: false } }, /^the tag v1\.1\.0 is there already: raise the version/],
  [{ tagged: { here: false, origin: true } }, /^the tag v1\.1\.0 is there already/],
  [{ tagged: { here: false, origin: null } }, /^origin does not say which tags it has/],
  [{ docker: false }, /^no container engine answers/],
  [{ provable: false }, /^npm cannot prove here where the package comes from: publish from/],
];

describe('what stands in the way of publishing', () => {
  it('is nothing where all is as it must be', () => {
    assert.deepEqual(obstaclesOf(READY), []);
  });

  for (const [found, sentence] of OBSTACLES) {
    it(`is one sentence for ${JSON.stringify(found).slice(0, 60)}`, () => {
      const [said = '', ...others] = obstaclesOf({ ...READY, ...found });
      assert.match(said, sentence);
      assert.deepEqual(others, []);
    });
  }
});

describe('publishing', () => {
  it('tags and builds before it publishes what cannot be taken back', () => {
    assert.deepEqual(publishing('1.1.0', 'abc', '2026-01-02T03:04:05Z', 'dist/telle-1.1.0.tgz').map(typed), [
      "git tag --annotate v1.1.0 --message 'Telle 1.1.0'",
      'docker build --build-arg VERSION=1.1.0 --build-arg REVISION=abc --build-arg CREATED=2026-01-02T03:04:05Z --tag telle:1.1.0 .',
      'npm publish ./dist/telle-1.1.0.tgz --provenance --access public',
      'git push origin v1.1.0',
    ]);
    assert.equal(typed(['echo', "it's"]), "echo 'it'\\''s'");
  });

  it('stops at the first that fails, and tells it with those that are left', () => {
    const commands: Command[] = [['one'], ['two'], ['three']];
    const begun: string[] = [];
    const upTo = (bad: string) =>
      carryOut(commands, ([program]) => {
        begun.push(program);
        return program !== bad;
      });
    assert.deepEqual(upTo('two'), [['two'], ['three']]);
    assert.deepEqual(begun, ['one', 'two']);
    assert.deepEqual(upTo('none'), []);
  });

  it('has checksums as sha256sum reads them, and a table to look at', () => {
    const files = [
      { name: 'telle-1.1.0.tgz', bytes: 9, sha256: 'aa' },
      { name: 'b', bytes: 10, sha256: 'bb' },
    ];
    assert.equal(sumsOf(files), 'aa  telle-1.1.0.tgz\nbb  b\n');
    assert.match(tableOf(files), /^file +bytes +sha256\ntelle-1\.1\.0\.tgz +9 {2}aa\nb +10 {2}bb$/);
  });
});

describe('the lockfile that is shipped', () => {
  it('has what the dependencies need, and nothing of the tools', () => {
    const lock: Lock & Locked = JSON.parse(readFileSync('package-lock.json', 'utf8'));
    const { packages } = shipped(lock);
    assert.deepEqual(Object.keys(packages).filter(Boolean).sort(), [...lockedBy(lock)].sort());
    assert.equal(packages['']?.devDependencies, undefined);
  });
});
