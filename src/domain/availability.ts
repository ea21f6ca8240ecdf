/** [P-13.2] Availability: whether anybody can answer at a dealer, and when that changes. */
import type { Static } from '@sinclair/typebox';
import type { Available, Event } from '../../schemas/delivered.ts';
import { instantOf } from '../../schemas/kinds.ts';
import { DESK_SCOPE } from '../../schemas/table.ts';
import { opennessAt } from './hours.ts';
import type { Decision, Rules, State } from './state.ts';
import { handBackAfter } from './waiting.ts';

type Availability = Omit<Static<typeof Available>, 'type' | 'dealerId'>;

/** @param admins whether an admin is here */
export function availabilityAt({ settings }: Pick<Rules, 'settings'>, at: number, admins: boolean): Availability {
  const { isOpen, until } = opennessAt(settings, at);
  return { open: isOpen, admins, ...(until !== null && { changesAt: instantOf(until) }) };
}

const told = (dealerId: string, rules: Rules, at: number, admins: boolean): Event => ({
  type: 'AVAILABILITY',
  dealerId,
  ...availabilityAt(rules, at, admins),
});

/** When something of the dealer as a whole falls due: its hours turn, or its mutes end since no admin is here. */
function nextLook(rules: Rules, at: number): number | null {
  const { alone } = handBackAfter(rules);
  const { aloneSince } = rules;
  const looks = [opennessAt(rules.settings, at).until];
  if (aloneSince !== null && alone !== null) looks.push(aloneSince + alone * 1000);
  return earliest(looks.filter((look) => look !== null && look > at));
}

function earliest(moments: readonly (number | null)[]): number | null {
  const known = moments.filter((moment) => moment !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/**
 * Draws what follows from an admin's coming to the dealer or leaving it: somebody is here now, or nobody is.
 * @param before the state before, and after it
 */
export function withAdmins(before: State, after: State, dealerId: string): { events: Event[]; rules: Rules } {
  const [was, is] = [before, after].map(({ openChats }) => openChats.has(DESK_SCOPE));
  const { rules, at, present } = before;
  if (was === is) return { events: [], rules };
  const isAnybody = present + (is ? 1 : -1) > 0;
  const next: Rules = { ...rules, aloneSince: isAnybody ? null : at };
  if (isAnybody === present > 0) return { events: [], rules: isAnybody && rules.aloneSince !== null ? next : rules };
  // A look that is due stays so: the dealer's conversations have not been looked at since its hours turned, or its settings changed.
  const lookAt = earliest([rules.lookAt, nextLook(next, at)]);
  const { isOpen } = opennessAt(rules.settings, at);
  return { events: [told(dealerId, rules, at, isAnybody)], rules: { ...next, isOpen, lookAt } };
}

/** It is time to look at a dealer as a whole: its conversations are looked at by then. */
export function wakeDealer(state: State, { dealerId }: { dealerId: string }): Decision {
  const { rules, at, present } = state;
  if (rules.lookAt === null || rules.lookAt > at) return { events: [], state };
  const { isOpen } = opennessAt(rules.settings, at);
  const events = isOpen === rules.isOpen ? [] : [told(dealerId, rules, at, present > 0)];
  return { events, state: { ...state, rules: { ...rules, isOpen, lookAt: nextLook(rules, at) } } };
}
