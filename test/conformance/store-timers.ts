/** [P-12] What falls due: conversations in the order in which they do, each once, and nothing that is not due. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import type { DueGroup } from '../../src/store/timers.ts';
import { groupRow, NOW, seqsOf, write } from '../support/rows.ts';
import type { WithStore } from './with-store.ts';

async function pages(store: Store, now: number, limit: number): Promise<string[]> {
  const all: string[] = [];
  for (let last: DueGroup | undefined; ; ) {
    const page = await store.dueGroups(now, limit, last);
    all.push(...page.map(({ dealerId, groupId }) => `${dealerId}/${groupId}`));
    last = page.at(-1);
    if (page.length < limit) return all;
  }
}

export function describeTimers(withStore: WithStore): void {
  describe('dueGroups', () => {
    it(
      'are those that are due, the latest first, in pages',
      withStore(async (store) => {
        const dues = { 'd1/a': NOW + 1, 'd1/b': NOW, 'd2/a': NOW, 'd1/c': NOW - 9, 'd2/b': NOW + 2, 'd1/d': null };
        const groups = Object.entries(dues).map(([key, due]) => [key, groupRow({ due })]);
        await write(store, {
          dealers: { d1: seqsOf(0, 0), d2: seqsOf(0, 0) },
          groups: Object.fromEntries(groups),
        });
        for (const limit of [1, 2, 3, 10]) {
          assert.deepEqual(await pages(store, NOW + 1, limit), ['d1/c', 'd1/b', 'd2/a', 'd1/a']);
        }
        assert.deepEqual(await pages(store, NOW - 10, 10), []);
      }),
    );

    it(
      'are so no more once their due is another, or they are erased',
      withStore(async (store) => {
        const due = (at: number | null) => ({ groups: { 'd1/a': groupRow({ due: at }) } });
        await write(store, { dealers: { d1: seqsOf(0, 0) }, ...due(NOW) });
        await write(store, due(NOW + 5));
        assert.deepEqual(await pages(store, NOW + 4, 10), []);
        assert.deepEqual(await pages(store, NOW + 5, 10), ['d1/a']);
        await write(store, due(null));
        assert.deepEqual(await pages(store, NOW + 5, 10), []);
      }),
    );
  });
}
