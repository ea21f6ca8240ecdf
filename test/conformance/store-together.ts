/** Many at once: no commit loses another's, none waits for ever, and no reader sees half of one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NEW_GROUP } from '../../src/domain/state.ts';
import type { Rows } from '../../src/store/rows.ts';
import type { Store } from '../../src/store/store.ts';
import { changesOf, eventRow, needsFor, readSeqs, seqsOf, write } from '../support/rows.ts';
import type { WithStore } from './with-store.ts';

const COMMITS = 30;

/** Numbers one more event of a group, as the journal does. */
const say = (store: Store, groupId: string) =>
  store.commit(needsFor({ dealers: [['d1']], groups: [['d1', groupId]] }), ({ groups }: Rows) => {
    const group = groups.get(`d1/${groupId}`) ?? NEW_GROUP;
    const lastSeq = group.lastSeq + 1;
    return changesOf({
      events: [eventRow('d1', groupId, lastSeq)],
      groups: { [`d1/${groupId}`]: { ...group, lastSeq } },
    });
  });

export function describeTogether(withStore: WithStore): void {
  describe('commits at the same time', () => {
    it(
      'each build on the one before, where the rows are there',
      withStore(async (store) => {
        await write(store, { dealers: { d1: seqsOf(0, 0) }, groups: { 'd1/g1': NEW_GROUP } });
        await Promise.all(Array.from({ length: COMMITS }, () => say(store, 'g1')));
        assert.deepEqual(
          await readSeqs(store, 'd1', 'g1'),
          Array.from({ length: COMMITS }, (_, index) => index + 1),
        );
        assert.deepEqual(await store.tails('d1', ['g1']), new Map([['g1', COMMITS]]));
      }),
    );

    it(
      'each build on the one before, where the first of them makes the rows',
      withStore(async (store) => {
        await Promise.all(Array.from({ length: COMMITS }, () => say(store, 'g1')));
        assert.deepEqual(await store.tails('d1', ['g1']), new Map([['g1', COMMITS]]));
        assert.equal((await readSeqs(store, 'd1', 'g1')).length, COMMITS);
      }),
    );

    it(
      'that need the same rows in opposite orders all come through',
      withStore(async (store) => {
        const names = ['g1', 'g2', 'g3'];
        await write(store, { groups: Object.fromEntries(names.map((name) => [`d1/${name}`, NEW_GROUP])) });
        const raise = (order: readonly string[]) =>
          store.commit(needsFor({ groups: order.map((name) => ['d1', name]) }), ({ groups }) => {
            const raised = order.map((name) => {
              const group = groups.get(`d1/${name}`) ?? NEW_GROUP;
              return [`d1/${name}`, { ...group, unread: group.unread + 1 }] as const;
            });
            return changesOf({ groups: Object.fromEntries(raised) });
          });
        const orders = [names, names.toReversed(), ['g2', 'g3', 'g1']];
        await Promise.all(Array.from({ length: COMMITS }, (_, index) => raise(orders[index % 3] ?? names)));
        for (const name of names) {
          assert.equal((await store.standing('d1', name)).group?.unread, COMMITS);
        }
      }),
    );

    it(
      'are seen by readers whole or not at all',
      withStore(async (store) => {
        const raise = () =>
          store.commit(needsFor({ dealers: [['d1']], groups: [['d1', 'g1']] }, ['d1']), ({ dealers, groups }) => {
            const seq = (dealers.get('d1')?.dealerSeq ?? 0) + 1;
            return changesOf({
              events: [eventRow('d1', '@dealer', seq), eventRow('d1', '@desk', seq), eventRow('d1', 'g1', seq)],
              dealers: { d1: seqsOf(seq, seq) },
              groups: { 'd1/g1': { ...(groups.get('d1/g1') ?? NEW_GROUP), lastSeq: seq } },
            });
          });
        const read = async () => {
          const tails = await store.tails('d1', ['@dealer', 'g1', '@desk']);
          const last = await readSeqs(store, 'd1', 'g1', { after: (tails.get('g1') ?? 0) - 1 });
          return { tails: new Set(tails.values()).size, hasLast: tails.get('g1') === 0 || last.length > 0 };
        };
        const reads = Array.from({ length: COMMITS }, async () => {
          await raise();
          return read();
        });
        assert.deepEqual(
          await Promise.all([read(), ...reads]),
          Array.from({ length: COMMITS + 1 }, () => ({ tails: 1, hasLast: true })),
        );
      }),
    );
  });
}
