/** [P-8.3, P-10] The bus between nodes: what Redis brings, what it loses, and that it is told. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { Redis } from 'ioredis';
import type { Publication } from '../../src/hub/publication.ts';
import { describeBus } from '../conformance/bus.ts';
import { type BusNode, openNode, stored, typing } from '../support/bus-node.ts';
import { RedisProxy } from '../support/proxy.ts';
import { Inbox } from '../support/until.ts';

const url = process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set: run the tests with `npm test`');

/** As many connected nodes as `use` takes, on one Redis, and a plain client of it. */
async function withNodes(
  use: (nodes: { a: BusNode; b: BusNode; raw: Redis; prefix: string }) => Promise<void>,
  prefix = `${randomUUID()}:`,
): Promise<void> {
  const raw = new Redis(url);
  raw.on('error', () => {});
  const [a, b] = await Promise.all([openNode(prefix, url), openNode(prefix, url)]);
  try {
    await use({ a, b, raw, prefix });
  } finally {
    raw.disconnect();
    await Promise.all([a.bus.close(), b.bus.close()]);
  }
}

const textsOf = (publications: readonly Publication[]) => publications.map(({ frame }) => frame.toString());

describeBus('Redis', async () => {
  const { bus } = await openNode(`${randomUUID()}:`, url);
  return { bus, close: () => bus.close() };
});

describe('two nodes', () => {
  it('give each other the events of dealers that they follow, as they were published, to the byte', () =>
    withNodes(async ({ a, b }) => {
      await b.bus.follow('d1');
      const all = [stored(1), stored(2), typing(), stored(1, { scope: '@desk' }), stored(3)];
      a.bus.publish(all);
      assert.deepEqual(await b.heard.first(all.length), all);
    }));

  it('put on telle:dealer:<dealerId> the very bytes that are delivered', () =>
    withNodes(async ({ a, raw, prefix }) => {
      const texts = new Inbox<string>();
      raw.on('message', (_, text) => texts.put(text));
      await raw.subscribe(`${prefix}dealer:d1`);
      const all = [stored(1), typing(), stored(2)];
      a.bus.publish([stored(1, { dealerId: 'd2' }), ...all]);
      assert.deepEqual(await texts.first(all.length), textsOf(all));
    }));

  it('bring nothing of a dealer to a node that does not follow it, or no longer does', () =>
    withNodes(async ({ a, b, raw, prefix }) => {
      await b.bus.follow('gone');
      b.bus.unfollow('gone');
      await b.bus.follow('d1');
      a.bus.publish([stored(1, { dealerId: 'd2' }), stored(1, { dealerId: 'gone' }), typing('d11'), stored(1)]);
      assert.deepEqual(await b.heard.first(1), [stored(1)]);
      const counts = await raw.pubsub('NUMSUB', ...['d1', 'd2', 'gone'].map((id) => `${prefix}dealer:${id}`));
      assert.deepEqual(
        counts.filter((_, index) => index % 2 === 1),
        [1, 0, 0],
      );
    }));

  it('hand over what comes from the other without an answer, and each its own once', () =>
    withNodes(async ({ a, b }) => {
      await Promise.all([a.bus.follow('d1'), b.bus.follow('d1')]);
      a.bus.publish([typing(), typing(), stored(1)]);
      await b.heard.first(3);
      b.bus.publish([typing(), stored(2)]);
      await a.heard.first(1, ({ seq }) => seq === 2);
      // What comes after it tells that nothing of its own came round.
      a.bus.publish([stored(3)]);
      await b.heard.first(1, ({ seq }) => seq === 3);
      for (const { heard } of [a, b])
        assert.deepEqual(
          textsOf(heard.items).sort(),
          textsOf([typing(), typing(), typing(), stored(1), stored(2), stored(3)]).sort(),
        );
      assert.ok([...a.heard.items, ...b.heard.items].every(({ answer }) => answer === null));
    }));

  it('hear an equal TYPING of the other though one of their own could not be published', async () => {
    const [prefix, proxy] = [`${randomUUID()}:`, await RedisProxy.to(url)];
    const [a, b] = await Promise.all([openNode(prefix, proxy.url), openNode(prefix, url)]);
    try {
      await Promise.all([a.bus.follow('d1'), b.bus.follow('d1')]);
      const gone = proxy.hungUp('telle-publisher');
      proxy.cut('telle-publisher');
      await gone;
      a.bus.publish([typing()]);
      proxy.mend();
      a.bus.resync(['d1']);
      await a.missed.first(1);
      b.bus.publish([typing(), stored(1)]);
      await a.heard.first(1, ({ seq }) => seq === 1);
      assert.equal(a.heard.items.filter(({ seq }) => seq === null).length, 2);
    } finally {
      await Promise.all([a.bus.close(), b.bus.close()]);
      await proxy.close();
    }
  });

  it('say of each frame what it is, whatever its text looks like', () =>
    withNodes(async ({ a, b }) => {
      await b.bus.follow('d1');
      const erasure = '{"channel":"CHAT_STATE","payload":{"type":"ERASE_GROUP","dealerId":"d1","groupId":"g1"}}';
      const place = ',"scope":"@desk","seq":99,"at":"2026-01-02T03:04:05.678Z"}';
      const frames = [erasure, `${erasure.slice(0, -1)}${place}`, `x${place}`, `2 x 1 CHAT_MSG d2 g2 g2 5 5`, '{', ''];
      const all = [...frames.map((frame, index) => ({ ...stored(index + 1), frame })), { ...typing(), frame: place }];
      a.bus.publish(all);
      assert.deepEqual(await b.heard.first(all.length), all);
    }));

  it('say of each frame its type, its group and its scope, whether it has them or not', () =>
    withNodes(async ({ a, b }) => {
      await b.bus.follow('d1');
      const all = [
        { ...stored(1), type: 'ERASE_GROUP' },
        { ...stored(1, { scope: '@dealer' }), groupId: null },
        { ...stored(1, { scope: '@desk' }), groupId: 'g7' },
        { ...typing(), groupId: null, scope: '' },
        { ...typing(), type: 'NOT_KNOWN_YET' },
      ];
      a.bus.publish(all);
      assert.deepEqual(await b.heard.first(all.length), all);
    }));

  it('tell each other, and themselves, what may not have come', () =>
    withNodes(async ({ a, b }) => {
      a.bus.resync(['d1', 'd2']);
      assert.deepEqual(await a.missed.first(2), ['d1', 'd2']);
      assert.deepEqual(await b.missed.first(2), ['d1', 'd2']);
    }));
});

describe('following', () => {
  it('resolves for the second who asks when it does for the first: not before events come', () =>
    withNodes(async ({ a }) => {
      const done: string[] = [];
      const first = a.bus.follow('d1').then(() => done.push('first'));
      await a.bus.follow('d1').then(() => done.push('second'));
      await first;
      assert.deepEqual(done, ['first', 'second']);
    }));

  it('`*` brings every dealer once, also one that is followed by itself', () =>
    withNodes(async ({ a, b }) => {
      await b.bus.follow('d1');
      await b.bus.follow('*');
      const all = [stored(1), typing('d2'), stored(1, { dealerId: 'd2' }), typing(), stored(2)];
      a.bus.publish(all);
      assert.deepEqual(await b.heard.first(all.length), all);
      b.bus.unfollow('*');
      a.bus.publish([stored(2, { dealerId: 'd2' }), stored(3)]);
      await b.heard.first(1, ({ seq }) => seq === 3);
      await a.bus.follow('*');
      b.bus.publish([stored(4)]);
      await b.heard.first(1, ({ seq }) => seq === 4);
      assert.equal(b.heard.items.filter(({ dealerId, seq }) => dealerId === 'd2' && seq === 2).length, 0);
    }));

  it('loses nothing of a dealer while `*` begins to be followed', () =>
    withNodes(async ({ a, b }) => {
      await b.bus.follow('d1');
      const all = Array.from({ length: 3000 }, (_, index) => stored(index + 1));
      a.bus.publish(all);
      await b.heard.first(1);
      const following = b.bus.follow('*');
      await following;
      a.bus.publish([stored(3001)]);
      await b.heard.first(1, ({ seq }) => seq === 3001);
      const got = new Set(b.heard.items.map(({ seq }) => seq));
      const lost = all.filter(({ seq }) => !got.has(seq));
      assert.ok(lost.length === 0 || b.missed.items.length > 0, `${lost.length} of ${all.length} lost, and not told`);
    }));

  it('brings everything under any prefix, also one of characters that patterns have meanings for', () =>
    withNodes(async ({ a, b }) => {
      await b.bus.follow('*');
      a.bus.publish([stored(1)]);
      a.bus.resync(['last']);
      await b.missed.first(1);
      assert.deepEqual(b.heard.items, [stored(1)]);
    }, `te[l]l*e?\\-${randomUUID()}:`));
});

describe('a bus beside nodes of the version before, and of a later one', () => {
  it('understands frames that have no label: stored, passed on, of one dealer or of all', () =>
    withNodes(async ({ a, b, raw, prefix }) => {
      await a.bus.follow('d1');
      await b.bus.follow('*');
      const all = [stored(1), typing(), stored(1, { scope: 'g2' }), stored(2)];
      for (const { frame } of all) await raw.publish(`${prefix}dealer:d1`, frame);
      for (const { heard } of [a, b]) assert.deepEqual(await heard.first(all.length), all);
    }));

  it('reads a frame whose label it does not know, or that has lost its own, as one without', () =>
    withNodes(async ({ a, b, raw, prefix }) => {
      await b.bus.follow('d1');
      const label = `${prefix}label:{${prefix}dealer:d1}`;
      const { length } = Buffer.from(stored(1).frame);
      for (const [index, text] of [
        `3 x ${length} 7 7`,
        `2 x ${length + 1} ERASE_GROUP d2 g2 g2 9 9`,
        '',
        '2',
      ].entries()) {
        await raw.publish(label, text);
        await raw.publish(`${prefix}dealer:d1`, stored(index + 1).frame);
      }
      a.bus.publish([stored(5)]);
      assert.deepEqual(
        await b.heard.first(5),
        [1, 2, 3, 4, 5].map((seq) => stored(seq)),
      );
    }));
});

describe('a bus among strangers', () => {
  it('lives on where another server publishes what is no frame on its channels', () =>
    withNodes(async ({ a, b, raw, prefix }) => {
      await b.bus.follow('d1');
      const junk = ['no JSON', 'null', '[]', '{"seq":1}', '{}', '5'];
      for (const text of junk) {
        await raw.publish(`${prefix}dealer:d1`, text);
        await raw.publish(`${prefix}resync`, text);
      }
      a.bus.publish([stored(1)]);
      await b.heard.first(1, ({ frame }) => frame === stored(1).frame);
    }));

  // The words of V8's JSON parser quote what it was given.
  it('says nothing of what came that is no frame', () =>
    withNodes(async ({ a, b, raw, prefix }) => {
      await b.bus.follow('d1');
      await raw.publish(`${prefix}dealer:d1`, '{"payload":{"message":My card is 4111}}');
      a.bus.publish([stored(1)]);
      await b.heard.first(1);
      assert.equal(b.faults.length, 1);
      assert.doesNotMatch(String(b.faults[0]), /card/);
    }));
});
