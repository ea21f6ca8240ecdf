import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import slotOf from 'cluster-key-slot';
import { Cluster, Redis } from 'ioredis';
import { RedisBus } from '../../src/bus/redis.ts';
import type { Publication } from '../../src/hub/publication.ts';
import { describeBus } from '../conformance/bus.ts';
import { makeDatabase } from '../support/postgres.ts';
import { RedisProxy } from '../support/proxy.ts';
import { failOver, idOf, startRedisCluster } from '../support/redis.ts';
import { startServer } from '../support/server.ts';

/** A frame of a dealer, as it is published. */
function publication(dealerId: string, seq: number): Publication {
  const at = '2026-01-02T03:04:05.678Z';
  const frame = JSON.stringify({
    channel: 'CHAT_MESSAGE',
    payload: { type: 'CHAT_MSG', dealerId, groupId: 'g1' },
    id: `k${seq}`,
    scope: 'g1',
    seq,
    at,
  });
  return { type: 'CHAT_MSG', dealerId, groupId: 'g1', scope: 'g1', seq, at: Date.parse(at), frame, answer: null };
}

/** A bus on the cluster that keeps what it brings, and tells of it. */
class Node {
  readonly heard: Publication[] = [];
  readonly missed: string[] = [];
  readonly faults: string[] = [];
  readonly #told = new EventEmitter();
  readonly bus: RedisBus;

  constructor(url: string, prefix = 'telle:') {
    this.bus = new RedisBus({ url, prefix, platform: 'test', onFault: (_, what) => this.#fault(what) }, true);
    this.bus.listen({
      deliver: (each) => {
        this.heard.push(each);
        this.#told.emit('told');
      },
      missed: (dealerId) => {
        this.missed.push(dealerId);
        this.#told.emit('told');
      },
    });
  }

  #fault(what: string): void {
    this.faults.push(what);
    this.#told.emit('told');
  }

  async until(holds: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(15_000);
    while (!holds()) await once(this.#told, 'told', { signal });
  }
}

const DEALERS = Array.from({ length: 30 }, (_, index) => `dealer-${index}`);

const servers = await startRedisCluster(3);
after(() => Promise.all(servers.map((server) => server.stop())));

describeBus('Redis Cluster', async () => {
  const { bus } = new Node(servers[0]?.url ?? '');
  return { bus, close: () => bus.close() };
});

describe('the bus on a Redis Cluster', () => {
  let speaker: Node;
  let hearer: Node;

  before(async () => {
    const [first, second] = servers.map(({ url }) => url);
    assert.ok(first && second);
    speaker = new Node(first);
    hearer = new Node(second);
    await Promise.all(DEALERS.map((dealerId) => hearer.bus.follow(dealerId)));
    // Followed before the shards were known: told to be missed once they are.
    await hearer.until(() => DEALERS.every((dealerId) => hearer.missed.includes(dealerId)));
  });

  after(async () => {
    await Promise.all([speaker?.bus.close(), hearer?.bus.close()]);
  });

  /** That everybody is heard again, or was told to have been missed, within five seconds of what was done. */
  async function heardAgain(seq: number): Promise<void> {
    const doneAt = performance.now();
    for (const dealerId of DEALERS) await say(dealerId, seq);
    assert.ok(performance.now() - doneAt < 5_000, `it took ${performance.now() - doneAt} ms`);
  }

  /** Publishes until the hearer hears it: the speaker may not know the shards yet. */
  async function say(dealerId: string, seq: number): Promise<void> {
    const heard = () => hearer.heard.some((each) => each.dealerId === dealerId && each.seq === seq);
    const deadline = performance.now() + 15_000;
    while (!heard()) {
      assert.ok(performance.now() < deadline, `${dealerId} is not heard`);
      speaker.bus.publish([publication(dealerId, seq)]);
      await Promise.race([hearer.until(heard), new Promise((resolve) => setTimeout(resolve, 100))]);
    }
  }

  it('carries each dealer’s events over the shard that has its channel', async () => {
    for (const dealerId of DEALERS) await say(dealerId, 1);
    const channels = await Promise.all(
      servers.slice(0, 3).map(async ({ url }) => {
        const client = new Redis(url);
        const found = (await client.call('PUBSUB', 'SHARDCHANNELS', 'telle:dealer:*')) as string[];
        client.disconnect();
        return found;
      }),
    );
    assert.deepEqual(channels.flat().sort(), DEALERS.map((dealerId) => `telle:dealer:${dealerId}`).sort());
    assert.ok(
      channels.every((found) => found.length > 0 && found.length < DEALERS.length),
      'more than one shard has some',
    );
  });

  it('brings every dealer’s events to who follows all', async () => {
    const [first] = servers;
    const all = new Node(first?.url ?? '');
    try {
      await all.bus.follow('*');
      const heard = () => all.heard.some(({ dealerId, seq }) => dealerId === 'another' && seq === 1);
      while (!heard()) {
        speaker.bus.publish([publication('another', 1)]);
        await Promise.race([all.until(heard), new Promise((resolve) => setTimeout(resolve, 100))]);
      }
      assert.equal(all.heard[0]?.frame.toString(), publication('another', 1).frame.toString());
      // Told again while it holds: that reaches nobody who follows all.
      await all.bus.follow('*');
      all.bus.unfollow('*');
      await all.bus.follow('*');
      const outside = new Cluster([first?.url ?? '']);
      await outside.spublish('telle:all', 'no frame');
      await all.until(() => all.faults.includes('what came on telle:all is no frame'));
      outside.disconnect();
      assert.deepEqual(
        all.faults.filter((what) => what.includes('no frame')),
        ['what came on telle:all is no frame'],
      );
    } finally {
      await all.bus.close();
    }
  });

  it('brings what a node of the version before publishes, without labels, to who follows one or all', async () => {
    const all = new Node(servers[0]?.url ?? '');
    const before = new Cluster([servers[0]?.url ?? '']);
    try {
      await all.bus.follow('*');
      const old = publication(DEALERS[0] ?? '', 70);
      const isOld = ({ dealerId, seq }: Publication) => dealerId === old.dealerId && seq === old.seq;
      for (const [channel, node] of [
        [`telle:dealer:${old.dealerId}`, hearer],
        ['telle:all', all],
      ] as const) {
        while (!node.heard.some(isOld)) {
          await before.spublish(channel, old.frame);
          await Promise.race([
            node.until(() => node.heard.some(isOld)),
            new Promise((resolve) => setTimeout(resolve, 100)),
          ]);
        }
        const { lag: _, ...heard } = node.heard.find(isOld) ?? assert.fail();
        assert.deepEqual(heard, old);
      }
    } finally {
      before.disconnect();
      await all.bus.close();
    }
  });

  it('gives a node that follows all, and one dealer, nothing of its own again', async () => {
    const node = new Node(servers[0]?.url ?? '');
    try {
      await Promise.all(['*', 'mine'].map((dealerId) => node.bus.follow(dealerId)));
      await node.until(() => node.missed.includes('mine'));
      // From when the others copy everything for it, what it follows comes twice.
      const seen = (seq: number) => node.heard.filter((each) => each.dealerId === 'mine' && each.seq === seq).length;
      for (let seq = 1; seen(seq - 1) < 2 || seq === 1; seq += 1) {
        speaker.bus.publish([publication('mine', seq)]);
        await Promise.race([node.until(() => seen(seq) === 2), new Promise((resolve) => setTimeout(resolve, 100))]);
      }
      const typing = { ...publication('mine', 0), type: 'TYPING', seq: null, at: null };
      const isTyping = ({ seq }: Publication) => seq === null;
      node.bus.publish([typing]);
      await node.bus.follow('mine');
      for (let seq = 1000; seen(seq - 1) < 2 || seq === 1000; seq += 1) {
        speaker.bus.publish([publication('mine', seq)]);
        await Promise.race([node.until(() => seen(seq) === 2), new Promise((resolve) => setTimeout(resolve, 100))]);
      }
      assert.equal(node.heard.filter(isTyping).length, 1);
    } finally {
      await node.bus.close();
    }
  });

  it('serves two nodes, and takes what other servers say over it', async () => {
    const [first, second] = servers.map(({ url }) => url);
    const postgres = process.env.POSTGRES_URL;
    assert.ok(postgres, 'POSTGRES_URL is not set: run the tests with `npm test`, which brings a Postgres');
    const DATABASE_URL = await makeDatabase(postgres);
    const node = (REDIS_URL = '') => startServer({ settings: { DATABASE_URL, REDIS_URL, REDIS_PREFIX: 'two:' } });
    const [one, two] = [await node(first), await node(second)];
    const outside = new Cluster([first ?? '']);
    try {
      const [admin, customer] = [await one.admin(), await two.customer('g1')];
      const said = { type: 'UPDATE_MSG', dealerId: 'd1', groupId: 'g1', user: 'bot' };
      await outside.xadd('two:ingress', '*', 'event', JSON.stringify({ ...said, message: 'by the stream' }));
      const event = await admin.next('CHAT_MSG');
      assert.equal(event.payload.message, 'by the stream');
      assert.deepEqual((await customer.next('CHAT_MSG')).payload, event.payload);
      await outside.publish('two:events', JSON.stringify({ ...said, message: 'by the channel' }));
      assert.equal((await customer.next('CHAT_MSG')).payload.message, 'by the channel');
      assert.equal((await customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'hello' })).seq, 3);
      assert.equal((await admin.next((frame) => frame.seq === 3)).payload.message, 'hello');
    } finally {
      outside.disconnect();
      await Promise.all([one.close(), two.close()]);
    }
  });

  it('tells what was missed, and goes on, when a shard was away', async () => {
    const [, , third] = servers;
    assert.ok(third);
    hearer.missed.length = 0;
    await third.halt();
    await third.resume();
    await hearer.until(() => hearer.missed.length > 0);
    for (const dealerId of DEALERS) await say(dealerId, 2);
  });

  it('hears a shard again that is taken over by its replica, and tells what may have been missed', async () => {
    for (const index of [0, 1, 2]) {
      hearer.missed.length = 0;
      await failOver(servers[index + 3]);
      await heardAgain(10 + index);
      assert.ok(hearer.missed.length > 0 && hearer.missed.length < 2 * DEALERS.length, 'of that shard alone');
    }
  });

  it('hears a dealer again whose slot moves to another shard, and back', async () => {
    const [dealerId = ''] = DEALERS;
    const slot = slotOf(`telle:dealer:${dealerId}`);
    const clients = servers.map(({ url }) => new Redis(url));
    try {
      const masters = [];
      for (const client of clients)
        if ((await client.info('replication')).includes('role:master')) masters.push(client);
      const owns = await Promise.all(
        masters.map(async (client) => /myself[^\n]*/.exec(String(await client.cluster('NODES')))?.[0] ?? ''),
      );
      const from = owns.findIndex((line) =>
        [...line.matchAll(/(\d+)-(\d+)/g)].some(([, first, last]) => Number(first) <= slot && slot <= Number(last)),
      );
      const target = masters[(from + 1) % 3];
      for (const [seq, owner] of [
        [20, target],
        [21, masters[from]],
      ] as const) {
        hearer.missed.length = 0;
        const id = await idOf(owner);
        for (const each of [owner, ...masters]) await each?.call('CLUSTER', 'SETSLOT', slot, 'NODE', id);
        await heardAgain(seq);
        assert.ok(hearer.missed.includes(dealerId));
      }
    } finally {
      for (const client of clients) client.disconnect();
    }
  });

  it('carries what is said where the prefix puts every channel on one shard', async () => {
    const [first, second] = servers.map(({ url }) => url);
    assert.ok(first && second);
    const [one, other] = [new Node(first, '{one}:'), new Node(second, '{one}:')];
    try {
      await other.bus.follow('d1');
      const heard = () => other.heard.some(({ dealerId }) => dealerId === 'd1');
      while (!heard()) {
        one.bus.publish([publication('d1', 1)]);
        await Promise.race([other.until(heard), new Promise((resolve) => setTimeout(resolve, 100))]);
      }
    } finally {
      await Promise.all([one.bus.close(), other.bus.close()]);
    }
  });

  it('comes back, by the name that it was given, where the whole cluster was replaced', async () => {
    const old = await startRedisCluster();
    const proxy = await RedisProxy.to(old[0]?.url ?? '');
    const [one, other] = [new Node(proxy.url), new Node(proxy.url)];
    let young: typeof old = [];
    const hears = async (seq: number) => {
      const heard = () => other.heard.some((each) => each.seq === seq);
      while (!heard()) {
        one.bus.publish([publication('d1', seq)]);
        await Promise.race([other.until(heard), new Promise((resolve) => setTimeout(resolve, 100))]);
      }
    };
    try {
      await other.bus.follow('d1');
      await hears(1);
      await Promise.all(old.map((server) => server.stop()));
      young = await startRedisCluster();
      other.missed.length = 0;
      proxy.lead(young[0]?.url ?? '');
      await other.until(() => other.missed.includes('d1'));
      await hears(2);
    } finally {
      await Promise.all([one.bus.close(), other.bus.close()]);
      await proxy.close();
      await Promise.all([...old, ...young].map((server) => server.stop()));
    }
  });
});
