/** What is read of the log beside its scopes: page views, all of it, and which conversations it has left behind. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventRow, groupRow, NOW, seqsOf, write } from '../support/rows.ts';
import type { WithStore } from './with-store.ts';

const DAY = 24 * 3_600_000;

export function describeLog(withStore: WithStore): void {
  describe('pageviews', () => {
    const view = (dealerId: string, seq: number, groupId: string) =>
      eventRow(dealerId, '@desk', seq, { type: 'UPDATE_PAGEVIEW', groupId });

    it(
      'are those of the desk’s log and no other event, the last first, before a seq and of one group as asked',
      withStore(async (store) => {
        const views = [view('d1', 1, 'a'), view('d1', 3, 'b'), view('d1', 4, 'a'), view('d1', 10, 'a')];
        const others = [
          eventRow('d1', '@desk', 2, { type: 'UPDATE_LEAD', groupId: 'a' }),
          eventRow('d1', 'a', 1),
          view('d2', 5, 'a'),
        ];
        const inOrder = [...views, ...others].toSorted((one, other) => one.seq - other.seq);
        await write(store, { events: inOrder });
        const read = async (part: { before?: number; groupId?: string; limit?: number }) =>
          (await store.pageviews('d1', { limit: 10, ...part })).map(({ seq }) => seq);
        assert.deepEqual(await read({}), [10, 4, 3, 1]);
        assert.deepEqual(await read({ limit: 2 }), [10, 4]);
        assert.deepEqual(await read({ before: 4 }), [3, 1]);
        assert.deepEqual(await read({ groupId: 'a' }), [10, 4, 1]);
        assert.deepEqual(await read({ groupId: 'a', before: 10, limit: 1 }), [4]);
        assert.deepEqual(await read({ groupId: 'nobody' }), []);
        assert.deepEqual(await read({ before: 1 }), []);
        assert.deepEqual(await read({ before: Number.MAX_SAFE_INTEGER }), [10, 4, 3, 1]);
        const [last] = await store.pageviews('d1', { limit: 1 });
        const { dealerId: _, keyed: __, sender: ___, ...shown } = views[3] ?? assert.fail();
        assert.deepEqual(last, shown);
      }),
    );
  });

  describe('log', () => {
    it(
      'is every event of a dealer, scope by scope, each scope by seq, in parts of any size',
      withStore(async (store) => {
        const scopes = ['@dealer', '@desk', 'g1', 'g10', 'G1', 'a@b', '0'];
        const events = scopes.flatMap((scope) => [1, 2, 11].map((seq) => eventRow('d1', scope, seq)));
        // Of all scopes the first, then of all the second, …: they lie between each other.
        const mixed = events.toSorted((one, other) => one.seq - other.seq);
        await write(store, { events: [...mixed, eventRow('d2', 'g1', 1)] });
        const whole = await store.log('d1', null, { limit: 1000 });
        const visited = [...new Set(whole.map(({ scope }) => scope))];
        assert.deepEqual(visited.toSorted(), scopes.toSorted());
        assert.deepEqual(
          whole.map(({ scope, seq }) => `${scope} ${seq}`),
          visited.flatMap((scope) => [1, 2, 11].map((seq) => `${scope} ${seq}`)),
        );
        const byPlace = new Map(events.map((event) => [`${event.scope} ${event.seq}`, event]));
        for (const { scope, seq, id, type, groupId, payload, at } of whole) {
          const { sender: _, keyed: __, dealerId: ___, ...kept } = byPlace.get(`${scope} ${seq}`) ?? assert.fail();
          assert.deepEqual({ scope, seq, id, type, groupId, payload, at }, kept);
        }
        for (const size of [1, 4, 21]) {
          const parts: typeof whole = [];
          for (let last: (typeof whole)[number] | null = null; ; ) {
            const part: typeof whole = await store.log('d1', last, { limit: size });
            parts.push(...part);
            last = part.at(-1) ?? null;
            if (!last) break;
          }
          assert.deepEqual(parts, whole, `parts of ${size}`);
        }
        assert.deepEqual([await store.logSize('d1'), await store.logSize('d2'), await store.logSize('d3')], [21, 1, 0]);
      }),
    );
  });

  describe('idleGroups', () => {
    it(
      'are those of a dealer without anybody that have not changed since, the longest first',
      withStore(async (store) => {
        const change = (name: string, at: number, online = false) =>
          write(store, { groups: { [name]: groupRow({ online }) }, at });
        await change('d1/new', NOW - DAY);
        await change('d1/older', NOW - 3 * DAY);
        await change('d1/oldest', NOW - 4 * DAY);
        await change('d1/here', NOW - 5 * DAY, true);
        await change('d2/other', NOW - 5 * DAY);
        await change('d1/back', NOW - 5 * DAY);
        await change('d1/back', NOW);
        const idle = async (since: number, limit: number) =>
          (await store.idleGroups('d1', since, { limit })).map(({ groupId }) => groupId);
        assert.deepEqual(await idle(NOW - 2 * DAY, 10), ['oldest', 'older']);
        assert.deepEqual(await idle(NOW - 2 * DAY, 1), ['oldest']);
        assert.deepEqual(await idle(NOW - 3 * DAY, 10), ['oldest'], 'that moment is not before it');
        assert.deepEqual(await idle(NOW - 9 * DAY, 10), []);
      }),
    );
  });

  describe('a dealer that is read', () => {
    it(
      'has its settings back, and nothing in its lists',
      withStore(async (store) => {
        await store.putDealer('d1', { name: 'A', retentionDays: 3 });
        await write(store, { dealers: { d1: seqsOf(0, 0) } });
        const part = { limit: 10 };
        const lists = [
          store.records('users', 'd1', part),
          store.pageviews('d1', part),
          store.erasures('d1', part),
          store.log('d1', null, { limit: 10 }),
          store.idleGroups('d1', NOW, { limit: 10 }),
        ];
        assert.deepEqual(await Promise.all(lists), [[], [], [], [], []]);
        assert.deepEqual(await store.groups('d1', {}, part), { groups: [], lookedTo: null });
        assert.deepEqual([await store.erasure('d1', 'e1'), await store.logSize('d1')], [null, 0]);
      }),
    );
  });
}
