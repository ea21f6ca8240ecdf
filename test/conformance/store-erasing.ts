/** [P-11.4] Erasing: nothing of the one conversation is left but a receipt, and nothing of any other is touched. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PendingErasure, StoredEvent } from '../../src/store/rows.ts';
import type { Store } from '../../src/store/store.ts';
import { eventRow, groupRow, known, load, NOW, readSeqs, seqsOf, write } from '../support/rows.ts';
import type { WithStore } from './with-store.ts';

/** What the desk is told of a group, and what is left of it: a type each, in this order. */
const BLANKS = [
  { type: 'UPDATE_GROUP', user: 'customer', online: false },
  { type: 'UPDATE_USER', message: {} },
  { type: 'UPDATE_PAGEVIEW', message: {} },
  { type: 'UPDATE_PAGEVIEW', message: {} },
  { type: 'UPDATE_LEAD', message: {} },
  { type: 'CREATE_LEAD_INTENT', message: { intent: 'erased' } },
  { type: 'UPDATE_LEAD_INTENT', message: { intent: 'erased' } },
] as const;

/** Writes a conversation into every table. @param desk the seq of the desk's log before it */
function converse(store: Store, dealerId: string, groupId: string, desk = 0): Promise<void> {
  const key = { keyed: true, sender: `customer:${groupId}`, groupId };
  const said = [1, 2, 3].map((seq) => eventRow(dealerId, groupId, seq, { ...key, id: `k${seq}` }));
  const told = BLANKS.map(({ type }, index) => {
    const payload = JSON.stringify({ type, dealerId, groupId, message: { name: 'Ann' } });
    return eventRow(dealerId, '@desk', desk + index + 1, { ...key, id: `${groupId}-${index}`, type, payload });
  });
  const name = `${dealerId}/${groupId}`;
  return write(store, {
    events: [...said, ...told],
    dealers: { [dealerId]: seqsOf(0, desk + told.length) },
    groups: { [name]: groupRow({ lastSeq: 3, lastMessageSeq: 3, online: true }) },
    users: { [name]: known({ name: groupId }) },
    leads: { [name]: known({ name: groupId }) },
    intents: { [`${name}/buy`]: known({ intent: 'buy' }), [`${name}/a/b`]: known({ intent: 'a/b' }) },
    chatPresences: [
      { dealerId, scope: groupId, adminId: 'a1', online: true },
      { dealerId, scope: groupId, adminId: 'a2', online: false },
    ],
    arrivals: ['n1', 'n2'].map((nodeId) => ({ dealerId, sender: `customer:${groupId}`, nodeId, online: true })),
  });
}

const erasureOf = (groupId: string, more: Partial<PendingErasure> = {}): PendingErasure => ({
  dealerId: 'd1',
  groupId,
  erasureId: `receipt-of-${groupId}`,
  reason: 'request',
  by: 'admin:a1',
  lastSeq: 3,
  ...more,
});

/** Everything that can be read of a conversation. */
async function everythingOf(store: Store, dealerId: string, groupId: string) {
  const parts = [dealerId, groupId];
  const sender = `customer:${groupId}`;
  const rows = await load(store, {
    groups: [parts],
    users: [parts],
    leads: [parts],
    intents: [
      [...parts, 'buy'],
      [...parts, 'a/b'],
    ],
    presences: [[dealerId, sender]],
    openChats: [
      [dealerId, 'a1'],
      [dealerId, 'a2'],
    ],
    priors: [
      [dealerId, groupId, sender, 'k1'],
      [dealerId, '@desk', sender, `${groupId}-0`],
    ],
  });
  const groupIds = [groupId];
  return {
    group: await store.group(dealerId, groupId),
    events: await store.events(dealerId, groupId, { limit: 100 }),
    desk: (await store.events(dealerId, '@desk', { limit: 100 })).filter((event) => event.groupId === groupId),
    lists: await Promise.all([
      store.records('users', dealerId, { groupIds, limit: 10 }),
      store.records('leads', dealerId, { groupIds, limit: 10 }),
      store.records('lead_intents', dealerId, { groupIds, limit: 10 }),
      store.pageviews(dealerId, { groupId, limit: 10 }),
    ]),
    loaded: [rows.users, rows.leads, rows.intents, rows.priors].map((table) => Object.fromEntries<unknown>(table)),
    isLoaded: rows.groups.has(parts.join('/')),
    nodes: [...(rows.presences.get(`${dealerId}/${sender}`) ?? [])].sort(),
    isOpenTo: ['a1', 'a2'].filter((adminId) => rows.openChats.get(`${dealerId}/${adminId}`)?.has(groupId)),
    tail: await store.tails(dealerId, [groupId]),
  };
}

export function describeErasing(withStore: WithStore): void {
  describe('an erasure', () => {
    it(
      'takes the whole conversation out of every table',
      withStore(async (store) => {
        await converse(store, 'd1', 'never-was');
        await write(store, { erasures: [erasureOf('never-was')] });
        const nothing = await everythingOf(store, 'd1', 'never-was');
        assert.deepEqual(nothing, {
          group: null,
          events: [],
          desk: [],
          lists: [[], [], [], []],
          loaded: [{}, {}, {}, {}],
          isLoaded: false,
          nodes: [],
          isOpenTo: [],
          tail: new Map([['never-was', 0]]),
        });
        assert.deepEqual(await store.presencesOf('n1', 10), []);
        assert.deepEqual((await store.groups('d1', {}, { limit: 10 })).groups, []);
        assert.deepEqual((await store.standing('d1', 'never-was')).group, null);
        assert.deepEqual(await store.tailsSince('d1', 0), new Map());
      }),
    );

    it(
      'leaves of an event of a kind that it does not know its type alone: a node of the next version may have stored it',
      withStore(async (store) => {
        const type: StoredEvent['type'] = JSON.parse('"KIND_OF_THE_NEXT_VERSION"');
        const payload = JSON.stringify({ type, dealerId: 'd1', groupId: 'g1', message: { name: 'Ann' } });
        const told = eventRow('d1', '@desk', 1, { type, payload, groupId: 'g1', sender: 'customer:g1' });
        const said = [1, 2, 3].map((seq) => eventRow('d1', 'g1', seq));
        await write(store, {
          events: [...said, told],
          dealers: { d1: seqsOf(0, 1) },
          groups: { 'd1/g1': groupRow({ lastSeq: 3 }) },
        });
        assert.deepEqual((await store.events('d1', '@desk', { limit: 1 }))[0]?.payload, payload);
        await write(store, { erasures: [erasureOf('g1')] });
        while (await store.erasePart());
        const [left] = await store.events('d1', '@desk', { limit: 1 });
        assert.deepEqual(JSON.parse(left?.payload ?? ''), { type, dealerId: 'd1', groupId: 'receipt-of-g1' });
        assert.deepEqual([left?.sender, left?.groupId], ['erased', 'receipt-of-g1']);
      }),
    );

    it(
      'touches nothing of another group, nor of a group of that name of another dealer',
      withStore(async (store) => {
        const others = [
          ['d1', 'g2'],
          ['d1', 'g10'],
          ['d1', 'G1'],
          ['d2', 'g1'],
          ['d10', 'g1'],
        ] as const;
        await converse(store, 'd1', 'g1');
        for (const [index, [dealerId, groupId]] of others.entries()) {
          await converse(store, dealerId, groupId, dealerId === 'd1' ? (index + 1) * 10 : 0);
        }
        const look = () => Promise.all(others.map(([dealerId, groupId]) => everythingOf(store, dealerId, groupId)));
        const before = await look();
        assert.ok(before.every(({ events, desk }) => events.length === 3 && desk.length === BLANKS.length));
        await write(store, { erasures: [erasureOf('g1')] });
        assert.deepEqual(await look(), before);
      }),
    );

    it(
      'leaves the desk’s events in their places, of their types and times, and nothing else of them',
      withStore(async (store) => {
        await converse(store, 'd1', 'g1');
        await converse(store, 'd1', 'g2', BLANKS.length);
        const admin = eventRow('d1', '@desk', 15, { type: 'UPDATE_CHAT', payload: '{"type":"UPDATE_CHAT"}' });
        await write(store, { events: [admin] });
        const before = await store.events('d1', '@desk', { limit: 100 });
        await write(store, { erasures: [erasureOf('g1', { erasureId: 'e1' })] });
        const after = await store.events('d1', '@desk', { limit: 100 });
        assert.deepEqual(after.slice(BLANKS.length), before.slice(BLANKS.length));
        assert.equal(after.length, before.length);
        for (const [index, { payload, ...event }] of after.slice(0, BLANKS.length).entries()) {
          const { seq, type, at } = before[index] ?? assert.fail();
          const rest = {
            dealerId: 'd1',
            scope: '@desk',
            id: `e1.${seq}`,
            keyed: false,
            sender: 'erased',
            groupId: 'e1',
          };
          assert.deepEqual(event, { ...rest, seq, type, at });
          assert.deepEqual(JSON.parse(payload), { ...BLANKS[index], dealerId: 'd1', groupId: 'e1' });
        }
        const groups = (await store.pageviews('d1', { limit: 100 })).map(({ groupId }) => groupId);
        assert.deepEqual(groups, ['g2', 'g2'], 'an erased page view is none');
      }),
    );

    it(
      'leaves a receipt with the counts of what there was, found by its name and in the list',
      withStore(async (store) => {
        await converse(store, 'd1', 'g1');
        await write(store, { groups: { 'd1/quiet': groupRow() } });
        await write(store, { erasures: [erasureOf('g1', { erasureId: 'e1' })], at: NOW + 1 });
        const by = 'server:retention';
        const quiet = erasureOf('quiet', { erasureId: 'e2', reason: 'retention', by, lastSeq: 0 });
        await write(store, { erasures: [quiet], at: NOW + 2 });
        const counts = { events: 3, pageviews: 2, users: 1, leads: 1, intents: 2 };
        const one = { erasureId: 'e1', reason: 'request', by: 'admin:a1', ...counts, at: NOW + 1 };
        const none = { events: 0, pageviews: 0, users: 0, leads: 0, intents: 0 };
        const other = { erasureId: 'e2', reason: 'retention', by, ...none, at: NOW + 2 };
        assert.deepEqual(await store.erasure('d1', 'e1'), one);
        assert.deepEqual(await store.erasures('d1', { limit: 10 }), [other, one]);
        assert.deepEqual([await store.erasure('d1', 'e3'), await store.erasure('d2', 'e1')], [null, null]);
        assert.deepEqual(await store.erasures('d2', { limit: 10 }), []);
      }),
    );

    it(
      'is listed with the others, the last first, in pages each once, those of one moment too; and goes with its dealer',
      withStore(async (store) => {
        await store.putDealer('d1', {});
        const names = ['a', 'b', 'c', 'd', 'e'];
        for (const [index, erasureId] of names.entries()) {
          const erasure = erasureOf(`g${index}`, { erasureId });
          await write(store, { erasures: [erasure], at: NOW + Math.floor(index / 3) });
        }
        const found: string[] = [];
        for (let last = await store.erasures('d1', { limit: 2 }); last.length > 0; ) {
          found.push(...last.map(({ erasureId }) => erasureId));
          const { at, erasureId } = last.at(-1) ?? assert.fail();
          last = await store.erasures('d1', { after: { at, key: [erasureId] }, limit: 2 });
        }
        assert.deepEqual(found, names.toReversed());
        await store.deleteDealer('d1');
        assert.deepEqual(await store.erasures('d1', { limit: 10 }), []);
      }),
    );

    it(
      'is remembered for a group of its name that is needed and not there: the last seq of all that were',
      withStore(async (store) => {
        const needed = async () => {
          const { erased } = await load(store, {
            groups: [
              ['d1', 'g1'],
              ['d1', 'g2'],
              ['d2', 'g1'],
            ],
          });
          return Object.fromEntries(erased);
        };
        assert.deepEqual(await needed(), {});
        await write(store, { erasures: [erasureOf('g1', { erasureId: 'e1', lastSeq: 2 ** 33 })] });
        await write(store, { erasures: [erasureOf('g1', { erasureId: 'e2', lastSeq: 0 })] });
        assert.deepEqual(await needed(), { 'd1/g1': 2 ** 33 });
        await write(store, { erasures: [erasureOf('g2', { erasureId: 'e3', lastSeq: 0 })] });
        assert.deepEqual(await needed(), { 'd1/g1': 2 ** 33, 'd1/g2': 0 }, 'one that had said nothing too');
        await write(store, { groups: { 'd1/g1': groupRow() } });
        assert.deepEqual(await needed(), { 'd1/g2': 0 }, 'not for a group that is there');
      }),
    );

    it(
      'is carried out after everything else of its batch is written',
      withStore(async (store) => {
        await converse(store, 'd1', 'g1');
        await write(store, {
          events: [eventRow('d1', 'g1', 4)],
          groups: { 'd1/g1': groupRow({ lastSeq: 4 }) },
          users: { 'd1/g1': known({ name: 'Late' }) },
          erasures: [erasureOf('g1', { erasureId: 'e1', lastSeq: 4 })],
        });
        assert.deepEqual(await readSeqs(store, 'd1', 'g1'), []);
        assert.deepEqual((await load(store, { users: [['d1', 'g1']] })).users.size, 0);
        assert.equal((await store.erasure('d1', 'e1'))?.events, 4);
      }),
    );

    it(
      'that fails erases nothing, whatever else its batch erases',
      withStore(async (store) => {
        await converse(store, 'd1', 'g1');
        await converse(store, 'd1', 'g2', 10);
        await write(store, { erasures: [erasureOf('g3', { erasureId: 'taken' })] });
        const look = () => Promise.all(['g1', 'g2'].map((groupId) => everythingOf(store, 'd1', groupId)));
        const before = await look();
        const erasures = [erasureOf('g1'), erasureOf('g2', { erasureId: 'taken' })];
        await assert.rejects(write(store, { erasures }));
        assert.deepEqual(await look(), before);
        assert.equal(await store.erasure('d1', 'receipt-of-g1'), null);
        await write(store, { erasures: [erasureOf('g1')] });
        assert.deepEqual(await readSeqs(store, 'd1', 'g1'), []);
      }),
    );
  });
}
