import type { Static } from '@sinclair/typebox';
import type { UpdateChat, UpdateGroup } from '../../schemas/accepted.ts';
import type { AdminPresence, CustomerPresence } from '../../schemas/delivered.ts';
import { DESK_SCOPE } from '../../schemas/table.ts';
import { withAdmins } from './availability.ts';
import { carried } from './carried.ts';
import { type Decision, refuse, type State, withGroup } from './state.ts';

/** The most chats that an admin may have open: all of them are looked at with each, and left in one transaction [P-7.5]. */
export const MAX_OPEN_CHATS = 200;

export const customerPresence = (
  dealerId: string,
  groupId: string,
  online: boolean,
): Static<typeof CustomerPresence> => ({
  type: 'UPDATE_GROUP',
  dealerId,
  groupId,
  user: 'customer',
  online,
});

/** An admin in one chat, or `@desk` for the dealer itself. */
export const adminPresence = (
  dealerId: string,
  scope: string,
  adminId: string,
  online: boolean,
): Static<typeof AdminPresence> => ({
  type: 'UPDATE_CHAT',
  dealerId,
  ...(scope !== DESK_SCOPE && { groupId: scope }),
  adminId,
  user: 'admin',
  online,
});

/** The state after an admin opened a chat (`@desk`: came to the dealer), or left it. */
export function withChat(state: State, scope: string, online: boolean): State {
  const openChats = new Set(state.openChats);
  if (online) openChats.add(scope);
  else openChats.delete(scope);
  return { ...state, openChats };
}

const chatsIn = ({ openChats }: State): number => openChats.size - (openChats.has(DESK_SCOPE) ? 1 : 0);

/** `UPDATE_CHAT` and `UPDATE_GROUP`: somebody is said to be here, or not to be. */
export function chat(state: State, body: Static<typeof UpdateChat | typeof UpdateGroup>): Decision {
  const { dealerId, online } = body;
  if (body.type === 'UPDATE_CHAT' && body.user === 'admin') {
    const scope = body.groupId ?? DESK_SCOPE;
    if (online && scope !== DESK_SCOPE && !state.openChats.has(scope) && chatsIn(state) >= MAX_OPEN_CHATS) {
      return refuse('too_large', `this admin has ${MAX_OPEN_CHATS} chats open: leave one first`);
    }
    const after = withChat(state, scope, online);
    const { events, rules } = withAdmins(state, after, dealerId);
    return {
      events: [...events, { ...adminPresence(dealerId, scope, body.adminId, online), ...carried(body) }],
      state: { ...after, rules },
    };
  }
  return {
    events: [{ ...customerPresence(dealerId, body.groupId, online), ...carried(body) }],
    state: withGroup(state, { online }),
  };
}
