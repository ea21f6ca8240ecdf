/** Commit: one transaction, all of it or nothing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NEW_GROUP } from '../../src/domain/state.ts';
import type { Store } from '../../src/store/store.ts';
import { changesOf, eventRow, groupRow, known, load, NOW, needsFor, readSeqs, seqsOf, write } from '../support/rows.ts';
import type { WithStore } from './with-store.ts';

const G1 = ['d1', 'g1'];

/** A batch that touches every table of dealer d1. */
const everything = (more: object = {}) => ({
  events: [eventRow('d1', 'g1', 1), eventRow('d1', '@desk', 1)],
  dealers: { d1: seqsOf(0, 1) },
  groups: { 'd1/g1': groupRow({ lastSeq: 1, lastMessageSeq: 1 }) },
  users: { 'd1/g1': known({ name: 'Ann' }) },
  leads: { 'd1/g1': known({ source: 'web' }) },
  intents: { 'd1/g1/buy': known({ intent: 'buy' }) },
  chatPresences: [{ dealerId: 'd1', scope: '@desk', adminId: 'a1', online: true }],
  ...more,
});

/** Fails where anything of `everything` is there. */
async function assertNothing(store: Store): Promise<void> {
  const rows = await load(store, {
    dealers: [['d1']],
    groups: [G1],
    users: [G1],
    leads: [G1],
    intents: [['d1', 'g1', 'buy']],
    openChats: [['d1', 'a1']],
  });
  const found = [rows.dealers, rows.groups, rows.users, rows.leads, rows.intents].flatMap((table) => [...table.keys()]);
  assert.deepEqual(found, []);
  assert.deepEqual([...(rows.openChats.get('d1/a1') ?? [])], []);
  assert.deepEqual(await store.events('d1', '@desk', { limit: 10 }), []);
}

export function describeCommit(withStore: WithStore): void {
  describe('commit', () => {
    it(
      'writes the events, every row and the chat presences of a batch',
      withStore(async (store) => {
        const batch = everything();
        await write(store, batch);
        const rows = await load(store, {
          dealers: [['d1']],
          groups: [G1],
          users: [G1],
          leads: [G1],
          intents: [['d1', 'g1', 'buy']],
          openChats: [['d1', 'a1']],
        });
        assert.deepEqual(await store.events('d1', 'g1', { limit: 10 }), [batch.events[0]]);
        assert.deepEqual(await store.events('d1', '@desk', { limit: 10 }), [batch.events[1]]);
        assert.deepEqual([...rows.dealers], Object.entries(batch.dealers));
        assert.deepEqual([...rows.groups], Object.entries(batch.groups));
        assert.deepEqual([...rows.users], Object.entries(batch.users));
        assert.deepEqual([...rows.leads], Object.entries(batch.leads));
        assert.deepEqual([...rows.intents], Object.entries(batch.intents));
        assert.deepEqual([...rows.openChats], [['d1/a1', new Set(['@desk'])]]);
      }),
    );

    it(
      'hands to work exactly the rows needed, where they are there',
      withStore(async (store) => {
        await write(store, {
          dealers: { d1: seqsOf(1, 2), d2: seqsOf(3, 4) },
          groups: { 'd1/g1': NEW_GROUP, 'd1/g2': NEW_GROUP, 'd2/g1': groupRow({ unread: 5 }) },
          users: { 'd1/g1': known({ name: 'Ann' }), 'd1/g2': known({ name: 'Ben' }) },
          leads: { 'd1/g1': known({ source: 'web' }), 'd2/g1': known({ source: 'fair' }) },
          intents: { 'd1/g1/buy': known({ intent: 'buy' }), 'd1/g1/lease': known({ intent: 'lease' }) },
          chatPresences: ['a1', 'a2'].map((adminId) => ({ dealerId: 'd1', scope: '@desk', adminId, online: true })),
        });
        const rows = await load(store, {
          dealers: [['d2'], ['d3']],
          groups: [
            ['d2', 'g1'],
            ['d2', 'g2'],
          ],
          users: [
            ['d1', 'g2'],
            ['d2', 'g1'],
          ],
          leads: [['d2', 'g1']],
          intents: [
            ['d1', 'g1', 'lease'],
            ['d1', 'g1', 'finance'],
          ],
          openChats: [['d1', 'a2']],
        });
        assert.deepEqual([...rows.dealers], [['d2', seqsOf(3, 4)]]);
        assert.deepEqual([...rows.groups], [['d2/g1', groupRow({ unread: 5 })]]);
        assert.deepEqual([...rows.users], [['d1/g2', known({ name: 'Ben' })]]);
        assert.deepEqual([...rows.leads], [['d2/g1', known({ source: 'fair' })]]);
        assert.deepEqual([...rows.intents], [['d1/g1/lease', known({ intent: 'lease' })]]);
        assert.deepEqual([...rows.openChats], [['d1/a2', new Set(['@desk'])]]);
        assert.deepEqual([...rows.priors], []);
      }),
    );

    it(
      'hands to work the groups of a needed admin’s open chats, and no other group',
      withStore(async (store) => {
        const at = (scope: string, online = true) => ({ dealerId: 'd1', scope, adminId: 'a1', online });
        await write(store, {
          groups: { 'd1/g1': groupRow({ unread: 1 }), 'd1/g2': groupRow({ unread: 2 }), 'd1/g3': NEW_GROUP },
          chatPresences: [at('@desk'), at('g1'), at('g2'), at('g3')],
        });
        await write(store, { chatPresences: [at('g3', false)] });
        const { groups, openChats } = await load(store, { openChats: [['d1', 'a1']] });
        assert.deepEqual([...openChats], [['d1/a1', new Set(['@desk', 'g1', 'g2'])]]);
        assert.deepEqual(
          new Map(groups),
          new Map([
            ['d1/g1', groupRow({ unread: 1 })],
            ['d1/g2', groupRow({ unread: 2 })],
          ]),
        );
      }),
    );

    it(
      'calls work with what it writes not there before, and there when it resolves',
      withStore(async (store) => {
        let calls = 0;
        await store.commit(needsFor({ groups: [G1] }), ({ groups }) => {
          calls += 1;
          assert.equal(groups.size, 0);
          return changesOf({ groups: { 'd1/g1': NEW_GROUP } });
        });
        assert.equal(calls, 1, 'there was no other node to be first');
        assert.equal((await load(store, { groups: [G1] })).groups.size, 1);
      }),
    );

    it(
      'writes nothing when work throws, and rejects with what it threw',
      withStore(async (store) => {
        const fault = new Error('work failed');
        const failing = store.commit(needsFor({ dealers: [['d1']] }), () => {
          throw fault;
        });
        await assert.rejects(failing, (thrown) => thrown === fault);
        await assertNothing(store);
        await write(store, everything());
        assert.deepEqual(await readSeqs(store, 'd1', 'g1'), [1]);
      }),
    );

    it(
      'writes nothing of a batch whose last event has a seq that its scope already has',
      withStore(async (store) => {
        await write(store, { events: [eventRow('d1', 'g9', 7)] });
        const events = [eventRow('d1', 'g1', 1), eventRow('d1', '@desk', 1), eventRow('d1', 'g9', 7)];
        await assert.rejects(write(store, everything({ events })));
        await assertNothing(store);
        await write(store, everything());
      }),
    );

    it(
      'writes nothing of a batch that gives one seq twice',
      withStore(async (store) => {
        const events = [eventRow('d1', '@desk', 1), eventRow('d1', 'g1', 1), eventRow('d1', 'g1', 1)];
        await assert.rejects(write(store, everything({ events })));
        await assertNothing(store);
        await write(store, everything());
      }),
    );

    it(
      'writes nothing of a batch whose last event has a key that its sender has used in the scope',
      withStore(async (store) => {
        const key = { id: 'k1', keyed: true, sender: 'customer:g9' };
        await write(store, { events: [eventRow('d1', 'g9', 1, key)] });
        const events = [eventRow('d1', '@desk', 1), eventRow('d1', 'g1', 1), eventRow('d1', 'g9', 2, key)];
        await assert.rejects(write(store, everything({ events })));
        await assertNothing(store);
        assert.deepEqual(await readSeqs(store, 'd1', 'g9'), [1]);
      }),
    );

    it(
      'takes a key again from another sender, in another scope and at another dealer, and any id that is no key',
      withStore(async (store) => {
        const key = { id: 'k1', keyed: true, sender: 'server:crm' };
        await write(store, {
          events: [
            eventRow('d1', 'g1', 1, key),
            eventRow('d1', 'g1', 2, { ...key, sender: 'admin:a1' }),
            eventRow('d1', 'g1', 3, { ...key, keyed: false }),
            eventRow('d1', 'g1', 4, { ...key, keyed: false }),
            eventRow('d1', 'g1', 5, { ...key, id: 'K1' }),
            eventRow('d1', 'g2', 1, key),
            eventRow('d1', '@desk', 1, key),
            eventRow('d2', 'g1', 1, key),
          ],
        });
        assert.deepEqual(await readSeqs(store, 'd1', 'g1'), [1, 2, 3, 4, 5]);
        assert.deepEqual(await readSeqs(store, 'd2', 'g1'), [1]);
      }),
    );

    it(
      'calls work again with the prior where the key of what it wrote is taken, and writes nothing of the first call',
      withStore(async (store) => {
        const key = { id: 'k1', keyed: true, sender: 'server:crm' };
        await write(store, { events: [eventRow('d1', 'g1', 1, key)], groups: { 'd1/g1': groupRow({ lastSeq: 1 }) } });
        const parts = ['d1', 'g1', 'server:crm', 'k1'];
        const needs = needsFor({ groups: [G1], priors: [parts] });
        let known = false;
        await store.commit(needs, ({ priors }) => {
          known = priors.has(parts.join('/'));
          const again = eventRow('d1', 'g1', 2, key);
          return known ? changesOf({}) : changesOf({ events: [again], groups: { 'd1/g1': groupRow({ lastSeq: 2 }) } });
        });
        assert.equal(known, true);
        assert.deepEqual(await readSeqs(store, 'd1', 'g1'), [1]);
        assert.equal((await load(store, { groups: [G1] })).groups.get('d1/g1')?.lastSeq, 1);
      }),
    );

    it(
      'finds what a sender stored under a key, in that scope alone',
      withStore(async (store) => {
        const key = { id: 'k1', keyed: true, sender: 'server:crm' };
        await write(store, {
          events: [
            eventRow('d1', 'g1', 1, { ...key, sender: 'server:other', at: NOW + 100 }),
            eventRow('d1', 'g1', 2, { ...key, at: NOW + 200 }),
            eventRow('d1', 'g1', 3, { ...key, id: 'k2', keyed: false }),
          ],
        });
        const found = ['d1', 'g1', 'server:crm', 'k1'];
        const missing = [
          ['d1', 'g1', 'server:crm', 'k2'],
          ['d1', 'g1', 'server:crm', 'k3'],
          ['d1', 'g2', 'server:crm', 'k1'],
          ['d2', 'g1', 'server:crm', 'k1'],
        ];
        const { priors } = await load(store, { priors: [found, ...missing] });
        assert.deepEqual([...priors], [[found.join('/'), { seq: 2, at: NOW + 200 }]]);
      }),
    );

    it(
      'takes a thousand events of many scopes in one batch, each in its order',
      withStore(async (store) => {
        const events = Array.from({ length: 1000 }, (_, index) =>
          eventRow('d1', `g${index % 7}`, Math.floor(index / 7) + 1),
        );
        const groups = Object.fromEntries(
          Array.from({ length: 300 }, (_, index) => [`d1/g${index}`, groupRow({ unread: index })]),
        );
        await write(store, { events, groups });
        for (let scope = 0; scope < 7; scope += 1) {
          const expected = events.filter((event) => event.scope === `g${scope}`);
          assert.deepEqual(await store.events('d1', `g${scope}`, { limit: 1000 }), expected);
        }
        const names = Object.keys(groups);
        const rows = await load(store, { groups: names.map((name) => name.split('/')) });
        assert.deepEqual(new Map(rows.groups), new Map(Object.entries(groups)));
      }),
    );
  });
}
