/** Migrations of a Postgres that is in use: nobody waits long behind them, and they come through once they can. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { makeOldPostgres } from '../support/old-database.ts';
import { withClient } from '../support/postgres.ts';

const server = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

describe('the migrations of a Postgres that is in use', { timeout: 60_000 }, () => {
  it('wait two seconds for a table, tell so, and are done once it is free; who reads it waits no longer', async () => {
    const url = await makeOldPostgres(server, 3);
    const store = openStore(readSettings({ DATABASE_URL: url }));
    const told: string[] = [];
    try {
      await withClient(url, async (reader) => {
        await reader.query('begin');
        await reader.query('select count(*) from groups');
        const migrating = store.migrate(
          (count) => told.push(`${count} migrations`),
          (sentence) => told.push(sentence),
        );
        const waited = await withClient(url, async (other) => {
          let most = 0;
          while (told.length < 2) {
            const began = performance.now();
            await other.query('select count(*) from groups');
            most = Math.max(most, performance.now() - began);
          }
          return most;
        });
        await reader.query('commit');
        assert.equal(await migrating, false);
        assert.ok(waited < 4000, `${waited} ms`);
      });
      assert.deepEqual(told, [
        '7 migrations',
        'a table is in use, and was not to be had in 2 s: tried again in 5 s (1 of 10)',
      ]);
      assert.equal(await store.pendingMigrations(), 0);
    } finally {
      await store.close();
    }
  });
});
