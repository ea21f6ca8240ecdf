import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { MEMORY } from '../../schemas/settings.ts';
import { openStore } from '../../src/app.ts';
import { Checkpoints } from '../../src/store/sqlite/checkpoints.ts';
import { describeStore } from '../conformance/store.ts';
import { converseAndErase, describeTraces, WORD } from '../conformance/store-traces.ts';
import { eventRow, eventRows, groupRow, load, NOW, ODD_TEXT, readSeqs, seqsOf, write } from '../support/rows.ts';
import { inFolder } from '../support/server.ts';
import { settingsFor, withFile } from '../support/sqlite-file.ts';
import { until } from '../support/until.ts';

describeStore('SQLite, in a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'telle-'));
  const store = openStore(settingsFor(join(folder, 'telle.db')));
  return {
    store,
    close: async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});

describeStore('SQLite, in memory', async () => {
  const store = openStore(settingsFor(MEMORY));
  return { store, close: () => store.close() };
});

describeTraces('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'telle-'));
  const file = join(folder, 'telle.db');
  const store = openStore(settingsFor(file));
  return {
    store,
    dump: async () => {
      const tables = query(file, "SELECT name FROM sqlite_master WHERE type = 'table'");
      const names = tables.map((table) => String(Reflect.get(Object(table), 'name')));
      return new Map(names.map((name) => [name, JSON.stringify(query(file, `SELECT * FROM "${name}"`))]));
    },
    close: async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});

/** Reads with a connection of its own, as somebody who opens the file does. */
function query(file: string, sql: string): unknown[] {
  const client = new Database(file, { readonly: true });
  try {
    return client.prepare(sql).all();
  } finally {
    client.close();
  }
}

/** How many events the file has by itself, without its write-ahead log; none where it is being written just now. */
async function carriedOver(file: string): Promise<number> {
  await copyFile(file, `${file}.alone`);
  try {
    return query(`${file}.alone`, 'SELECT seq FROM events').length;
  } catch (fault) {
    if (fault instanceof Database.SqliteError) return 0;
    throw fault;
  }
}

/** Holds the file's write lock meanwhile. */
async function whileLocked(file: string, use: () => Promise<void>): Promise<void> {
  const other = new Database(file);
  try {
    other.exec('BEGIN IMMEDIATE');
    await use();
    other.exec('ROLLBACK');
  } finally {
    other.close();
  }
}

describe('an SQLite file', () => {
  it(
    'keeps a write-ahead log, so that readers do not wait for writers',
    withFile(async (_, file) => {
      assert.deepEqual(query(file, 'PRAGMA journal_mode'), [{ journal_mode: 'wal' }]);
    }),
  );

  it('is flushed to disk at every commit [P-8.1]', (t) =>
    withFile(async (store) => {
      // Durability is a connection's own setting: the one that commits is asked.
      const spy = t.mock.method(Database.prototype, 'transaction');
      await write(store, { dealers: { d1: seqsOf(1, 1) } });
      const client: unknown = spy.mock.calls.at(-1)?.this;
      assert.ok(client instanceof Database);
      const FULL = 2;
      assert.equal(client.pragma('synchronous', { simple: true }), FULL);
    })());

  it(
    'hands over rows as they stand, though it had them before and another connection has changed them',
    withFile(async (store, file) => {
      const needs = { dealers: [['d1']], groups: [['d1', 'g1']] };
      await write(store, { dealers: { d1: seqsOf(1, 1) }, groups: { 'd1/g1': groupRow({ unread: 1 }) } });
      assert.equal((await load(store, needs)).groups.get('d1/g1')?.unread, 1);
      assert.deepEqual((await store.standing('d1')).dealer?.origins, []);
      const other = new Database(file);
      other.exec(
        `UPDATE groups SET unread = 7;
          UPDATE dealers SET dealer_seq = 5, desk_seq = 6, origins = '["*"]' WHERE dealer_id = 'd1'`,
      );
      other.close();
      await new Promise(setImmediate); // what is read outside of a batch is looked at anew in each turn
      const { dealer, group } = await store.standing('d1', 'g1');
      assert.deepEqual(
        [dealer, group?.unread],
        [{ ...seqsOf(5, 6), origins: ['*'], claims: 'any', groupKey: null, groupKeyUntil: null }, 7],
      );
      const { dealers, groups } = await load(store, needs);
      assert.equal(groups.get('d1/g1')?.unread, 7);
      assert.deepEqual([...dealers], [['d1', seqsOf(5, 6)]]);
    }),
  );

  it(
    'hands over nothing of a batch that failed, nor of a dealer that was removed',
    withFile(async (store) => {
      const needs = { dealers: [['d1']], groups: [['d1', 'g1']] };
      const events = [eventRow('d1', 'g1', 1)];
      await write(store, { events, dealers: { d1: seqsOf(1, 1) }, groups: { 'd1/g1': groupRow({ unread: 1 }) } });
      await assert.rejects(
        write(store, { events, dealers: { d1: seqsOf(2, 2) }, groups: { 'd1/g1': groupRow({ unread: 2 }) } }),
      );
      const { dealers, groups } = await load(store, needs);
      assert.equal(groups.get('d1/g1')?.unread, 1);
      assert.deepEqual([...dealers], [['d1', seqsOf(1, 1)]]);
      await store.deleteDealer('d1');
      const { dealers: left, groups: groupsLeft } = await load(store, needs);
      assert.deepEqual([left.size, groupsLeft.size], [0, 0]);
    }),
  );

  it('hands over what is in the file after a commit that failed, though it was done', (t) =>
    withFile(async (store) => {
      const needs = { dealers: [['d1']], groups: [['d1', 'g1']] };
      await write(store, { dealers: { d1: seqsOf(1, 1) }, groups: { 'd1/g1': groupRow({ unread: 1 }) } });
      const { transaction } = Database.prototype;
      const spy = t.mock.method(
        Database.prototype,
        'transaction',
        function (this: Database.Database, work: () => void) {
          const done = transaction.call(this, work);
          const immediate = () => {
            done.immediate();
            throw new Error('disk I/O error');
          };
          return Object.assign(() => {}, { immediate });
        },
      );
      const changes = { dealers: { d1: seqsOf(2, 2) }, groups: { 'd1/g1': groupRow({ unread: 2 }) } };
      await assert.rejects(write(store, changes), { message: 'disk I/O error' });
      spy.mock.restore();
      const { dealers, groups } = await load(store, needs);
      assert.equal(groups.get('d1/g1')?.unread, 2);
      assert.deepEqual([...dealers], [['d1', seqsOf(2, 2)]]);
    })());

  it(
    'carries its log into the file while it is open',
    withFile(async (store, file) => {
      await write(store, { events: eventRows('d1', 'g1', 20_000) });
      // Nothing more is written: a commit would end up carrying it over itself.
      await until('what was written is in the file', async () => (await carriedOver(file)) === 20_000);
    }),
  );

  it(
    'has the writer finish what a thread has carried over, so that the log begins anew',
    withFile(async (_, file) => {
      let finished = 0;
      const checkpoints = new Checkpoints(file, () => {
        finished += 1;
      });
      try {
        await until('it is finished twice', async () => {
          checkpoints.wrote(20_000);
          return finished === 2;
        });
      } finally {
        await checkpoints.close();
      }
    }),
  );

  it('is carried over one time after another, with a pause between, and what came meanwhile counts', (t) =>
    withFile(async (_, file) => {
      let clock = 1000;
      t.mock.method(performance, 'now', () => clock);
      const asked = t.mock.method(Worker.prototype, 'postMessage');
      const checkpoints = new Checkpoints(file, () => {});
      try {
        checkpoints.wrote(19_999);
        assert.equal(asked.mock.callCount(), 0, 'the server is not busy yet');
        checkpoints.wrote(1);
        assert.equal(asked.mock.callCount(), 1);
        checkpoints.wrote(20_000);
        assert.equal(asked.mock.callCount(), 1, 'one is under way');
        await checkpoints.carried();
        clock += 99;
        checkpoints.wrote(0);
        assert.equal(asked.mock.callCount(), 1, 'the pause is not over');
        clock += 1;
        checkpoints.wrote(0);
        assert.equal(asked.mock.callCount(), 2);
        await checkpoints.carried();
        clock += 100;
        checkpoints.wrote(999);
        assert.equal(asked.mock.callCount(), 2, 'so few are not worth one');
        checkpoints.wrote(1);
        assert.equal(asked.mock.callCount(), 3);
      } finally {
        await checkpoints.close();
      }
    })());

  it(
    'goes on where its thread cannot open the file, and says so once',
    withFile(async (_, file) => {
      const said: string[] = [];
      const listen = ({ message }: Error) => said.push(message);
      process.on('warning', listen);
      const checkpoints = new Checkpoints(`${file}.missing`, () => assert.fail('nothing was carried over'));
      await until('it is said', async () => {
        checkpoints.wrote(20_000);
        return said.length > 0;
      });
      await checkpoints.close();
      process.off('warning', listen);
      assert.deepEqual(said, [
        "SQLite's log is carried into its file by commits from now on: unable to open database file",
      ]);
    }),
  );

  it('makes the folder that it is to be in', () =>
    inFolder(async (folder) => {
      const store = openStore(settingsFor(join(folder, 'a', 'b', 'telle.db')));
      try {
        await store.migrate();
        await store.check();
      } finally {
        await store.close();
      }
    }));

  it('has what was committed when it is opened again', () =>
    inFolder(async (folder) => {
      const settings = settingsFor(join(folder, 'telle.db'));
      for (const seq of [1, 2, 3]) {
        const store = openStore(settings, { alone: true });
        try {
          await store.migrate();
          await write(store, { events: [eventRow('d1', 'g1', seq)], dealers: { d1: seqsOf(seq, 0) } });
          assert.equal((await readSeqs(store, 'd1', 'g1')).length, seq);
        } finally {
          await store.close();
        }
      }
    }));

  it('refuses a second server, in words that name the file, until the first has closed', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'telle.db');
      const settings = settingsFor(file);
      const first = openStore(settings, { alone: true });
      try {
        await first.migrate();
        assert.throws(() => openStore(settings, { alone: true }), {
          message: `another telle serves ${file}: end it first`,
        });
        await first.check();
      } finally {
        await first.close();
      }
      const second = openStore(settings, { alone: true });
      try {
        await second.check();
      } finally {
        await second.close();
      }
    }));

  it('refuses a second server that comes by another path to the same file', () =>
    inFolder(async (folder) => {
      const first = openStore(settingsFor(join(folder, 'telle.db')), { alone: true });
      try {
        const roundabout = settingsFor(join(folder, 'x', '..', '.', 'telle.db'));
        assert.throws(() => openStore(roundabout, { alone: true }), /another telle serves/);
      } finally {
        await first.close();
      }
    }));

  it('refuses a second server that comes by a link to the same file', () =>
    inFolder(async (folder) => {
      const first = openStore(settingsFor(join(folder, 'telle.db')), { alone: true });
      try {
        await symlink(join(folder, 'telle.db'), join(folder, 'link.db'));
        assert.throws(() => openStore(settingsFor(join(folder, 'link.db')), { alone: true }), /another telle serves/);
      } finally {
        await first.close();
      }
    }));

  it('lets those in who do not serve: a migration beside a server', () =>
    inFolder(async (folder) => {
      const settings = settingsFor(join(folder, 'telle.db'));
      const server = openStore(settings, { alone: true });
      const visitor = openStore(settings);
      try {
        await visitor.migrate();
        await write(server, { dealers: { d1: seqsOf(1, 2) } });
        assert.deepEqual((await load(visitor, { dealers: [['d1']] })).dealers.get('d1'), seqsOf(1, 2));
      } finally {
        await visitor.close();
        await server.close();
      }
    }));

  it('gives every server in memory a database of its own', async () => {
    const settings = settingsFor(MEMORY);
    const [one, other] = [openStore(settings, { alone: true }), openStore(settings, { alone: true })];
    try {
      await one.migrate();
      await other.migrate();
      await one.putDealer('d1', {});
      assert.equal(await other.dealer('d1'), null);
    } finally {
      await one.close();
      await other.close();
    }
  });

  it(
    'rejects within a second while another process holds its lock, and works again after',
    withFile(async (store, file) => {
      await write(store, { events: [eventRow('d1', 'g1', 1)] });
      await whileLocked(file, async () => {
        const from = performance.now();
        await assert.rejects(store.check(), { code: 'SQLITE_BUSY' });
        assert.ok(performance.now() - from < 1000);
        await assert.rejects(write(store, { events: [eventRow('d1', 'g1', 2)] }), { code: 'SQLITE_BUSY' });
        assert.ok(performance.now() - from < 2000);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1'), [1], 'what is there can still be read');
      });
      await store.check();
      await write(store, { events: [eventRow('d1', 'g1', 2)] });
      assert.deepEqual(await readSeqs(store, 'd1', 'g1'), [1, 2]);
    }),
  );

  it('has nothing in its bytes of what was erased from it, once it is closed [P-11.4]', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'telle.db');
      const store = openStore(settingsFor(file));
      await store.migrate();
      await converseAndErase(store, async () => {});
      await store.close();
      const bytes = await readFile(file);
      assert.ok(bytes.includes('okapi'), 'what was said by others is there');
      assert.equal(bytes.includes(WORD), false);
    }));

  it(
    'shows what was said in the view messages',
    withFile(async (store, file) => {
      const said = (message: string, more: object) =>
        JSON.stringify({ type: 'CHAT_MSG', dealerId: 'd1', groupId: 'g1', ...more, message });
      await write(store, {
        events: [
          eventRow('d1', 'g1', 1, { id: 'm1', payload: said(`It's "here" 😀 100%`, { user: 'customer' }) }),
          eventRow('d1', 'g1', 2, { id: 'm2', payload: said('Yes', { user: 'admin', adminId: 'a1' }) }),
          eventRow('d1', 'g1', 3, { type: 'CLOSE_CHAT', payload: '{"type":"CLOSE_CHAT"}' }),
          eventRow('d1', '@dealer', 1, { type: 'SYS_MSG', payload: '{"type":"SYS_MSG","message":"All"}' }),
        ],
      });
      const row = { dealer_id: 'd1', group_id: 'g1' };
      assert.deepEqual(query(file, 'SELECT * FROM messages ORDER BY seq'), [
        { ...row, seq: 1, id: 'm1', user: 'customer', admin_id: null, message: `It's "here" 😀 100%`, at: NOW + 1 },
        { ...row, seq: 2, id: 'm2', user: 'admin', admin_id: 'a1', message: 'Yes', at: NOW + 2 },
      ]);
    }),
  );

  it(
    'shows the pages that were seen in the view pageviews',
    withFile(async (store, file) => {
      const seen = (message: object) =>
        JSON.stringify({ type: 'UPDATE_PAGEVIEW', dealerId: 'd1', groupId: 'g1', message });
      const page = { url: 'https://x.example/?q=%C3%A9', title: 'Été', vin: 'V1' };
      const view = { type: 'UPDATE_PAGEVIEW', groupId: 'g1' } as const;
      await write(store, {
        events: [
          eventRow('d1', '@desk', 1, { ...view, id: 'p1', payload: seen(page) }),
          eventRow('d1', '@desk', 2, { ...view, id: 'p2', payload: seen({}) }),
          eventRow('d1', '@desk', 3, { type: 'UPDATE_LEAD', groupId: 'g1', payload: '{"message":{"url":"no"}}' }),
        ],
      });
      const row = { dealer_id: 'd1', group_id: 'g1' };
      assert.deepEqual(query(file, 'SELECT * FROM pageviews ORDER BY seq'), [
        { ...row, seq: 1, id: 'p1', url: page.url, title: 'Été', message: JSON.stringify(page), at: NOW + 1 },
        { ...row, seq: 2, id: 'p2', url: null, title: null, message: '{}', at: NOW + 2 },
      ]);
    }),
  );

  it(
    'shows its views though a text holds what is no character',
    withFile(async (store, file) => {
      const payload = JSON.stringify({ type: 'CHAT_MSG', user: 'customer', message: ODD_TEXT });
      await write(store, { events: [eventRow('d1', 'g1', 1, { payload }), eventRow('d1', 'g1', 2)] });
      assert.deepEqual(query(file, 'SELECT seq FROM messages WHERE message IS NOT NULL ORDER BY seq'), [
        { seq: 1 },
        { seq: 2 },
      ]);
    }),
  );
});
