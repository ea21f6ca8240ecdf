import { type Decision, type Erasure, refuse, type State } from './state.ts';

/** [P-11.4] Erases a conversation. What is told of it is kept nowhere: the journal writes the receipt. */
export function erase(state: State, { dealerId, groupId, reason, lastSeq }: Erasure): Decision {
  if (reason === 'retention' && state.group?.online) return refuse('forbidden', 'the customer is here');
  if (lastSeq !== undefined && state.group?.lastSeq !== lastSeq) return refuse('forbidden', 'it goes on');
  return {
    events: [{ type: 'ERASE_GROUP', dealerId, groupId, user: 'customer', online: false }],
    state: { ...state, group: null, user: null, lead: null, intent: null },
  };
}
