/** [P-17.1] Search through conversations, which no index helps: what is found, and that each call comes to an end. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Mark } from '../../src/store/bounded.ts';
import type { Hit } from '../../src/store/searching.ts';
import type { Store } from '../../src/store/store.ts';
import { eventRow, groupRow, known, NOW, write } from '../support/rows.ts';
import type { WithStore } from './with-store.ts';

interface Made {
  readonly said?: readonly string[];
  readonly user?: Parameters<typeof known>;
  readonly lead?: Parameters<typeof known>;
  readonly intent?: Parameters<typeof known>;
  readonly closed?: boolean;
}

/** Makes a conversation of a dealer: the later, the more recent. */
async function make(
  store: Store,
  groupId: string,
  at: number,
  { said = [], user, lead, intent, closed = false }: Made,
) {
  const key = `d1/${groupId}`;
  await write(store, {
    groups: { [key]: groupRow({ closed, lastSeq: said.length, lastMessageSeq: said.length }) },
    ...(user && { users: { [key]: known(...user) } }),
    ...(lead && { leads: { [key]: known(...lead) } }),
    ...(intent && { intents: { [`${key}/buy`]: known(...intent) } }),
    events: said.map((message, index) =>
      eventRow('d1', groupId, index + 1, { payload: JSON.stringify({ type: 'CHAT_MSG', message }) }),
    ),
    at: NOW + at,
  });
}

/** All that is found, over so many calls. */
async function findAll(store: Store, search: string, limit = 20): Promise<{ hits: Hit[]; calls: number }> {
  const hits: Hit[] = [];
  let after: Mark | undefined;
  for (let calls = 1; ; calls += 1) {
    const found = await store.search('d1', search, { after, limit });
    assert.ok(found.hits.length <= limit);
    hits.push(...found.hits);
    if (!found.lookedTo) return { hits, calls };
    assert.ok(calls < 100, 'it comes to an end');
    after = found.lookedTo;
  }
}

const placesOf = (hits: readonly Hit[]) => hits.map(({ groupId, field, seq }) => [groupId, field, seq ?? null]);

export function describeSearching(withStore: WithStore): void {
  describe('[P-17.1] a search', () => {
    it(
      'finds each conversation once, by what fits best, those first in which something happened last; closed ones, too',
      withStore(async (store) => {
        await make(store, 'a', 1, { said: ['I dream of a convertible', 'Ann told me'], closed: true });
        await make(store, 'b', 2, { said: ['Ann here'], user: [{ firstName: 'Ann', lastName: 'Lee' }] });
        await make(store, 'c', 3, { user: [{ name: 'Bea' }, { name: 'Anna' }] });
        await make(store, 'd', 4, { lead: [{ email: 'ann@cars.example', phone: '+1 (555) 010-0199' }] });
        await make(store, 'e', 5, { intent: [{ vehicle: { vin: '1HGCM82633A004352', stock: 117 } }] });
        const find = async (search: string) => placesOf((await findAll(store, search)).hits);
        assert.deepEqual(await find('ann'), [
          ['d', 'email', null],
          ['c', 'name', null],
          ['b', 'name', null],
          ['a', 'message', 2],
        ]);
        assert.deepEqual(await find('CONVERT'), [['a', 'message', 1]]);
        assert.deepEqual(await find('555 0100199'), [['d', 'phone', null]]);
        assert.deepEqual(await find('1hgcm82633a004352'), [['e', 'vin', null]]);
        assert.deepEqual(await find('117'), [['e', 'stock', null]]);
        assert.deepEqual(await find('nobody'), []);
        assert.deepEqual(await store.search('d2', 'ann', { limit: 20 }), { hits: [], lookedTo: null });
      }),
    );

    it(
      'goes on where it ended, and finds nothing twice',
      withStore(async (store) => {
        for (let n = 0; n < 130; n += 1) await make(store, `g${n}`, n, { said: [n % 2 ? 'odd' : 'even'] });
        const { hits } = await findAll(store, 'odd', 7);
        assert.deepEqual(
          hits.map(({ groupId }) => groupId),
          Array.from({ length: 65 }, (_, index) => `g${129 - 2 * index}`),
        );
      }),
    );

    it(
      'looks through so much in a call and no more, in the midst of a conversation, too',
      withStore(async (store) => {
        await make(store, 'short', 1, { said: ['needle'] });
        await make(store, 'long', 2, { said: ['needle', ...Array.from({ length: 6_500 }, () => 'hay')] });
        const { hits, calls } = await findAll(store, 'needle');
        assert.deepEqual(placesOf(hits), [
          ['long', 'message', 1],
          ['short', 'message', 1],
        ]);
        assert.equal(calls, 3);
      }),
    );

    it(
      'finds nothing that was erased',
      withStore(async (store) => {
        await make(store, 'gone', 1, { said: ['needle'], user: [{ name: 'Needle' }] });
        await write(store, {
          erasures: [
            { dealerId: 'd1', groupId: 'gone', erasureId: 'e1', reason: 'request', lastSeq: 1, by: 'admin:a1' },
          ],
          at: NOW + 2,
        });
        assert.deepEqual((await findAll(store, 'needle')).hits, []);
      }),
    );
  });
}
