/** [P-11.5] A dealer with twelve thousand events is removed: at once for whoever asks, and part by part out of the tables. */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import Sqlite from 'better-sqlite3';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { DATABASES, type DatabaseKind, openDatabase } from '../support/database.ts';
import { fillLarge } from '../support/large.ts';
import { withClient } from '../support/postgres.ts';
import { eventRow, groupRow, readSeqs, write } from '../support/rows.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const GROUPS = 800;
/** Every table that has rows of a dealer. */
const TABLES = ['events', 'groups', 'chats', 'presences', 'users', 'leads', 'lead_intents', 'erasures', 'erasing'];
const COUNT = `select ${TABLES.map((table) => `(select count(*) from ${table} where dealer_id = 'large1')`).join(' + ')} as count`;

const COUNTED: Record<DatabaseKind, (url: string) => Promise<unknown>> = {
  async SQLite(url) {
    const client = new Sqlite(url.replace('sqlite:', ''));
    try {
      return client.prepare(COUNT).pluck().get();
    } finally {
      client.close();
    }
  },
  Postgres: (url) => withClient(url, async (client) => (await client.query(COUNT)).rows[0].count),
};

async function withLarge(
  kind: DatabaseKind,
  use: (given: { url: string; left: () => Promise<number> }) => Promise<void>,
) {
  const database = await openDatabase(kind);
  const { url } = database;
  try {
    const store = openStore(readSettings({ DATABASE_URL: url }));
    await store.migrate();
    await store.close();
    await fillLarge(url, { name: 'large', dealers: 1, groups: GROUPS, events: 15, at: Date.now() });
    await use({ url, left: async () => Number(await COUNTED[kind](url)) });
  } finally {
    await database.close();
  }
}

const ofAll = (server: TestServer) => ({ token: server.token('server', 'crm', { dealer: '*' }) });

for (const kind of DATABASES)
  describe(`a large dealer that is removed from ${kind}`, { timeout: 120_000 }, () => {
    it('is gone at once, with its sockets, and everything of it soon, while others go on', () =>
      withLarge(kind, async ({ url, left }) => {
        const server = await startServer({ settings: { DATABASE_URL: url, RATE_LIMIT: 'off' } });
        try {
          const customer = await server.customer('talker');
          const there = await server.connect();
          there.send('client_join', {
            type: 'CLIENT_JOIN',
            dealerId: 'large1',
            groupId: 'newcomer',
            online: true,
            user: 'customer',
          });
          await there.next('session');
          const began = performance.now();
          const { status } = await server.http('DELETE', '/v1/dealers/large1', ofAll(server));
          assert.equal(status, 204);
          assert.ok(performance.now() - began < 3_000, `${performance.now() - began} ms`);
          assert.ok((await left()) > 0, 'it is large');
          assert.equal(await there.closed, 4404);
          for (const path of ['', '/groups', '/groups/g1', '/leads', '/scopes/g1/events'])
            assert.equal((await server.http('GET', `/v1/dealers/large1${path}`, ofAll(server))).status, 404, path);
          const again = await server.http('PUT', '/v1/dealers/large1', { ...ofAll(server), body: {} });
          assert.deepEqual([again.status, again.body.code], [503, 'unavailable']);
          assert.match(again.body.detail, /still being removed/);
          assert.equal((await server.http('DELETE', '/v1/dealers/large1', ofAll(server))).status, 404);
          let slowest = 0;
          await until('nothing is left', async () => {
            const asked = performance.now();
            await customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'meanwhile' });
            slowest = Math.max(slowest, performance.now() - asked);
            return (await left()) <= 1;
          });
          assert.ok(slowest < 3_000, `an ack took ${slowest} ms`);
          const put = await server.http('PUT', '/v1/dealers/large1', { ...ofAll(server), body: {} });
          assert.equal(put.status, 201);
        } finally {
          await server.close();
        }
      }));

    it('and a server that was ended goes on with it at its next start', () =>
      withLarge(kind, async ({ url, left }) => {
        const store = openStore(readSettings({ DATABASE_URL: url }));
        assert.equal(await store.deleteDealer('large1'), true);
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
      withLarge(kind, async ({ url, left }) => {
        const store = openStore(readSettings({ DATABASE_URL: url }));
        const others = ['large', 'Large1', 'large12'];
        for (const name of others)
          await write(store, {
            events: [eventRow(name, 'g1', 1)],
            groups: { [`${name}/g1`]: groupRow({ lastSeq: 1 }) },
          });
        await store.deleteDealer('large1');
        while (await store.erasePart());
        await store.scrub();
        assert.equal(await left(), 0);
        for (const name of others) assert.deepEqual(await readSeqs(store, name, 'g1'), [1]);
        await store.close();
      }));
  });
