/** Events in words, for people who read a transcript or a terminal. */
import type { Event } from '../../schemas/delivered.ts';

/** Controls, halves of characters, and what turns the order of the text that follows around. */
const STEERING = /[\p{Cs}\u202a-\u202e\u2066-\u2069]|(?!\n)\p{Cc}/gu;

/** Text on lines of its own, of which none can be taken for the beginning of another, nor steer a terminal. */
export const plainText = (text: string): string =>
  text.replace(/\r\n?|[\n\u2028\u2029]/g, '\n    ').replace(STEERING, '\ufffd');

/** What others than admins are called. */
const ROLES = /^(customer|bot|server|somebody)$/i;

/** An admin who is called like another role is told from it: no id has a space in it [P-2.7]. */
const adminIn = (adminId: string): string => (ROLES.test(adminId) ? `admin ${adminId}` : adminId);

const nameOf = ({ user, adminId }: { user?: string; adminId?: string }): string =>
  adminId === undefined ? (user ?? 'somebody') : adminIn(adminId);

/** What happened, in one sentence or as `who: text`. */
export function inWords(event: Event): string {
  switch (event.type) {
    case 'CHAT_MSG':
      return `${nameOf(event)}: ${plainText(event.message)}`;
    case 'SYS_MSG':
      return `${nameOf(event)} to everybody: ${plainText(event.message)}`;
    case 'MUTE_STATUS':
      if (event.user === 'customer')
        return `-- the customer wrote again: the take-over of ${adminIn(event.adminId)} is over`;
      return `-- ${adminIn(event.adminId)} ${event.muted ? 'took over from the bot' : 'let the bot speak again'}`;
    case 'CLOSE_CHAT':
      return `-- closed by ${nameOf(event)}`;
    case 'UPDATE_CHAT':
      return `-- ${nameOf(event)} ${event.online ? 'is here' : 'left'}`;
    case 'UPDATE_GROUP':
      return `-- the customer ${event.online ? 'is here' : 'left'}`;
    case 'TYPING':
      return `-- ${nameOf(event)} ${event.typing ? 'is typing' : 'stopped typing'}`;
    case 'READ':
      return `-- ${nameOf(event)} has read up to ${event.seq}`;
    case 'SET_ASIDE':
      return `-- a customer with a token of the dealer has this name now; what was claimed goes on as ${event.setAside}`;
    case 'ERASE_GROUP':
      return '-- the conversation was erased';
    default:
      return `-- ${event.type} ${plainText(JSON.stringify(event.message))}`;
  }
}
