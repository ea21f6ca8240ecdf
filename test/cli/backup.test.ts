/** `telle backup`: one moment's copy of the embedded database, while a server writes to it. */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { WebSocket } from 'ws';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { connect } from '../../src/client/index.ts';
import { command } from '../support/command.ts';
import { Process, SOURCE, startProcess } from '../support/process.ts';
import { readSeqs } from '../support/rows.ts';
import { inFolder } from '../support/server.ts';

const PATIENCE = 60_000;
const GROUP = 'g1';

/** Fills a database so far that a copy takes a moment. */
async function fill(DATABASE_URL: string): Promise<void> {
  const store = openStore(readSettings({ DATABASE_URL }));
  await store.migrate();
  await store.putDealer('demo', {});
  await store.close();
  const client = new Database(DATABASE_URL.replace('sqlite:', ''));
  client.exec('create table ballast (bytes blob)');
  client.prepare('insert into ballast values (zeroblob(?))').run(32 * 1024 * 1024);
  client.close();
}

/** The mode of a file, each time that it is seen until the work is done. */
async function modesOf(file: string, work: Promise<unknown>): Promise<Set<number>> {
  const modes = new Set<number>();
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found) modes.add(found.mode & 0o777);
    await turn();
  }
  await done;
  return modes;
}

describe('telle backup', { timeout: 120_000 }, () => {
  it('copies everything that was acked before, while a server writes, for its owner’s eyes alone', () =>
    inFolder(async (cwd) => {
      const env = { DATABASE_URL: `sqlite:${join(cwd, 'telle.db')}` };
      await fill(env.DATABASE_URL);
      const server = await startProcess({ cwd, env, patience: PATIENCE });
      const client = connect({ role: 'customer', url: server.url, dealerId: 'demo', groupId: GROUP, WebSocket });
      let isWriting = true;
      let acked = 0;
      const write = async () => {
        while (isWriting) {
          const { seq = 0 } = await client.send('customer_message', { type: 'UPDATE_MSG', message: 'Hello' });
          acked = seq;
        }
      };
      const writing = write();
      try {
        while (acked < 15) await turn();
        const backup = new Process(SOURCE, ['backup', 'copy.db'], { cwd, env, patience: PATIENCE });
        const before = acked;
        const modes = await modesOf(join(cwd, 'copy.db.part'), backup.ended);
        const { code } = await backup.ended;
        const after = acked;
        isWriting = false;
        await writing;
        assert.deepEqual([code, backup.stderr], [0, '']);
        assert.match(backup.stdout, /^copy\.db is a copy of \S+telle\.db, \d+ bytes\n$/);
        const copy = join(cwd, 'copy.db');
        assert.equal((await stat(copy)).mode & 0o777, 0o600);
        assert.deepEqual([...modes], [0o600], 'while it is written, too');
        assert.ok(!existsSync(`${copy}.part`));
        const opened = new Database(copy, { readonly: true });
        assert.deepEqual(opened.pragma('integrity_check'), [{ integrity_check: 'ok' }]);
        opened.close();
        const store = openStore(readSettings({ DATABASE_URL: `sqlite:${copy}` }));
        const seqs = await readSeqs(store, 'demo', GROUP);
        await store.close();
        console.log(`${before} acked before, ${seqs.length} copied, ${after} acked after`);
        assert.deepEqual(
          seqs,
          Array.from({ length: seqs.length }, (_, index) => index + 1),
        );
        assert.ok(seqs.length >= before, `${before} were acked before, and ${seqs.length} are in the copy`);
        assert.ok(after > before, 'the server wrote meanwhile');
        assert.equal(server.stderr, '');
      } finally {
        isWriting = false;
        client.close();
        await writing.catch(() => {});
        await server.kill();
      }
    }));

  it('does not write over a file that exists', () =>
    inFolder(async (folder) => {
      const DATABASE_URL = `sqlite:${join(folder, 'telle.db')}`;
      await command(['migrate'], { DATABASE_URL });
      const file = join(folder, 'copy.db');
      await writeFile(file, 'what was there');
      assert.deepEqual(await command(['backup', file], { DATABASE_URL }), {
        code: 2,
        stdout: '',
        stderr: `telle: ${file} exists: name a file that does not\n`,
      });
      assert.equal((await stat(file)).size, 'what was there'.length);
    }));

  it('takes the place of a copy that was not finished', () =>
    inFolder(async (folder) => {
      const DATABASE_URL = `sqlite:${join(folder, 'telle.db')}`;
      await command(['migrate'], { DATABASE_URL });
      const file = join(folder, 'copy.db');
      await writeFile(`${file}.part`, 'half of one');
      assert.equal((await command(['backup', file], { DATABASE_URL })).code, 0);
      assert.ok(!existsSync(`${file}.part`));
      assert.equal((await stat(file)).mode & 0o777, 0o600);
    }));

  it('refuses Postgres, where there is no database, and where there is no folder, in a sentence', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'copy.db');
      const missing = join(folder, 'nowhere.db');
      assert.deepEqual(await command(['backup', file], { DATABASE_URL: 'postgres://127.0.0.1:1/telle' }), {
        code: 2,
        stdout: '',
        stderr: 'telle: only an embedded database is copied so: for Postgres, use pg_dump\n',
      });
      assert.deepEqual(await command(['backup', file], { DATABASE_URL: `sqlite:${missing}` }), {
        code: 1,
        stdout: '',
        stderr: `telle: there is no ${missing}: run this in the server's folder, or set its DATABASE_URL\n`,
      });
      assert.deepEqual(await readdir(folder), [], 'it makes none');
      const DATABASE_URL = `sqlite:${join(folder, 'telle.db')}`;
      await command(['migrate'], { DATABASE_URL });
      const { code, stdout, stderr } = await command(['backup', join(folder, 'nowhere', 'copy.db')], { DATABASE_URL });
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /^telle: .+\n$/);
    }));
});
