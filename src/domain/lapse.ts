import { customerPresence } from './chat.ts';
import { type Decision, type Lapse, type State, withGroup } from './state.ts';

/** [P-7.5] Ends a server's word that a customer is here. Whoever has a socket meanwhile stays. */
export function lapse(state: State, { dealerId, groupId }: Lapse): Decision {
  if (state.group?.online !== true || state.nodes.size > 0) return { events: [], state };
  return { events: [customerPresence(dealerId, groupId, false)], state: withGroup(state, { online: false }) };
}
