/** Dead letters: what was refused is kept whole, with the reason [P-6.3]. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DeadLetter } from '../../src/store/letters.ts';
import { NOW, ODD_TEXT, write } from '../support/rows.ts';
import type { WithStore } from './with-store.ts';

const letter = (deadLetterId: string, more: Partial<DeadLetter> = {}): DeadLetter => ({
  deadLetterId,
  source: 'ingress',
  payload: `{"no":"${deadLetterId}"}`,
  code: 'invalid_payload',
  message: 'type: required',
  details: [],
  at: NOW,
  ...more,
});

export function describeLetters(withStore: WithStore): void {
  describe('dead letters', () => {
    it(
      'come back whole, whatever text they held',
      withStore(async (store) => {
        const details = [{ path: '/type', message: 'expected "x" or é' }];
        const letters = [
          letter('a', { payload: ODD_TEXT, details }),
          letter('b', { source: 'events', payload: '', code: 'too_large', message: 'expected less' }),
          letter('c', { payload: '😀'.repeat(10_000), at: NOW + 1 }),
        ];
        await store.bury(letters);
        assert.deepEqual(await store.deadLetters('', { limit: 10 }), letters);
        for (const each of letters) assert.deepEqual(await store.deadLetter(each.deadLetterId), each);
      }),
    );

    it(
      'are kept together, however many: all of them, or where one cannot be, none',
      withStore(async (store) => {
        const many = Array.from({ length: 1000 }, (_, index) => letter(String(index).padStart(4, '0')));
        await store.bury(many);
        await store.bury([]);
        assert.deepEqual(await store.deadLetters('', { limit: 2000 }), many);
        await assert.rejects(store.bury([letter('new'), letter('0500')]));
        assert.deepEqual(await store.deadLetters('', { limit: 2000 }), many);
      }),
    );

    it(
      'are paged by id, each once',
      withStore(async (store) => {
        const names = ['0002', '0001', 'Z', 'a', '0010', 'z', 'B'];
        await store.bury(names.map((name) => letter(name)));
        const sorted = names.toSorted((one, other) => (one < other ? -1 : 1));
        const idsAfter = async (after: string, limit: number) =>
          (await store.deadLetters(after, { limit })).map(({ deadLetterId }) => deadLetterId);
        assert.deepEqual(await idsAfter('', 3), sorted.slice(0, 3));
        assert.deepEqual(await idsAfter(sorted[2] ?? '', 3), sorted.slice(3, 6));
        assert.deepEqual(await idsAfter(sorted[5] ?? '', 3), sorted.slice(6));
        assert.deepEqual(await idsAfter(sorted[6] ?? '', 3), []);
      }),
    );

    it(
      'go with the conversation that they name, or with their dealer, and with no other',
      withStore(async (store) => {
        const texts: Readonly<Record<string, string>> = {
          named: '{"type":"UPDATE_USER","dealerId":"d1","groupId":"7","message":{"name":5}}',
          numbered: '{"dealerId":"d1","groupId":7,"message":"\\u0000"}',
          another: '{"dealerId":"d1","groupId":"07"}',
          'of another dealer': '{"dealerId":"d2","groupId":"7"}',
          'of no group': '{"dealerId":"d1","message":"7"}',
          'of a group that cannot be': '{"dealerId":"d1","groupId":"\\u0000"}',
          'no object': '["d1","7"]',
          nothing: 'null',
          'cut off': '{"dealerId":"d1","groupId":"7"',
        };
        const letters = Object.entries(texts).map(([name, payload]) => letter(name, { payload }));
        await store.bury(letters);
        const left = async () =>
          new Set((await store.deadLetters('', { limit: 20 })).map(({ deadLetterId }) => deadLetterId));
        await write(store, {
          erasures: [{ dealerId: 'd1', groupId: '7', erasureId: 'e1', reason: 'request', by: 'admin:a1', lastSeq: 0 }],
        });
        const [, , ...others] = Object.keys(texts);
        assert.deepEqual(await left(), new Set(others));
        for (const dealerId of ['d1', 'd2']) await store.putDealer(dealerId, {});
        await store.deleteDealer('d1');
        assert.deepEqual(await left(), new Set(['of another dealer', 'no object', 'nothing', 'cut off']));
      }),
    );

    it(
      'are gone when they are removed, and no other is',
      withStore(async (store) => {
        await store.bury([letter('a'), letter('b')]);
        await store.removeDeadLetter('a');
        await store.removeDeadLetter('never-was');
        assert.equal(await store.deadLetter('a'), null);
        assert.deepEqual(await store.deadLetters('', { limit: 10 }), [letter('b')]);
      }),
    );
  });
}
