/**
 * A release, made in a checkout of its own as whoever releases makes it. What stands in for a container engine and for
 * publishing to npm writes down what it was asked: neither can be had here.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { lockedBy } from '../support/lockfile.ts';

const { version, description, dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const PLATFORM = `${process.platform}-${process.arch}`;
/** Whose job npm believes. */
const PROVABLE = { GITHUB_ACTIONS: 'true', ACTIONS_ID_TOKEN_REQUEST_URL: 'http://127.0.0.1:1/' };
const NOWHERE = { GITHUB_ACTIONS: '', GITLAB_CI: '' };

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly hashes?: unknown;
  readonly licenses?: readonly unknown[];
}

describe('a release', { timeout: 600_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'telle-release-'));
  const [checkout, origin, programs] = ['checkout', 'origin.git', 'programs'].map((name) => join(folder, name));
  const asked = join(folder, 'asked.txt');
  const made = (name: string) => join(checkout ?? '', 'dist/release', name);

  const git = (...args: string[]) => execFileSync('git', args, { cwd: checkout, encoding: 'utf8' });
  const commit = (message: string) => {
    git('add', '--all');
    git('-c', 'user.name=Test', '-c', 'user.email=test@example.com', 'commit', '--quiet', '--message', message);
  };
  const release = (env: NodeJS.ProcessEnv, ...args: string[]) => {
    const identity = { GIT_COMMITTER_NAME: 'Test', GIT_COMMITTER_EMAIL: 'test@example.com' };
    const PATH = `${programs}:${process.env.PATH}`;
    const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'release', '--', ...args], {
      cwd: checkout,
      encoding: 'utf8',
      env: { ...process.env, ...identity, PATH, ...env },
    });
    return { status, stdout, stderr };
  };
  const program = (name: string, text: string) => {
    const path = join(programs ?? '', name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
  };

  before(() => {
    for (const each of [checkout, origin, programs]) mkdirSync(each ?? '');
    const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
      encoding: 'utf8',
    });
    for (const file of files.split('\0').filter((each) => each !== '' && existsSync(each))) {
      cpSync(file, join(checkout ?? '', file));
    }
    symlinkSync(resolve('node_modules'), join(checkout ?? '', 'node_modules'));
    git('init', '--quiet', '--initial-branch', 'main');
    appendFileSync(join(checkout ?? '', '.git/info/exclude'), 'node_modules\n');
    git('init', '--quiet', '--bare', origin ?? '');
    git('remote', 'add', 'origin', origin ?? '');
    const changelog = join(checkout ?? '', 'CHANGELOG.md');
    const heading = new RegExp(`^(## \\[${version.replaceAll('.', '\\.')}\\] - ).*$`, 'm');
    writeFileSync(changelog, readFileSync(changelog, 'utf8').replace(heading, '$12026-01-02'));
    commit('As it is released');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is made by a dry run, which says what it would do and what stands in its way, and does none of it', () => {
    const { status, stdout, stderr } = release(NOWHERE, '--dry-run');
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    for (const said of [
      `telle-${version}.tgz`,
      `git tag --annotate v${version}`,
      'docker build',
      'npm publish',
      'npm cannot prove',
    ]) {
      assert.ok(stdout.includes(said), `${said} in:\n${stdout}`);
    }
    assert.match(stdout, /nothing was tagged or published\.\n$/);
    assert.deepEqual([git('tag'), git('status', '--porcelain')], ['', '']);
  });

  it('has the files that it says, each with its checksum', () => {
    const stem = `telle-${version}`;
    assert.deepEqual(
      readdirSync(made('')).sort(),
      [
        'SHA256SUMS',
        `${stem}-${PLATFORM}`,
        `${stem}-${PLATFORM}.licenses.txt`,
        `${stem}.cdx.json`,
        `${stem}.notes.md`,
        `${stem}.tgz`,
      ].sort(),
    );
    const sums = readFileSync(made('SHA256SUMS'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split('  '));
    assert.equal(sums.length, 5);
    for (const [sum, name = ''] of sums) {
      assert.equal(
        createHash('sha256')
          .update(readFileSync(made(name)))
          .digest('hex'),
        sum,
        name,
      );
    }
  });

  it('has an executable that runs, and a package, both of its version', () => {
    assert.equal(
      execFileSync(made(`telle-${version}-${PLATFORM}`), ['--version'], { encoding: 'utf8' }),
      `${version}\n`,
    );
    const manifest = execFileSync('tar', ['-xzOf', made(`telle-${version}.tgz`), 'package/package.json'], {
      encoding: 'utf8',
    });
    assert.equal(JSON.parse(manifest).version, version);
  });

  it('has notes: what the changelog says of the version', () => {
    const notes = readFileSync(made(`telle-${version}.notes.md`), 'utf8');
    assert.match(notes, new RegExp(`^# Telle ${version}\n\n\\S`));
    assert.doesNotMatch(notes, /^## /m);
    assert.doesNotMatch(notes, /\]\((?!https?:|#)/);
  });

  it('has a bill of materials in CycloneDX: every package that is shipped, with its licence, and no tool', () => {
    const bill = JSON.parse(readFileSync(made(`telle-${version}.cdx.json`), 'utf8'));
    assert.equal(bill.bomFormat, 'CycloneDX');
    assert.match(bill.specVersion, /^1\.\d$/);
    assert.match(bill.serialNumber, /^urn:uuid:[0-9a-f-]{36}$/);
    const { name, type, purl, ...of } = bill.metadata.component;
    assert.deepEqual([name, type, of.version, of.description], ['telle', 'application', version, description]);
    assert.equal(purl, `pkg:npm/telle@${version}`);

    const components: Component[] = bill.components;
    const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
    const shipped = [...lockedBy(lock)].map(
      (place) => `${place.replace(/^.*node_modules\//, '')}@${lock.packages[place].version}`,
    );
    assert.deepEqual(components.map((each) => `${each.name}@${each.version}`).sort(), [...new Set(shipped)].sort());
    for (const each of components) {
      assert.ok(each.purl?.startsWith('pkg:npm/') && each.hashes && each.licenses?.length, JSON.stringify(each));
    }
    const names = components.map((each) => each.name);
    assert.deepEqual(
      Object.keys(dependencies).filter((each) => !names.includes(each)),
      [],
    );
    const refs = new Set([...components, bill.metadata.component].map((each) => each['bom-ref']));
    const needed = bill.dependencies.flatMap(({ ref, dependsOn }: { ref: string; dependsOn: string[] }) => [
      ref,
      ...dependsOn,
    ]);
    assert.deepEqual(
      needed.filter((each: string) => !refs.has(each)),
      [],
    );
  });

  it('is not made where it is not said whether to publish, or not understood', () => {
    for (const args of [[], ['--dry-run', '--publish'], ['--nonsense'], ['now']]) {
      const { status, stdout, stderr } = release(PROVABLE, ...args);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, /^release: .*\n$/);
    }
    const help = release({}, '--help');
    assert.deepEqual([help.status, help.stderr], [0, '']);
    assert.match(help.stdout, /--dry-run[\s\S]*--publish[\s\S]*Exit codes: 0/);
  });

  it('is not published where anything stands in its way: nothing is made, and each reason is a sentence', () => {
    rmSync(made(''), { recursive: true });
    git('tag', `v${version}`);
    git('switch', '--quiet', '--create', 'next');
    writeFileSync(join(checkout ?? '', 'left-behind.txt'), '');
    const { status, stdout, stderr } = release(NOWHERE, '--publish');
    git('switch', '--quiet', 'main');
    git('tag', '--delete', `v${version}`);
    rmSync(join(checkout ?? '', 'left-behind.txt'));
    assert.deepEqual([status, stdout], [1, '']);
    for (const reason of [
      /^build: .* cannot be published:$/m,
      /✗ git status shows 1 /,
      /✗ next is /,
      /✗ the tag v/,
      /✗ npm cannot/,
    ]) {
      assert.match(stderr, reason);
    }
    assert.doesNotMatch(stderr, /\n {4}at /);
    assert.equal(existsSync(made('')), false);
  });

  it('is published, where told to: tag, image, package, and the tag for everybody, in this order', () => {
    const npm = execFileSync('which', ['npm'], { encoding: 'utf8' }).trim();
    program('docker', `test "$1" = info || echo "docker $*" >> '${asked}'`);
    program(
      'npm',
      `if test "$1" = publish; then test ! -e '${asked}.down' && echo "npm $*" >> '${asked}'; else exec '${npm}' "$@"; fi`,
    );
    writeFileSync(`${asked}.down`, '');
    const failed = release(PROVABLE, '--publish');
    assert.equal(failed.status, 1, failed.stdout + failed.stderr);
    const left = failed.stderr.trim().split('\n').slice(-2);
    assert.deepEqual(left, [
      `npm publish ./dist/release/telle-${version}.tgz --provenance --access public`,
      `git push origin v${version}`,
    ]);
    assert.match(git('tag'), new RegExp(`^v${version}$`, 'm'));
    assert.equal(git('ls-remote', 'origin'), '');

    git('tag', '--delete', `v${version}`);
    rmSync(`${asked}.down`);
    rmSync(asked);
    const done = release(PROVABLE, '--publish');
    assert.deepEqual([done.status, done.stderr.includes('build:')], [0, false], done.stdout + done.stderr);
    const [docker, publish] = readFileSync(asked, 'utf8').split('\n');
    const revision = git('rev-parse', 'HEAD').trim();
    assert.match(
      docker ?? '',
      new RegExp(
        `^docker build .*VERSION=${version} .*REVISION=${revision} .*CREATED=\\S+Z --tag telle:${version} \\.$`,
      ),
    );
    assert.equal(publish, left[0]);
    assert.match(git('ls-remote', 'origin'), new RegExp(`refs/tags/v${version}$`, 'm'));
    assert.equal(git('rev-parse', `v${version}^{commit}`).trim(), revision);
  });
});
