import type { Static } from '@sinclair/typebox';
import type { Read } from '../../schemas/accepted.ts';
import type { Event } from '../../schemas/delivered.ts';
import { carried } from './carried.ts';
import { type Decision, groupOf, refuse, type State, withGroup } from './state.ts';

/** `READ`: how far a side has read, kept as state; an admin's sets `unread` to 0 [P-7.1]. */
export function read(state: State, body: Static<typeof Read>): Decision {
  const group = groupOf(state);
  const { dealerId, groupId, adminId, user, seq } = body;
  if (seq > group.lastSeq) {
    const message = `expected at most ${group.lastSeq}, the last seq of this group`;
    return refuse('invalid_payload', 'seq is beyond the log', [{ path: '/seq', message }]);
  }
  const byAdmin = user === 'admin' && adminId !== undefined;
  const event: Event = { type: 'READ', dealerId, groupId, ...(byAdmin && { adminId }), user, ...carried(body) };
  const change = byAdmin
    ? { unread: 0, adminRead: Math.max(group.adminRead, seq) }
    : { customerRead: Math.max(group.customerRead, seq) };
  return { events: [event], state: withGroup(state, change) };
}
