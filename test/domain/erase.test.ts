/** [P-11.4] What forgetting a conversation means to the rules: it is gone, and its name is nobody's to take. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decide } from '../../src/domain/decide.ts';
import { type Command, type Entry, type Group, NEW_GROUP, type State } from '../../src/domain/state.ts';
import { known } from '../support/rows.ts';
import * as deciding from './deciding.ts';
import { IDS, stateOf, withoutWaiting } from './deciding.ts';

const THERE = stateOf(
  { lastSeq: 7, lastMessageSeq: 6, unread: 2, mutedBy: 'a1', adminRead: 3 },
  {
    user: known({ name: 'Ann' }),
    lead: known({ source: 'web' }),
    intent: known({ intent: 'buy' }),
    intents: 1,
  },
);
/** After seven events it was erased. */
const ERASED: State = { ...THERE, group: null, erased: 7, user: null, lead: null, intent: null };

type Body = Command['body'];
const ask = (state: State, body: Body, role: Command['role'] = 'admin') =>
  decide(state, { role, sender: 'somebody', key: null, body }, { autoMute: true });

const taken = (state: State, body: Body, role?: Command['role']) => deciding.taken(ask(state, body, role));

const refused = (state: State, body: Body, role?: Command['role']) => deciding.refused(ask(state, body, role)).code;

const erasure = (reason: 'request' | 'retention'): Body => ({ type: 'ERASE_GROUP', ...IDS, erasureId: 'e1', reason });
const CLAIM: Entry = { by: 'claim', id: undefined, at: 0, isHere: false };
const join = (online: boolean, entry: Entry | null = null): Body => ({
  type: 'CLIENT_JOIN',
  ...IDS,
  online,
  node: 'n1',
  entry,
});
const customerSays: Body = { type: 'UPDATE_MSG', ...IDS, user: 'customer', message: 'Hello' };
const online = (group: Partial<Group> = {}): State => ({ ...THERE, group: { ...NEW_GROUP, online: true, ...group } });

describe('an erasure', () => {
  it('tells that the customer is gone, and leaves neither group, user, lead nor intent', () => {
    const { events, state } = taken(THERE, erasure('request'));
    assert.deepEqual(events, [{ type: 'ERASE_GROUP', ...IDS, user: 'customer', online: false }]);
    assert.deepEqual(state, { ...THERE, group: null, user: null, lead: null, intent: null });
  });

  it('that is asked for takes a customer who is here, and one that is due never does', () => {
    assert.equal(taken(online(), erasure('request')).state.group, null);
    assert.equal(refused(online(), erasure('retention')), 'forbidden');
    assert.equal(taken(THERE, erasure('retention')).state.group, null);
  });

  it('that is due takes no conversation that goes further than it was found to', () => {
    const due = (lastSeq: number): Body => ({
      type: 'ERASE_GROUP',
      ...IDS,
      erasureId: 'e1',
      reason: 'retention',
      lastSeq,
    });
    assert.equal(refused(THERE, due(6)), 'forbidden');
    assert.equal(taken(THERE, due(7)).state.group, null);
  });

  for (const role of ['admin', 'server'] as const) {
    it(`of what is not there is refused, and makes nothing, by ${role} too [P-6.2]`, () => {
      assert.equal(refused({ ...THERE, group: null }, erasure('request'), role), 'unknown_group');
      assert.equal(refused(ERASED, erasure('request'), role), 'unknown_group');
      assert.equal(refused({ ...THERE, dealer: false, group: null }, erasure('request'), role), 'unknown_dealer');
    });
  }
});

describe('the name of what was erased', () => {
  it('cannot be claimed without its token, even where nothing was ever said', () => {
    assert.equal(refused(ERASED, join(true, CLAIM), 'customer'), 'unauthorized');
    assert.equal(refused({ ...ERASED, erased: 0 }, join(true, CLAIM), 'customer'), 'unauthorized');
  });

  it('is its customer’s still: with the token it is a new conversation, which counts on', () => {
    const { events, state } = taken(ERASED, join(true), 'customer');
    assert.deepEqual(events, [{ type: 'UPDATE_GROUP', ...IDS, user: 'customer', online: true }]);
    assert.deepEqual(state.group, { ...NEW_GROUP, online: true, lastSeq: 7 });
  });

  it('is not made again by being left', () => {
    const { events, state } = taken({ ...ERASED, nodes: new Set(['n1']) }, join(false), 'customer');
    assert.deepEqual([events, state.group, [...state.nodes]], [[], null, []]);
    assert.deepEqual(taken(ERASED, join(false), 'customer'), { events: [], state: ERASED });
  });

  it('is unknown to admins, and to its customer’s open sockets', () => {
    for (const role of ['admin', 'customer'] as const) {
      assert.equal(refused(ERASED, customerSays, role), 'unknown_group');
      assert.equal(refused(ERASED, { type: 'UPDATE_USER', ...IDS, message: { name: 'Ann' } }, role), 'unknown_group');
      assert.equal(refused(ERASED, { type: 'READ', ...IDS, user: 'customer', seq: 1 }, role), 'unknown_group');
    }
  });

  it('is made anew by another server, which counts on and knows nothing of what was', () => {
    const { state } = taken(ERASED, customerSays, 'server');
    assert.deepEqual(withoutWaiting({ events: [], state }).group, { ...NEW_GROUP, unread: 1, lastSeq: 7 });
    const told = taken(ERASED, { type: 'UPDATE_USER', ...IDS, message: { phone: '1' } }, 'server');
    assert.deepEqual({ ...told.state.user?.fields }, { phone: '1' });
    const intent: Body = { type: 'UPDATE_LEAD_INTENT', ...IDS, message: { intent: 'buy' } };
    assert.equal(refused(ERASED, intent, 'server'), 'unknown_intent');
  });
});
