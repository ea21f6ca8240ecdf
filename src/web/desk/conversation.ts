/** State of each conversation, and the changes that an event makes. */
import type { Fields } from '../../../schemas/records.ts';
import type { Stamp } from '../../client/index.ts';
import { plainName } from './names.ts';
import type { Frame, Lists } from './reader.ts';
import { type Known, NOTHING } from './record.ts';
import { text } from './texts.ts';

export type Payload = Frame['payload'];
type Message = NonNullable<Lists['groups']['lastMessage']>;

/** A page that a customer looked at. */
export interface Visit {
  readonly at: string;
  readonly fields: Fields;
}

export interface Conversation {
  readonly groupId: string;
  readonly online: boolean;
  /** The admin who has taken over; null while the bot answers. */
  readonly mutedBy: string | null;
  readonly closed: boolean;
  readonly unread: number;
  readonly last: Pick<Message, 'at' | 'user' | 'adminId' | 'message' | 'content'> | null;
  /** Last event that the customer has read. */
  readonly customerRead: number;
  readonly createdAt: string;
  /** True where it had claimed a name that is a signed-in customer's now [P-3.1]. */
  readonly isSetAside: boolean;
  readonly user: Known;
  readonly lead: Known;
  /** True once it was read what is known of its customer. */
  readonly isKnown: boolean;
  /** The admins who have it open. */
  readonly here: readonly string[];
  /** Where the customer is, or was last. */
  readonly visit: Visit | null;
}

/** One that was not known before this event of it. */
export const newConversation = (groupId: string, createdAt: string): Conversation => ({
  groupId,
  online: false,
  mutedBy: null,
  closed: false,
  unread: 0,
  last: null,
  customerRead: 0,
  createdAt,
  isSetAside: false,
  user: NOTHING,
  lead: NOTHING,
  isKnown: false,
  here: [],
  visit: null,
});

/** One as the server has it; what it does not say of it stays as it was. */
export function withItem(known: Conversation, item: Lists['groups']): Conversation {
  const { online, closed, unread, customerRead, createdAt } = item;
  return {
    ...known,
    online,
    closed,
    unread,
    customerRead,
    createdAt,
    mutedBy: item.mutedBy ?? null,
    isSetAside: item.setAside === true,
    last: item.lastMessage,
    here: item.admins ?? known.here,
  };
}

/** Applies an event to a conversation. Events state how things are: one that comes twice changes nothing. */
export function after(known: Conversation, payload: Payload, stamp: Stamp | undefined): Conversation {
  const at = stamp?.at ?? known.createdAt;
  switch (payload.type) {
    case 'CHAT_MSG': {
      const { user, adminId, message, content, unread, muted } = payload;
      // [P-7.4] Whatever is said, it is said in an open chat.
      const last = { at, user, message, ...(adminId !== undefined && { adminId }), ...(content && { content }) };
      return { ...known, last, unread, closed: false, mutedBy: muted ? (known.mutedBy ?? adminId ?? null) : null };
    }
    case 'MUTE_STATUS':
      return { ...known, mutedBy: payload.muted ? payload.adminId : null };
    case 'CLOSE_CHAT':
      return { ...known, closed: true };
    case 'UPDATE_GROUP':
      return { ...known, online: payload.online };
    case 'UPDATE_CHAT': {
      const others = known.here.filter((adminId) => adminId !== payload.adminId);
      return { ...known, here: payload.online ? [...others, payload.adminId] : others };
    }
    case 'READ':
      // [P-7.1]
      if (payload.user === 'admin') return { ...known, unread: 0 };
      return { ...known, customerRead: Math.max(known.customerRead, payload.seq) };
    case 'UPDATE_PAGEVIEW':
      return { ...known, visit: { at, fields: payload.message } };
    default:
      return known;
  }
}

/** A field that says something. */
export const textOf = (fields: Fields, name: string): string => {
  const value = fields[name];
  return typeof value === 'string' ? value.trim() : '';
};

const nameIn = (fields: Fields, ...names: string[]) => plainName(names.map((name) => textOf(fields, name)).join(' '));
export const fullName = (fields: Fields) => nameIn(fields, 'name') || nameIn(fields, 'firstName', 'lastName');

/** Name of the customer; the conversation's where nothing else is known. */
export function nameOf({ user, lead, groupId }: Conversation): string {
  const known = [user.fields, lead.fields];
  for (const fields of known) if (fullName(fields)) return fullName(fields);
  for (const field of ['email', 'phone']) {
    for (const fields of known) if (nameIn(fields, field)) return nameIn(fields, field);
  }
  // Of a long one, as the server makes them, the beginning tells it from the others.
  return text('visitor', { id: groupId.length > 16 ? groupId.slice(0, 8) : groupId });
}

/** The page where the customer is: its title, else its address. */
export const placeOf = ({ visit }: Conversation): string =>
  visit ? textOf(visit.fields, 'title') || textOf(visit.fields, 'url') : '';

/** When somebody last said something. */
export const activeAt = ({ last, createdAt }: Conversation): string => last?.at ?? createdAt;

/** Tells whether a person must see to it: not where the bot, which may speak, had the last word. */
export const isWaiting = ({ unread, closed, mutedBy, last }: Conversation): boolean =>
  unread > 0 && !closed && (mutedBy !== null || last?.user !== 'bot');

/** Tells whether a message of its customer is for an admin: not where another has taken over. */
export const concerns = ({ mutedBy }: Conversation, adminId: string): boolean =>
  mutedBy === null || mutedBy === adminId;

/** Filters of the list. */
export const FILTERS = {
  open: (conversation: Conversation) => !conversation.closed,
  unread: isWaiting,
  online: ({ online }: Conversation) => online,
  mine: ({ mutedBy }: Conversation, adminId: string) => mutedBy === adminId,
} as const satisfies Record<string, (conversation: Conversation, adminId: string) => boolean>;
export type Filter = keyof typeof FILTERS;

export interface View {
  readonly search: string;
  /** Each must hold. */
  readonly filters: ReadonlySet<Filter>;
}

export function byActivity(a: Conversation, b: Conversation): number {
  const [left, right] = [activeAt(a), activeAt(b)];
  return left === right ? 0 : left < right ? 1 : -1;
}

/** Tells whether each of the filters holds. */
export const isLetBy = (filters: ReadonlySet<Filter>, conversation: Conversation, adminId: string): boolean =>
  [...filters].every((name) => FILTERS[name](conversation, adminId));
