/** [P-11.1] Metrics of Postgres: its connections by what they are for, and rows that somebody else has locked. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import pg from 'pg';
import { ask } from '../support/ask.ts';
import { Reading } from '../support/metrics.ts';
import { makeDatabase } from '../support/postgres.ts';
import { DEALER, type TestServer, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');
const read = async (server: TestServer) => new Reading((await ask(server, '/metrics')).text);

describe('[P-11.1] the metrics of a node on Postgres', () => {
  test('show its connections, what waits for one, and the dealers that somebody has locked', async () => {
    const url = await makeDatabase(postgres);
    await withServer({ settings: { DATABASE_URL: url, DATABASE_CONNECTIONS: '8' } }, async (server) => {
      const most = (await read(server)).by('telle_pool_most', 'pool');
      assert.deepEqual(most, { commits: 4, readers: 2, health: 2 });
      const customer = await server.customer('g1');
      const stranger = new pg.Client({ connectionString: url });
      await stranger.connect();
      try {
        await stranger.query('begin');
        await stranger.query('select 1 from groups where dealer_id = $1 for update', [DEALER]);
        const said = customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'hello' });
        await until('it is set apart', async () => (await read(server)).sum('telle_locked_dealers') === 1);
        const locked = await read(server);
        assert.equal(locked.sum('telle_lock_waits_total'), 1);
        assert.ok(locked.sum('telle_pool_used', { pool: 'commits' }) <= 4);
        await stranger.query('rollback');
        assert.equal((await said).seq, 1);
        await until('it is free', async () => (await read(server)).sum('telle_locked_dealers') === 0);

        await stranger.query('begin');
        await stranger.query('lock table groups, dealers in access exclusive mode');
        const token = server.token('admin', 'a1');
        const asked = Array.from({ length: 6 }, () => ask(server, `/v1/dealers/${DEALER}/groups`, { token }));
        await until('some wait', async () => (await read(server)).sum('telle_pool_waiting', { pool: 'readers' }) > 0);
        assert.equal((await read(server)).sum('telle_pool_used', { pool: 'readers' }), 2);
        await stranger.query('rollback');
        await Promise.all(asked);
        await until('nobody waits', async () => (await read(server)).sum('telle_pool_waiting') === 0);
      } finally {
        await stranger.end();
      }
    });
  });
});
