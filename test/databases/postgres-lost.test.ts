/** [P-8.5, P-11.1] A node that alone has lost Postgres says so, and after a while sends its sockets to the others. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { ask } from '../support/ask.ts';
import { LogSink } from '../support/log.ts';
import { makeDatabase } from '../support/postgres.ts';
import { RedisProxy } from '../support/proxy.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { startServer, type TestServer } from '../support/server.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');
const timing = { redisPatience: 2_000, nodeInterval: 500 };
/** It takes five seconds to be sure that the database does not answer, and three for each question to find out. */
const PATIENCE = 25_000;

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, what);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const statusOf = async (server: TestServer) => (await ask(server, '/ready')).status;

describe('where Postgres is lost', { concurrency: true }, () => {
  let redis: RedisServer;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis?.stop());

  /** Two nodes of a platform, of which the first has its database, and where it says so the other too, by a way that can be cut. */
  async function start(log: LogSink, isBoth = false) {
    const database = await makeDatabase(postgres);
    const proxy = await RedisProxy.to(database);
    const cut = new URL(database);
    cut.hostname = '127.0.0.1';
    cut.port = new URL(proxy.url).port;
    const settings = { REDIS_URL: redis.url, REDIS_PREFIX: `${randomUUID()}:` };
    const node = (url: string) => startServer({ timing, logTo: log, settings: { ...settings, DATABASE_URL: url } });
    return { proxy, lost: await node(cut.href), other: await node(isBoth ? cut.href : database) };
  }

  test('by one node alone, its sockets are sent to the others and nobody is let in, until it has it again', async () => {
    const log = new LogSink();
    const { proxy, lost, other } = await start(log);
    try {
      const [here, there] = [await lost.customer('g1'), await other.admin('a1')];
      for (const server of [lost, other]) await until('both are well', async () => (await statusOf(server)) === 200);
      proxy.cut();
      const message = { type: 'UPDATE_MSG', message: 'is anybody there?' };
      assert.equal((await here.ask('customer_message', message)).code, 'unavailable');
      assert.equal(await here.closed, 1012);
      assert.equal(
        log.records().filter(({ msg }) => /answers other nodes, and this one not/.test(String(msg))).length,
        1,
      );
      const { status, body } = await ask(lost, '/ready');
      assert.deepEqual([status, body.code], [503, 'unavailable']);
      await assert.rejects(lost.connect(), /503/);
      assert.equal(await statusOf(other), 200);
      await there.settled();
      proxy.mend();
      await until('it is well again', async () => (await statusOf(lost)) === 200);
      const back = await lost.customer('g2');
      await back.ask('customer_message', { type: 'UPDATE_MSG', message: 'here again' });
      assert.equal((await there.next('CHAT_MSG')).payload.message, 'here again');
    } finally {
      await Promise.all([lost.close(), other.close()]);
      await proxy.close();
    }
  });

  test('by all, they keep their sockets, and tell who sends to try again', async () => {
    const { proxy, lost, other } = await start(new LogSink(), true);
    try {
      const here = await lost.customer('g1');
      await until('it is well', async () => (await statusOf(lost)) === 200);
      proxy.cut();
      await until('none is ready', async () => (await statusOf(lost)) === 503 && (await statusOf(other)) === 503);
      // Longer than one would wait that is alone with it, and than what it last heard of the other counts.
      await new Promise((resolve) => setTimeout(resolve, 5_000 + 2 * timing.redisPatience));
      const message = { type: 'UPDATE_MSG', message: 'and now?' };
      assert.equal((await here.ask('customer_message', message)).code, 'unavailable');
      proxy.mend();
      await until('it is well again', async () => (await statusOf(lost)) === 200);
      await here.ask('customer_message', { type: 'UPDATE_MSG', message: 'now' });
    } finally {
      await Promise.all([lost.close(), other.close()]);
      await proxy.close();
    }
  });
});
