import type { Event } from '../../schemas/delivered.ts';
import { instantOf } from '../../schemas/kinds.ts';
import { assigned } from './assign.ts';
import { muteStatus } from './mute.ts';
import { changed, type Decision, type Group, type State, type Wake } from './state.ts';
import { dueAt, leaseOf, MARK, overdue, turned, turnedByMute } from './waiting.ts';

/** A conversation, and what has been told of it so far. */
interface Told {
  readonly group: Group;
  readonly events: readonly Event[];
}

/** [P-12.5] Ends a mute that nobody holds any more: the bot is told with what waits for it, and nobody has the conversation. */
function handBack({ group: before, events }: Told, { rules, at }: State, body: Wake): Told {
  const lease = leaseOf(before, rules, at);
  const { mutedBy, assignee } = before;
  if (mutedBy === null || lease === null || lease.ends > at) return { group: before, events };
  const group = turnedByMute(changed(before, { mutedBy: null, assignee: null }), rules, at);
  const gone = assignee === null ? [] : [assigned(body, null, 'gone')];
  return { group, events: [...events, ...gone, { ...muteStatus(body, mutedBy, false, group), reason: lease.why }] };
}

/** [P-12.2] Tells that an answer is overdue. A bot's is an admin's from then on. */
function tellOverdue({ group, events }: Told, { rules, at }: State, { dealerId, groupId }: Wake): Told {
  const side = overdue(group, rules, at);
  if (side === null || group.waitingSince === null) return { group, events };
  const since = instantOf(group.waitingSince);
  const marked = changed(group, { marks: group.marks | MARK[side] });
  return {
    group: side === 'bot' ? turned(marked, 'admin', at) : marked,
    events: [...events, { type: 'OVERDUE', dealerId, groupId, user: 'customer', since, for: side }],
  };
}

/** The state as it truly is: a node of an earlier version does not note that an admin has come. */
const withPresent = (state: State): State =>
  state.present === 0 || state.rules.aloneSince === null
    ? state
    : { ...state, rules: { ...state.rules, aloneSince: null } };

/** [P-12] Looks what has fallen due in a conversation: it says so itself, whoever asks, and how often. */
export function wake(given: State, body: Wake): Decision {
  const state = withPresent(given);
  const { group: before, rules, at } = state;
  if (before === null || before.closed) {
    const isDone = before === null || before.due === null;
    return { events: [], state: isDone ? state : { ...state, group: changed(before, { due: null }) } };
  }
  const { group, events } = [handBack, tellOverdue].reduce<Told>((told, step) => step(told, state, body), {
    group: before,
    events: [],
  });
  const due = dueAt(group, rules, at);
  const isSame = group === before && due === before.due;
  return { events, state: isSame ? state : { ...state, group: changed(group, { due }) } };
}
