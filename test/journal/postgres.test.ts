import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { describeStore } from '../conformance/store.ts';
import { makeDatabase } from '../support/postgres.ts';

const server = process.env.POSTGRES_URL;
if (server === undefined)
  throw new Error('POSTGRES_URL is not set: run the tests with `npm test`, which brings a Postgres');

describeStore('Postgres', async () => {
  const store = openStore(readSettings({ DATABASE_URL: await makeDatabase(server) }));
  return { store, close: () => store.close() };
});
