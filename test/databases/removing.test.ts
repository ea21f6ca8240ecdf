/** [P-11.5] A dealer with twelve thousand events is removed: at once for whoever asks, and part by part out of Postgres. */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import pg from 'pg';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { makeDatabase } from '../support/postgres.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');
const GROUPS = 800;
const EVENTS = 15;
/** Every table that has rows of a dealer. */
const TABLES = ['events', 'groups', 'chats', 'presences', 'users', 'leads', 'lead_intents', 'erasures', 'erasing'];

async function fill(client: pg.Client): Promise<void> {
  const at = Date.now();
  await client.query(`
    insert into dealers (dealer_id, origins, created_at) values ('large', '["*"]', ${at});
    insert into groups (dealer_id, group_id, last_seq, created_at, updated_at)
      select 'large', 'g' || g, ${EVENTS}, ${at}, ${at} from generate_series(1, ${GROUPS}) g;
    insert into events (dealer_id, scope, seq, id, sender, type, group_id, payload, at)
      select 'large', 'g' || g, s, g || '.' || s, 'customer:g' || g, 'CHAT_MSG', 'g' || g, '{}', ${at}
      from generate_series(1, ${GROUPS}) g, generate_series(1, ${EVENTS}) s;
    insert into leads (dealer_id, group_id, fields, customer, created_at, updated_at)
      select 'large', 'g' || g, '{}', '{}', ${at}, ${at} from generate_series(1, ${GROUPS}) g;
    analyze`);
}

async function withLarge(
  use: (given: { url: string; client: pg.Client; left: () => Promise<number> }) => Promise<void>,
) {
  const url = await makeDatabase(postgres);
  const store = openStore(readSettings({ DATABASE_URL: url }));
  await store.migrate();
  await store.close();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const left = async () => {
    const counts = TABLES.map((table) => `(select count(*) from ${table} where dealer_id = 'large')`);
    return Number((await client.query(`select ${counts.join(' + ')} as count`)).rows[0].count);
  };
  try {
    await fill(client);
    await use({ url, client, left });
  } finally {
    await client.end();
  }
}

const ofAll = (server: TestServer) => ({ token: server.token('server', 'crm', { dealer: '*' }) });

describe('a large dealer that is removed', () => {
  it('is gone at once, with its sockets, and everything of it soon, while others go on', () =>
    withLarge(async ({ url, left }) => {
      const server = await startServer({ settings: { DATABASE_URL: url, RATE_LIMIT: 'off' } });
      try {
        const customer = await server.customer('talker');
        const there = await server.connect();
        there.send('client_join', {
          type: 'CLIENT_JOIN',
          dealerId: 'large',
          groupId: 'newcomer',
          online: true,
          user: 'customer',
        });
        await there.next('session');
        const began = performance.now();
        const { status } = await server.http('DELETE', '/v1/dealers/large', ofAll(server));
        assert.equal(status, 204);
        assert.ok(performance.now() - began < 3_000, `${performance.now() - began} ms`);
        assert.ok((await left()) > 0, 'it is large');
        assert.equal(await there.closed, 4404);
        for (const path of ['', '/groups', '/groups/g1', '/leads', '/scopes/g1/events'])
          assert.equal((await server.http('GET', `/v1/dealers/large${path}`, ofAll(server))).status, 404, path);
        const again = await server.http('PUT', '/v1/dealers/large', { ...ofAll(server), body: {} });
        assert.deepEqual([again.status, again.body.code], [503, 'unavailable']);
        assert.match(again.body.detail, /still being removed/);
        assert.equal((await server.http('DELETE', '/v1/dealers/large', ofAll(server))).status, 404);
        let slowest = 0;
        await until('nothing is left', async () => {
          const asked = performance.now();
          await customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'meanwhile' });
          slowest = Math.max(slowest, performance.now() - asked);
          return (await left()) <= 1;
        });
        assert.ok(slowest < 3_000, `an ack took ${slowest} ms`);
        const put = await server.http('PUT', '/v1/dealers/large', { ...ofAll(server), body: {} });
        assert.equal(put.status, 201);
      } finally {
        await server.close();
      }
    }));

  it('and a server that was ended goes on with it at its next start', () =>
    withLarge(async ({ url, left }) => {
      const store = openStore(readSettings({ DATABASE_URL: url }));
      assert.equal(await store.deleteDealer('large'), true);
      assert.equal(await store.erasePart(), true);
      await store.close();
      assert.ok((await left()) > GROUPS);
      const server = await startServer({ settings: { DATABASE_URL: url } });
      try {
        await until('nothing is left', async () => (await left()) === 0);
        assert.equal(await server.store.erasePart(), false);
      } finally {
        await server.close();
      }
    }));

  it('leaves alone what others have, and what has a name like its own', () =>
    withLarge(async ({ url, client, left }) => {
      await client.query(`insert into events (dealer_id, scope, seq, id, sender, type, payload, at)
        select d, 'g1', 1, 'k', 'customer:g1', 'CHAT_MSG', '{}', 1 from unnest(array['large2', 'Large', 'larg']) d`);
      const store = openStore(readSettings({ DATABASE_URL: url }));
      await store.deleteDealer('large');
      while (await store.erasePart());
      await store.scrub();
      await store.close();
      assert.equal(await left(), 0);
      assert.equal((await client.query('select from events')).rowCount, 3);
    }));
});
