/**
 * Other users of the same machine: they read nothing of what Telle writes, and keep no server from its database. Everything
 * is done by processes of their own, under the umask that most systems have, and one that lets everybody in.
 */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { command } from '../support/command.ts';
import { Process, SOURCE, startProcess, telle } from '../support/process.ts';
import { inFolder } from '../support/server.ts';
import { Tally } from '../support/tally.ts';

/** Somebody else: `nobody`. */
const OTHER = 65_534;
/** What hangs is ended after this, in ms. */
const PATIENCE = 60_000;
const LOCK = 'telle.db.lock';

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

/** The mode of everything below a folder that was made in it. */
const modesIn = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => [name, modeOf(join(folder, name))]),
  );

/** Does something under a umask, which the processes that it starts have, too. */
async function under<T>(umask: number, work: () => Promise<T>): Promise<T> {
  const before = process.umask(umask);
  try {
    return await work();
  } finally {
    process.umask(before);
  }
}

/** Puts somebody else's file in the place of the lock; who is not root, and can give nothing away, points to one. */
function plant(path: string): void {
  if (process.getuid?.() === 0) {
    writeFileSync(path, '');
    chmodSync(path, 0o666);
    chownSync(path, OTHER, OTHER);
  } else symlinkSync('/etc/passwd', path);
}

describe('Local users', { timeout: 300_000 }, () => {
  const tally = new Tally('Local users');
  after(() => tally.print());

  test('read nothing of what is written, whatever the umask', () =>
    tally.scenario('modes of files and folders', async (attempt) => {
      for (const umask of [0o022, 0o000]) {
        await attempt(`umask ${umask.toString(8)}`, () =>
          inFolder((cwd) =>
            under(umask, async () => {
              const server = await startProcess({ cwd, patience: PATIENCE });
              try {
                const written = await Promise.all([
                  telle(['export', '--dealer', 'demo', '--output', 'demo.ndjson'], { cwd }),
                  telle(['backup', 'copy.db'], { cwd }),
                ]);
                assert.deepEqual(
                  written.map(({ code }) => code),
                  [0, 0],
                );
                assert.equal(server.stderr, '', 'nothing is to be told of');
                assert.deepEqual(modesIn(cwd), {
                  'copy.db': '600',
                  data: '700',
                  'demo.ndjson': '600',
                  'data/telle.db': '600',
                  'data/telle.db-shm': '600',
                  'data/telle.db-wal': '600',
                  'data/telle.db.lock': '600',
                  'data/telle.db.lock-journal': '600',
                  'data/telle.secret': '600',
                });
              } finally {
                await server.kill();
              }
            }),
          ),
        );
      }
    }));

  test('read no export that is made again over one that they could read, or that was broken off', () =>
    tally.scenario('an export over another', (attempt) =>
      attempt('0644 before', () =>
        inFolder(async (cwd) => {
          await telle(['dealer', 'add', 'd1', '--init'], { cwd });
          for (const name of ['d1.ndjson', 'd1.ndjson.part']) writeFileSync(join(cwd, name), '', { mode: 0o644 });
          const { code } = await telle(['export', '--dealer', 'd1', '--output', 'd1.ndjson'], { cwd });
          assert.deepEqual([code, modeOf(join(cwd, 'd1.ndjson'))], [0, '600']);
        }),
      ),
    ));

  test('who may open what was there before are told of, by the server and the doctor, and nothing is changed', () =>
    tally.scenario('files that are too open', async (attempt) => {
      for (const [mode, name] of [
        [0o644, 'telle.db'],
        [0o640, 'telle.db-wal'],
        [0o666, LOCK],
      ] as const) {
        await attempt(`${name} ${mode.toString(8)}`, () =>
          inFolder(async (cwd) => {
            const [file, DATABASE_URL] = [join(cwd, name), `sqlite:${join(cwd, 'telle.db')}`];
            await (await startProcess({ cwd, env: { DATABASE_URL }, patience: PATIENCE })).kill();
            chmodSync(file, mode);
            const server = await startProcess({ cwd, env: { DATABASE_URL }, patience: PATIENCE });
            const { stdout } = await command(['doctor'], { DATABASE_URL, MAX_CONNECTIONS: '10' });
            assert.equal(modeOf(file), mode.toString(8));
            await server.kill('SIGTERM');
            const [found, advice] = [`others on this machine may open ${file}`, `chmod 600 ${file}`];
            const [line = '{}'] = server.stderr.split('\n').filter((each) => each.includes('others'));
            const { level, msg } = JSON.parse(line);
            assert.deepEqual([level, msg], [40, `${found}: ${advice}`]);
            assert.match(stdout, new RegExp(`^! database +${found}\n +→ ${advice}$`, 'm'));
          }),
        );
      }
    }));

  test('keep no server from its database', () =>
    tally.scenario('the lock', async (attempt) => {
      await attempt('a lock that somebody else has put there', () =>
        inFolder(async (cwd) => {
          mkdirSync(join(cwd, 'data'));
          plant(join(cwd, 'data', LOCK));
          const { code, stderr } = await telle(['serve', '--port', '0'], { cwd, patience: PATIENCE });
          assert.equal(code, 2, stderr);
          assert.match(stderr, /^telle: .*data\/telle\.db\.lock is not a file of this user's, .*: remove it\n$/);
          rmSync(join(cwd, 'data', LOCK));
          await (await startProcess({ cwd, patience: PATIENCE })).kill();
        }),
      );
      await attempt('a lock that everybody may open, and somebody holds', () =>
        inFolder(async (cwd) => {
          const path = join(cwd, LOCK);
          writeFileSync(path, '');
          chmodSync(path, 0o644);
          const held = new Sqlite(path);
          held.exec('BEGIN EXCLUSIVE');
          const serving = new Process(SOURCE, ['serve', '--port', '0', '--database-url', 'sqlite:telle.db'], {
            cwd,
            patience: PATIENCE,
          });
          const { code } = await serving.ended;
          held.close();
          assert.equal(code, 2);
          assert.match(
            serving.stderr,
            /another telle serves telle\.db, or somebody holds \S+\.lock, .*: chmod 600 it\n$/,
          );
        }),
      );
    }));
});
