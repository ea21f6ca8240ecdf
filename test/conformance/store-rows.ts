/** Rows come back as they were written, whatever they hold. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_INTENTS, merge } from '../../src/domain/records.ts';
import type { Group } from '../../src/domain/state.ts';
import { eventRow, groupRow, known, load, ODD_TEXT, seqsOf, write } from '../support/rows.ts';
import type { WithStore } from './with-store.ts';

const G1 = ['d1', 'g1'];
/** More than 32 bits hold. */
const LARGE = 2 ** 33;

const FULL_GROUP: Group = {
  holder: 'claimed 1795267786123 j1',
  online: true,
  mutedBy: 'a1',
  closed: true,
  closedBy: 'customer',
  unread: 3,
  lastSeq: LARGE + 4,
  lastMessageSeq: LARGE + 3,
  adminRead: LARGE + 2,
  customerRead: LARGE + 1,
  waitingSince: 256 * LARGE,
  waitingFor: 'admin',
  turnedAt: 256 * LARGE + 1,
  marks: 5,
  assignee: 'a2',
  actedAt: 256 * LARGE + 2,
  botRun: 7,
  due: 256 * LARGE + 3,
};

export function describeRows(withStore: WithStore): void {
  describe('what is written', () => {
    it(
      'keeps every field of a group, and every change of one',
      withStore(async (store) => {
        for (const group of [FULL_GROUP, groupRow(), groupRow({ mutedBy: 'a2' }), groupRow({ closed: true })]) {
          await write(store, { groups: { 'd1/g1': group } });
          assert.deepEqual((await load(store, { groups: [G1] })).groups.get('d1/g1'), group);
        }
      }),
    );

    it(
      'keeps every field of an event, with and without a group',
      withStore(async (store) => {
        const said = eventRow('d1', 'g1', LARGE, { id: 'k:1', keyed: true, sender: 'admin:a@b', type: 'MUTE_STATUS' });
        const seen = eventRow('d1', '@desk', 1, { groupId: 'g1', type: 'UPDATE_PAGEVIEW' });
        const told = eventRow('d1', '@dealer', 1, { type: 'SYS_MSG' });
        await write(store, { events: [said, seen, told] });
        assert.deepEqual(await store.events('d1', 'g1', { limit: 5 }), [said]);
        assert.deepEqual(await store.events('d1', '@desk', { limit: 5 }), [seen]);
        assert.deepEqual(await store.events('d1', '@dealer', { limit: 5 }), [told]);
      }),
    );

    it(
      'gives seqs and times as numbers, beyond 32 bits too',
      withStore(async (store) => {
        const key = { id: 'k1', keyed: true, sender: 'customer:g1', at: 4_102_444_800_123 };
        await write(store, {
          events: [eventRow('d1', 'g1', LARGE, key)],
          dealers: { d1: seqsOf(LARGE + 1, LARGE + 2) },
          groups: { 'd1/g1': groupRow({ lastSeq: LARGE }) },
        });
        const { dealers, priors } = await load(store, {
          dealers: [['d1']],
          priors: [['d1', 'g1', 'customer:g1', 'k1']],
        });
        assert.deepEqual([...dealers.values()], [seqsOf(LARGE + 1, LARGE + 2)]);
        assert.deepEqual([...priors.values()], [{ seq: LARGE, at: 4_102_444_800_123 }]);
        assert.deepEqual(
          await store.tails('d1', ['g1', '@dealer', '@desk']),
          new Map([
            ['g1', LARGE],
            ['@dealer', LARGE + 1],
            ['@desk', LARGE + 2],
          ]),
        );
      }),
    );

    it(
      'keeps a payload byte for byte: odd text, spaces, the order of fields, numbers as written',
      withStore(async (store) => {
        const payloads = [
          JSON.stringify({ type: 'CHAT_MSG', message: ODD_TEXT }),
          '{ "b": 1.0, "a": 1e2,  "a": [ ] , "":null, "é😀": "\\u00e9" }',
          JSON.stringify({ __proto__: null, message: '\0' }),
          JSON.stringify({ message: '😀'.repeat(4000) }),
        ];
        const events = payloads.map((payload, index) => eventRow('d1', 'g1', index + 1, { payload }));
        await write(store, { events });
        const read = await store.events('d1', 'g1', { limit: 10 });
        assert.deepEqual(
          read.map(({ payload }) => payload),
          payloads,
        );
        assert.equal(JSON.parse(read[0]?.payload ?? '').message, ODD_TEXT);
      }),
    );

    it(
      'keeps users, leads and intents, odd text and a field named __proto__ included',
      withStore(async (store) => {
        const record = merge(null, JSON.parse('{"__proto__":{"x":1},"constructor":"c","deep":{"list":[1,null,"2"]}}'));
        const fields = { ...record, [ODD_TEXT]: ODD_TEXT, none: null, no: false, n: 1.5, empty: {} };
        const kept = Object.defineProperty(fields, '__proto__', { value: { x: 1 }, enumerable: true });
        await write(store, {
          users: { 'd1/g1': known(kept) },
          leads: { 'd1/g1': known({}, kept) },
          intents: { 'd1/g1/buy': known(kept, kept) },
        });
        const rows = await load(store, { users: [G1], leads: [G1], intents: [['d1', 'g1', 'buy']] });
        const expected = JSON.parse(JSON.stringify(kept));
        assert.ok(Object.hasOwn(expected, '__proto__'));
        assert.deepEqual(rows.users.get('d1/g1'), known(expected));
        assert.deepEqual(rows.leads.get('d1/g1'), known({}, expected));
        assert.deepEqual(rows.intents.get('d1/g1/buy'), known(expected, expected));
      }),
    );

    it(
      'tells intents apart by their words, whatever characters those have',
      withStore(async (store) => {
        const words = [
          'buy',
          'Buy',
          'a/b',
          'a',
          '/',
          '%',
          "o'clock",
          '"q"',
          '\\',
          '😀',
          'é',
          'e\u0301',
          'x'.repeat(64),
        ];
        const each = words.map((word) => [`d1/g1/${word}`, known({ intent: word })] as const);
        await write(store, { intents: Object.fromEntries(each) });
        const { intents } = await load(store, { intents: words.map((word) => ['d1', 'g1', word]) });
        assert.deepEqual(new Map(intents), new Map(each));
      }),
    );

    it(
      'counts the intents of a group, up to as many as one may have',
      withStore(async (store) => {
        const intentsOf = (groupId: string, count: number) =>
          Object.fromEntries(
            Array.from({ length: count }, (_, n) => [`d1/${groupId}/${n}`, known({ intent: `${n}` })]),
          );
        await write(store, {
          intents: { ...intentsOf('g1', 3), ...intentsOf('full', MAX_INTENTS), ...intentsOf('old', MAX_INTENTS + 5) },
        });
        await write(store, { intents: { ...intentsOf('g1', 1), 'd2/g1/buy': known({ intent: 'buy' }) } });
        const names = ['g1', 'full', 'old', 'none'];
        const { intentCounts } = await load(store, { intentCounts: names.map((name) => ['d1', name]) });
        const counted = names.map((name) => intentCounts.get(`d1/${name}`) ?? 0);
        assert.deepEqual(counted, [3, MAX_INTENTS, MAX_INTENTS, 0]);
      }),
    );

    it(
      'replaces a row that is written again, and leaves the others',
      withStore(async (store) => {
        await write(store, {
          dealers: { d1: seqsOf(1, 1), d2: seqsOf(1, 1) },
          users: { 'd1/g1': known({ name: 'Ann', phone: '1' }), 'd1/g2': known({ name: 'Ben' }) },
          intents: { 'd1/g1/buy': known({ intent: 'buy', notes: 'n' }), 'd1/g1/lease': known({ intent: 'lease' }) },
        });
        await write(store, {
          dealers: { d1: seqsOf(2, 1) },
          users: { 'd1/g1': known({ name: 'Anna' }) },
          intents: { 'd1/g1/buy': known({ intent: 'buy' }) },
        });
        const rows = await load(store, {
          dealers: [['d1'], ['d2']],
          users: [G1, ['d1', 'g2']],
          intents: [
            ['d1', 'g1', 'buy'],
            ['d1', 'g1', 'lease'],
          ],
        });
        assert.deepEqual([...rows.dealers.values()], [seqsOf(2, 1), seqsOf(1, 1)]);
        assert.deepEqual([...rows.users.values()], [known({ name: 'Anna' }), known({ name: 'Ben' })]);
        assert.deepEqual([...rows.intents.values()], [known({ intent: 'buy' }), known({ intent: 'lease' })]);
      }),
    );

    it(
      'follows an admin through chats in their order, within a batch and over many',
      withStore(async (store) => {
        const move = (scope: string, online: boolean, adminId = 'a1') => ({ dealerId: 'd1', scope, adminId, online });
        const placesOf = async (adminId: string) =>
          [...((await load(store, { openChats: [['d1', adminId]] })).openChats.get(`d1/${adminId}`) ?? [])].sort();
        await write(store, {
          chatPresences: [move('@desk', true), move('g1', true), move('g2', true), move('g1', false)],
        });
        assert.deepEqual(await placesOf('a1'), ['@desk', 'g2']);
        await write(store, { chatPresences: [move('g1', true), move('@desk', false), move('g2', true, 'a2')] });
        assert.deepEqual(await placesOf('a1'), ['g1', 'g2']);
        assert.deepEqual(await placesOf('a2'), ['g2']);
        await write(store, { chatPresences: [move('g1', false), move('g2', false), move('g3', false)] });
        assert.deepEqual(await placesOf('a1'), []);
        assert.deepEqual(await placesOf('a2'), ['g2']);
      }),
    );
  });
}
