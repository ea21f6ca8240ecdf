/** `telle doctor`: what is found, what is to be done about it, and the exit code. */
import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { command } from '../support/command.ts';
import { freePort } from '../support/port.ts';
import { makeDatabase } from '../support/postgres.ts';
import { telle } from '../support/process.ts';
import { startRedis } from '../support/redis.ts';
import { inFolder } from '../support/server.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');
const redis = process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set: run the tests with `npm test`');

const AUTH_SECRET = 'a secret of this test that nobody else has';
const FEW = { MAX_CONNECTIONS: '10', PORT: '0' };

type Env = Readonly<Record<string, string>>;

/** What it finds with these settings. Few sockets are wanted, so that no machine's limit is too low. */
async function findings(env: Env): Promise<{ code: number | null; stdout: string }> {
  const { code, stdout, stderr } = await command(['doctor'], { ...FEW, ...env });
  assert.equal(stderr, '');
  assert.equal(stdout, stripVTControlCharacters(stdout));
  return { code, stdout };
}

/** That a finding is there with what is to be done about it. */
function assertFound(stdout: string, mark: string, topic: string, found: RegExp, advice?: RegExp): void {
  const lines = stdout.split('\n');
  const at = lines.findIndex((line) => line.startsWith(`${mark} ${topic}`) && found.test(line));
  assert.notEqual(at, -1, `no ${mark} ${topic} ${found} in:\n${stdout}`);
  if (advice) assert.match(lines[at + 1] ?? '', new RegExp(`^ +→ .*${advice.source}`), stdout);
  else assert.doesNotMatch(lines[at + 1] ?? '', /→/, stdout);
}

async function migrated(DATABASE_URL: string): Promise<string> {
  const store = openStore(readSettings({ DATABASE_URL }));
  await store.migrate();
  await store.close();
  return DATABASE_URL;
}

const sqliteIn = (folder: string) => `sqlite:${join(folder, 'telle.db')}`;

/** What is wrong with a secret, and what is said of it. */
const SECRETS: readonly (readonly [env: Env, code: number, mark: string, found: RegExp, advice: RegExp])[] = [
  [{ AUTH_SECRET: 'short' }, 0, '!', /AUTH_SECRET has 5 bytes/, /openssl rand/],
  [{ AUTH_SECRET: `${AUTH_SECRET},short` }, 0, '!', /AUTH_SECRET has 5 bytes/, /at least 32/],
  [{ AUTH_SECRET: 'a,,b' }, 1, '✗', /empty part between its commas/, /set AUTH_SECRET/],
  [{ DATABASE_URL: 'postgres://127.0.0.1:1/none' }, 1, '✗', /AUTH_SECRET is missing/, /the same on every node/],
  [{ REDIS_URL: 'redis://127.0.0.1:1' }, 1, '✗', /AUTH_SECRET is missing/, /the same on every node/],
];

describe('telle doctor', { timeout: 90_000 }, () => {
  it('finds nothing wrong before the first start, makes nothing, and ends with 0', () =>
    inFolder(async (cwd) => {
      const { code, stdout, stderr } = await telle(['doctor'], { cwd, env: FEW, patience: 60_000 });
      assert.deepEqual([code, stderr], [0, ''], stdout);
      assertFound(stdout, '✓', 'secret', /none yet: data\/telle\.secret is made at the first start/);
      assertFound(stdout, '✓', 'database', /none yet: data\/telle\.db is made at the first start/);
      assertFound(stdout, '✓', 'redis', /none is set/);
      assert.doesNotMatch(stripVTControlCharacters(stdout), /[!✗→]/);
      assert.equal(stdout, stripVTControlCharacters(stdout));
      assert.deepEqual(await readdir(cwd), []);
    }));

  it('finds nothing wrong with a node on SQLite, nor with one on Postgres and Redis', () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'telle.secret'), AUTH_SECRET, { mode: 0o600 });
      const alone = await findings({ DATABASE_URL: await migrated(sqliteIn(folder)) });
      assert.equal(alone.code, 0);
      assertFound(alone.stdout, '✓', 'secret', /in \S+telle\.secret$/);
      assertFound(alone.stdout, '✓', 'database', /sqlite:\S+telle\.db answers/);
      assertFound(alone.stdout, '✓', 'disk', /GiB free for/);
      const DATABASE_URL = await migrated(await makeDatabase(postgres));
      const { code, stdout } = await findings({ DATABASE_URL, REDIS_URL: redis, AUTH_SECRET });
      assert.equal(code, 0, stdout);
      assertFound(stdout, '✓', 'secret', /AUTH_SECRET is set/);
      assertFound(stdout, '✓', 'database', /postgres:\S+ answers/);
      assertFound(stdout, '✓', 'redis', /Redis \d+\.\d+\.\d+ answers/);
      for (const output of [alone.stdout, stdout]) {
        assertFound(output, '✓', 'database', /its tables are up to date/);
        assertFound(output, '✓', 'database', /clock and this one agree within 1000 ms/);
        assert.doesNotMatch(output, /^✗/m);
      }
      assert.doesNotMatch(stdout, new RegExp(AUTH_SECRET));
    }));

  it('finds a secret that others can read, and ends with 1 until that is mended as it says', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'telle.secret');
      await writeFile(file, AUTH_SECRET);
      for (const mode of [0o644, 0o640, 0o604]) {
        await chmod(file, mode);
        const { code, stdout } = await findings({ DATABASE_URL: sqliteIn(folder) });
        assert.equal(code, 1);
        assertFound(stdout, '✗', 'secret', /telle\.secret can be read by others/, /chmod 600 \S+telle\.secret/);
      }
      await chmod(file, 0o600);
      assert.equal((await findings({ DATABASE_URL: sqliteIn(folder) })).code, 0);
    }));

  for (const [env, code, mark, found, advice] of SECRETS) {
    it(`says what to do about a secret: ${JSON.stringify(env)}`, async () => {
      const answer = await findings({ DATABASE_URL: 'sqlite:nowhere/telle.db', ...env });
      assertFound(answer.stdout, mark, 'secret', found, advice);
      assert.equal(answer.code, code);
    });
  }

  it('finds migrations that are to be applied, on both databases, and applies none', () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'telle.db'), '');
      for (const DATABASE_URL of [sqliteIn(folder), await makeDatabase(postgres)]) {
        for (const _ of ['first', 'again']) {
          const { code, stdout } = await findings({ DATABASE_URL, AUTH_SECRET });
          assertFound(stdout, '!', 'database', /\d+ migrations are to be applied/, /telle migrate/);
          assert.equal(code, 0);
        }
      }
    }));

  it('finds a database that is none, or does not answer, and shows no password', () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'telle.db'), 'no database, but long enough to be looked at'.repeat(100));
      await mkdir(join(folder, 'folder.db'));
      for (const name of ['telle.db', 'folder.db']) {
        const { code, stdout } = await findings({ DATABASE_URL: `sqlite:${join(folder, name)}`, AUTH_SECRET });
        assertFound(stdout, '✗', 'database', /does not answer: ./, /may this user write to/);
        assert.equal(code, 1);
      }
      const away = await findings({
        DATABASE_URL: `postgres://telle:hidden-word@127.0.0.1:${await freePort()}/telle`,
        AUTH_SECRET,
      });
      assert.equal(away.code, 1);
      assertFound(away.stdout, '✗', 'database', /does not answer: .*ECONNREFUSED/, /is it running/);
      assert.doesNotMatch(away.stdout, /hidden-word/);
    }));

  it('finds a Redis that does not answer, or that may lose the stream', async () => {
    const env = { DATABASE_URL: 'sqlite:nowhere/telle.db', AUTH_SECRET };
    const away = await findings({ ...env, REDIS_URL: `redis://:hidden-word@127.0.0.1:${await freePort()}` });
    assert.equal(away.code, 1);
    assertFound(away.stdout, '✗', 'redis', /Redis does not answer: .*ECONNREFUSED/, /Telle starts without it/);
    assert.doesNotMatch(away.stdout, /hidden-word/);
    const careless = await startRedis(['--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru']);
    try {
      const { code, stdout } = await findings({ ...env, REDIS_URL: careless.url });
      assertFound(stdout, '!', 'redis', /keeps no append-only file/, /appendonly yes/);
      assertFound(stdout, '!', 'redis', /may evict keys/, /maxmemory-policy noeviction/);
      assert.equal(code, 0);
    } finally {
      await careless.stop();
    }
  });

  it('finds a clock that is a minute off those of Postgres and Redis', async ({ mock }) => {
    const DATABASE_URL = await migrated(await makeDatabase(postgres));
    mock.timers.enable({ apis: ['Date'], now: Date.now() - 60_000 });
    await new Promise(setImmediate); // Node says once on stderr that this is new
    const { code, stdout } = await findings({ DATABASE_URL, REDIS_URL: redis, AUTH_SECRET });
    const skew = /the clock of .* is (59|60|61|62|63|64|65)\d{3} ms ahead of this one/;
    for (const topic of ['database', 'redis']) assertFound(stdout, '!', topic, skew, /NTP/);
    assert.equal(code, 0);
  });

  it('finds too few open files, and says how many sockets they are enough for', async () => {
    const { code, stdout } = await findings({ DATABASE_URL: 'sqlite:nowhere/telle.db', MAX_CONNECTIONS: '1000000' });
    if (!/ open files /.test(stdout)) return; // no limit is known
    assertFound(
      stdout,
      '!',
      'open files',
      /\d+ files may be open, and MAX_CONNECTIONS 1000000 needs 1000100/,
      /LimitNOFILE/,
    );
    const [, fits = ''] = /lower MAX_CONNECTIONS to (\d+)/.exec(stdout) ?? assert.fail(stdout);
    const again = await findings({ DATABASE_URL: 'sqlite:nowhere/telle.db', MAX_CONNECTIONS: fits });
    assertFound(again.stdout, '✓', 'open files', /files may be open/);
    assert.equal(code, 0);
  });
});
