/** [P-7.2] An admin comes to the dealer or to a chat, or leaves. */
import { type Static, Type } from '@sinclair/typebox';
import { GroupId, Id, OneOf } from '../kinds.ts';
import { nameOf } from '../said.ts';
import { event, OF_NO_GROUP } from './kind.ts';
import { adminId, adminIsNamed, type Base, customerIsNamed, inDealer, inGroup, narrowed } from './payload.ts';

const online = Type.Boolean();

/** From other servers: a customer's presence, or an admin's at the dealer or (with a groupId) in one chat. */
const updateChat = inDealer(
  'UPDATE_CHAT',
  { groupId: Type.Optional(GroupId), adminId, user: OneOf(['customer', 'admin']), online },
  { allOf: [adminIsNamed, customerIsNamed] },
);
export const UpdateChat = narrowed<
  Base<typeof updateChat> & ({ user: 'admin'; adminId: string } | { user: 'customer'; groupId: string })
>(updateChat);

/** From an admin's socket: this admin opens (`online: true`) or leaves that chat. */
export const OpenChat = inGroup('UPDATE_CHAT', { adminId: Id, user: Type.Literal('admin'), online });

/** [P-7.2] An admin at the dealer, or (with a groupId) in one chat. */
export const AdminPresence = Type.Object({
  type: Type.Literal('UPDATE_CHAT'),
  dealerId: Id,
  groupId: Type.Optional(GroupId),
  adminId: Id,
  user: Type.Literal('admin'),
  online,
});

export const adminPresence = event({
  payload: AdminPresence,
  channel: 'CHAT_STATE',
  scope: 'either',
  stored: true,
  erased: OF_NO_GROUP,
  summary: 'An admin came to the dealer or (with a groupId) to the chat, or left it.',
  inWords: (presence: Static<typeof AdminPresence>) => `-- ${nameOf(presence)} ${presence.online ? 'is here' : 'left'}`,
  accepts: {
    UPDATE_CHAT: {
      summary: 'Somebody is in the chat or at the dealer, or is no longer.',
      by: { admin: { chat_state: OpenChat }, server: { event: UpdateChat } },
      tells: ({ user }: Static<typeof UpdateChat>) => (user === 'customer' ? 'UPDATE_GROUP' : 'UPDATE_CHAT'),
      rows: (body: Static<typeof UpdateChat>) => (body.user === 'admin' ? { openChats: [body.adminId] } : {}),
    },
  },
});
