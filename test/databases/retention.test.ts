/** [P-11.5] What cannot be erased hinders nothing else from being forgotten. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { type Pruned, prune } from '../../src/journal/retention.ts';
import type { Store } from '../../src/store/store.ts';
import { DATABASES, openDatabase } from '../support/database.ts';
import { overriding } from '../support/faulty-store.ts';
import { journalOn } from '../support/journal.ts';
import { makeDatabase } from '../support/postgres.ts';
import { telle } from '../support/process.ts';
import { eventRow, groupRow, write } from '../support/rows.ts';
import { startServer } from '../support/server.ts';
import { Inbox, until } from '../support/until.ts';

const DAY = 24 * 3_600_000;

/** Prunes to the end. @returns how far it has come */
async function pruneAll(store: Store, now: number): Promise<Pruned> {
  let pruned: Pruned = { dealers: 0, groups: 0, failed: 0 };
  for await (pruned of prune(store, journalOn(store), now));
  return pruned;
}

/** Groups `d1/<name>-<index>`, so many. */
const many = (name: string, count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`d1/${name}-${index}`, groupRow()]));

/** The database itself refuses to let go of groups that are called so. */
const STUCK = {
  SQLite: async (url: string) => {
    const client = new Sqlite(url.replace('sqlite:', ''));
    client.exec(`create trigger stuck before delete on groups when old.group_id like 'stuck%'
      begin select raise(abort, 'stuck'); end`);
    client.close();
  },
  Postgres: async (url: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`create function refuse() returns trigger language plpgsql as $$ begin raise 'stuck'; end $$;
      create trigger stuck before delete on groups for each row when (old.group_id like 'stuck%') execute function refuse()`);
    await client.end();
  },
};

describe('conversations that are too old, where the database refuses to erase some', { timeout: 120_000 }, () => {
  for (const kind of DATABASES) {
    it(`are erased from ${kind}, all but those, which are counted, though there are more of them than are looked at at a time`, async () => {
      const database = await openDatabase(kind);
      const store = openStore(readSettings({ DATABASE_URL: database.url }));
      try {
        await store.migrate();
        await store.putDealer('d1', { retentionDays: 30 });
        const now = Date.now();
        await write(store, { groups: many('stuck', 101), at: now - 90 * DAY });
        await write(store, { groups: many('old', 5), at: now - 60 * DAY });
        await STUCK[kind](database.url);
        assert.deepEqual(await pruneAll(store, now), { dealers: 1, groups: 5, failed: 101 });
        const left = (await store.groups('d1', {}, { limit: 200 })).groups;
        assert.equal(left.filter(({ groupId }) => groupId.startsWith('stuck')).length, 101);
        assert.equal(left.length, 101);
        const said = await telle(['prune'], { env: { DATABASE_URL: database.url }, patience: 60_000 });
        assert.deepEqual(said, {
          code: 1,
          stdout: '0 conversations of 1 dealers with retentionDays were erased\n',
          stderr: 'telle: 101 conversations that are too old could not be erased\n',
        });
      } finally {
        await store.close();
        await database.close();
      }
    });
  }
});

describe('two nodes of a platform', { timeout: 120_000 }, () => {
  const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');
  /** Longer than a busy machine keeps a node from saying that it lives. */
  const SILENCE = 3_000;
  const REDIS_URL = process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set: run the tests with `npm test`');

  it('look for what is too old one at a time; the other one does once the first has gone', async () => {
    const DATABASE_URL = await makeDatabase(postgres);
    const looks = new Inbox<string>();
    const start = (name: string) =>
      startServer({
        settings: { DATABASE_URL, REDIS_URL, REDIS_PREFIX: `retention-${process.pid}:` },
        timing: { retentionInterval: 20, nodeInterval: 50, nodeSilence: SILENCE },
        wrapStore: (store) =>
          overriding(store, {
            idleGroups: (...of) => {
              looks.put(name);
              return store.idleGroups(...of);
            },
          }),
      });
    const nodes = new Map([
      ['one', await start('one')],
      ['other', await start('other')],
    ]);
    try {
      const [[, { store }] = assert.fail()] = nodes;
      await until('both live', async () => (await store.livingNodes(SILENCE)).length === 2);
      await store.putDealer('d1', { retentionDays: 30 });
      // One that was about to look as the other came may have done so once more.
      const [looking = '', ...more] = (await looks.first(25)).slice(5);
      assert.deepEqual([...new Set(more)], [looking]);
      await nodes.get(looking)?.close();
      nodes.delete(looking);
      await looks.first(1, (name) => name !== looking);
    } finally {
      for (const node of nodes.values()) await node.close();
    }
  });
});

describe('conversations that are too old', { timeout: 120_000 }, () => {
  for (const kind of DATABASES) {
    /** A store whose dealer keeps everything for 30 days. */
    const withStore = (use: (store: Store, now: number) => Promise<void>) => async () => {
      const database = await openDatabase(kind);
      const store = openStore(readSettings({ DATABASE_URL: database.url }));
      try {
        await store.migrate();
        await store.putDealer('d1', { retentionDays: 30 });
        await use(store, Date.now());
      } finally {
        await store.close();
        await database.close();
      }
    };

    it(
      `stay where each goes on just then, have not failed, and hinder no others, on ${kind}`,
      withStore(async (store, now) => {
        const longAgo = now - 90 * DAY;
        await write(store, { groups: many('goes-on', 60), at: longAgo });
        await write(store, { groups: many('old', 60), at: now - 60 * DAY });
        const goOn = overriding(store, {
          idleGroups: async (...of) => {
            const idle = await store.idleGroups(...of);
            const going = idle.filter(({ groupId }) => groupId.startsWith('goes-on'));
            const events = going.map(({ groupId, lastSeq }) => eventRow('d1', groupId, lastSeq + 1));
            const groups = going.map(({ groupId, lastSeq }) => [`d1/${groupId}`, groupRow({ lastSeq: lastSeq + 1 })]);
            await write(store, { events, groups: Object.fromEntries(groups), at: longAgo });
            return idle;
          },
        });
        assert.deepEqual(await pruneAll(goOn, now), { dealers: 1, groups: 60, failed: 0 });
        const left = (await store.groups('d1', {}, { limit: 200 })).groups;
        assert.deepEqual(
          new Set(left.map(({ groupId }) => `d1/${groupId}`)),
          new Set(Object.keys(many('goes-on', 60))),
        );
      }),
    );

    it(
      `are none of those of whose customers something became known since, on ${kind}`,
      withStore(async (store, now) => {
        await write(store, { groups: many('g', 5), at: now - 90 * DAY });
        const journal = journalOn(store);
        for (const [groupId, body] of [
          ['g-0', { type: 'UPDATE_USER', message: { name: 'Ann' } }],
          ['g-1', { type: 'UPDATE_LEAD', message: { source: 'fair' } }],
          ['g-2', { type: 'CREATE_LEAD_INTENT', message: { intent: 'buy' } }],
          ['g-3', { type: 'UPDATE_PAGEVIEW', message: { url: 'https://a.example/' } }],
        ] as const) {
          const command = { role: 'server', sender: 'server:crm', key: null } as const;
          const outcome = await journal.append({ ...command, body: { ...body, dealerId: 'd1', groupId } });
          assert.ok(!('refusal' in outcome), groupId);
        }
        const idle = await store.idleGroups('d1', now - 30 * DAY, { after: 0, limit: 10 });
        assert.deepEqual(
          idle.map(({ groupId }) => groupId),
          ['g-4'],
        );
      }),
    );
  }
});
