/** Reading beside the commits: standing, tails, stretches of a log, who is here. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NEW_GROUP } from '../../src/domain/state.ts';
import { eventRow, eventRows, groupRow, NOW, readSeqs, seqsOf, standingOf, write } from '../support/rows.ts';
import type { WithStore } from './with-store.ts';

export function describeReading(withStore: WithStore): void {
  describe('standing', () => {
    it(
      'says null for a dealer and a group that are not there',
      withStore(async (store) => {
        const nothing = { dealer: null, group: null, adminOnline: false };
        assert.deepEqual(await standingOf(store, 'd1'), nothing);
        assert.deepEqual(await standingOf(store, 'd1', 'g1'), nothing);
        await store.putDealer('d1', {});
        assert.deepEqual(await standingOf(store, 'd1', 'g1'), {
          dealer: { dealerSeq: 0, deskSeq: 0, origins: [], claims: 'any', groupKey: null, groupKeyUntil: null },
          group: null,
          adminOnline: false,
        });
      }),
    );

    it(
      'says how far the dealer is, its origins, and the group that was asked for',
      withStore(async (store) => {
        const keys = { groupKey: 'id', groupKeyUntil: '2026-12-31' } as const;
        await store.putDealer('d1', { origins: ['https://a.example', '*'], ...keys });
        const group = groupRow({ unread: 2, mutedBy: 'a1', lastSeq: 9 });
        await write(store, { dealers: { d1: seqsOf(3, 4) }, groups: { 'd1/g1': group, 'd2/g1': NEW_GROUP } });
        const dealer = { dealerSeq: 3, deskSeq: 4, origins: ['https://a.example', '*'], claims: 'any', ...keys };
        assert.deepEqual(await standingOf(store, 'd1'), { dealer, group: null, adminOnline: false });
        assert.deepEqual(await standingOf(store, 'd1', 'g1'), { dealer, group, adminOnline: false });
      }),
    );

    it(
      'says, where it is asked of a group, that an admin is online while any admin of that dealer is at its desk',
      withStore(async (store) => {
        const move = (adminId: string, online: boolean, scope = '@desk', dealerId = 'd1') => ({
          dealerId,
          scope,
          adminId,
          online,
        });
        const isOnline = async () => (await store.standing('d1', 'g1')).adminOnline;
        await write(store, { chatPresences: [move('a1', true, '@desk', 'd2'), move('a1', true, 'g1')] });
        assert.equal(await isOnline(), false);
        await write(store, { chatPresences: [move('a1', true), move('a2', true)] });
        assert.equal(await isOnline(), true);
        await write(store, { chatPresences: [move('a1', false)] });
        assert.equal(await isOnline(), true);
        await write(store, { chatPresences: [move('a2', false)] });
        assert.equal(await isOnline(), false);
      }),
    );

    it(
      'names the admins who are at the desk of that dealer, in their order, so many at most',
      withStore(async (store) => {
        const here = (dealerId: string, adminId: string, scope = '@desk') => ({
          dealerId,
          scope,
          adminId,
          online: true,
        });
        await write(store, {
          chatPresences: [here('d1', 'b'), here('d1', 'a'), here('d1', 'c', 'g1'), here('d2', 'd'), here('d1', 'gone')],
        });
        await write(store, { chatPresences: [{ ...here('d1', 'gone'), online: false }] });
        assert.deepEqual(await store.adminsHere('d1', 10), ['a', 'b']);
        assert.deepEqual(await store.adminsHere('d1', 1), ['a']);
        assert.deepEqual(await store.adminsHere('d3', 10), []);
      }),
    );
  });

  describe('tails', () => {
    it(
      'are the last seqs of the scopes named, and 0 for one without events',
      withStore(async (store) => {
        await write(store, {
          dealers: { d1: seqsOf(2, 0), d2: seqsOf(7, 8) },
          groups: { 'd1/g1': groupRow({ lastSeq: 5 }), 'd1/g2': NEW_GROUP, 'd2/g1': groupRow({ lastSeq: 6 }) },
        });
        assert.deepEqual(
          await store.tails('d1', ['g1', 'g2', 'g3', '@dealer', '@desk']),
          new Map([
            ['g1', 5],
            ['g2', 0],
            ['g3', 0],
            ['@dealer', 2],
            ['@desk', 0],
          ]),
        );
        assert.deepEqual(await store.tails('d3', ['@dealer', 'g1']), new Map(Object.entries({ '@dealer': 0, g1: 0 })));
        assert.deepEqual(await store.tails('d1', []), new Map());
      }),
    );
  });

  describe('tailsSince', () => {
    it(
      'are those of the dealer’s groups that have changed since, that moment included',
      withStore(async (store) => {
        const change = (dealerId: string, groupId: string, lastSeq: number, at: number) =>
          write(store, { groups: { [`${dealerId}/${groupId}`]: groupRow({ lastSeq }) }, at });
        await change('d1', 'g1', 1, NOW);
        await change('d1', 'g2', 2, NOW);
        await change('d1', 'g3', 3, NOW + 1);
        await change('d2', 'g4', 4, NOW + 9);
        await change('d1', 'g2', 5, NOW + 2);
        await change('d1', 'g5', 6, NOW + 60_000);
        const since = async (at: number) => Object.fromEntries(await store.tailsSince('d1', at));
        assert.deepEqual(await since(NOW), { g1: 1, g2: 5, g3: 3, g5: 6 });
        assert.deepEqual(await since(NOW + 1), { g2: 5, g3: 3, g5: 6 });
        assert.deepEqual(await since(NOW + 2), { g2: 5, g5: 6 });
        assert.deepEqual(await since(NOW + 3), { g5: 6 });
        assert.deepEqual(await since(NOW + 60_000), { g5: 6 });
        assert.deepEqual(await since(NOW + 60_001), {});
      }),
    );
  });

  describe('events', () => {
    it(
      'of a time are none from before it',
      withStore(async (store) => {
        await write(store, { events: eventRows('d1', 'g1', 9) });
        const since = NOW + 5; // the fifth has happened then
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { since }), [5, 6, 7, 8, 9]);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { since, after: 6, before: 9 }), [7, 8]);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { since, after: 2, limit: 2 }), [5, 6]);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { since: NOW + 10 }), []);
      }),
    );

    it(
      'come by seq, ascending, though others were written between them, in one batch or several',
      withStore(async (store) => {
        const [one, two, three] = [1, 2, 3].map((seq) => eventRow('d1', 'g1', seq));
        assert.ok(one && two && three);
        await write(store, { events: [one, eventRow('d1', 'g2', 1), eventRow('d2', 'g1', 1), two] });
        await write(store, { events: [eventRow('d1', 'g2', 2), eventRow('d1', '@desk', 1), three] });
        assert.deepEqual(await store.events('d1', 'g1', { limit: 10 }), [one, two, three]);
      }),
    );

    it(
      'of a long log are those of the stretch, wherever it begins and ends and however many there may be',
      withStore(async (store) => {
        const LENGTH = 100;
        await write(store, { events: eventRows('d1', 'g1', LENGTH) });
        const seqs = Array.from({ length: LENGTH }, (_, index) => index + 1);
        const ends = [undefined, 0, 1, 2, 30, 31, 32, 33, 34, 63, 64, 65, 95, 96, 97, 99, 100, 101, 200];
        for (const after of ends) {
          for (const before of ends) {
            const whole = seqs.filter((seq) => seq > (after ?? 0) && seq < (before ?? Infinity));
            const isLatest = before !== undefined && after === undefined;
            const bounds = { ...(after !== undefined && { after }), ...(before !== undefined && { before }) };
            for (const limit of [1, 31, 33, 1000]) {
              const expected = isLatest ? whole.slice(-limit) : whole.slice(0, limit);
              const said = JSON.stringify({ ...bounds, limit });
              assert.deepEqual(await readSeqs(store, 'd1', 'g1', { ...bounds, limit }), expected, said);
            }
          }
        }
      }),
    );

    it(
      'of a stretch of so many bytes are those whose payloads fit into them, but at least one, whatever the limit',
      withStore(async (store) => {
        // Of 3 bytes a character, and more of them with each event: characters are not what counts.
        const rows = eventRows('d1', 'g1', 70).map((row) => ({ ...row, payload: JSON.stringify('€'.repeat(row.seq)) }));
        await write(store, { events: rows });
        for (const stretch of [{}, { after: 20 }, { after: 20, before: 60 }, { before: 60 }, { since: NOW + 40 }]) {
          const isLatest = 'before' in stretch && !('after' in stretch);
          const whole = await readSeqs(store, 'd1', 'g1', stretch);
          const inOrder = isLatest ? whole.toReversed() : whole;
          for (const bytes of [1, 5, 11, 12, 64, 200, 1000, 5000, 1_000_000]) {
            for (const limit of [1, 7, 1000]) {
              let left = bytes;
              const fitting = inOrder.filter((seq, index) => {
                left -= 2 + 3 * seq;
                return index === 0 || left >= 0;
              });
              const expected = fitting.slice(0, limit).toSorted((one, other) => one - other);
              const said = JSON.stringify({ ...stretch, bytes, limit });
              assert.deepEqual(await readSeqs(store, 'd1', 'g1', { ...stretch, bytes, limit }), expected, said);
            }
          }
        }
      }),
    );

    it(
      'after a seq do not hold it, and are the first of what follows',
      withStore(async (store) => {
        await write(store, { events: eventRows('d1', 'g1', 20) });
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { after: 17 }), [18, 19, 20]);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { after: 4, limit: 3 }), [5, 6, 7]);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { after: 0, limit: 2 }), [1, 2]);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { after: 20 }), []);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { after: Number.MAX_SAFE_INTEGER }), []);
      }),
    );

    it(
      'before a seq do not hold it, and are the latest of what precedes it, ascending',
      withStore(async (store) => {
        await write(store, { events: eventRows('d1', 'g1', 20) });
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { before: 4 }), [1, 2, 3]);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { before: 11, limit: 3 }), [8, 9, 10]);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { before: 100, limit: 2 }), [19, 20]);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { before: 1 }), []);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { before: 0 }), []);
      }),
    );

    it(
      'between two seqs hold neither, and are the first of them where there are more than the limit',
      withStore(async (store) => {
        await write(store, { events: eventRows('d1', 'g1', 20) });
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { after: 4, before: 8 }), [5, 6, 7]);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { after: 4, before: 19, limit: 2 }), [5, 6]);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { after: 4, before: 5 }), []);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { after: 8, before: 4 }), []);
      }),
    );

    it(
      'are the first of the log where neither end is said',
      withStore(async (store) => {
        await write(store, { events: eventRows('d1', 'g1', 5) });
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { limit: 3 }), [1, 2, 3]);
      }),
    );

    it(
      'of a log whose beginning was erased are what there is, from its first on',
      withStore(async (store) => {
        const left = Array.from({ length: 40 }, (_, index) => eventRow('d1', 'g1', 5001 + index));
        const erasure = {
          dealerId: 'd1',
          groupId: 'g1',
          erasureId: 'e1',
          reason: 'request',
          by: 'admin:a1',
          lastSeq: 5000,
        } as const;
        await write(store, { erasures: [erasure] });
        await write(store, { events: left });
        assert.deepEqual(await store.events('d1', 'g1', { limit: 100 }), left);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { limit: 2 }), [5001, 5002]);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { after: 7, before: 5003 }), [5001, 5002]);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { before: 5000 }), []);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { before: 5003, limit: 9 }), [5001, 5002]);
        const firstAfter = async (seq: number) => (await store.firstAfter('d1', new Map([['g1', seq]]))).get('g1');
        const firsts = await Promise.all([0, 5000, 5001, 5039, 5040].map(firstAfter));
        assert.deepEqual(firsts, [5001, 5001, 5002, 5040, undefined]);
        assert.deepEqual(await store.firstAfter('d1', new Map([['none', 0]])), new Map());
      }),
    );

    it(
      'are those of one scope of one dealer',
      withStore(async (store) => {
        const mine = eventRows('d1', 'g1', 2);
        const others = [['d1', 'g10'] as const, ['d1', 'G1'] as const, ['d10', 'g1'] as const, ['D1', 'g1'] as const];
        await write(store, { events: [...others.flatMap(([dealer, scope]) => eventRows(dealer, scope, 3)), ...mine] });
        assert.deepEqual(await store.events('d1', 'g1', { limit: 10 }), mine);
        assert.deepEqual(await store.events('d1', 'none', { limit: 10 }), []);
        assert.deepEqual(await store.events('none', 'g1', { limit: 10 }), []);
      }),
    );
  });
}
