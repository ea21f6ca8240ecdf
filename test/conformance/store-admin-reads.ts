/** [P-12.7] How far each admin has read. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import { groupRow, seqsOf, write } from '../support/rows.ts';
import type { WithStore } from './with-store.ts';

export function describeAdminReads(withStore: WithStore): void {
  describe('adminReads', () => {
    const read = (groupId: string, seq: number, adminId = 'a1', dealerId = 'd1') => ({
      ...{ dealerId, groupId, adminId, seq },
    });
    const fill = (store: Store) =>
      write(store, {
        dealers: { d1: seqsOf(0, 0), d2: seqsOf(0, 0) },
        groups: { 'd1/g1': groupRow({ lastSeq: 9 }), 'd1/g2': groupRow(), 'd1/g3': groupRow(), 'd2/g1': groupRow() },
        adminReads: [read('g1', 4), read('g2', 2), read('g1', 7, 'a2'), read('g1', 9, 'a1', 'd2')],
      });
    const readBy = async (store: Store, adminId: string, dealerId = 'd1') =>
      Object.fromEntries(await store.adminReads(dealerId, adminId, ['g1', 'g2', 'g3', 'none']));

    it(
      'say how far an admin has read, of the groups named, and nothing of another admin or dealer',
      withStore(async (store) => {
        await fill(store);
        assert.deepEqual(await readBy(store, 'a1'), { g1: 4, g2: 2 });
        assert.deepEqual(await readBy(store, 'a2'), { g1: 7 });
        assert.deepEqual(await readBy(store, 'a1', 'd2'), { g1: 9 });
        assert.deepEqual(await readBy(store, 'a3'), {});
        assert.deepEqual(await store.adminReads('d1', 'a1', ['g2']), new Map([['g2', 2]]));
        assert.deepEqual(await store.adminReads('d1', 'a1', []), new Map());
      }),
    );

    it(
      'never go back, in one batch or another',
      withStore(async (store) => {
        await fill(store);
        await write(store, { adminReads: [read('g1', 3), read('g2', 8), read('g2', 5)] });
        assert.deepEqual(await readBy(store, 'a1'), { g1: 4, g2: 8 });
      }),
    );

    it(
      'go with a conversation: to the name that it goes on under, and with it when it is erased, or its dealer removed',
      withStore(async (store) => {
        await fill(store);
        const erased = { dealerId: 'd1', groupId: 'g2', erasureId: 'e1', reason: 'request', by: 'admin:a1' } as const;
        await write(store, { erasures: [{ ...erased, lastSeq: 0 }] });
        assert.deepEqual(await readBy(store, 'a1'), { g1: 4 });
        await write(store, {
          setAside: [{ dealerId: 'd1', groupId: 'g1', to: 'made' }],
          groups: { 'd1/made': groupRow({ lastSeq: 9 }), 'd1/g1': groupRow({ lastSeq: 9 }) },
        });
        assert.deepEqual(await readBy(store, 'a1'), {});
        assert.deepEqual(await store.adminReads('d1', 'a2', ['made']), new Map([['made', 7]]));
        await store.deleteDealer('d1');
        while (await store.erasePart());
        assert.deepEqual(await store.adminReads('d1', 'a2', ['made']), new Map());
        assert.deepEqual(await readBy(store, 'a1', 'd2'), { g1: 9 });
      }),
    );
  });
}
