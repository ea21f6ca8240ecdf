/** [P-11.5] What cannot be erased hinders nothing else from being forgotten. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { openStore } from '../../src/app.ts';
import { MemoryBus } from '../../src/bus/memory.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { Journal } from '../../src/journal/journal.ts';
import { type Pruned, prune } from '../../src/journal/retention.ts';
import { DATABASES, openDatabase } from '../support/database.ts';
import { telle } from '../support/process.ts';
import { groupRow, write } from '../support/rows.ts';

const DAY = 24 * 3_600_000;

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
        const many = (name: string, count: number) =>
          Object.fromEntries(Array.from({ length: count }, (_, index) => [`d1/${name}-${index}`, groupRow()]));
        await write(store, { groups: many('stuck', 101), at: now - 90 * DAY });
        await write(store, { groups: many('old', 5), at: now - 60 * DAY });
        await STUCK[kind](database.url);
        const onFault = (fault: unknown) => assert.fail(String(fault));
        const bus = new MemoryBus();
        const journal = new Journal({ store, bus, policy: { autoMute: true }, onCommit: () => {}, onFault });
        let pruned: Pruned = { dealers: 0, groups: 0, failed: 0 };
        for await (pruned of prune(store, journal, now));
        assert.deepEqual(pruned, { dealers: 1, groups: 5, failed: 101 });
        const left = await store.groups('d1', {}, { limit: 200 });
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
