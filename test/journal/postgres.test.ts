import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import pg from 'pg';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { READ_ROWS } from '../../src/journal/postgres-statements.ts';
import { describeStore } from '../conformance/store.ts';
import { describeTraces } from '../conformance/store-traces.ts';
import { makeDatabase } from '../support/postgres.ts';

const server = process.env.POSTGRES_URL;
if (server === undefined)
  throw new Error('POSTGRES_URL is not set: run the tests with `npm test`, which brings a Postgres');

describeStore('Postgres', async () => {
  const store = openStore(readSettings({ DATABASE_URL: await makeDatabase(server) }));
  return { store, close: () => store.close() };
});

describeTraces('Postgres', async () => {
  const url = await makeDatabase(server);
  const store = openStore(readSettings({ DATABASE_URL: url }));
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    store,
    dump: async () => {
      const { rows } = await client.query("select tablename from pg_tables where schemaname = 'public'");
      const dumped = new Map<string, string>();
      for (const { tablename } of rows) {
        const table = await client.query(`select * from "${tablename}"`);
        dumped.set(tablename, JSON.stringify(table.rows));
      }
      return dumped;
    },
    close: async () => {
      await client.end();
      await store.close();
    },
  };
});

describe('a batch in Postgres', () => {
  it('looks for each prior by its key, though statistics tell of a log in which hardly any has one', async () => {
    const url = await makeDatabase(server);
    const store = openStore(readSettings({ DATABASE_URL: url }));
    const client = new pg.Client({ connectionString: url });
    try {
      await store.migrate();
      await client.connect();
      const write = (isKeyed: boolean) =>
        client.query(
          `insert into events (dealer_id, scope, seq, id, keyed, sender, type, payload, at)
            select 'd1', $1::text, n, n, $1::boolean, 's', 'CHAT_MSG', '{}', 0 from generate_series(1, 1000) n`,
          [isKeyed],
        );
      await write(false);
      await client.query('analyze events');
      await write(true);
      await client.query('set plan_cache_mode = force_generic_plan');
      await client.query(`prepare read_rows as ${READ_ROWS.text}`);
      const none = Array(15).fill('null').join(', ');
      const { rows } = await client.query(`explain execute read_rows(${none})`);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      assert.match(plan, /using events_key on events e .*\n *Index Cond: .*id = n\w*\.id/);
    } finally {
      await client.end();
      await store.close();
    }
  });
});
