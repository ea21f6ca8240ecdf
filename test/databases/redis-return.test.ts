/** [P-8.5] Redis is back after a while without it: what every dealer missed is read behind those who speak. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { after, before, describe, test } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import { ask } from '../support/ask.ts';
import type { Client } from '../support/client.ts';
import { overriding } from '../support/faulty-store.ts';
import { percentile } from '../support/percentile.ts';
import { makeDatabase } from '../support/postgres.ts';
import { RedisProxy } from '../support/proxy.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');
const DEALERS = Array.from({ length: 600 }, (_, index) => `dealer${index}`);

/** Reads of what was missed: how many go on, and how many did at most. */
function countingReads(reads: { now: number; most: number }) {
  const counted =
    <Args extends readonly unknown[], Found>(read: (...args: Args) => Promise<Found>) =>
    async (...args: Args): Promise<Found> => {
      reads.now += 1;
      reads.most = Math.max(reads.most, reads.now);
      try {
        return await read(...args);
      } finally {
        reads.now -= 1;
      }
    };
  return (store: Store): Store =>
    overriding(store, {
      tails: counted(store.tails),
      tailsSince: counted(store.tailsSince),
      events: counted(store.events),
      existing: counted(store.existing),
    });
}

/** Has a customer speak without a pause, and notes how long each ack took, in ms. */
function speaking(customer: Client) {
  const waits: number[] = [];
  let isOver = false;
  const speak = async () => {
    for (let n = 0; !isOver; n += 1) {
      const began = performance.now();
      await customer.ask('customer_message', { type: 'UPDATE_MSG', message: `word ${n}` });
      waits.push(performance.now() - began);
    }
  };
  const spoken = speak();
  return async () => {
    isOver = true;
    await spoken;
    return waits.toSorted((a, b) => a - b);
  };
}

const p99 = (waits: readonly number[]): number => percentile(waits, 0.99);

describe('when Redis is back', () => {
  let redis: RedisServer;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis?.stop());

  test('600 dealers catch up behind those who speak', async () => {
    const proxy = await RedisProxy.to(redis.url);
    const settings = {
      DATABASE_URL: await makeDatabase(postgres),
      REDIS_PREFIX: `${randomUUID()}:`,
      REDIS_URL: proxy.url,
      RATE_LIMIT: 'off',
    };
    const reads = { now: 0, most: 0 };
    const wrapStore = countingReads(reads);
    const one = await startServer({ settings, wrapStore });
    const other = await startServer({ settings });
    try {
      for (const dealerId of DEALERS) await one.store.putDealer(dealerId, {});
      const there = await Promise.all(DEALERS.map((dealerId) => customerOf(other, dealerId)));
      const here = await Promise.all(DEALERS.map((dealerId) => adminOf(one, dealerId)));
      const [talker, listener] = [await one.customer('talker'), await other.admin('listener')];
      const quiet = speaking(talker);
      await listener.next('CHAT_MSG');
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      const usual = await quiet();

      const gone = proxy.hungUp();
      proxy.cut();
      await gone;
      await Promise.all(
        there.map((customer) => customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'did you hear?' })),
      );
      reads.most = 0;
      const busy = speaking(talker);
      proxy.mend();
      const slowest = slowestReady(one);
      await Promise.all(here.map((admin) => admin.next('CHAT_MSG')));
      const waits = await busy();
      const ready = await slowest();

      assert.ok(reads.most <= 2, `${reads.most} readings at once`);
      assert.ok(ready < 1_000, `/ready took ${ready} ms`);
      // Both nodes and all of their clients are one process here, in which 1,200 sockets hear each other again.
      assert.ok(p99(waits) < 500, `p99 ${p99(usual)} ms, then ${p99(waits)} ms`);
    } finally {
      await Promise.all([one.close(), other.close()]);
      await proxy.close();
    }
  });
});

async function customerOf(server: TestServer, dealerId: string): Promise<Client> {
  const client = await server.connect();
  client.send('client_join', { type: 'CLIENT_JOIN', dealerId, groupId: 'g1', user: 'customer', online: true });
  await client.next('session');
  return client;
}

async function adminOf(server: TestServer, dealerId: string): Promise<Client> {
  const client = await server.connect();
  const token = server.token('admin', 'a1', { dealer: dealerId });
  client.send('admin_join', { type: 'ADMIN_JOIN', dealerId, adminId: 'a1', user: 'admin', online: true, token });
  await client.next('session');
  return client;
}

/** Asks `/ready` again and again. @returns what ends it, and says how long the slowest answer took, in ms */
function slowestReady(server: TestServer): () => Promise<number> {
  let slowest = 0;
  let isOver = false;
  const asked = until('over', async () => {
    const began = performance.now();
    const { status } = await ask(server, '/ready');
    slowest = Math.max(slowest, performance.now() - began);
    assert.equal(status, 200);
    return isOver;
  });
  return async () => {
    isOver = true;
    await asked;
    return slowest;
  };
}
