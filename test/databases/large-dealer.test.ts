/** A dealer with 200,000 conversations, each of which an admin has been in: who joins it does not wait for them. */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import Sqlite from 'better-sqlite3';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { DATABASES, type DatabaseKind, openDatabase } from '../support/database.ts';
import { journalOn } from '../support/journal.ts';
import { percentile } from '../support/percentile.ts';
import { withClient } from '../support/postgres.ts';

const GROUPS = { large: 200_000, small: 20 };

/** Gives dealers so many conversations that their admin has left. */
const FILL: Record<DatabaseKind, (url: string) => Promise<unknown>> = {
  async SQLite(url) {
    const client = new Sqlite(url.replace('sqlite:', ''));
    for (const [dealerId, groups] of Object.entries(GROUPS)) {
      const numbers = `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${groups})`;
      client.exec(`insert into groups (dealer_id, group_id, created_at, updated_at) ${numbers} select '${dealerId}', 'g' || i, i, i from n;
        insert into chats (dealer_id, admin_id, place, at) ${numbers} select '${dealerId}', 'a1', 'g' || i, i from n`);
    }
    client.close();
  },
  Postgres: (url) =>
    withClient(url, async (client) => {
      for (const [dealerId, groups] of Object.entries(GROUPS)) {
        const numbers = `generate_series(1, ${groups}) i`;
        await client.query(`insert into groups (dealer_id, group_id, created_at, updated_at) select '${dealerId}', 'g' || i, i, i from ${numbers};
          insert into chats (dealer_id, admin_id, place, at) select '${dealerId}', 'a1', 'g' || i, i from ${numbers}`);
      }
    }),
};

describe('an admin of a dealer with 200,000 conversations', { timeout: 120_000 }, () => {
  for (const kind of DATABASES) {
    it(`comes and goes as fast as one of a small dealer, on ${kind}`, async () => {
      const database = await openDatabase(kind);
      const store = openStore(readSettings({ DATABASE_URL: database.url }));
      try {
        await store.migrate();
        for (const dealerId of Object.keys(GROUPS)) await store.putDealer(dealerId, {});
        await FILL[kind](database.url);
        const journal = journalOn(store);
        const come = async (dealerId: string, online: boolean): Promise<number> => {
          const began = performance.now();
          const body = { type: 'ADMIN_JOIN', dealerId, adminId: 'a1', node: 'n1', online } as const;
          const outcome = await journal.append({ role: 'admin', sender: 'admin:a1', key: null, body });
          await store.tails(dealerId, ['@dealer', '@desk']);
          assert.ok('happened' in outcome && outcome.happened.length > 0);
          return performance.now() - began;
        };
        const times: Record<keyof typeof GROUPS, number[]> = { large: [], small: [] };
        for (let round = 0; round < 40; round += 1) {
          times.large.push(await come('large', round % 2 === 0));
          times.small.push(await come('small', round % 2 === 0));
        }
        const [large, small] = [percentile(times.large, 0.5), percentile(times.small, 0.5)];
        console.log(`${kind}: ${large.toFixed(1)} ms, and ${small.toFixed(1)} ms of a small dealer`);
        assert.ok(large < 3 * small, `${large} ms, and ${small} ms of a small dealer`);
        await journal.close();
      } finally {
        await store.close();
        await database.close();
      }
    });
  }
});
