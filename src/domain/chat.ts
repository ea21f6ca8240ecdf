import type { Static } from '@sinclair/typebox';
import type { UpdateChat, UpdateGroup } from '../../schemas/accepted.ts';
import type { Event } from '../../schemas/delivered.ts';
import { DESK_SCOPE } from '../../schemas/table.ts';
import { type Decision, type State, withGroup } from './state.ts';

export const customerPresence = (dealerId: string, groupId: string, online: boolean): Event => ({
  type: 'UPDATE_GROUP',
  dealerId,
  groupId,
  user: 'customer',
  online,
});

/** An admin at a place: one chat, or `@desk` for the dealer itself. */
export const adminPresence = (dealerId: string, place: string, adminId: string, online: boolean): Event => ({
  type: 'UPDATE_CHAT',
  dealerId,
  ...(place !== DESK_SCOPE && { groupId: place }),
  adminId,
  user: 'admin',
  online,
});

/** A state whose admin has come to a place or left it. */
export function withPlace(state: State, place: string, online: boolean): State {
  const places = new Set(state.places);
  if (online) places.add(place);
  else places.delete(place);
  return { ...state, places };
}

/** `UPDATE_CHAT` and `UPDATE_GROUP`: somebody is said to be here, or not to be. */
export function chat(state: State, body: Static<typeof UpdateChat | typeof UpdateGroup>): Decision {
  const { dealerId, online } = body;
  if (body.type === 'UPDATE_CHAT' && body.user === 'admin') {
    const place = body.groupId ?? DESK_SCOPE;
    return {
      events: [adminPresence(dealerId, place, body.adminId, online)],
      state: withPlace(state, place, online),
    };
  }
  return { events: [customerPresence(dealerId, body.groupId, online)], state: withGroup(state, { online }) };
}
