/** What the tests of the domain have in common: states to decide on, and what came of it. */
import assert from 'node:assert/strict';
import type { Event } from '../../schemas/delivered.ts';
import type { decide } from '../../src/domain/decide.ts';
import { type Group, NEW_GROUP, NEW_RULES, type State } from '../../src/domain/state.ts';
import { inVersion1 } from '../support/version-one.ts';

/** When it is decided. */
export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

export const IDS = { dealerId: 'd1', groupId: 'g1' } as const;

/** No dealer, and so nothing of it. */
export const NOTHING: State = {
  at: NOW,
  rules: NEW_RULES,
  dealer: false,
  removed: false,
  group: null,
  erased: null,
  openChats: new Set(),
  present: 0,
  nodes: new Set(),
  user: null,
  lead: null,
  intent: null,
  intents: 0,
};

/** A dealer's group, new but for what is given; null for none. */
export const stateOf = (group: Partial<Group> | null = {}, more: Partial<State> = {}): State => ({
  ...NOTHING,
  dealer: true,
  group: group && { ...NEW_GROUP, ...group },
  ...more,
});

type Decision = ReturnType<typeof decide>;

/** What was decided; fails where it was refused. */
export function taken(decision: Decision) {
  if ('refusal' in decision) assert.fail(`refused: ${decision.refusal.message}`);
  return decision;
}

/** The refusal; fails where it was taken. */
export function refused(decision: Decision) {
  if (!('refusal' in decision)) assert.fail('taken');
  return decision.refusal;
}

/** What was decided, without what sections 12 and 13 add to it: `waiting.test.ts` has that. */
export function withoutWaiting({
  events,
  state,
}: {
  readonly events: readonly Partial<Event>[];
  readonly state: State;
}) {
  const { group } = state;
  const { waitingSince, waitingFor, turnedAt, marks, assignee, actedAt, botRun, due } = NEW_GROUP;
  return {
    events: events.filter(({ type }) => type !== 'AVAILABILITY').map((event) => inVersion1(event)),
    state,
    group: group && { ...group, waitingSince, waitingFor, turnedAt, marks, assignee, actedAt, botRun, due },
  };
}
