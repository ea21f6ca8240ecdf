import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_OPEN_CHATS } from '../../src/domain/chat.ts';
import { decide } from '../../src/domain/decide.ts';
import { type Command, type Entry, NEW_GROUP, type State } from '../../src/domain/state.ts';
import * as deciding from './deciding.ts';
import { IDS, NOTHING, stateOf } from './deciding.ts';

type Body = Command['body'];

const ask = (state: State, body: Body, role: Command['role'] = 'customer', autoMute = true) =>
  decide(state, { role, sender: 'somebody', key: null, body }, { autoMute });

/** The events and the state after them; fails where it was refused. */
function taken(state: State, body: Body, role?: Command['role'], autoMute?: boolean) {
  return deciding.withoutWaiting(deciding.taken(ask(state, body, role, autoMute)));
}

/** The code of the refusal; fails where it was taken. */
const refused = (state: State, body: Body, role?: Command['role']) => deciding.refused(ask(state, body, role)).code;

const customerSays: Body = { type: 'UPDATE_MSG', ...IDS, user: 'customer', message: 'Hello' };
const adminSays: Body = { type: 'UPDATE_MSG', ...IDS, user: 'admin', adminId: 'a1', message: 'Hello' };
const botSays: Body = { type: 'UPDATE_MSG', ...IDS, user: 'bot', message: 'Hello' };
const said = { type: 'CHAT_MSG', ...IDS, message: 'Hello' };
const muteStatus = (adminId: string, muted: boolean) => ({ type: 'MUTE_STATUS', ...IDS, adminId, muted });

describe('a message', () => {
  it('of a customer counts as unread', () => {
    const { events, group } = taken(stateOf({ unread: 2 }), customerSays);
    assert.deepEqual(events, [{ ...said, user: 'customer', muted: false, unread: 3 }]);
    assert.deepEqual(group, { ...NEW_GROUP, unread: 3 });
  });

  it('of a customer does not end the bot’s silence while the chat is open', () => {
    const { events, group } = taken(stateOf({ mutedBy: 'a1' }), customerSays);
    assert.deepEqual(events, [{ ...said, user: 'customer', muted: true, unread: 1 }]);
    assert.equal(group?.mutedBy, 'a1');
  });

  it('of a customer opens a closed chat again, and unmutes it where it was muted [P-7.4]', () => {
    const unmuting = { ...muteStatus('a1', false), user: 'customer' };
    // Who closed it is not known where an earlier version did: then as an admin.
    for (const closedBy of ['admin', 'bot', null] as const) {
      const muted = taken(stateOf({ closed: true, closedBy, mutedBy: 'a1' }), customerSays);
      assert.deepEqual(muted.events, [unmuting, { ...said, user: 'customer', muted: false, unread: 1 }]);
      assert.deepEqual(muted.group, { ...NEW_GROUP, unread: 1 });
    }
    const unmuted = taken(stateOf({ closed: true }), customerSays);
    assert.equal(unmuted.events.length, 1);
    assert.equal(unmuted.group?.closed, false);
  });

  it('of an admin has read everything, and mutes the bot: a MUTE_STATUS precedes it [P-7.3]', () => {
    const { events, group } = taken(stateOf({ unread: 4 }), adminSays, 'admin');
    assert.deepEqual(events, [
      muteStatus('a1', true),
      { ...said, adminId: 'a1', user: 'admin', muted: true, unread: 0 },
    ]);
    assert.deepEqual(group, { ...NEW_GROUP, mutedBy: 'a1' });
  });

  it('of an admin in a muted chat mutes nothing anew, and leaves it the first admin’s doing', () => {
    const { events, group } = taken(stateOf({ mutedBy: 'a2' }), adminSays, 'admin');
    assert.deepEqual(events, [{ ...said, adminId: 'a1', user: 'admin', muted: true, unread: 0 }]);
    assert.equal(group?.mutedBy, 'a2');
  });

  it('of an admin mutes nothing where the deployment does not want it', () => {
    const { events, group } = taken(stateOf({ unread: 1 }), adminSays, 'admin', false);
    assert.deepEqual(events, [{ ...said, adminId: 'a1', user: 'admin', muted: false, unread: 0 }]);
    assert.equal(group?.mutedBy, null);
  });

  it('of a customer opens a chat that it closed itself, as muted as it was [P-7.4]', () => {
    const { events, group } = taken(stateOf({ closed: true, closedBy: 'customer', mutedBy: 'a1' }), customerSays);
    assert.deepEqual(events, [{ ...said, user: 'customer', muted: true, unread: 1 }]);
    assert.deepEqual(group, { ...NEW_GROUP, unread: 1, mutedBy: 'a1' });
  });

  it('of an admin opens a closed chat again [P-7.4]', () => {
    assert.equal(taken(stateOf({ closed: true }), adminSays, 'admin').group?.closed, false);
    assert.equal(taken(stateOf({ closed: true, mutedBy: 'a2' }), adminSays, 'admin').group?.closed, false);
  });

  it('of a bot changes no count, and names no admin', () => {
    const { events, group } = taken(stateOf({ unread: 2 }), { ...botSays, adminId: 'a1' }, 'server');
    assert.deepEqual(events, [{ ...said, user: 'bot', muted: false, unread: 2 }]);
    assert.deepEqual(group, { ...NEW_GROUP, unread: 2 });
  });

  it('of a bot is refused while it is muted, and in a closed chat [P-7.3, P-7.4]', () => {
    assert.equal(refused(stateOf({ mutedBy: 'a1' }), botSays, 'server'), 'bot_muted');
    assert.equal(refused(stateOf({ closed: true }), botSays, 'server'), 'group_closed');
    assert.equal(refused(stateOf({ closed: true, mutedBy: 'a1' }), botSays, 'server'), 'group_closed');
  });
});

describe('muting, closing and reading', () => {
  it('MUTE_BOT silences the bot in the admin’s name, UNMUTE_BOT lets it speak again', () => {
    const muted = taken(stateOf(), { type: 'MUTE_BOT', ...IDS, adminId: 'a1' }, 'admin');
    assert.deepEqual(muted.events, [muteStatus('a1', true)]);
    assert.equal(refused(muted.state, botSays, 'server'), 'bot_muted');
    const unmuted = taken(muted.state, { type: 'UNMUTE_BOT', ...IDS, adminId: 'a2' }, 'admin');
    assert.deepEqual(unmuted.events, [muteStatus('a2', false)]);
    assert.deepEqual(unmuted.group, NEW_GROUP);
  });

  it('CLOSE_CHAT closes the chat, and says who did', () => {
    const closed = { type: 'CLOSE_CHAT', ...IDS, close: true } as const;
    const byCustomer = taken(stateOf({ unread: 1 }), { type: 'CLOSE_CHAT', ...IDS, user: 'customer' });
    assert.deepEqual(byCustomer.events, [{ ...closed, user: 'customer' }]);
    assert.deepEqual(byCustomer.group, { ...NEW_GROUP, unread: 1, closed: true, closedBy: 'customer' });
    const byAdmin = taken(stateOf(), { type: 'CLOSE_CHAT', ...IDS, user: 'admin', adminId: 'a1' }, 'admin');
    assert.deepEqual(byAdmin.events, [{ ...closed, adminId: 'a1', user: 'admin' }]);
    const byNobody = taken(stateOf(), { type: 'CLOSE_CHAT', ...IDS }, 'server');
    assert.deepEqual(byNobody.events, [{ ...closed, user: 'server' }]);
    const byNamed = taken(stateOf(), { type: 'CLOSE_CHAT', ...IDS, adminId: 'a1' }, 'server');
    assert.deepEqual(byNamed.events, [{ ...closed, adminId: 'a1', user: 'admin' }]);
    assert.deepEqual([byAdmin.group?.closedBy, byNobody.group?.closedBy], ['admin', 'server']);
  });

  it('CLOSE_CHAT of a customer takes nothing from who closed the chat before; that of an admin or a server does', () => {
    const byCustomer = { type: 'CLOSE_CHAT', ...IDS, user: 'customer' } as const;
    for (const closedBy of ['admin', 'bot', null] as const) {
      assert.equal(taken(stateOf({ closed: true, closedBy }), byCustomer).group?.closedBy, closedBy);
    }
    const ofCustomer = stateOf({ closed: true, closedBy: 'customer' });
    assert.equal(taken(ofCustomer, { ...byCustomer, user: 'bot' }, 'server').group?.closedBy, 'bot');
  });

  it('READ of an admin sets unread to 0, and keeps how far', () => {
    const state = stateOf({ unread: 3, lastSeq: 9, adminRead: 5 });
    const { events, group } = taken(state, { type: 'READ', ...IDS, user: 'admin', adminId: 'a1', seq: 7 }, 'admin');
    assert.deepEqual(events, [{ type: 'READ', ...IDS, adminId: 'a1', user: 'admin', seq: 7 }]);
    assert.deepEqual(group, { ...NEW_GROUP, lastSeq: 9, unread: 0, adminRead: 7 });
  });

  it('READ of a customer leaves unread as it is, and never goes back', () => {
    const state = stateOf({ unread: 3, lastSeq: 9, customerRead: 5 });
    const { events, group } = taken(state, { type: 'READ', ...IDS, user: 'customer', seq: 4 });
    assert.deepEqual(events, [{ type: 'READ', ...IDS, user: 'customer', seq: 4 }]);
    assert.deepEqual(group, { ...NEW_GROUP, lastSeq: 9, unread: 3, customerRead: 5 });
  });

  it('READ beyond the log is refused, and up to its end taken', () => {
    const read = (seq: number): Body => ({ type: 'READ', ...IDS, user: 'customer', seq });
    assert.equal(refused(stateOf({ lastSeq: 3 }), read(4)), 'invalid_payload');
    assert.equal(taken(stateOf({ lastSeq: 3 }), read(3)).group?.customerRead, 3);
  });

  it('TYPING is passed on, and changes nothing', () => {
    const state = stateOf({ unread: 1 });
    const typing = taken(state, { type: 'TYPING', ...IDS, user: 'customer', typing: true });
    assert.deepEqual(typing.events, [{ type: 'TYPING', ...IDS, user: 'customer', typing: true }]);
    assert.deepEqual(typing.state, state);
  });

  it('SYS_MSG is an announcement of the dealer’s', () => {
    const { events } = taken(stateOf(), { type: 'SYS_MSG', dealerId: 'd1', adminId: 'a1', message: 'Sale!' }, 'admin');
    const fields = { dealerId: 'd1', adminId: 'a1', user: 'admin', muted: true, unread: 0 };
    assert.deepEqual(events, [{ type: 'SYS_MSG', ...fields, message: 'Sale!' }]);
  });
});

describe('who is there', () => {
  const customerIs = (online: boolean) => ({ type: 'UPDATE_GROUP', ...IDS, user: 'customer', online });
  const adminIs = (online: boolean, groupId?: string) => ({
    type: 'UPDATE_CHAT',
    dealerId: 'd1',
    ...(groupId !== undefined && { groupId }),
    adminId: 'a1',
    user: 'admin',
    online,
  });
  const CLAIM: Entry = { by: 'claim', id: undefined, at: 0, isHere: false };
  const join = (online: boolean, entry: Entry | null = null, node = 'n1'): Body => ({
    type: 'CLIENT_JOIN',
    ...IDS,
    online,
    node,
    entry,
  });
  const adminJoin = (online: boolean, node = 'n1'): Body => ({
    type: 'ADMIN_JOIN',
    dealerId: 'd1',
    adminId: 'a1',
    online,
    node,
  });
  const nodes = new Set(['n1']);

  it('lets an admin have 200 chats open, and no more until one is left [P-7.5]', () => {
    const openChats = new Set(['@desk', ...Array.from({ length: MAX_OPEN_CHATS }, (_, n) => `g${n}`)]);
    const says = (groupId: string | undefined, online: boolean): Body => ({
      type: 'UPDATE_CHAT',
      dealerId: 'd1',
      ...(groupId !== undefined && { groupId }),
      adminId: 'a1',
      user: 'admin',
      online,
    });
    const full = stateOf({}, { openChats });
    for (const body of [says('g1', true), says('g1', false), says(undefined, true)]) taken(full, body, 'admin');
    assert.equal(refused(full, says('one more', true), 'admin'), 'too_large');
    const { state } = taken(full, says('g1', false), 'admin');
    taken(state, says('one more', true), 'admin');
    const away = stateOf({}, { openChats: new Set([...openChats].slice(1)) });
    taken(away, says(undefined, true), 'admin');
    assert.equal(refused(away, says('one more', true), 'admin'), 'too_large');
  });

  it('a customer’s first join makes the group, and tells it', () => {
    const { events, group, state } = taken({ ...NOTHING, dealer: true }, join(true, CLAIM));
    assert.deepEqual(events, [customerIs(true)]);
    assert.deepEqual(group, { ...NEW_GROUP, online: true, holder: 'claimed' });
    assert.deepEqual([...state.nodes], ['n1']);
  });

  it('a group that exists cannot be claimed without its token', () => {
    assert.equal(refused(stateOf(), join(true, CLAIM)), 'unauthorized');
    assert.equal(refused(stateOf({ online: true }), join(true, CLAIM)), 'unauthorized');
  });

  it('a customer’s coming and leaving is told only where it changes something', () => {
    assert.deepEqual(taken(stateOf(), join(true)).events, [customerIs(true)]);
    assert.deepEqual(taken(stateOf({ online: true }, { nodes }), join(true)).events, []);
    assert.deepEqual(taken(stateOf({ online: true }, { nodes }), join(false)).events, [customerIs(false)]);
    assert.deepEqual(taken(stateOf({}, { nodes }), join(false)).events, []);
  });

  it('a customer is online while any node has a socket of theirs', () => {
    const both = taken(stateOf({ online: true }, { nodes }), join(true, null, 'n2'));
    assert.deepEqual([both.events, [...both.state.nodes]], [[], ['n1', 'n2']]);
    const one = taken(both.state, join(false, null, 'n1'));
    assert.deepEqual([one.events, one.group?.online, [...one.state.nodes]], [[], true, ['n2']]);
    const none = taken(one.state, join(false, null, 'n2'));
    assert.deepEqual([none.events, none.group?.online, [...none.state.nodes]], [[customerIs(false)], false, []]);
  });

  it('nobody leaves a node where they were not, and leaving makes no group', () => {
    const elsewhere = stateOf({ online: true }, { nodes });
    assert.deepEqual(taken(elsewhere, join(false, null, 'n2')), {
      events: [],
      state: elsewhere,
      group: elsewhere.group,
    });
    const saidToBeHere = stateOf({ online: true });
    assert.deepEqual(taken(saidToBeHere, join(false)).events, []);
    const gone = taken({ ...NOTHING, dealer: true, nodes }, join(false));
    assert.deepEqual([gone.events, gone.group, [...gone.state.nodes]], [[], null, []]);
  });

  it('an admin’s coming is told at the desk, once', () => {
    const first = taken({ ...NOTHING, dealer: true }, adminJoin(true), 'admin');
    assert.deepEqual(first.events, [adminIs(true)]);
    assert.deepEqual([...first.state.openChats], ['@desk']);
    assert.deepEqual(taken(first.state, adminJoin(true), 'admin').events, []);
  });

  it('an admin who leaves the dealer leaves every chat, and then the desk', () => {
    const state = { ...NOTHING, dealer: true, nodes, openChats: new Set(['@desk', 'g2', 'g1']) };
    const left = taken(state, adminJoin(false), 'admin');
    assert.deepEqual(left.events, [adminIs(false, 'g1'), adminIs(false, 'g2'), adminIs(false)]);
    assert.deepEqual([...left.state.openChats], []);
  });

  it('an admin who leaves one node of two leaves nothing', () => {
    const state = { ...NOTHING, dealer: true, nodes: new Set(['n1', 'n2']), openChats: new Set(['@desk', 'g1']) };
    const left = taken(state, adminJoin(false, 'n2'), 'admin');
    assert.deepEqual(left.events, []);
    assert.deepEqual([[...left.state.openChats], [...left.state.nodes]], [['@desk', 'g1'], ['n1']]);
    assert.deepEqual(taken(state, adminJoin(false, 'n3'), 'admin').events, []);
  });

  it('an admin opens and leaves one chat', () => {
    const body = { type: 'UPDATE_CHAT', ...IDS, user: 'admin', adminId: 'a1' } as const;
    const opened = taken(stateOf(), { ...body, online: true }, 'admin');
    assert.deepEqual(opened.events, [adminIs(true, 'g1')]);
    assert.deepEqual([...opened.state.openChats], ['g1']);
    const left = taken(opened.state, { ...body, online: false }, 'admin');
    assert.deepEqual(left.events, [adminIs(false, 'g1')]);
    assert.deepEqual([...left.state.openChats], []);
  });

  it('another server may say that an admin or a customer is there', () => {
    const ofAdmin = { type: 'UPDATE_CHAT', dealerId: 'd1', user: 'admin', adminId: 'a1', online: true } as const;
    assert.deepEqual(taken(NOTHING, ofAdmin, 'server').events, [adminIs(true)]);
    const ofCustomer = { type: 'UPDATE_CHAT', ...IDS, user: 'customer', online: true } as const;
    assert.deepEqual(taken(NOTHING, ofCustomer, 'server').events, [customerIs(true)]);
    const ofGroup = taken(stateOf({ online: true }), { type: 'UPDATE_GROUP', ...IDS, online: false }, 'server');
    assert.deepEqual(ofGroup.events, [customerIs(false)]);
    assert.equal(ofGroup.group?.online, false);
  });
});
