/**
 * Payloads that are delivered [P-7], one for each type of event, from the definition of its kind, and all of them
 * together.
 */
import type { EVENTS } from './events/index.ts';

export { AdminPresence } from './events/admin-presence.ts';
export { Announcement } from './events/announcement.ts';
export { Assigned } from './events/assign.ts';
export { Available } from './events/availability.ts';
export { ChatMsg } from './events/chat-message.ts';
export { ChatClosed } from './events/close.ts';
export { CustomerPresence } from './events/customer-presence.ts';
export { GroupErased } from './events/erase.ts';
export { HandedOff } from './events/handoff.ts';
export { MuteStatus } from './events/mute.ts';
export { Overdue } from './events/overdue.ts';
export { ReadState } from './events/read.ts';
export { NameSetAside } from './events/set-aside.ts';
export { TypingState } from './events/typing.ts';

/** Any event's payload. */
export type Event = (typeof EVENTS)[keyof typeof EVENTS]['payload']['static'];
