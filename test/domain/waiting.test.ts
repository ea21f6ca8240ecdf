/** [P-12.1, P-12.2] Who must answer, by plain values. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decide } from '../../src/domain/decide.ts';
import { type Command, type Group, NEW_RULES, type Rules, type State } from '../../src/domain/state.ts';
import { IDS, NOW, refused, stateOf, taken } from './deciding.ts';

type Body = Command['body'];

const SECOND = 1000;
const WITH_BOT: Partial<Rules> = { settings: { bot: true } };

/** A conversation in the course of time. */
class Talk {
  state: State;
  at = NOW;

  constructor(group: Partial<Group> = {}, rules: Partial<Rules> = WITH_BOT) {
    this.state = stateOf(group, { rules: { ...NEW_RULES, aloneSince: null, ...rules } });
  }

  /** Some seconds pass. */
  later(seconds: number): this {
    this.at += seconds * SECOND;
    return this;
  }

  ask(body: Body, role: Command['role']) {
    return decide(
      { ...this.state, at: this.at },
      { role, sender: 'somebody', key: null, body },
      { autoMute: true, maxBotRun: 3 },
    );
  }

  /** What happens; the state is the next. */
  do(body: Body, role: Command['role'] = 'server') {
    const { events, state } = taken(this.ask(body, role));
    this.state = state;
    return events;
  }

  says(user: 'customer' | 'admin' | 'bot') {
    const adminId = user === 'admin' ? { adminId: 'a1' } : {};
    const body = { type: 'UPDATE_MSG', ...IDS, user, ...adminId, message: 'Hello' } as Body;
    return this.do(body, user === 'bot' ? 'server' : user).map(waitingIn);
  }

  mutes(muted: boolean) {
    return this.do({ type: muted ? 'MUTE_BOT' : 'UNMUTE_BOT', ...IDS, adminId: 'a1' }, 'admin').map(waitingIn);
  }

  wakes() {
    return this.do({ type: 'WAKE_GROUP', ...IDS });
  }

  get group(): Group {
    return this.state.group ?? assert.fail('no group');
  }
}

const waitingIn = (event: object): unknown => Reflect.get(event, 'waiting');
const since = (at: number) => new Date(at).toISOString();

describe('[P-12.1] waiting', () => {
  it('begins with a customer’s message, for the bot where it may speak and the dealer has one', () => {
    assert.deepEqual(new Talk().says('customer'), [{ since: since(NOW), for: 'bot' }]);
    assert.deepEqual(new Talk({}, {}).says('customer'), [{ since: since(NOW), for: 'admin' }]);
    assert.deepEqual(new Talk({ mutedBy: 'a1' }).says('customer'), [{ since: since(NOW), for: 'admin' }]);
    assert.deepEqual(new Talk({}, { hasServer: true }).says('customer'), [{ since: since(NOW), for: 'bot' }]);
    const without: Partial<Rules> = { settings: { bot: false }, hasServer: true, botSpokeAt: NOW };
    assert.deepEqual(new Talk({}, without).says('customer'), [{ since: since(NOW), for: 'admin' }]);
  });

  it('is since the first message that nobody has answered', () => {
    const talk = new Talk();
    talk.says('customer');
    assert.deepEqual(talk.later(5).says('customer'), [{ since: since(NOW), for: 'bot' }]);
    assert.deepEqual(talk.later(5).says('bot'), [null]);
    assert.deepEqual(talk.later(5).says('customer'), [{ since: since(NOW + 15 * SECOND), for: 'bot' }]);
  });

  it('ends with an admin’s message, and the MUTE_STATUS before it is still of who waits', () => {
    const talk = new Talk();
    talk.says('customer');
    assert.deepEqual(talk.later(1).says('admin'), [{ since: since(NOW), for: 'admin' }, null]);
    assert.deepEqual(talk.says('admin'), [null]);
  });

  it('ends with a close, and is turned by a mute and an unmute', () => {
    const talk = new Talk();
    talk.says('customer');
    assert.deepEqual(talk.later(1).mutes(true), [{ since: since(NOW), for: 'admin' }]);
    assert.deepEqual(talk.later(1).mutes(false), [{ since: since(NOW), for: 'bot' }]);
    assert.deepEqual(talk.do({ type: 'CLOSE_CHAT', ...IDS, user: 'customer' }, 'customer').map(waitingIn), [null]);
    assert.equal(talk.group.waitingSince, null);
    assert.deepEqual(talk.later(1).mutes(true), [null], 'nobody waits');
  });

  it('of a bot’s dealer is a bot’s for a day after it has spoken', () => {
    const talk = new Talk({}, {});
    talk.says('bot');
    assert.deepEqual(talk.later(60 * 60).says('customer'), [{ since: since(talk.at), for: 'bot' }]);
    talk.later(24 * 60 * 60).says('admin');
    talk.mutes(false);
    assert.deepEqual(talk.says('customer'), [{ since: since(talk.at), for: 'admin' }]);
  });

  it('a bot that speaks is noted once in a minute', () => {
    const talk = new Talk({}, {});
    talk.says('bot');
    const { rules } = talk.state;
    assert.equal(rules.botSpokeAt, NOW);
    talk.later(59).says('bot');
    assert.equal(talk.state.rules, rules);
    talk.later(1).says('bot');
    assert.equal(talk.state.rules.botSpokeAt, NOW + 60 * SECOND);
  });
});

describe('[P-12.2] overdue', () => {
  const told = (side: 'bot' | 'admin') => ({ type: 'OVERDUE', ...IDS, user: 'customer', since: since(NOW), for: side });

  it('is a bot after 30 s and then an admin after 120 s, each once', () => {
    const talk = new Talk();
    talk.says('customer');
    assert.equal(talk.group.due, NOW + 30 * SECOND);
    assert.deepEqual(talk.later(29.999).wakes(), []);
    assert.deepEqual(talk.later(0.001).wakes(), [told('bot')]);
    assert.deepEqual([talk.group.waitingFor, talk.group.waitingSince], ['admin', NOW]);
    assert.equal(talk.group.due, NOW + 150 * SECOND);
    assert.deepEqual(talk.wakes(), []);
    assert.deepEqual(talk.later(120).wakes(), [told('admin')]);
    assert.deepEqual([talk.wakes(), talk.later(3600).wakes(), talk.group.waitingFor], [[], [], 'admin']);
  });

  it('is as the dealer’s settings say', () => {
    const talk = new Talk({}, { settings: { bot: true, answerWithin: { bot: 2, admin: 3 } } });
    talk.says('customer');
    assert.deepEqual(talk.later(2).wakes(), [told('bot')]);
    assert.deepEqual(talk.later(3).wakes(), [told('admin')]);
  });

  it('is nobody where an answer came first, though the same conversation is looked at', () => {
    for (const answer of ['bot', 'admin'] as const) {
      const talk = new Talk();
      talk.says('customer');
      talk.later(29).says(answer);
      assert.deepEqual(talk.later(10).wakes(), []);
    }
  });

  it('is told anew of the next wait, and of who is to answer after a mute from then on', () => {
    const talk = new Talk();
    talk.says('customer');
    talk.later(30).wakes();
    talk.says('bot');
    talk.at = NOW;
    talk.says('customer');
    assert.deepEqual(talk.later(30).wakes(), [told('bot')]);
    talk.mutes(true);
    assert.deepEqual(talk.later(119).wakes(), []);
    assert.deepEqual(talk.later(1).wakes(), [told('admin')]);
    talk.mutes(false);
    assert.deepEqual(talk.later(3600).wakes(), [], 'a bot of which it was told is not told of again');
  });

  it('is nothing of a conversation that is not there, or closed', () => {
    const talk = new Talk();
    talk.says('customer');
    talk.do({ type: 'CLOSE_CHAT', ...IDS, user: 'customer' }, 'customer');
    assert.deepEqual(talk.later(60).wakes(), []);
    assert.equal(talk.group.due, null);
    const nothing = taken(new Talk({}).ask({ type: 'WAKE_GROUP', ...IDS, groupId: 'gone' }, 'server'));
    assert.deepEqual(nothing.events, []);
    const nobody = { ...new Talk().state, dealer: false, group: null };
    const command: Command = { role: 'server', sender: 's', key: null, body: { type: 'WAKE_GROUP', ...IDS } };
    assert.equal(refused(decide(nobody, command, { autoMute: true })).code, 'unknown_dealer');
  });

  it('leaves a due that is too early as it is, since an index has it', () => {
    const talk = new Talk();
    talk.says('customer');
    const { due } = talk.group;
    talk.later(5).says('bot');
    talk.later(5).says('customer');
    assert.equal(talk.group.due, due);
    assert.deepEqual(talk.later(20).wakes(), []);
    assert.equal(talk.group.due, NOW + 40 * SECOND);
  });
});

describe('[P-12.5] a mute is a lease', () => {
  const ended = (reason: string, waiting: unknown = null) => ({
    type: 'MUTE_STATUS',
    ...IDS,
    adminId: 'a1',
    muted: false,
    waiting,
    reason,
  });

  it('that ends 900 s after the last word, and lets the assignee go', () => {
    const talk = new Talk({ assignee: 'a2' });
    talk.mutes(true);
    talk.later(1).says('customer');
    const waiting = since(talk.at);
    talk.later(120).wakes();
    assert.deepEqual(talk.later(778.999).wakes(), []);
    assert.deepEqual(talk.later(0.001).wakes(), [
      { type: 'ASSIGNED', ...IDS, assignee: null, reason: 'gone' },
      ended('unanswered', { since: waiting, for: 'bot' }),
    ]);
    assert.deepEqual([talk.group.mutedBy, talk.group.assignee, talk.group.turnedAt], [null, null, talk.at]);
    assert.deepEqual(talk.wakes(), [], 'the bot has its time to answer');
    assert.equal(talk.later(30).wakes().length, 1);
  });

  it('that goes on with a word, and with typing', () => {
    const typing: Body = { type: 'TYPING', ...IDS, user: 'admin', adminId: 'a1', typing: true };
    for (const act of [(talk: Talk) => talk.says('admin'), (talk: Talk) => talk.do(typing, 'admin')]) {
      const talk = new Talk();
      talk.mutes(true);
      act(talk.later(899));
      assert.deepEqual(talk.later(899).wakes(), []);
      assert.deepEqual(talk.later(1).wakes(), [ended('unanswered')]);
    }
  });

  it('that ends 120 s after the last admin has gone, or has acted here', () => {
    const talk = new Talk({}, { ...WITH_BOT, aloneSince: NOW - 500 * SECOND });
    talk.mutes(true);
    assert.deepEqual(talk.later(119).wakes(), []);
    assert.deepEqual(talk.later(1).wakes(), [ended('alone')]);
    const again = new Talk({ mutedBy: 'a1', actedAt: NOW - 500 * SECOND }, { ...WITH_BOT, aloneSince: NOW });
    assert.deepEqual(again.later(119).wakes(), []);
    again.state = { ...again.state, present: 1 };
    assert.deepEqual(again.later(1).wakes(), [], 'one is here after all');
  });

  it('that ends where the dealer is closed', () => {
    const talk = new Talk({}, { settings: { bot: true, hours: [] } });
    talk.mutes(true);
    assert.deepEqual(talk.later(119).wakes(), []);
    assert.deepEqual(talk.later(1).wakes(), [ended('hours')]);
  });

  it('that never ends where the dealer has no bot, says so, or the chat is closed', () => {
    const never = { bot: true, handBackAfter: { seconds: null, alone: null } };
    for (const rules of [{}, { settings: never }, { settings: { bot: false } }]) {
      const talk = new Talk({}, { ...rules, aloneSince: rules.settings === never ? NOW : null });
      talk.mutes(true);
      assert.deepEqual(talk.later(3600).wakes(), []);
      assert.equal(talk.group.due, talk.at + 24 * 3600 * SECOND);
    }
    assert.deepEqual(new Talk({ mutedBy: 'a1', closed: true, due: NOW }).later(3600).wakes(), []);
  });
});

describe('[P-12.8] HANDOFF', () => {
  const asks: Body = { type: 'HANDOFF', ...IDS, reason: 'a price' };

  it('waits for an admin at once, and what the bot says is no answer', () => {
    const talk = new Talk();
    talk.says('customer');
    const waiting = { since: since(NOW), for: 'admin' };
    const told = { type: 'HANDOFF', ...IDS, user: 'bot', reason: 'a price', waiting };
    assert.deepEqual(talk.later(1).do(asks), [told]);
    assert.deepEqual(talk.says('bot'), [waiting]);
    assert.deepEqual(
      talk
        .later(120)
        .wakes()
        .map(({ type }) => type),
      ['OVERDUE'],
    );
    assert.deepEqual(talk.says('admin'), [waiting, null]);
  });

  it('begins a wait where nobody waits, and is refused while the bot is muted, or the chat closed', () => {
    const talk = new Talk();
    assert.deepEqual(talk.do(asks).map(waitingIn), [{ since: since(NOW), for: 'admin' }]);
    assert.equal(refused(new Talk({ mutedBy: 'a1' }).ask(asks, 'server')).code, 'bot_muted');
    assert.equal(refused(new Talk({ closed: true }).ask(asks, 'server')).code, 'group_closed');
  });
});

describe('[P-12.9] bots that go on and on', () => {
  it('come to an end, until anybody else says something', () => {
    const talk = new Talk();
    for (let count = 0; count < 3; count += 1) talk.says('bot');
    const more: Body = { type: 'UPDATE_MSG', ...IDS, user: 'bot', message: 'and on' };
    assert.equal(refused(talk.ask(more, 'server')).code, 'rate_limited');
    assert.equal(refused(talk.ask({ type: 'HANDOFF', ...IDS }, 'server')).code, 'rate_limited');
    talk.says('customer');
    assert.deepEqual(talk.says('bot'), [null]);
  });
});

describe('[P-18.2] an answer that grows', () => {
  const shows: Body = { type: 'TYPING', ...IDS, typing: true, text: 'It is' };

  it('is passed on, and refused once the bot is muted or the chat closed', () => {
    const [told] = new Talk().do(shows);
    assert.deepEqual(told, { type: 'TYPING', ...IDS, user: 'bot', typing: true, text: 'It is' });
    assert.equal(refused(new Talk({ mutedBy: 'a1' }).ask(shows, 'server')).code, 'bot_muted');
    assert.equal(refused(new Talk({ closed: true }).ask(shows, 'server')).code, 'group_closed');
  });

  it('is a bot’s alone, and its plain typing is passed on as ever', () => {
    const [byAdmin] = new Talk({ mutedBy: 'a1' }).do({ ...shows, user: 'admin', adminId: 'a1' } as Body);
    assert.equal(Reflect.has(byAdmin ?? {}, 'text'), false);
    assert.equal(new Talk({ mutedBy: 'a1' }).do({ type: 'TYPING', ...IDS, typing: true }).length, 1);
  });
});
