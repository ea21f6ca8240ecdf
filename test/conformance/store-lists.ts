/** Lists of groups and records, as somebody reads them page by page. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { merge } from '../../src/domain/records.ts';
import type { Known } from '../../src/domain/state.ts';
import type { Mark, Part } from '../../src/store/bounded.ts';
import type { RecordTable } from '../../src/store/records.ts';
import type { Store } from '../../src/store/store.ts';
import { eventRow, groupRow, known, NOW, ODD_TEXT, write } from '../support/rows.ts';
import type { WithStore } from './with-store.ts';

const YES_NO = [true, false];
const MAYBE = [undefined, true, false];

/** All rows of a list, read in pages of a size. */
async function inPages<Row>(
  size: number,
  read: (part: Part) => Promise<Row[]>,
  markOf: (row: Row) => Mark,
): Promise<Row[]> {
  const all: Row[] = [];
  for (let after: Mark | undefined; ; ) {
    const page = await read({ after, limit: size });
    all.push(...page);
    const last = page.at(-1);
    if (!last) return all;
    assert.ok(page.length <= size, 'a page is no longer than its limit');
    assert.ok(all.length < 1000, 'it comes to an end');
    after = markOf(last);
  }
}

const groupMark = ({ updatedAt, groupId }: { updatedAt: number; groupId: string }) => ({
  at: updatedAt,
  key: [groupId],
});
const recordMark = (row: { createdAt: number; groupId: string; intent: string | null }) => ({
  at: row.createdAt,
  key: row.intent === null ? [row.groupId] : [row.groupId, row.intent],
});
const namesOf = (rows: readonly { groupId: string | null }[]) => rows.map(({ groupId }) => groupId);
const recordsOf = (rows: readonly { groupId: string; intent: string | null }[]) =>
  rows.map(({ groupId, intent }) => (intent === null ? groupId : `${groupId} ${intent}`));

/** Two moments of one minute, one of the next, and one of the next hour. */
const MOMENTS = [0, 1, 60_000, 3_600_000];

/** Sixteen groups, one of each state: their names are letters, and four of them changed at each moment. */
const STATES = YES_NO.flatMap((closed) =>
  YES_NO.flatMap((muted) => YES_NO.flatMap((online) => YES_NO.map((unread) => ({ closed, muted, online, unread })))),
).map((state, index) => ({ ...state, groupId: String.fromCharCode(97 + index), at: NOW + (MOMENTS[index % 4] ?? 0) }));

async function writeStates(store: Store): Promise<void> {
  for (const { groupId, at, closed, muted, online, unread } of STATES) {
    const group = groupRow({ closed, online, mutedBy: muted ? 'a1' : null, unread: unread ? 2 : 0 });
    await write(store, { groups: { [`d1/${groupId}`]: group }, at });
  }
  await write(store, { groups: { 'd2/a': groupRow({ online: true }) }, at: NOW + 9 });
}

/** The newest first, and of those of one moment the last by name. */
const newestFirst = STATES.toSorted((one, other) => other.at - one.at || (one.groupId < other.groupId ? 1 : -1));

export function describeLists(withStore: WithStore): void {
  describe('groups', () => {
    it(
      'are a dealer’s own, those that changed last first, for every filter and every combination of filters',
      withStore(async (store) => {
        await writeStates(store);
        for (const open of MAYBE)
          for (const muted of MAYBE)
            for (const online of MAYBE)
              for (const unread of MAYBE) {
                const filter = {
                  ...(open !== undefined && { open }),
                  ...(muted !== undefined && { muted }),
                  ...(online !== undefined && { online }),
                  ...(unread !== undefined && { unread }),
                };
                const wanted = newestFirst.filter(
                  (group) =>
                    (open ?? !group.closed) === !group.closed &&
                    (muted ?? group.muted) === group.muted &&
                    (online ?? group.online) === group.online &&
                    (unread ?? group.unread) === group.unread,
                );
                const found = (await store.groups('d1', filter, { limit: 100 })).groups;
                assert.deepEqual(namesOf(found), namesOf(wanted), JSON.stringify(filter));
              }
        assert.deepEqual((await store.groups('d3', {}, { limit: 100 })).groups, []);
      }),
    );

    it(
      'come in pages of any size each once, those of one moment too, with a filter or without',
      withStore(async (store) => {
        await writeStates(store);
        for (const size of [1, 3, 4, 16, 100]) {
          const all = await inPages(size, async (part) => (await store.groups('d1', {}, part)).groups, groupMark);
          assert.deepEqual(namesOf(all), namesOf(newestFirst), `pages of ${size}`);
          const muted = await inPages(
            size,
            async (part) => (await store.groups('d1', { muted: true }, part)).groups,
            groupMark,
          );
          assert.deepEqual(namesOf(muted), namesOf(newestFirst.filter((group) => group.muted)));
        }
      }),
    );

    it(
      'are read on from a place whose group is no longer there',
      withStore(async (store) => {
        await writeStates(store);
        const after = { at: NOW + 1, key: ['zz'] };
        const rest = newestFirst.filter(({ at }) => at <= NOW + 1);
        assert.deepEqual(namesOf((await store.groups('d1', {}, { after, limit: 100 })).groups), namesOf(rest));
        assert.deepEqual((await store.groups('d1', {}, { after: { at: -5, key: [''] }, limit: 100 })).groups, []);
        const beyond = { at: Number.MAX_SAFE_INTEGER, key: [ODD_TEXT.replaceAll('\0', '')] };
        assert.equal((await store.groups('d1', {}, { after: beyond, limit: 100 })).groups.length, 16);
      }),
    );

    it(
      'come first again when they change, and keep when they were made',
      withStore(async (store) => {
        await write(store, { groups: { 'd1/a': groupRow() }, at: NOW });
        await write(store, { groups: { 'd1/b': groupRow() }, at: NOW + 1 });
        await write(store, { groups: { 'd1/a': groupRow({ unread: 1 }) }, at: NOW + 2 });
        const found = (await store.groups('d1', {}, { limit: 10 })).groups;
        assert.deepEqual(
          found.map(({ groupId, createdAt, updatedAt }) => [groupId, createdAt - NOW, updatedAt - NOW]),
          [
            ['a', 0, 2],
            ['b', 1, 1],
          ],
        );
      }),
    );

    it(
      'have all that is known of them, alone or in the list, and their last chat message',
      withStore(async (store) => {
        const state = {
          online: true,
          mutedBy: 'a1',
          closed: true,
          closedBy: 'admin',
          unread: 3,
          adminRead: 1,
          customerRead: 2,
          waitingSince: 900_000_000_000,
          waitingFor: 'admin',
          assignee: 'a2',
        } as const;
        const [first, last] = [1, 3].map((seq) => eventRow('d1', 'g1', seq));
        assert.ok(first && last);
        const closing = eventRow('d1', 'g1', 4, { type: 'CLOSE_CHAT', payload: '{"type":"CLOSE_CHAT"}' });
        await write(store, {
          groups: { 'd1/g1': groupRow({ ...state, lastSeq: 4, lastMessageSeq: 3 }), 'd2/g1': groupRow() },
          events: [first, last, closing, eventRow('d2', 'g1', 3)],
        });
        const group = {
          ...state,
          groupId: 'g1',
          seq: 4,
          createdAt: NOW,
          updatedAt: NOW,
          setAside: false,
          lastMessage: { seq: 3, at: last.at, payload: last.payload },
        };
        assert.deepEqual(await store.group('d1', 'g1'), group);
        assert.deepEqual((await store.groups('d1', {}, { limit: 10 })).groups, [group]);
        assert.equal((await store.group('d2', 'g1'))?.lastMessage, null, 'nobody has said anything');
        assert.equal(await store.group('d1', 'g2'), null);
        assert.equal(await store.group('d3', 'g1'), null);
      }),
    );
  });

  describe('records', () => {
    const TABLES: readonly RecordTable[] = ['users', 'leads', 'lead_intents'];

    /** The same groups in each table, four of them of one moment; an intent of two words for each. */
    async function writeRecords(store: Store): Promise<string[]> {
      const names = ['a', 'b', 'c', 'd', 'e', 'f'];
      for (const [index, name] of names.entries()) {
        const of = { [`d1/${name}`]: known({ name }) };
        const intents = { [`d1/${name}/buy`]: known({ intent: 'buy' }), [`d1/${name}/a/b`]: known({ intent: 'a/b' }) };
        await write(store, { users: of, leads: of, intents, at: NOW + Math.floor(index / 4) });
      }
      await write(store, {
        users: { 'd2/a': known({}) },
        leads: { 'd2/a': known({}) },
        intents: { 'd2/a/buy': known({}) },
        at: NOW + 5,
      });
      return ['f', 'e', 'd', 'c', 'b', 'a'];
    }

    it(
      'come each with its user, where there is one',
      withStore(async (store) => {
        await writeRecords(store);
        await write(store, {
          leads: { 'd1/alone': known({ source: 'web' }), 'd2/b': known({}) },
          intents: { 'd1/alone/buy': known({ intent: 'buy' }) },
          users: { 'd1/b': known({ name: 'B', text: ODD_TEXT }, { name: 'B' }) },
          at: NOW + 9,
        });
        const userOf = new Map(
          (await store.records('users', 'd1', { limit: 100 })).map(({ groupId, fields, customer }) => [
            groupId,
            { fields, customer },
          ]),
        );
        for (const table of ['leads', 'lead_intents'] as const) {
          for (const groupIds of [undefined, ['b', 'alone', 'nobody']]) {
            const of = groupIds && { groupIds };
            const records = await store.records(table, 'd1', { ...of, limit: 100 });
            const paged = (part: Part) => store.recordsOfUsers(table, 'd1', { ...of, ...part });
            const found = await inPages(3, paged, recordMark);
            assert.deepEqual(
              found,
              records.map((record) => ({ ...record, user: userOf.get(record.groupId) ?? null })),
            );
            assert.equal(found[0]?.user, null);
          }
        }
      }),
    );

    for (const table of TABLES) {
      const rowsOf = (names: readonly string[]) =>
        table === 'lead_intents' ? names.flatMap((name) => [`${name} buy`, `${name} a/b`]) : [...names];

      it(
        `of ${table} are a dealer’s own, the newest first, in pages of any size each once`,
        withStore(async (store) => {
          const names = await writeRecords(store);
          for (const size of [1, 3, 100]) {
            const all = await inPages(size, (part) => store.records(table, 'd1', part), recordMark);
            assert.deepEqual(recordsOf(all), rowsOf(names), `pages of ${size}`);
          }
          assert.deepEqual(await store.records(table, 'd3', { limit: 10 }), []);
        }),
      );

      it(
        `of ${table} are those of the groups named alone, where any are`,
        withStore(async (store) => {
          await writeRecords(store);
          const of = (...groupIds: string[]) => store.records(table, 'd1', { groupIds, limit: 100 });
          assert.deepEqual(recordsOf(await of('b')), rowsOf(['b']));
          assert.deepEqual(recordsOf(await of('b', 'nobody', 'e')), rowsOf(['e', 'b']));
          assert.deepEqual(await of('nobody'), []);
          const named = (part: Part) => store.records(table, 'd1', { ...part, groupIds: ['a', 'f', 'c'] });
          assert.deepEqual(recordsOf(await inPages(1, named, recordMark)), rowsOf(['f', 'c', 'a']));
        }),
      );

      it(
        `of ${table} come back as they were merged, and stay in their place when they change`,
        withStore(async (store) => {
          const odd = merge(null, JSON.parse(`{"__proto__":{"x":1},"deep":[1,null,{"y":false}]}`));
          const fields = { ...odd, text: ODD_TEXT };
          const writeAll = (name: string, record: Known, at: number) =>
            write(store, {
              users: { [`d1/${name}`]: record },
              leads: { [`d1/${name}`]: record },
              intents: { [`d1/${name}/buy`]: record },
              at,
            });
          await writeAll('a', known({ name: 'before' }), NOW);
          await writeAll('b', known({}), NOW + 1);
          await writeAll('a', known(fields, { text: 'mine' }), NOW + 2);
          const [, found] = await store.records(table, 'd1', { limit: 10 });
          const { fields: kept, customer, ...row } = found ?? assert.fail('it is not there');
          const intent = table === 'lead_intents' ? 'buy' : null;
          assert.deepEqual(row, { groupId: 'a', intent, createdAt: NOW, updatedAt: NOW + 2 });
          assert.equal(JSON.stringify(kept), JSON.stringify(fields));
          assert.deepEqual(customer, { text: 'mine' });
        }),
      );
    }
  });
}
