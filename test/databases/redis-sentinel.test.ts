/** [P-10] A Redis that Sentinels watch: whichever is the master is found, and found again. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { Redis } from 'ioredis';
import { isCluster, NoRedisError } from '../../src/bus/probe.ts';
import { openNode, stored } from '../support/bus-node.ts';
import { freePort } from '../support/port.ts';
import { type RedisServer, replicate, startRedis, startSentinel } from '../support/redis.ts';

const AT_ONCE = ['--repl-diskless-sync-delay', '0'];

describe('a bus whose Redis is watched by a Sentinel', () => {
  let [master, replica, sentinel]: RedisServer[] = [];
  let url = '';
  before(async () => {
    [master, replica] = await Promise.all([startRedis(AT_ONCE), startRedis(AT_ONCE)]);
    assert.ok(master && replica);
    await replicate(replica, master);
    sentinel = await startSentinel(master, 'chat');
    const { host } = new URL(sentinel.url);
    url = `redis+sentinel://127.0.0.1:${await freePort()},${host}/chat/0`;
    const client = new Redis(sentinel.url);
    const deadline = Date.now() + 20_000;
    while (!String(await client.call('SENTINEL', 'REPLICAS', 'chat')).includes('master-link-status,ok')) {
      assert.ok(Date.now() < deadline, 'the Sentinel does not find the replica');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    client.disconnect();
  });
  after(() => Promise.all([master?.stop(), replica?.stop(), sentinel?.stop()]));

  it('carries what nodes say, and again after the master was lost and another took its place', async () => {
    const prefix = `${randomUUID()}:`;
    const [a, b] = await Promise.all([openNode(prefix, url), openNode(prefix, url)]);
    try {
      await b.bus.follow('d1');
      a.bus.publish([stored(1)]);
      assert.deepEqual(await b.heard.first(1), [stored(1)]);
      await master?.halt();
      await b.missed.first(1);
      for (const deadline = Date.now() + 10_000; !b.heard.items.some(({ seq }) => seq === 2); ) {
        assert.ok(Date.now() < deadline, 'nothing is heard from the new master');
        a.bus.publish([stored(2)]);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    } finally {
      await Promise.all([a.bus.close(), b.bus.close()]);
    }
  });

  it('is refused where the address is wrong: a Sentinel for a Redis, a name that it does not know, a Redis for a Sentinel', async () => {
    const refusal = (wrong: string) =>
      isCluster({ url: wrong, onFault: () => {} }).then(
        () => 'taken',
        (error: unknown) => {
          assert.ok(error instanceof NoRedisError);
          return error.message;
        },
      );
    assert.match(await refusal(sentinel?.url ?? ''), /^REDIS_URL is a Sentinel's address.*redis\+sentinel:\/\//);
    assert.match(
      await refusal(`redis+sentinel://${new URL(sentinel?.url ?? '').host}/none`),
      /^REDIS_URL names a master that the Sentinels do not know/,
    );
    assert.match(
      await refusal(`redis+sentinel://${new URL(process.env.REDIS_URL ?? '').host}/chat`),
      /^REDIS_URL names a Redis where a Sentinel must be/,
    );
  });
});
