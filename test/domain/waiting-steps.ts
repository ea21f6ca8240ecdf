/** Steps by chance of a conversation that somebody waits in, taken by `decide` and by the model of it beside each other. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { KeptTogether } from '../../schemas/dealers.ts';
import type { Event } from '../../schemas/delivered.ts';
import { decide } from '../../src/domain/decide.ts';
import type { Command, State } from '../../src/domain/state.ts';
import { IDS, NOW, stateOf } from './deciding.ts';
import { type Answer, SECOND, type Told, WaitModel } from './waiting-model.ts';

type Body = Command['body'];

/** What of an event the model speaks of. */
function toldBy(event: Event): Told {
  const { type } = event;
  if (type === 'CHAT_MSG' || type === 'CLOSE_CHAT' || type === 'HANDOFF') return [type, event.waiting];
  if (type === 'ASSIGNED') return [type, event.assignee, event.reason];
  if (type === 'OVERDUE') return [type, event.since, event.for];
  if (type !== 'MUTE_STATUS') return [type];
  const { adminId, muted, waiting, reason } = event;
  return [type, adminId, muted, waiting, ...(reason === undefined ? [] : [reason])];
}

/** Types of events that are in the conversation's own scope. */
const NUMBERED = new Set(['CHAT_MSG', 'CLOSE_CHAT', 'ASSIGNED', 'MUTE_STATUS']);

/** A conversation as `decide` has it, and the model of it; both in the same time. */
export class Pair {
  readonly model = new WaitModel();
  state: State = stateOf();
  at = NOW;
  /** All that was told, with when. */
  readonly log: [at: number, event: Event][] = [];
  /** Whether the dealer was last told to be open, and an admin to be here. */
  lastTold = { open: true, admins: false };
  /** A bot has spoken in another conversation: that there is one may be seen a day later. */
  isBotElsewhere = false;

  get group() {
    return this.state.group ?? assert.fail('no group');
  }

  /** Asks `decide`; the state is the next. */
  ask(body: Body, role: Command['role'] = 'server'): Answer {
    const given: State = { ...this.state, at: this.at };
    const decision = decide(given, { role, sender: 's', key: null, body }, { autoMute: true, autoAssign: true });
    if ('refusal' in decision) return decision.refusal.code;
    this.state = decision.state;
    for (const event of decision.events) this.#note(event);
    return decision.events.map(toldBy);
  }

  /** The journal's part: events are numbered. */
  #note(event: Event): void {
    this.log.push([this.at, event]);
    if (event.type === 'AVAILABILITY') this.lastTold = { open: event.open, admins: event.admins };
    if (!NUMBERED.has(event.type)) return;
    const lastSeq = this.group.lastSeq + 1;
    const lastMessageSeq = event.type === 'CHAT_MSG' ? lastSeq : this.group.lastMessageSeq;
    this.state = { ...this.state, group: { ...this.group, lastSeq, lastMessageSeq } };
  }

  wakes(): Told[] {
    const told = this.ask({ type: 'WAKE_GROUP', ...IDS });
    return typeof told === 'string' ? assert.fail(told) : [...told];
  }

  /** What a node does once a second. */
  sweeps(): void {
    const { rules } = this.state;
    const isDealerDue = rules.lookAt !== null && rules.lookAt <= this.at;
    if (isDealerDue || (this.group.due !== null && this.group.due <= this.at)) {
      assert.deepEqual(this.wakes(), this.model.wake(this.at));
    }
    if (isDealerDue) this.ask({ type: 'WAKE_DEALER', dealerId: IDS.dealerId });
  }

  /** An admin comes to the dealer or leaves it. */
  moves(adminId: string, online: boolean): void {
    const { admins } = this.model;
    const isHere = admins.has(adminId);
    const openChats = new Set(isHere ? ['@desk'] : []);
    const nodes = new Set(isHere ? ['n1'] : []);
    this.state = { ...this.state, openChats, nodes, present: admins.size };
    this.ask({ type: 'ADMIN_JOIN', dealerId: IDS.dealerId, adminId, online, node: 'n1' });
    if (online) admins.add(adminId);
    else if (admins.delete(adminId) && admins.size === 0) this.model.aloneSince = this.at;
    if (online) this.model.aloneSince = null;
    this.state = { ...this.state, present: admins.size };
  }

  /** The dealer's own server comes or leaves. */
  serves(online: boolean): void {
    this.state = { ...this.state, nodes: new Set(this.model.hasServer ? ['n1'] : []) };
    this.ask({ type: 'SERVER_JOIN', dealerId: IDS.dealerId, online, node: 'n1' });
    this.model.hasServer = online;
    this.state = { ...this.state, rules: { ...this.state.rules, hasServer: online } };
  }

  /** [P-13.1] As a `PATCH` of the dealer leaves it: it is looked at. */
  sets(settings: KeptTogether): void {
    this.model.settings = settings;
    this.state = { ...this.state, rules: { ...this.state.rules, settings, lookAt: 0 } };
  }

  botSpeaksElsewhere(): void {
    const had = this.model.hasBot(this.at);
    this.model.botSpeaks(this.at);
    if (!had && this.model.hasBot(this.at)) this.isBotElsewhere = true;
    const { rules } = this.state;
    const botSpokeAt = this.at - rules.botSpokeAt < 60 * SECOND ? rules.botSpokeAt : this.at;
    this.state = { ...this.state, rules: { ...rules, botSpokeAt } };
  }
}

/** Something that happens, and that both must say the same of. */
export type Step = (pair: Pair) => void;

/** A command that both answer. */
const both =
  (body: Body, role: Command['role'], expected: (model: WaitModel, at: number, pair: Pair) => Answer): Step =>
  (pair) => {
    const answer = expected(pair.model, pair.at, pair);
    assert.deepEqual(pair.ask(body, role), answer);
  };

const adminId = fc.constantFrom('a1', 'a2', 'a3');
const nobodyOr = fc.constantFrom(null, 'a1', 'a2');
const expected = fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: nobodyOr });
const says = { type: 'UPDATE_MSG', ...IDS, message: 'Hello' } as const;

const customerSays = fc.constant(
  both({ ...says, user: 'customer' }, 'customer', (model, at, { group }) => model.customerSays(at, group.lastSeq)),
);
const botSays = fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }).map(
  (back): Step =>
    (pair) => {
      const replyTo = back === undefined ? undefined : Math.max(1, pair.group.lastSeq - back);
      const body: Body = { ...says, user: 'bot', ...(replyTo !== undefined && { replyTo }) };
      both(body, 'server', (model, at) => model.botSays(at, replyTo))(pair);
    },
);
const adminSays = fc
  .tuple(adminId, expected)
  .map(([adminId, expectAssignee]) =>
    both(
      { ...says, user: 'admin', adminId, ...(expectAssignee !== undefined && { expectAssignee }) },
      'admin',
      (model, at) => model.adminSays(at, adminId, expectAssignee),
    ),
  );
const mutes = fc
  .tuple(adminId, fc.boolean())
  .map(([adminId, muted]) =>
    both({ type: muted ? 'MUTE_BOT' : 'UNMUTE_BOT', ...IDS, adminId }, 'admin', (model, at) => [
      muted ? model.mute(at, adminId) : model.unmute(at, adminId),
    ]),
  );
const closes = fc.constantFrom(
  both({ type: 'CLOSE_CHAT', ...IDS, user: 'customer' }, 'customer', (model) => model.close('customer')),
  both({ type: 'CLOSE_CHAT', ...IDS, user: 'admin', adminId: 'a1' }, 'admin', (model) => model.close('admin')),
);
const assigns = fc
  .tuple(adminId, nobodyOr, expected)
  .map(([adminId, assignee, expect]) =>
    both({ type: 'ASSIGN', ...IDS, adminId, assignee, ...(expect !== undefined && { expect }) }, 'admin', (model, at) =>
      model.assign(at, assignee, expect),
    ),
  );
const handsOff = fc.constant(both({ type: 'HANDOFF', ...IDS }, 'server', (model, at) => model.handOff(at)));
const types = adminId.map((adminId) =>
  both({ type: 'TYPING', ...IDS, user: 'admin', adminId, typing: true }, 'admin', (model, at) => model.adminTypes(at)),
);

const moves = fc.tuple(adminId, fc.boolean()).map(
  ([adminId, online]): Step =>
    (pair) =>
      pair.moves(adminId, online),
);
const botComes = fc.constantFrom<Step>(
  (pair) => pair.serves(true),
  (pair) => pair.serves(false),
  (pair) => pair.botSpeaksElsewhere(),
);

const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const few = fc.constantFrom(1, 20, 100, 400);
const opening = fc.constantFrom(['03:00', '03:10'], ['03:06', '03:20'], ['00:00', '24:00'], ['05:00', '24:00']);
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const hours = fc.array(
  opening.map(([open = '', close = '']) => ({ days: [...DAYS], open, close })),
  { maxLength: 2 },
);
const without = (given: object) => JSON.parse(JSON.stringify(given));
const settings = (hasHours: boolean) =>
  fc
    .record({
      bot: fc.constantFrom(true, true, false, undefined),
      answerWithin: some(fc.record({ bot: some(few), admin: some(few) })),
      handBackAfter: some(
        fc.record({
          seconds: fc.constantFrom(undefined, null, 5, 300),
          alone: fc.constantFrom(undefined, null, 7, 200),
        }),
      ),
      hours: hasHours ? some(hours) : fc.constant(undefined),
    })
    .map(
      (given): Step =>
        (pair) =>
          pair.sets(without(given)),
    );

/** Time goes by: some of it, or until something falls due, a millisecond less or more. */
const passes = fc.oneof(
  fc.constantFrom(1, SECOND, 30 * SECOND, 120 * SECOND, 900 * SECOND).map(
    (by): Step =>
      (pair) => {
        pair.at += by;
      },
  ),
  fc.integer({ min: 0, max: 1200 * SECOND }).map(
    (by): Step =>
      (pair) => {
        pair.at += by;
      },
  ),
  fc.constant<Step>((pair) => {
    pair.at += 25 * 3600 * SECOND;
  }),
);
const comesDue = fc.constantFrom(-1, 0, 1).map(
  (more): Step =>
    (pair) => {
      pair.at = Math.max(pair.at, (pair.model.fallsDue(pair.at) ?? pair.at) + more);
    },
);
const goesBack = fc.integer({ min: 1, max: 200 * SECOND }).map(
  (by): Step =>
    (pair) => {
      pair.at -= by;
    },
);

const wakes = fc.constant<Step>((pair) => {
  const expected = pair.model.wake(pair.at);
  assert.deepEqual(pair.wakes(), expected);
  assert.ok(pair.group.due === null || pair.group.due > pair.at, 'nothing is left to do');
  const before = pair.state;
  assert.deepEqual([pair.wakes(), pair.state], [[], { ...before, at: pair.at }], 'again, it says nothing');
  if (pair.state.rules.lookAt === null || pair.state.rules.lookAt > pair.at) pair.isBotElsewhere = false;
});
const sweeps = fc.constant<Step>((pair) => pair.sweeps());

/** Steps in a time that only goes on, and hours turn in it; or in one that is set back, and there are none. */
export const anySteps = fc
  .boolean()
  .chain((isSteady) =>
    fc.array(
      fc.oneof(
        { weight: 5, arbitrary: customerSays },
        { weight: 3, arbitrary: botSays },
        { weight: 2, arbitrary: adminSays },
        { weight: 4, arbitrary: mutes },
        { weight: 1, arbitrary: closes },
        { weight: 2, arbitrary: assigns },
        { weight: 2, arbitrary: handsOff },
        { weight: 1, arbitrary: types },
        { weight: 3, arbitrary: moves },
        { weight: 1, arbitrary: botComes },
        { weight: 2, arbitrary: settings(isSteady) },
        { weight: 4, arbitrary: passes },
        { weight: 4, arbitrary: comesDue },
        { weight: isSteady ? 0 : 1, arbitrary: goesBack },
        { weight: 4, arbitrary: wakes },
        { weight: 4, arbitrary: sweeps },
      ),
      { maxLength: 40, size: 'max' },
    ),
  );
