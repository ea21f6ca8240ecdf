/** What holds whatever anybody sends, in whatever order, however it is batched. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decide } from '../../src/domain/decide.ts';
import { MAX_INTENTS } from '../../src/domain/records.ts';
import { type Command, NEW_GROUP, type State } from '../../src/domain/state.ts';
import type { Outcome } from '../../src/journal/batch.ts';
import type { StoredEvent } from '../../src/store/rows.ts';
import { World } from '../support/world.ts';
import { anyCommand, anyCommands, anyErasure, anyForgettingCommands, anyRecord, anySizes } from './commands.ts';
import { NOW } from './deciding.ts';
import { type Expected, Model } from './model.ts';

const RUNS = { numRuns: 200 };

/** A world where dealer d1 and its group g1 are, and these commands have been run. */
function worldAfter(commands: readonly Command[], sizes: readonly number[], autoMute = true) {
  const world = new World();
  world.rows.dealers.set('d1', { dealerSeq: 0, deskSeq: 0 });
  world.rows.groups.set('d1/g1', NEW_GROUP);
  const outcomes = world.runInBatches(commands, sizes, { autoMute });
  assert.deepEqual(world.faults, [], 'every command could be decided');
  return { world, outcomes };
}

const payloadOf = (event: { readonly payload: string }) => JSON.parse(event.payload);
const ackOf = (outcome: Outcome) => ('ack' in outcome ? outcome.ack : null);

/** The logs of all scopes. */
function scopesOf(log: readonly StoredEvent[]): Map<string, StoredEvent[]> {
  const scopes = new Map<string, StoredEvent[]>();
  for (const event of log) {
    const name = `${event.dealerId}/${event.scope}`;
    scopes.set(name, [...(scopes.get(name) ?? []), event]);
  }
  return scopes;
}

/** What an outcome comes to, in the model's words. */
function summary(outcome: Outcome): Expected {
  if ('refusal' in outcome) return { refused: outcome.refusal.code };
  if (outcome.ack?.duplicate) return 'repeat';
  const own = outcome.happened.at(-1);
  if (own?.type !== 'CHAT_MSG') return 'done';
  const { muted, unread } = payloadOf(own);
  return { muted, unread };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}

describe('whatever is sent', () => {
  it('no bot speaks while it is muted or the chat is closed, as the log itself tells it [P-7.3, P-7.4]', () => {
    fc.assert(
      fc.property(anyForgettingCommands, anySizes, fc.boolean(), (commands, sizes, autoMute) => {
        for (const log of scopesOf(worldAfter(commands, sizes, autoMute).world.log).values()) {
          let [muted, closed] = [false, false];
          for (const event of log) {
            const payload = payloadOf(event);
            if (event.type === 'MUTE_STATUS') muted = payload.muted;
            if (event.type === 'CLOSE_CHAT') closed = true;
            if (event.type !== 'CHAT_MSG') continue;
            assert.ok(payload.user !== 'bot' || !(muted || closed), 'a bot spoke out of turn');
            assert.equal(payload.muted, muted, 'muted is what the log before it says [P-7.1]');
            closed = false;
          }
        }
      }),
      RUNS,
    );
  });

  it('every scope is numbered 1, 2, 3, … in the order in which things happened, on from what was erased [P-8.2]', () => {
    fc.assert(
      fc.property(anyForgettingCommands, anySizes, (commands, sizes) => {
        const { world } = worldAfter(commands, sizes);
        const scopes = scopesOf(world.log);
        for (const [name, log] of scopes) {
          const erased = world.rows.erased.get(name) ?? 0;
          assert.deepEqual(
            log.map(({ seq }) => seq),
            log.map((_, index) => erased + index + 1),
          );
        }
        for (const [name, { dealerSeq, deskSeq }] of world.rows.dealers) {
          assert.equal(dealerSeq, scopes.get(`${name}/@dealer`)?.length ?? 0);
          assert.equal(deskSeq, scopes.get(`${name}/@desk`)?.length ?? 0);
        }
        for (const [name, { lastSeq, lastMessageSeq }] of world.rows.groups) {
          const log = scopes.get(name) ?? [];
          assert.equal(lastSeq, (world.rows.erased.get(name) ?? 0) + log.length);
          assert.equal(lastMessageSeq, log.findLast(({ type }) => type === 'CHAT_MSG')?.seq ?? 0);
        }
      }),
      RUNS,
    );
  });

  it('every ack names the event that was stored for it, and no other [P-8.1]', () => {
    fc.assert(
      fc.property(anyCommands, anySizes, (commands, sizes) => {
        const { world, outcomes } = worldAfter(commands, sizes);
        outcomes.forEach((outcome, index) => {
          const ack = ackOf(outcome);
          const command = commands[index];
          if (!ack || !command) return;
          const event = world.log.find(
            ({ dealerId, scope, seq }) => dealerId === command.body.dealerId && scope === ack.scope && seq === ack.seq,
          );
          assert.equal(event?.sender, command.sender);
          assert.equal(event?.id, ack.id);
          if (command.key !== null) assert.equal(ack.id, command.key);
        });
      }),
      RUNS,
    );
  });

  it('a key is stored once for its sender and scope, and a repeat is acked with the first one’s seq [P-8.4]', () => {
    fc.assert(
      fc.property(anyCommands, anySizes, (commands, sizes) => {
        const { world, outcomes } = worldAfter(commands, sizes);
        const keyed = world.log.filter((event) => event.keyed);
        const names = keyed.map(({ dealerId, scope, sender, id }) => [dealerId, scope, sender, id].join(' '));
        assert.equal(new Set(names).size, names.length);
        outcomes.forEach((outcome, index) => {
          const ack = ackOf(outcome);
          const { sender, body } = commands[index] ?? {};
          if (!ack?.duplicate || 'refusal' in outcome) return;
          assert.deepEqual(outcome.happened, []);
          const first = keyed.find(
            (event) =>
              event.dealerId === body?.dealerId &&
              event.scope === ack.scope &&
              event.sender === sender &&
              event.id === ack.id,
          );
          assert.deepEqual({ seq: first?.seq, at: first?.at }, { seq: ack.seq, at: ack.at });
        });
      }),
      RUNS,
    );
  });

  it('sending again everything that was stored under a key changes nothing [P-8.4]', () => {
    fc.assert(
      fc.property(anyCommands, anySizes, anySizes, (commands, sizes, again) => {
        const { world, outcomes } = worldAfter(commands, sizes);
        const acked = commands.filter(({ key }, index) => key !== null && outcomes[index] && ackOf(outcomes[index]));
        const before = structuredClone({ rows: world.rows, log: world.log });
        const repeats = world.runInBatches(acked, again);
        assert.deepEqual(structuredClone({ rows: world.rows, log: world.log }), before);
        for (const repeat of repeats) assert.equal(ackOf(repeat)?.duplicate, true);
      }),
      RUNS,
    );
  });

  it('mute, closing, unread and every refusal are as the protocol’s rules, told again simply, have them', () => {
    fc.assert(
      fc.property(anyForgettingCommands, anySizes, fc.boolean(), (commands, sizes, autoMute) => {
        const { world, outcomes } = worldAfter(commands, sizes, autoMute);
        const model = new Model(autoMute);
        assert.deepEqual(
          outcomes.map(summary),
          commands.map((command) => model.apply(command)),
        );
        const chats = [...world.rows.groups].map(([name, { mutedBy, closed, unread, lastSeq }]) => {
          assert.ok(unread >= 0);
          return [name.replace('/', ' '), { muted: mutedBy !== null, closed, unread, lastSeq }] as const;
        });
        const expected = [...model.chats].map(
          ([name, { intents: _, closedByCustomer: __, ...chat }]) => [name, chat] as const,
        );
        assert.deepEqual(new Map(chats), new Map(expected));
      }),
      RUNS,
    );
  });

  it('an erasure leaves no row of its group, and what is erased is told and not stored [P-11.4]', () => {
    fc.assert(
      fc.property(anyForgettingCommands, anySizes, (commands, sizes) => {
        const { world } = worldAfter(commands, sizes);
        for (const name of world.rows.groups.keys()) {
          const [dealerId = '', groupId = ''] = name.split('/');
          const body = { type: 'ERASE_GROUP', dealerId, groupId, erasureId: 'e1', reason: 'request' } as const;
          const [outcome] = world.run([{ role: 'admin', sender: 'admin:a1', key: null, body }]);
          assert.ok(outcome && 'happened' in outcome);
          assert.deepEqual(
            [outcome.happened.map(({ type, stored }) => [type, stored]), outcome.ack],
            [[['ERASE_GROUP', null]], null],
          );
        }
        const { groups, users, leads, intents } = world.rows;
        assert.deepEqual([groups.size, users.size, leads.size, intents.size], [0, 0, 0, 0]);
        assert.deepEqual(
          world.log.filter(({ groupId }) => groupId !== null),
          [],
        );
      }),
      RUNS,
    );
  });

  it('it comes to the same however it is cut into batches', () => {
    fc.assert(
      fc.property(anyForgettingCommands, anySizes, (commands, sizes) => {
        const cut = worldAfter(commands, sizes);
        const single = worldAfter(commands, [1]);
        const whole = worldAfter(commands, [commands.length + 1]);
        for (const other of [single, whole]) {
          assert.deepEqual(other.outcomes, cut.outcomes);
          assert.deepEqual(other.world.log, cut.world.log);
          assert.deepEqual(other.world.rows, cut.world.rows);
        }
      }),
      RUNS,
    );
  });
});

describe('decide', () => {
  const anyGroup = fc.record({
    online: fc.boolean(),
    mutedBy: fc.constantFrom(null, 'a1', 'a2'),
    closed: fc.boolean(),
    closedBy: fc.constantFrom(null, 'customer', 'admin', 'bot'),
    unread: fc.nat(5),
    lastSeq: fc.nat(9),
    lastMessageSeq: fc.nat(9),
    adminRead: fc.nat(9),
    customerRead: fc.nat(9),
    holder: fc.constantFrom(null, 'minted' as const, 'claimed' as const, 'claimed 0 j1' as const),
    waitingSince: fc.constantFrom(null, 1, NOW - 1),
    waitingFor: fc.constantFrom(null, 'bot' as const, 'admin' as const),
    turnedAt: fc.nat(9),
    marks: fc.nat(7),
    assignee: fc.constantFrom(null, 'a1', 'a2'),
    actedAt: fc.nat(9),
    botRun: fc.nat(9),
    due: fc.constantFrom(null, 1, NOW + 1),
  });
  const anyRules = fc.record({
    settings: fc.constantFrom({}, { bot: true }, { bot: false, answerWithin: { bot: 1 } }),
    hasServer: fc.boolean(),
    botSpokeAt: fc.constantFrom(0, NOW),
    aloneSince: fc.constantFrom(null, 0, NOW - 1),
    isOpen: fc.boolean(),
    lookAt: fc.constantFrom(null, 0, NOW),
  });
  const anyKnown = fc.record({ fields: anyRecord, customer: anyRecord });
  const anyState: fc.Arbitrary<State> = fc.record({
    at: fc.constant(NOW),
    rules: anyRules,
    dealer: fc.boolean(),
    removed: fc.boolean(),
    group: fc.oneof(fc.constant(null), fc.constant(NEW_GROUP), anyGroup),
    erased: fc.option(fc.nat(9), { nil: null }),
    openChats: fc.uniqueArray(fc.constantFrom('@desk', 'g1', 'g2')).map((openChats) => new Set(openChats)),
    present: fc.nat(2),
    nodes: fc.uniqueArray(fc.constantFrom('n1', 'n2')).map((nodes) => new Set(nodes)),
    user: fc.option(anyKnown, { nil: null }),
    lead: fc.option(anyKnown, { nil: null }),
    intent: fc.option(anyKnown, { nil: null }),
    intents: fc.nat(MAX_INTENTS),
  });

  it('answers any command in any state, changes neither, and answers the same again', () => {
    fc.assert(
      fc.property(anyState, fc.oneof(anyCommand, anyErasure), fc.boolean(), (state, command, autoMute) => {
        const before = structuredClone({ state, command });
        deepFreeze(state);
        deepFreeze(command);
        const decision = decide(state, command, { autoMute });
        assert.deepEqual(structuredClone({ state, command }), before);
        assert.deepEqual(decide(state, command, { autoMute }), decision);
        if ('refusal' in decision) assert.ok(decision.refusal.message.length > 0);
        else if (decision.state.group) assert.ok(decision.state.group.unread >= 0);
      }),
      { numRuns: 1000 },
    );
  });
});
