/** [P-3.6] What is said while a socket is away, or while it comes back, it sees once and in order. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import { ask } from '../support/ask.ts';
import type { Client } from '../support/client.ts';
import { gate, overriding } from '../support/faulty-store.ts';
import { adminJoin, clientJoin } from '../support/joins.ts';
import { Reading } from '../support/metrics.ts';
import { makeDatabase } from '../support/postgres.ts';
import { DEALER, startServer, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const POSTGRES = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');
const REDIS = process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set: run the tests with `npm test`');

const options = { timing: { closeTimeout: 50 }, settings: { RATE_LIMIT: 'off' } };
const server = await startServer(options);
after(() => server.close());
const crm = await server.server();

const CAR = '\u{1F697}';
const CHANNELS = { customer: 'client_join', admin: 'admin_join' };
const send = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });
const botSays = (groupId: string, message: string) => send(message, { dealerId: DEALER, groupId, user: 'bot' });
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const turn = () => new Promise(setImmediate);

/** Gives a group so many messages, by another server. */
async function fill(groupId: string, count: number, { on = server, text = 'message' } = {}): Promise<void> {
  const token = await on.token('server', 'crm');
  const body = range(1, count).map(() => botSays(groupId, text));
  assert.equal((await on.http('POST', '/v1/events', { token, body })).status, 200);
}

/** The `since` that a client keeps [P-3.6]: the last seq of each scope, of events and acks alike. */
function seenBy({ frames }: Client): Record<string, number> {
  const seen: Record<string, number> = {};
  for (const { channel, payload, ...frame } of frames) {
    const { scope, seq } = channel === 'ack' ? payload : frame;
    if (scope !== undefined) seen[scope] = seq;
  }
  return seen;
}

describe('[P-3.6] recovery and what happens meanwhile', () => {
  test('a replay larger than MAX_SOCKET_BACKLOG does not make a slow consumer, nor lose what is said meanwhile', async () => {
    await withServer(options, async (calm) => {
      await fill('large', 300, { on: calm, text: 'x'.repeat(4000) });
      const bot = await calm.server();
      const token = await calm.token('customer', 'large');
      const client = await calm.customer('large', { token, since: { large: 0 } });
      for (let n = 0; n < 20; n += 1) bot.send('event', botSays('large', `${n}`));
      await client.next(({ seq }) => seq === 320);
      assert.deepEqual(client.seqs('large'), range(1, 320));
    });
  });

  test('one that reads nothing costs a page of the log, and is closed in time; coming back, it goes on where it was', async () => {
    let read = 0;
    const wrapStore = (store: Store) =>
      overriding(store, {
        events: async (...of) => {
          const page = await store.events(...of);
          read += page.length;
          return page;
        },
      });
    const timing = { closeTimeout: 50, replayTimeout: 500 };
    await withServer({ settings: options.settings, timing, wrapStore }, async (calm) => {
      await fill('unread', 500, { on: calm, text: CAR.repeat(4000) });
      const token = await calm.token('customer', 'unread');
      const join = (seen: number) => clientJoin({ groupId: 'unread', token, since: { unread: seen } });
      const idle = await calm.connect();
      idle.send('client_join', join(0));
      idle.socket.pause();
      const closes = async () =>
        new Reading((await ask(calm, '/metrics')).text).sum('telle_closes_total', { code: '4508' });
      await until('it is closed', async () => (await closes()) === 1);
      // One page of 64 KiB, and one that the connection buffers.
      assert.ok(read >= 4 && read <= 8, `${read} events of 16 KB were read for it`);
      idle.socket.resume();
      await idle.closed;
      const got = idle.seqs('unread');
      while (got.length < 500) {
        const again = await calm.connect();
        again.send('client_join', join(got.length));
        await again.next(({ seq }) => seq === 500).catch(() => again.closed);
        got.push(...again.seqs('unread'));
      }
      assert.deepEqual(got, range(1, 500));
    });
  });

  test('what a client has been acked counts as seen', async () => {
    const client = await server.customer('acked');
    await client.ask('customer_message', send('one'));
    await crm.ask('event', botSays('acked', 'two'));
    await client.ask('customer_message', send('three'));
    await client.settled();
    assert.deepEqual(seenBy(client), { acked: 3 });
    await client.close();
    await crm.ask('event', botSays('acked', 'four'));
    const { token } = client.session;
    const again = await server.customer('acked', { token, since: seenBy(client) });
    await again.settled();
    assert.deepEqual(again.session.recovered, { acked: true });
    assert.deepEqual([...client.seqs('acked'), ...again.seqs('acked')], [1, 2, 3, 4]);
  });

  for (const role of ['customer', 'admin'] as const) {
    test(`what others send while a join as ${role} is under way comes exactly once and in order`, async () => {
      let turns = 0;
      // As a database over a network does, the store takes some turns of the event loop for each reading, before and after.
      const later = async <T>(read: () => Promise<T>): Promise<T> => {
        for (let n = 0; n < turns; n += 1) await turn();
        const found = await read();
        for (let n = 0; n < turns; n += 1) await turn();
        return found;
      };
      const wrapStore = (store: Store) =>
        overriding(store, {
          standing: (...of) => later(() => store.standing(...of)),
          tails: (...of) => later(() => store.tails(...of)),
          events: (...of) => later(() => store.events(...of)),
        });
      await withServer({ ...options, wrapStore }, async (distant) => {
        const bot = await distant.server();
        for (let round = 0; round < 24; round += 1) {
          turns = round % 4;
          const groupId = `meanwhile-${round}`;
          await fill(groupId, 4, { on: distant });
          const client = await distant.connect();
          const token = await distant.token(role, role === 'customer' ? groupId : 'a1');
          const join = role === 'customer' ? clientJoin({ groupId }) : adminJoin();
          const total = 32;
          for (let sent = 0; sent < total; sent += 1) {
            if (sent === round % 7) client.send(CHANNELS[role], { ...join, token, since: { [groupId]: 2 } });
            bot.send('event', botSays(groupId, `${sent}`));
            if (sent % (1 + (round % 3)) === 0) await turn();
          }
          await client.next(({ scope, seq }) => scope === groupId && seq === 4 + total);
          assert.deepEqual(client.seqs(groupId), range(3, 4 + total), `round ${round}`);
          assert.deepEqual(client.frames[0]?.payload.recovered, { [groupId]: true });
        }
      });
    });
  }

  test('a join that another one overtakes while it reads, by what a second node stored meanwhile, misses none of it', async () => {
    const [reading, overtaken] = [gate(), gate()];
    let isHeld = true;
    const wrapStore = (store: Store) =>
      overriding(store, {
        tails: async (dealerId, scopes) => {
          const tails = await store.tails(dealerId, scopes);
          if (isHeld && scopes.includes('race')) {
            isHeld = false;
            reading.open();
            await overtaken.opened;
          }
          return tails;
        },
      });
    const DATABASE_URL = await makeDatabase(POSTGRES);
    const settings = { ...options.settings, DATABASE_URL, REDIS_URL: REDIS, REDIS_PREFIX: `${randomUUID()}:` };
    await withServer({ ...options, settings }, (other) =>
      withServer({ ...options, settings, wrapStore }, async (node) => {
        await fill('race', 5, { on: other });
        const rejoin = { token: node.token('customer', 'race'), since: { race: 5 } };
        const late = await node.connect();
        late.send('client_join', clientJoin(rejoin));
        await reading.opened;
        await fill('race', 1, { on: other });
        const quick = await node.customer('race', rejoin);
        await quick.next(({ seq }) => seq === 6);
        overtaken.open();
        assert.equal((await late.next('session')).payload.seqs.race, 6);
        await late.settled();
        assert.deepEqual(late.seqs('race'), [6]);
      }),
    );
  });

  test('a client that leaves and comes back again and again sees every event once', async () => {
    const total = 200;
    const seen: number[] = [];
    let since = { returns: 0 };
    let sent = 0;
    await fill('returns', 1);
    while (since.returns < total) {
      const client = await server.customer('returns', { token: await server.token('customer', 'returns'), since });
      for (let n = 0; n < 20 && sent + 1 < total; n += 1) {
        crm.send('event', botSays('returns', `${n}`));
        sent += 1;
      }
      await client.next(({ scope }) => scope === 'returns');
      client.socket.terminate();
      await client.closed;
      seen.push(...client.seqs('returns'));
      since = { ...since, ...seenBy(client) };
    }
    assert.deepEqual(seen, range(1, total));
  });
});
