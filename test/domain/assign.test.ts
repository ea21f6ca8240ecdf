/** [P-12.3, P-12.4] Whose a conversation is, by plain values. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decide } from '../../src/domain/decide.ts';
import { type Command, NEW_RULES, type State } from '../../src/domain/state.ts';
import { IDS, NOW, refused, stateOf, taken } from './deciding.ts';

type Body = Command['body'];

const ask = (state: State, body: Body, role: Command['role'] = 'admin', autoAssign = true) =>
  decide(state, { role, sender: 'somebody', key: null, body }, { autoMute: true, autoAssign });

const says = (adminId: string, more: object = {}): Body =>
  ({ type: 'UPDATE_MSG', ...IDS, user: 'admin', adminId, message: 'Hello', ...more }) as Body;
const gives = (assignee: string | null, more: object = {}): Body =>
  ({ type: 'ASSIGN', ...IDS, adminId: 'a1', assignee, ...more }) as Body;
const assigned = { type: 'ASSIGNED', ...IDS };

describe('[P-12.3] ASSIGN', () => {
  it('gives a conversation to an admin, or to nobody, and says who asked', () => {
    const given = taken(ask(stateOf(), gives('a2')));
    assert.deepEqual(given.events, [{ ...assigned, adminId: 'a1', assignee: 'a2', reason: 'asked' }]);
    assert.deepEqual([given.state.group?.assignee, given.state.group?.actedAt], ['a2', NOW]);
    const freed = taken(ask(given.state, gives(null)));
    assert.deepEqual(freed.events, [{ ...assigned, adminId: 'a1', assignee: null, reason: 'asked' }]);
    assert.equal(freed.state.group?.assignee, null);
    const byServer = taken(ask(stateOf(), { type: 'ASSIGN', ...IDS, assignee: 'a2' }, 'server'));
    assert.deepEqual(byServer.events, [{ ...assigned, assignee: 'a2', reason: 'asked' }]);
  });

  it('is a conflict where another is expected, nobody being somebody, too', () => {
    const alices = stateOf({ assignee: 'alice' });
    assert.equal(refused(ask(alices, gives('bob', { expect: null }))).code, 'conflict');
    assert.equal(refused(ask(alices, gives('bob', { expect: 'carol' }))).code, 'conflict');
    assert.equal(refused(ask(stateOf(), gives('bob', { expect: 'alice' }))).details?.[0]?.path, '/expect');
    assert.equal(taken(ask(alices, gives('bob', { expect: 'alice' }))).state.group?.assignee, 'bob');
    assert.equal(taken(ask(stateOf(), gives('bob', { expect: null }))).state.group?.assignee, 'bob');
  });
});

describe('[P-12.5] who is given a conversation', () => {
  it('holds its mute from then on, though the clock was set back meanwhile: it is looked at no later than the mute ends', () => {
    const rules = { ...NEW_RULES, aloneSince: null, settings: { bot: true } };
    const muted = taken(ask(stateOf({}, { rules }), { type: 'MUTE_BOT', ...IDS, adminId: 'a1' })).state;
    assert.equal(muted.group?.due, NOW + 900_000);
    const given = taken(ask({ ...muted, at: NOW - 5000 }, gives('a2')));
    assert.equal(given.state.group?.due, NOW + 895_000);
  });
});

describe('[P-12.3] an admin’s message', () => {
  it('takes what is nobody’s, before anything else is told, and leaves what is another’s', () => {
    const first = taken(ask(stateOf(), says('a1')));
    assert.deepEqual(first.events[0], { ...assigned, adminId: 'a1', assignee: 'a1', reason: 'answered' });
    assert.deepEqual(
      first.events.map(({ type }) => type),
      ['ASSIGNED', 'MUTE_STATUS', 'CHAT_MSG'],
    );
    const other = taken(ask(first.state, says('a2')));
    assert.deepEqual([other.events.length, other.state.group?.assignee], [1, 'a1']);
  });

  it('takes nothing where the deployment does not want it', () => {
    const { events, state } = taken(ask(stateOf(), says('a1'), 'admin', false));
    assert.deepEqual([events.map(({ type }) => type), state.group?.assignee], [['MUTE_STATUS', 'CHAT_MSG'], null]);
  });

  it('is a conflict where another assignee is expected, and nothing happens [P-12.4]', () => {
    const first = taken(ask(stateOf(), says('a1', { expectAssignee: null })));
    const late = refused(ask(first.state, says('a2', { expectAssignee: null })));
    assert.deepEqual([late.code, late.details?.[0]?.path], ['conflict', '/expectAssignee']);
    assert.equal(taken(ask(first.state, says('a2', { expectAssignee: 'a1' }))).events.length, 1);
    const [said] = taken(ask(first.state, says('a1', { expectAssignee: 'a1' }))).events;
    assert.equal(Reflect.has(said ?? {}, 'expectAssignee'), false, 'it is not told');
  });
});

describe('[P-12.3] a close', () => {
  it('leaves a conversation to nobody, and says so where it was somebody’s', () => {
    const closes: Body = { type: 'CLOSE_CHAT', ...IDS, user: 'admin', adminId: 'a2' };
    const { events, state } = taken(ask(stateOf({ assignee: 'a1' }), closes));
    assert.deepEqual(events[0], { ...assigned, adminId: 'a2', assignee: null, reason: 'closed' });
    assert.deepEqual([events.length, state.group?.assignee], [2, null]);
    assert.equal(taken(ask(stateOf(), closes)).events.length, 1);
  });
});
