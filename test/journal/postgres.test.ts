import pg from 'pg';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
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
