/** [P-12.3, P-12.4] The assignee: whose a conversation is. */
import type { Static } from '@sinclair/typebox';
import type { Assign } from '../../schemas/accepted.ts';
import type { Assigned } from '../../schemas/delivered.ts';
import { changed, type Decision, type Group, groupOf, refuse, type State } from './state.ts';
import { withDue } from './waiting.ts';

export const assigned = (
  { dealerId, groupId }: { dealerId: string; groupId: string },
  assignee: string | null,
  reason: Static<typeof Assigned>['reason'],
  adminId?: string,
): Static<typeof Assigned> => ({
  type: 'ASSIGNED',
  dealerId,
  groupId,
  ...(adminId !== undefined && { adminId }),
  assignee,
  reason,
});

/** The refusal of who expects another assignee; null where it is the one, or none is expected. @param field that says which */
export function otherThan(group: Group, expected: string | null | undefined, field: string): Decision | null {
  if (expected === undefined || expected === group.assignee) return null;
  const message = `expected to be the assignee, and the conversation is ${group.assignee === null ? "nobody's" : "another's"}`;
  return refuse('conflict', 'the conversation is not whose you expect: see who has it, and decide anew', [
    { path: `/${field}`, message },
  ]);
}

/** `ASSIGN`. Who takes a conversation, or is given one, holds the mute in it as with a word [P-12.5]. */
export function assign(state: State, body: Static<typeof Assign>): Decision {
  const { assignee, expect, adminId } = body;
  const { rules, at } = state;
  const group = groupOf(state);
  const conflict = otherThan(group, expect, 'expect');
  if (conflict) return conflict;
  return {
    events: [assigned(body, assignee, 'asked', adminId)],
    state: {
      ...state,
      group: withDue(changed(group, assignee === null ? { assignee } : { assignee, actedAt: at }), rules, at),
    },
  };
}
