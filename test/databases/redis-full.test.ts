/** [P-8.6, P-11.1] A Redis that is full is read all the same, and so drained; that it is full is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Redis } from 'ioredis';
import { ask } from '../support/ask.ts';
import { startRedis } from '../support/redis.ts';
import { DEALER, startServer } from '../support/server.ts';

const full = async () => {
  const redis = await startRedis(['--maxmemory', '4mb', '--maxmemory-policy', 'noeviction']);
  return { redis, client: new Redis(redis.url) };
};

const event = { type: 'UPDATE_MSG', dealerId: DEALER, groupId: 'g1', user: 'bot' };

test('a stream that fills Redis is drained by a node that starts then', async () => {
  const { redis, client } = await full();
  try {
    await client.xgroup('CREATE', 'telle:ingress', 'telle', '0', 'MKSTREAM');
    let count = 0;
    const fill = async () => {
      for (;;) {
        const message = `${count} ${'x'.repeat(8_000)}`;
        await client.xadd('telle:ingress', '*', 'event', JSON.stringify({ ...event, message }));
        count += 1;
      }
    };
    await assert.rejects(fill(), /OOM/);
    const server = await startServer({ settings: { REDIS_URL: redis.url } });
    try {
      const deadline = Date.now() + 15_000;
      while ((await client.xlen('telle:ingress')) > 0) {
        assert.ok(Date.now() < deadline, `${await client.xlen('telle:ingress')} of ${count} entries are left`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    } finally {
      await server.close();
    }
  } finally {
    client.disconnect();
    await redis.stop();
  }
});

test('that it is full, and that the stream cannot be made, /ready says and the metrics have', async () => {
  const { redis, client } = await full();
  const fill = async () => {
    for (let n = 0; ; n += 1) await client.set(`other:${n}`, 'x'.repeat(n < 400 ? 8_000 : 10));
  };
  await assert.rejects(fill(), /OOM/);
  const server = await startServer({ settings: { REDIS_URL: redis.url } });
  try {
    const deadline = Date.now() + 15_000;
    const troubles = async () => (await ask(server, '/ready')).body.troubles ?? {};
    while (!('writes' in (await troubles()) && 'stream' in (await troubles()))) {
      assert.ok(Date.now() < deadline, JSON.stringify(await troubles()));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const { stream, writes } = await troubles();
    assert.match(stream, /the stream of other servers is not read: OOM/);
    assert.match(writes, /Redis takes no writes: OOM/);
    assert.match((await ask(server, '/metrics')).text, /^telle_redis_trouble\{part="stream"\} 1$/m);
    await client.flushall();
    while ((await ask(server, '/ready')).body.redis !== 'ok') {
      assert.ok(Date.now() < deadline + 10_000, JSON.stringify(await troubles()));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    await server.close();
    client.disconnect();
    await redis.stop();
  }
});
