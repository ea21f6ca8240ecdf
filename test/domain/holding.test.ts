/** [P-3.1] By what a customer holds the name of its conversation, and who gives way to whom. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decide } from '../../src/domain/decide.ts';
import { holderAfter, isClaimed } from '../../src/domain/holding.ts';
import { type Command, type Entry, type Holder, NEW_GROUP, type State } from '../../src/domain/state.ts';
import { IDS, refused, stateOf, taken } from './deciding.ts';

const AT = 1_000_000;

const ask = (state: State, body: Command['body'], role: Command['role'] = 'customer', more: Partial<Command> = {}) =>
  decide(state, { role, sender: 'somebody', key: null, body, ...more }, { autoMute: true });

const join = (state: State, entry: Entry | null, online = true) =>
  ask(state, { type: 'CLIENT_JOIN', ...IDS, online, node: 'n1', entry });

const claim = (more: Partial<Extract<Entry, { by: 'claim' }>> = {}): Entry => ({
  by: 'claim',
  id: 'j1',
  at: AT,
  isHere: false,
  ...more,
});
const isHere = (groupId: string, online: boolean) => ({
  type: 'UPDATE_GROUP',
  dealerId: 'd1',
  groupId,
  user: 'customer',
  online,
});

describe('a claim', () => {
  it('holds the name, with the id of its join while that is all that is known of it', () => {
    const held = (entry: Entry) => taken(join(stateOf(null), entry));
    assert.equal(held(claim()).state.group?.holder, `claimed ${AT} j1`);
    assert.equal(held(claim({ id: undefined })).state.group?.holder, 'claimed');
    assert.equal(held(claim()).revoked, undefined);
  });

  const open: Holder = `claimed ${AT} j1`;

  for (const [words, entry, holder, nodes] of [
    ['by another join', claim({ id: 'j2' }), open, []],
    ['by a join without an id', claim({ id: undefined }), open, []],
    ['later than a minute after', claim({ at: AT + 60_001 }), open, []],
    ['while one of its sockets is here', claim({ isHere: true }), open, []],
    ['while another node has one of its sockets', claim(), open, ['n1', 'n2']],
    ['once it was acknowledged', claim(), 'claimed', []],
    ['where a minted token holds the name', claim(), 'minted', []],
    ['where nobody has joined it', claim(), null, []],
  ] as const) {
    it(`is refused again ${words}`, () => {
      const { code, message } = refused(join(stateOf({ holder }, { nodes: new Set(nodes) }), entry));
      assert.deepEqual([code, message], ['unauthorized', 'this group exists: join it with its token']);
    });
  }

  it('is taken again from the same join, up to a minute after, and its first token is taken no more', () => {
    for (const [at, nodes] of [
      [AT, []],
      [AT + 60_000, ['n1']],
    ] as const) {
      const { state, revoked } = taken(join(stateOf({ holder: open }, { nodes: new Set(nodes) }), claim({ at })));
      assert.deepEqual([state.group?.holder, revoked], [`claimed ${at} j1`, true]);
    }
  });

  it('is not taken again by what its id ends with, and is told by the whole of it', () => {
    const holder: Holder = `claimed ${AT} a b`;
    refused(join(stateOf({ holder }), claim({ id: 'b' })));
    assert.equal(taken(join(stateOf({ holder }), claim({ id: 'a b' }))).revoked, true);
  });

  it('is acknowledged by whatever its customer sends, and by the token that it gave, and by nobody else', () => {
    const says = { type: 'UPDATE_MSG', ...IDS, user: 'customer', message: 'm' } as const;
    const holderOf = (decision: ReturnType<typeof ask>) => taken(decision).state.group?.holder;
    const state = stateOf({ holder: open });
    assert.equal(holderOf(ask(state, says)), 'claimed');
    assert.equal(holderOf(ask(state, { type: 'TYPING', ...IDS, user: 'customer', typing: true })), 'claimed');
    assert.equal(holderOf(join(state, { by: 'kept' })), 'claimed');
    assert.equal(holderOf(ask(state, says, 'server')), open);
    assert.equal(holderOf(join(state, null)), open);
    assert.equal(holderOf(ask(stateOf({ holder: null }), says)), null);
    for (const holder of ['claimed', null] as const) {
      assert.equal(holderOf(join(stateOf({ holder }), { by: 'kept' })), holder);
    }
    assert.equal(holderOf(join(stateOf(null), { by: 'kept' })), 'claimed');
  });

  it('is adopted by who shows a minted token', () => {
    for (const holder of [open, 'claimed', null] as const) {
      assert.equal(taken(join(stateOf({ holder }), { by: 'adopted' })).state.group?.holder, 'minted');
    }
  });

  it('is as it was where its customer was here before', () => {
    for (const holder of [open, 'claimed', 'minted', null] as const) {
      assert.equal(holderAfter({ ...NEW_GROUP, holder }, null), holder);
    }
  });

  it('is known by its holder', () => {
    const holders = ['claimed', open, 'minted', null] as const;
    assert.deepEqual(
      holders.map((holder) => isClaimed({ ...NEW_GROUP, holder })),
      [true, true, false, false],
    );
    assert.equal(isClaimed(null), false);
  });
});

describe('a minted token', () => {
  const minted: Entry = { by: 'minted', spare: 's1' };

  it('holds the name where no claim does, and sets nothing aside', () => {
    for (const state of [stateOf(null), stateOf({ holder: 'minted' }), stateOf({ holder: null })]) {
      const decision = taken(join(state, minted));
      assert.deepEqual(decision.events, [isHere('g1', true)]);
      assert.deepEqual([decision.state.group?.holder, decision.setAside], ['minted', undefined]);
    }
  });

  for (const online of [true, false]) {
    it(`sets a claimed conversation aside, ${online ? 'whose customer is told to be gone' : 'and tells of nobody who was not here'}`, () => {
      const before = stateOf({ holder: 'claimed', online, lastSeq: 7, unread: 3 }, { nodes: new Set(['n2']) });
      const { events, state, setAside } = taken(join(before, minted));
      assert.deepEqual(events, [
        { type: 'SET_ASIDE', ...IDS, user: 'customer', setAside: 's1' },
        ...(online ? [isHere('s1', false)] : []),
        isHere('g1', true),
      ]);
      assert.deepEqual(state, {
        ...before,
        group: { ...NEW_GROUP, online: true, lastSeq: 7, holder: 'minted' },
        nodes: new Set(['n1']),
      });
      assert.equal(setAside, 's1');
    });
  }

  it('keeps those out who have but the token of the claim that was', () => {
    for (const by of ['kept', 'adopted'] as const) {
      const { code, message } = refused(join(stateOf({ holder: 'minted' }), { by }));
      assert.deepEqual([code, message], ['unauthorized', 'this name is held by a token that its dealer minted']);
    }
  });

  it('leaves the sockets of the claim nothing to say, and closes them; its own goes on', () => {
    const says = { type: 'UPDATE_MSG', ...IDS, user: 'customer', message: 'm' } as const;
    const state = stateOf({ holder: 'minted' });
    assert.deepEqual(refused(ask(state, says)), {
      code: 'unavailable',
      message: 'this conversation has another name now: join again',
      close: 1012,
    });
    assert.equal(taken(ask(state, says, 'customer', { minted: true })).state.group?.holder, 'minted');
    for (const role of ['admin', 'server'] as const) taken(ask(state, says, role));
    taken(join(state, null));
  });
});

describe('what is refused', () => {
  it('says which field breaks which rule, where it is one', () => {
    const read = { type: 'READ', ...IDS, user: 'customer', seq: 4 } as const;
    assert.deepEqual(refused(ask(stateOf({ lastSeq: 3 }), read)), {
      code: 'invalid_payload',
      message: 'seq is beyond the log',
      details: [{ path: '/seq', message: 'expected at most 3, the last seq of this group' }],
    });
    assert.deepEqual(refused(ask(stateOf(null), read)), {
      code: 'unknown_group',
      message: 'this dealer has no such group',
    });
  });

  it('READ of a customer that names an admin is the customer’s all the same', () => {
    const read = { type: 'READ', ...IDS, user: 'customer', adminId: 'a1', seq: 3 } as const;
    const { events, state } = taken(ask(stateOf({ lastSeq: 3, unread: 2 }), read));
    assert.deepEqual(events, [{ type: 'READ', ...IDS, user: 'customer', seq: 3 }]);
    assert.deepEqual([state.group?.unread, state.group?.adminRead, state.group?.customerRead], [2, 0, 3]);
  });
});
