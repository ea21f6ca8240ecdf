/** [P-12] What falls due, in the order in which it does, each once, and nothing that is not due. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SaidHere } from '../../src/store/lapses.ts';
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

  describe('dueDealers', () => {
    const look = (lookAt: number | null) => ({ aloneSince: null, isOpen: true, lookAt });

    it(
      'are those that are to be looked at by now, the latest first, so many at most',
      withStore(async (store) => {
        const looks = { d1: NOW, d2: NOW - 9, d3: NOW + 1, d4: null, d5: NOW - 1 };
        for (const dealerId of Object.keys(looks)) await store.putDealer(dealerId, {});
        await write(store, {
          rules: Object.fromEntries(Object.entries(looks).map(([dealerId, at]) => [dealerId, look(at)])),
        });
        assert.deepEqual(await store.dueDealers(NOW, 10), ['d2', 'd5', 'd1']);
        assert.deepEqual(await store.dueDealers(NOW, 2), ['d2', 'd5']);
        assert.deepEqual(await store.dueDealers(NOW - 10, 10), []);
      }),
    );

    it(
      'have one that is new, or has other settings, and it no more once that was looked at',
      withStore(async (store) => {
        for (const change of [() => store.putDealer('d1', {}), () => store.putDealer('d1', { bot: true })]) {
          await change();
          assert.deepEqual(await store.dueDealers(NOW, 10), ['d1']);
          await write(store, { rules: { d1: look(NOW + 1) } });
          assert.deepEqual(await store.dueDealers(NOW, 10), []);
        }
        await store.changeDealer('d1', (settings) => ({ ...settings, bot: false }));
        assert.deepEqual(await store.dueDealers(NOW, 10), ['d1']);
        await store.deleteDealer('d1');
        assert.deepEqual(await store.dueDealers(NOW, 10), []);
      }),
    );
  });

  describe('pendingGroups', () => {
    it(
      'are a dealer’s in which something may fall due, whenever that is, by their names, after the one named',
      withStore(async (store) => {
        const dues = { 'd1/b': NOW, 'd1/a': NOW + 9, 'd1/c': null, 'd2/a': NOW, 'd1/B': NOW - 9, 'd1/é': NOW };
        await write(store, {
          dealers: { d1: seqsOf(0, 0), d2: seqsOf(0, 0) },
          groups: Object.fromEntries(Object.entries(dues).map(([key, due]) => [key, groupRow({ due })])),
        });
        for (const limit of [1, 2, 3, 10]) {
          const all: string[] = [];
          for (let page = ['']; page.length > 0; all.push(...page))
            page = await store.pendingGroups('d1', all.at(-1) ?? '', limit);
          assert.deepEqual(all, ['B', 'a', 'b', 'é'], 'by their bytes, on every database');
        }
        await write(store, { groups: { 'd1/b': groupRow({ due: null }) } });
        assert.deepEqual(await store.pendingGroups('d1', 'a', 10), ['é']);
        assert.deepEqual(await store.pendingGroups('d3', '', 10), []);
      }),
    );
  });

  describe('saidHere', () => {
    it(
      'are those who are online without a socket anywhere, and of whom nothing has changed since, in pages by their names',
      withStore(async (store) => {
        const here = groupRow({ online: true });
        await write(store, {
          dealers: { d1: seqsOf(0, 0), d2: seqsOf(0, 0) },
          groups: { 'd1/b': here, 'd1/a': here, 'd2/a': here, 'd1/left': groupRow(), 'd1/socket': here },
          arrivals: [{ dealerId: 'd1', sender: 'customer:socket', nodeId: 'n1', online: true }],
        });
        await write(store, { groups: { 'd1/later': here }, at: NOW + 5 });
        const said = async (since: number, limit: number) => {
          const names: string[] = [];
          for (let after: SaidHere | null = null; ; ) {
            const page = await store.saidHere(since, limit, after);
            names.push(...page.said.map(({ dealerId, groupId }) => `${dealerId}/${groupId}`));
            after = page.next;
            if (!after) return names;
          }
        };
        for (const limit of [1, 2, 10]) assert.deepEqual(await said(NOW + 5, limit), ['d1/a', 'd1/b', 'd2/a']);
        assert.deepEqual(await said(NOW + 6, 10), ['d1/a', 'd1/b', 'd1/later', 'd2/a']);
        assert.deepEqual(await said(NOW, 10), []);
      }),
    );
  });
}
