/** What is delivered [P-7]: the payload of each event type, field by field as the seeds have it. */
import { type Static, Type } from '@sinclair/typebox';
import type { CreateLeadIntent, UpdateLead, UpdateLeadIntent, UpdatePageview, UpdateUser } from './accepted.ts';
import { GroupId, Id, OneOf, Seq, Text, User } from './kinds.ts';

const unread = Type.Integer({ minimum: 0 });

/** [P-7.1] */
export const ChatMsg = Type.Object({
  type: Type.Literal('CHAT_MSG'),
  dealerId: Id,
  groupId: GroupId,
  adminId: Type.Optional(Id),
  user: User,
  muted: Type.Boolean(),
  unread,
  message: Text,
});
/** [P-7.2] */
export const MuteStatus = Type.Object({
  type: Type.Literal('MUTE_STATUS'),
  dealerId: Id,
  groupId: GroupId,
  adminId: Id,
  muted: Type.Boolean(),
  user: Type.Optional(Type.Literal('customer', { description: 'who brought it about, where the admin named did not' })),
});
/** [P-7.2] */
export const ChatClosed = Type.Object({
  type: Type.Literal('CLOSE_CHAT'),
  dealerId: Id,
  groupId: GroupId,
  adminId: Type.Optional(Id),
  user: User,
  close: Type.Literal(true),
});
/** [P-7.2] */
export const Announcement = Type.Object({
  type: Type.Literal('SYS_MSG'),
  dealerId: Id,
  adminId: Id,
  user: Type.Literal('admin'),
  muted: Type.Literal(true),
  unread: Type.Literal(0),
  message: Text,
});
/** [P-7.2] An admin at the dealer, or (with a groupId) in one chat. */
export const AdminPresence = Type.Object({
  type: Type.Literal('UPDATE_CHAT'),
  dealerId: Id,
  groupId: Type.Optional(GroupId),
  adminId: Id,
  user: Type.Literal('admin'),
  online: Type.Boolean(),
});
/** [P-7.2] */
export const CustomerPresence = Type.Object({
  type: Type.Literal('UPDATE_GROUP'),
  dealerId: Id,
  groupId: GroupId,
  user: Type.Literal('customer'),
  online: Type.Boolean(),
});
export const TypingState = Type.Object({
  type: Type.Literal('TYPING'),
  dealerId: Id,
  groupId: GroupId,
  adminId: Type.Optional(Id),
  user: User,
  typing: Type.Boolean(),
});
export const ReadState = Type.Object({
  type: Type.Literal('READ'),
  dealerId: Id,
  groupId: GroupId,
  adminId: Type.Optional(Id),
  user: OneOf(['customer', 'admin']),
  seq: Seq,
});

/** [P-11.4] A conversation was erased: nobody of it is online any more, and nothing of it is kept. */
export const GroupErased = Type.Object({
  type: Type.Literal('ERASE_GROUP'),
  dealerId: Id,
  groupId: GroupId,
  user: Type.Literal('customer'),
  online: Type.Literal(false),
});

/** [P-3.1] The name is a customer's now whose token its dealer minted: who had claimed it goes on under another. */
export const NameSetAside = Type.Object({
  type: Type.Literal('SET_ASIDE'),
  dealerId: Id,
  groupId: GroupId,
  user: Type.Literal('customer'),
  setAside: GroupId,
});

/** Any event's payload. */
export type Event = Static<
  | typeof ChatMsg
  | typeof MuteStatus
  | typeof ChatClosed
  | typeof Announcement
  | typeof AdminPresence
  | typeof CustomerPresence
  | typeof UpdateUser
  | typeof UpdatePageview
  | typeof UpdateLead
  | typeof CreateLeadIntent
  | typeof UpdateLeadIntent
  | typeof TypingState
  | typeof ReadState
  | typeof GroupErased
  | typeof NameSetAside
>;
