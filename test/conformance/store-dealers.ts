/** Dealers: their settings, their removal, and the store's own life. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import { eventRow, groupRow, known, load, readSeqs, seqsOf, standingOf, write } from '../support/rows.ts';
import type { WithStore } from './with-store.ts';

/** Fills every table with rows of a dealer. */
const fill = (store: Store, dealerId: string) =>
  write(store, {
    dealers: { [dealerId]: seqsOf(1, 1) },
    events: ['@dealer', '@desk', 'g1'].map((scope) =>
      eventRow(dealerId, scope, 1, { id: 'k1', keyed: true, sender: 'server:crm' }),
    ),
    groups: { [`${dealerId}/g1`]: groupRow({ online: true, lastSeq: 1 }) },
    users: { [`${dealerId}/g1`]: known({ name: dealerId }) },
    leads: { [`${dealerId}/g1`]: known({ name: dealerId }) },
    intents: { [`${dealerId}/g1/buy`]: known({ intent: 'buy' }) },
    chatPresences: ['@desk', 'g1'].map((scope) => ({ dealerId, scope, adminId: 'a1', online: true })),
    arrivals: [{ dealerId, sender: 'admin:a1', nodeId: 'n1', online: true }],
  });

/** Everything that can be read of a dealer. */
async function everythingOf(store: Store, dealerId: string) {
  const scopes = ['@dealer', '@desk', 'g1'];
  const group = [[dealerId, 'g1']];
  const rows = await load(store, {
    dealers: [[dealerId]],
    groups: group,
    users: group,
    leads: group,
    intents: [[dealerId, 'g1', 'buy']],
    openChats: [[dealerId, 'a1']],
    presences: [[dealerId, 'admin:a1']],
    priors: scopes.map((scope) => [dealerId, scope, 'server:crm', 'k1']),
  });
  return {
    dealer: await store.dealer(dealerId),
    standing: await standingOf(store, dealerId, 'g1'),
    tails: await store.tails(dealerId, scopes),
    events: await Promise.all(scopes.map((scope) => readSeqs(store, dealerId, scope))),
    rows: [rows.dealers, rows.groups, rows.users, rows.leads, rows.intents, rows.priors].map((table) =>
      Object.fromEntries<unknown>(table),
    ),
    openChats: [...(rows.openChats.get(`${dealerId}/a1`) ?? [])].sort(),
    nodes: [...(rows.presences.get(`${dealerId}/admin:a1`) ?? [])],
    present: (await store.presencesOf('n1', 10)).filter((who) => who.dealerId === dealerId),
  };
}

async function pages(store: Store, limit: number): Promise<string[][]> {
  const all: string[][] = [];
  for (let after = ''; all.length < 100; ) {
    const page = (await store.dealers(after, limit)).map(({ dealerId }) => dealerId);
    const last = page.at(-1);
    if (last === undefined) return all;
    all.push(page);
    after = last;
  }
  return all;
}

export function describeDealers(withStore: WithStore): void {
  describe('putDealer', () => {
    it(
      'makes a new dealer, and says so',
      withStore(async (store) => {
        const settings = { name: 'Åke’s "Cars" 😀', origins: ['https://a.example', '*'], retentionDays: 36_500 };
        assert.equal(await store.dealer('d1'), null);
        assert.equal(await store.putDealer('d1', settings), true);
        assert.deepEqual(await store.dealer('d1'), { dealerId: 'd1', ...settings });
        assert.deepEqual(
          await store.tails('d1', ['@dealer', '@desk']),
          new Map(Object.entries({ '@dealer': 0, '@desk': 0 })),
        );
      }),
    );

    it(
      'replaces all of a dealer’s settings, and keeps its seqs and what it has',
      withStore(async (store) => {
        await store.putDealer('d1', { name: 'A', origins: ['*'], retentionDays: 7 });
        await fill(store, 'd1');
        const before = await everythingOf(store, 'd1');
        assert.equal(await store.putDealer('d1', { name: 'B' }), false);
        const after = await everythingOf(store, 'd1');
        assert.deepEqual(
          { ...after.dealer, origins: after.dealer?.origins ?? [] },
          { dealerId: 'd1', name: 'B', origins: [] },
        );
        assert.equal(await store.putDealer('d1', { name: 'A', origins: ['*'], retentionDays: 7 }), false);
        assert.deepEqual(await everythingOf(store, 'd1'), before);
      }),
    );

    it(
      'settles a dealer that a commit has made, and a commit leaves the settings',
      withStore(async (store) => {
        await write(store, { dealers: { d1: seqsOf(2, 3) } });
        assert.equal((await store.dealer('d1'))?.dealerId, 'd1');
        assert.equal(await store.putDealer('d1', { name: 'A', origins: ['*'] }), false);
        await write(store, { dealers: { d1: seqsOf(4, 5) } });
        assert.deepEqual(await store.dealer('d1'), { dealerId: 'd1', name: 'A', origins: ['*'] });
        assert.deepEqual((await standingOf(store, 'd1')).dealer, {
          dealerSeq: 4,
          deskSeq: 5,
          origins: ['*'],
          claims: 'any',
          groupKey: null,
          groupKeyUntil: null,
        });
      }),
    );
  });

  describe('changeDealer', () => {
    const hours = [{ days: ['mon' as const, 'tue' as const], open: '09:00', close: '24:00' }];
    const settings = { name: 'A', origins: ['*'], timezone: 'Europe/Berlin', hours, holidays: ['2026-12-25'] };

    it(
      'keeps every setting as it is given, and lists it',
      withStore(async (store) => {
        const more = { bot: false, answerWithin: { bot: 5 }, handBackAfter: { seconds: null, alone: 60 } };
        await store.putDealer('d1', { ...settings, ...more });
        assert.deepEqual(await store.dealer('d1'), { dealerId: 'd1', ...settings, ...more });
        assert.deepEqual(await store.dealers('', 1), [{ dealerId: 'd1', ...settings, ...more }]);
        await store.putDealer('d1', { origins: ['*'] });
        assert.deepEqual(await store.dealer('d1'), { dealerId: 'd1', origins: ['*'] });
      }),
    );

    it(
      'changes what is there, says what was, and answers null where nobody is',
      withStore(async (store) => {
        const change = (given: object) => ({ ...given, name: 'B', hours: [] });
        assert.equal(await store.changeDealer('d1', change), null);
        await store.putDealer('d1', settings);
        assert.deepEqual(await store.changeDealer('d1', change), {
          before: { dealerId: 'd1', ...settings },
          after: { dealerId: 'd1', ...settings, name: 'B', hours: [] },
        });
        assert.deepEqual(await store.dealer('d1'), { dealerId: 'd1', ...settings, name: 'B', hours: [] });
      }),
    );

    it(
      'changes nothing where the change is refused',
      withStore(async (store) => {
        await store.putDealer('d1', settings);
        const refuse = () => {
          throw new Error('no');
        };
        await assert.rejects(store.changeDealer('d1', refuse), /^Error: no$/);
        assert.deepEqual(await store.dealer('d1'), { dealerId: 'd1', ...settings });
        await store.putDealer('d2', {});
      }),
    );

    it(
      'loses none of two changes at once',
      withStore(async (store) => {
        await store.putDealer('d1', { origins: ['*'] });
        await Promise.all([
          store.changeDealer('d1', (given) => ({ ...given, name: 'A' })),
          store.changeDealer('d1', (given) => ({ ...given, timezone: 'UTC' })),
        ]);
        assert.deepEqual(await store.dealer('d1'), { dealerId: 'd1', name: 'A', origins: ['*'], timezone: 'UTC' });
      }),
    );
  });

  describe('dealers', () => {
    it(
      'are paged by dealerId in the order of its bytes, each once',
      withStore(async (store) => {
        assert.deepEqual(await store.dealers('', 10), []);
        const names = ['B', 'a', 'b', '10', '9', '_x', '@x', 'a-b', 'a.b', 'ab', 'A', '-'];
        for (const name of names) await store.putDealer(name, { name });
        const sorted = names.toSorted((one, other) => (one < other ? -1 : 1));
        assert.deepEqual(
          (await pages(store, 5)).map(({ length }) => length),
          [5, 5, 2],
        );
        assert.deepEqual((await pages(store, 5)).flat(), sorted);
        assert.deepEqual((await pages(store, 12)).flat(), sorted);
        assert.deepEqual((await pages(store, 1)).flat(), sorted);
      }),
    );

    it(
      'after one that is not there are those behind its place',
      withStore(async (store) => {
        for (const name of ['a', 'c', 'e']) await store.putDealer(name, { name, origins: ['*'] });
        assert.deepEqual(await store.dealers('b', 1), [{ dealerId: 'c', name: 'c', origins: ['*'] }]);
        assert.deepEqual(await store.dealers('e', 1), []);
      }),
    );
  });

  describe('deleteDealer', () => {
    it(
      'removes everything of the dealer, and nothing of another',
      withStore(async (store) => {
        const others = ['d10', 'D1', 'd'];
        for (const name of ['d1', ...others]) {
          await store.putDealer(name, { name, origins: ['*'] });
          await fill(store, name);
        }
        const before = await Promise.all(others.map((name) => everythingOf(store, name)));
        assert.equal(await store.deleteDealer('d1'), true);
        assert.deepEqual(await everythingOf(store, 'd1'), await everythingOf(store, 'never-was'));
        assert.deepEqual(await Promise.all(others.map((name) => everythingOf(store, name))), before);
        assert.deepEqual((await pages(store, 10)).flat(), ['D1', 'd', 'd10']);
      }),
    );

    it(
      'says whether there was one, and lets it be made anew from seq 1',
      withStore(async (store) => {
        assert.equal(await store.deleteDealer('d1'), false);
        await fill(store, 'd1');
        assert.equal(await store.deleteDealer('d1'), true);
        assert.equal(await store.deleteDealer('d1'), false);
        await fill(store, 'd1');
        assert.deepEqual(await readSeqs(store, 'd1', 'g1'), [1]);
      }),
    );
  });

  describe('the store', () => {
    it(
      'migrates again without touching what is there',
      withStore(async (store) => {
        await store.putDealer('d1', { name: 'A', origins: ['*'] });
        await fill(store, 'd1');
        const before = await everythingOf(store, 'd1');
        await store.migrate();
        await store.migrate();
        assert.deepEqual(await everythingOf(store, 'd1'), before);
      }),
    );

    it(
      'has a name of its own, which it keeps and no other has',
      withStore(async (store) => {
        const name = await store.platform();
        assert.match(name, /^[\da-f-]{16,36}$/);
        assert.equal(await store.platform(), name);
        await withStore(async (other) => assert.notEqual(await other.platform(), name))();
      }),
    );

    it(
      'passes a check while it is open, which changes nothing',
      withStore(async (store) => {
        await fill(store, 'd1');
        const before = await everythingOf(store, 'd1');
        await store.check();
        assert.deepEqual(await everythingOf(store, 'd1'), before);
      }),
    );
  });
}
