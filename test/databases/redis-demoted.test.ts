/** [P-8.5] The bus when its Redis is no longer the master, and says nothing of it: the connections stay as they are. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type BusNode, openNode, stored } from '../support/bus-node.ts';
import { RedisProxy } from '../support/proxy.ts';
import { type RedisServer, replicate, startRedis } from '../support/redis.ts';

/** That the other hears, within ten seconds, what one publishes now. */
async function assertHeard(one: BusNode, other: BusNode, scope: string): Promise<void> {
  one.bus.publish([stored(1, { scope })]);
  await other.heard.first(1, (heard) => heard.scope === scope);
}

describe('a bus whose master is demoted', () => {
  let [old, young]: RedisServer[] = [];
  before(async () => {
    const AT_ONCE = ['--repl-diskless-sync-delay', '0'];
    [old, young] = await Promise.all([startRedis(AT_ONCE), startRedis(AT_ONCE)]);
  });
  after(() => Promise.all([old?.stop(), young?.stop()]));

  it('notices though it stays connected, asks the name again, and tells what may have been missed', async () => {
    assert.ok(old && young);
    await replicate(young, old);
    const proxy = await RedisProxy.to(old.url);
    const prefix = `${randomUUID()}:`;
    const a = await openNode(prefix, proxy.url);
    let b: BusNode | undefined;
    try {
      await a.bus.follow('d1');
      await replicate(young, null);
      await replicate(old, young);
      proxy.lead(young.url);
      b = await openNode(prefix, proxy.url);
      await b.bus.follow('d1');
      // What is said while it is not noticed yet is marked as missed, or has come, both ways.
      a.bus.publish([stored(1, { scope: 'unnoticed' })]);
      assert.deepEqual(await a.missed.first(1), ['d1'], 'it looks in the log for what it did not hear');
      await Promise.race([b.heard.first(1), b.missed.first(1)]);
      await assertHeard(b, a, 'back');
      await assertHeard(a, b, 'there');
    } finally {
      await Promise.all([a.bus.close(), b?.bus.close()]);
      await proxy.close();
    }
  });
});
