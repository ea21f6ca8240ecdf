/**
 * Everything that may be sent [P-5, P-6]: the schemas, each from the definition of its kind of event, and all of them
 * together.
 */
import type { TSchema } from '@sinclair/typebox';
import type { EVENTS } from './events/index.ts';
import type { Accepting, DroppedBy, PayloadOf } from './events/kind.ts';

export { OpenChat, UpdateChat } from './events/admin-presence.ts';
export { SysMsg } from './events/announcement.ts';
export { Assign } from './events/assign.ts';
export { AdminMsg, CustomerMsg, UpdateMsg } from './events/chat-message.ts';
export { CloseChat } from './events/close.ts';
export { UpdateGroup } from './events/customer-presence.ts';
export { Handoff } from './events/handoff.ts';
export { CreateLeadIntent, UpdateLeadIntent } from './events/intents.ts';
export { UpdateLead } from './events/lead.ts';
export { MuteBot, UnmuteBot } from './events/mute.ts';
export { UpdatePageview } from './events/pageview.ts';
export { Read } from './events/read.ts';
export { BotTyping, Typing } from './events/typing.ts';
export { UpdateUser } from './events/user.ts';

type Kinds = typeof EVENTS;
type Values<T> = T extends unknown ? T[keyof T] : never;
/** Definitions of everything that may be sent, under its `type`. */
type AcceptedKinds = { [Type in keyof Kinds]: Kinds[Type]['accepts'] }[keyof Kinds];
export type AcceptedKind = Extract<Values<AcceptedKinds>, Accepting>;

/** A payload that a door has checked: what the domain decides on. */
export type Body = AcceptedKind extends infer A ? (A extends Accepting ? PayloadOf<A> : never) : never;

export type BodySchema = TSchema & { static: Body };

type KindOf<Type extends string> = AcceptedKinds extends infer A
  ? A extends Readonly<Record<Type, infer Kind extends Accepting>>
    ? Kind
    : never
  : never;

/** Fields that say who sent it, and where: each verb sees to them. */
export const IDENTITY = ['type', 'dealerId', 'groupId', 'adminId', 'user'] as const;

/** Fields of a payload that its event repeats as they were sent. */
export type Carried<B extends Body> = B extends unknown
  ? Omit<B, (typeof IDENTITY)[number] | Extract<DroppedBy<KindOf<B['type']>>, string>>
  : never;
