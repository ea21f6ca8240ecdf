/** What the tests of the domain have in common: states to decide on, and what came of it. */
import assert from 'node:assert/strict';
import type { decide } from '../../src/domain/decide.ts';
import { type Group, NEW_GROUP, type State } from '../../src/domain/state.ts';

export const IDS = { dealerId: 'd1', groupId: 'g1' } as const;

/** No dealer, and so nothing of it. */
export const NOTHING: State = {
  dealer: false,
  removed: false,
  group: null,
  erased: null,
  openChats: new Set(),
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
