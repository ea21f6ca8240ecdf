/** [P-8.5, P-11.1] A node that hears nothing of the others says so, and after a while sends its sockets to them. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { ask } from '../support/ask.ts';
import { LogSink } from '../support/log.ts';
import { Reading } from '../support/metrics.ts';
import { makeDatabase } from '../support/postgres.ts';
import { RedisProxy } from '../support/proxy.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { startServer, type TestServer } from '../support/server.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');
/** It takes five seconds to be sure that nothing comes back. */
const PATIENCE = 20_000;
const timing = { redisPatience: 2_000 };

const ready = async (server: TestServer) => {
  const { status, text } = await ask(server, '/ready');
  return { status, body: JSON.parse(text) };
};

/** Parts of Redis, of which each is looked at. */
const OF_REDIS = ['nodes', 'events', 'stream', 'writes', 'rights', 'strangers'];

const areWell = ({ body }: Awaited<ReturnType<typeof ready>>): boolean =>
  OF_REDIS.every((part) => body.parts[part]?.state === 'ok');

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, what);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('a node that hears nothing of the others', { concurrency: true }, () => {
  let redis: RedisServer;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis?.stop());

  const start = async (url: string, log: LogSink) => {
    const settings = { DATABASE_URL: await makeDatabase(postgres), REDIS_PREFIX: `${randomUUID()}:` };
    return (own = url) => startServer({ timing, logTo: log, settings: { ...settings, REDIS_URL: own } });
  };

  test('says so, sends its sockets to them and lets nobody in; and does again once it hears them', async () => {
    const proxy = await RedisProxy.to(redis.url);
    const log = new LogSink();
    const node = await start(redis.url, log);
    const [lost, other] = [await node(proxy.url), await node()];
    try {
      const [here, there] = [await lost.admin('a1'), await other.admin('a2')];
      for (const server of [lost, other])
        await until('both are well', async () => (await ready(server)).body.redis === 'ok');
      await until('all is proved', async () => areWell(await ready(lost)));
      const { since } = (await ready(lost)).body.parts.nodes;
      assert.ok(Date.parse(since) <= Date.now() && Date.parse(since) > Date.now() - PATIENCE, since);
      proxy.cut();
      await until('it is not proved any more', async () => (await ready(lost)).body.parts.nodes.state !== 'ok');
      await until('it says what is wrong', async () => (await ready(lost)).body.troubles?.nodes !== undefined);
      const { status, body } = await ready(lost);
      assert.equal(status, 200);
      assert.match(body.troubles.nodes, /nothing .* comes back/);
      assert.equal(body.parts.nodes.state, body.troubles.nodes);
      assert.ok(Date.parse(body.parts.nodes.since) > Date.parse(since), 'since the cut');
      assert.match(body.parts.stream.state, /^the stream of other servers is not read: /);
      assert.deepEqual([body.parts.database.state, body.parts.drain.state], ['ok', 'ok']);
      const counted = new Reading((await ask(lost, '/metrics')).text);
      assert.equal(counted.sum('telle_redis_trouble', { part: 'nodes' }), 1);
      assert.equal(counted.sum('telle_redis_troubles_total', { part: 'nodes' }), 1);
      assert.equal(await here.closed, 1012);
      const said = log.records().filter(({ part }) => part === 'nodes');
      assert.deepEqual(
        said.map(({ level, msg }) => [level, msg]),
        [[40, body.troubles.nodes]],
        'once a minute',
      );
      const refused = await ready(lost);
      assert.deepEqual([refused.status, refused.body.code], [503, 'unavailable']);
      await assert.rejects(lost.connect(), /503/);
      const { parts, ...rest } = (await ready(other)).body;
      assert.deepEqual(rest, { status: 'ready', database: 'ok', redis: 'ok' });
      assert.deepEqual(new Set(Object.keys(parts)), new Set(['database', 'drain', ...OF_REDIS]));
      await there.settled();
      proxy.mend();
      await until('it is well again', async () => (await ready(lost)).body.redis === 'ok');
      const back = await lost.customer('g1');
      await back.ask('customer_message', { type: 'UPDATE_MSG', message: 'here again' });
      assert.equal((await there.next('CHAT_MSG')).payload.message, 'here again');
    } finally {
      await Promise.all([lost.close(), other.close()]);
      await proxy.close();
    }
  });

  test('keeps its sockets where no other node hears anybody either', async () => {
    const own = await startRedis();
    const node = await start(own.url, new LogSink());
    const [one, two] = [await node(), await node()];
    try {
      const [admin, customer] = [await one.admin('a1'), await one.customer('g1')];
      await own.halt();
      for (const server of [one, two])
        await until('both say so', async () => (await ready(server)).body.redis === 'trouble');
      // Twice as long as one would wait that is alone with it.
      await new Promise((resolve) => setTimeout(resolve, 2 * timing.redisPatience));
      await customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'among ourselves' });
      assert.equal((await admin.next('CHAT_MSG')).payload.message, 'among ourselves');
      assert.equal((await ready(one)).status, 200);
    } finally {
      await Promise.all([one.close(), two.close()]);
      await own.stop();
    }
  });
});
