/** Every kind of event, by the type that is delivered. To add one: its file, and its line here. */
import { adminPresence } from './admin-presence.ts';
import { announcement } from './announcement.ts';
import { assigned } from './assign.ts';
import { availabilityChange } from './availability.ts';
import { chatMessage } from './chat-message.ts';
import { chatClosed } from './close.ts';
import { customerPresence } from './customer-presence.ts';
import { groupErased } from './erase.ts';
import { handedOff } from './handoff.ts';
import { intentCreation, intentUpdate } from './intents.ts';
import { kindsOf } from './kind.ts';
import { leadUpdate } from './lead.ts';
import { muteStatus } from './mute.ts';
import { overdue } from './overdue.ts';
import { pageview } from './pageview.ts';
import { readState } from './read.ts';
import { nameSetAside } from './set-aside.ts';
import { typingState } from './typing.ts';
import { userUpdate } from './user.ts';

/** In the order of the documents. */
export const EVENTS = kindsOf({
  CHAT_MSG: chatMessage,
  MUTE_STATUS: muteStatus,
  CLOSE_CHAT: chatClosed,
  ASSIGNED: assigned,
  HANDOFF: handedOff,
  OVERDUE: overdue,
  SYS_MSG: announcement,
  UPDATE_CHAT: adminPresence,
  UPDATE_GROUP: customerPresence,
  UPDATE_USER: userUpdate,
  UPDATE_LEAD: leadUpdate,
  CREATE_LEAD_INTENT: intentCreation,
  UPDATE_LEAD_INTENT: intentUpdate,
  UPDATE_PAGEVIEW: pageview,
  TYPING: typingState,
  SET_ASIDE: nameSetAside,
  ERASE_GROUP: groupErased,
  READ: readState,
  AVAILABILITY: availabilityChange,
});
