/**
 * What may be sent [P-5, P-6]: the seeds' payloads in the full form that other servers use. A socket's identity fields
 * are filled in from its session before these are checked, so that one schema serves every door.
 */
import { type Static, type TProperties, type TSchema, Type } from '@sinclair/typebox';
import { GroupId, Id, OneOf, requiredWhere, Seq, Text, User } from './kinds.ts';
import { Lead, LeadIntent, Pageview, UserProfile } from './records.ts';

const inDealer = <Name extends string, Fields extends TProperties>(type: Name, fields: Fields, options = {}) =>
  Type.Object({ type: Type.Literal(type), dealerId: Id, ...fields }, options);

const inGroup = <Name extends string, Fields extends TProperties>(type: Name, fields: Fields, options = {}) =>
  inDealer(type, { groupId: GroupId, ...fields }, options);

/** [P-5] Sent by the seeds' clients and not believed: the server fills in the true ones. */
const notBelieved = { muted: Type.Optional(Type.Boolean()), unread: Type.Optional(Type.Integer()) };
const adminId = Type.Optional(Id);
const online = Type.Boolean();

const admin = requiredWhere('user', 'admin', 'adminId');
const customer = requiredWhere('user', 'customer', 'groupId');

/** A payload with the rules of its `allOf` said in its type: an `admin` is named, and so on. */
const narrowed = <T>(schema: TSchema) => Type.Unsafe<T>(schema);
type Base<S extends { static: unknown }> = S['static'];

const updateMsg = inGroup('UPDATE_MSG', { adminId, user: User, ...notBelieved, message: Text }, { allOf: [admin] });
export const UpdateMsg = narrowed<
  Base<typeof updateMsg> & ({ user: 'admin'; adminId: string } | { user: 'customer' | 'bot' })
>(updateMsg);

export const MuteBot = inGroup('MUTE_BOT', { adminId: Id, muted: Type.Optional(Type.Boolean()) });
export const UnmuteBot = inGroup('UNMUTE_BOT', { adminId: Id, muted: Type.Optional(Type.Boolean()) });

export const CloseChat = inGroup(
  'CLOSE_CHAT',
  { adminId, user: Type.Optional(User), close: Type.Optional(Type.Literal(true)) },
  { allOf: [admin] },
);

export const SysMsg = inDealer('SYS_MSG', {
  adminId: Id,
  user: Type.Optional(Type.Literal('admin')),
  ...notBelieved,
  message: Text,
});

/** From other servers: a customer's presence, or an admin's at the dealer or (with a groupId) in one chat. */
const updateChat = inDealer(
  'UPDATE_CHAT',
  { groupId: Type.Optional(GroupId), adminId, user: OneOf(['customer', 'admin']), online },
  { allOf: [admin, customer] },
);
export const UpdateChat = narrowed<
  Base<typeof updateChat> & ({ user: 'admin'; adminId: string } | { user: 'customer'; groupId: string })
>(updateChat);

/** From an admin's socket: this admin opens (`online: true`) or leaves that chat. */
export const OpenChat = inGroup('UPDATE_CHAT', { adminId: Id, user: Type.Literal('admin'), online });

export const UpdateGroup = inGroup('UPDATE_GROUP', { user: Type.Optional(Type.Literal('customer')), online });
export const UpdateUser = inGroup('UPDATE_USER', { message: UserProfile });
export const UpdatePageview = inGroup('UPDATE_PAGEVIEW', { message: Pageview });
export const UpdateLead = inGroup('UPDATE_LEAD', { message: Lead });
export const CreateLeadIntent = inGroup('CREATE_LEAD_INTENT', { message: LeadIntent });
export const UpdateLeadIntent = inGroup('UPDATE_LEAD_INTENT', { message: LeadIntent });

export const Typing = inGroup(
  'TYPING',
  { adminId, user: Type.Optional(User), typing: Type.Boolean() },
  { allOf: [admin] },
);

export const Read = inGroup('READ', { adminId, user: OneOf(['customer', 'admin']), seq: Seq }, { allOf: [admin] });

/** A payload that a door has checked: what the domain decides on. */
export type Body = Static<
  | typeof UpdateMsg
  | typeof MuteBot
  | typeof UnmuteBot
  | typeof CloseChat
  | typeof SysMsg
  | typeof UpdateChat
  | typeof UpdateGroup
  | typeof UpdateUser
  | typeof UpdatePageview
  | typeof UpdateLead
  | typeof CreateLeadIntent
  | typeof UpdateLeadIntent
  | typeof Typing
  | typeof Read
>;

export type BodySchema = TSchema & { static: Body };
