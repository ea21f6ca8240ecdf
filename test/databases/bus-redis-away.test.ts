/** [P-8.5] The bus while Redis dies, hangs or cannot be reached: it comes back, and says what may not have come. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type BusNode, openNode, stored } from '../support/bus-node.ts';
import { RedisProxy } from '../support/proxy.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

/** That what one publishes the other hears, both ways. */
async function assertTalk(one: BusNode, other: BusNode, seq: number): Promise<void> {
  for (const [from, to, scope] of [
    [one, other, 'there'],
    [other, one, 'back'],
  ] as const) {
    // It may have heard before it could speak again: what it cannot publish yet, it tells of as soon as it can.
    from.bus.resync(['speaks']);
    await to.missed.first(1, (dealerId) => dealerId === 'speaks');
    from.bus.publish([stored(seq, { scope })]);
    await to.heard.first(1, (heard) => heard.scope === scope && heard.seq === seq);
    for (const { missed } of [from, to]) missed.items.length = 0;
  }
}

describe('a bus whose Redis', { concurrency: true }, () => {
  let steady: RedisServer;
  before(async () => {
    steady = await startRedis();
  });
  after(() => steady?.stop());

  for (const [what, leave, comeBack] of [
    ['is killed and started again', (redis: RedisServer) => redis.halt(), (redis: RedisServer) => redis.resume()],
    [
      'is frozen for longer than a ping may take',
      (redis: RedisServer) => redis.freeze(),
      (redis: RedisServer) => redis.thaw(),
    ],
  ] as const) {
    it(`${what} tells for each dealer that it may have missed something, and goes on`, async () => {
      const redis = await startRedis();
      const proxy = await RedisProxy.to(redis.url);
      const prefix = `${randomUUID()}:`;
      const nodes = await Promise.all([openNode(prefix, proxy.url), openNode(prefix, proxy.url)]);
      const [a, b] = nodes;
      try {
        for (const { bus } of nodes) await Promise.all(['d1', 'd2', '*'].map((id) => bus.follow(id)));
        await assertTalk(a, b, 1);
        const gone = proxy.hungUp();
        await leave(redis);
        await gone;
        a.bus.publish([stored(2)]);
        assert.equal(a.heard.items.at(-1)?.seq, 2, 'it hears itself all the while');
        await comeBack(redis);
        for (const { missed } of nodes) {
          for (const dealerId of ['d1', 'd2', '*']) await missed.first(1, (told) => told === dealerId);
        }
        await assertTalk(a, b, 3);
      } finally {
        await Promise.all(nodes.map(({ bus }) => bus.close()));
        await proxy.close();
        redis.thaw();
        await redis.stop();
      }
    });
  }

  it('cannot be reached by one node tells the others, when it can, of what that could not publish', async () => {
    const [prefix, proxy] = [`${randomUUID()}:`, await RedisProxy.to(steady.url)];
    const [a, b] = await Promise.all([openNode(prefix, proxy.url), openNode(prefix, steady.url)]);
    try {
      await b.bus.follow('d1');
      const gone = proxy.hungUp();
      proxy.cut();
      await gone;
      a.bus.publish([stored(1), stored(1, { dealerId: 'd2' })]);
      a.bus.publish([stored(2)]);
      assert.deepEqual([b.heard.items, b.missed.items], [[], []]);
      proxy.mend();
      assert.deepEqual((await b.missed.first(2)).toSorted(), ['d1', 'd2']);
      a.bus.publish([stored(3)]);
      assert.deepEqual(await b.heard.first(1), [stored(3)]);
      assert.deepEqual(b.missed.items.length, 2, 'each is told once');
    } finally {
      await Promise.all([a.bus.close(), b.bus.close()]);
      await proxy.close();
    }
  });

  it('is not there when it starts, follows all the same, and tells that it may have missed something', async () => {
    const [prefix, proxy] = [`${randomUUID()}:`, await RedisProxy.to(steady.url)];
    proxy.cut();
    const opening = openNode(prefix, proxy.url);
    const b = await openNode(prefix, steady.url);
    proxy.mend();
    const a = await opening;
    try {
      await a.bus.follow('there');
      b.bus.publish([stored(2, { dealerId: 'there' })]);
      assert.deepEqual(await a.heard.first(1), [stored(2, { dealerId: 'there' })]);
    } finally {
      await Promise.all([a.bus.close(), b.bus.close()]);
      await proxy.close();
    }
  });
});
