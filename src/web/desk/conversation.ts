/** State of each conversation, and the changes that an event makes. */
import type { Fields } from '../../../schemas/records.ts';
import type { Waiting } from '../../../schemas/waiting.ts';
import type { Stamp } from '../../client/index.ts';
import { plainName } from './names.ts';
import type { Frame, Lists } from './reader.ts';
import { type Known, NOTHING } from './record.ts';
import { text } from './texts.ts';
import type { Author } from './words.ts';

export type Payload = Frame['payload'];
type Message = NonNullable<Lists['groups']['lastMessage']>;

/** A page that a customer looked at. */
export interface Visit {
  readonly at: string;
  readonly fields: Fields;
}

/** [P-12.8] The bot asks for a person, in the wait that began then. */
export interface Handoff {
  readonly since: string;
  readonly reason: string | undefined;
}

export interface Conversation {
  readonly groupId: string;
  readonly online: boolean;
  /** The admin who has taken over; null while the bot answers. */
  readonly mutedBy: string | null;
  /** Wait of its customer: for whom, and since when [P-12.1]; null: nobody waits. */
  readonly waiting: Waiting;
  /** Beginning of the wait that was told to be overdue; it says nothing of another [P-12.2]. */
  readonly overdueSince: string | null;
  /** The bot's last call for a person [P-12.8]; it says nothing of another wait. */
  readonly handoff: Handoff | null;
  /** Agent whose it is [P-12.3]. */
  readonly assignee: string | null;
  readonly closed: boolean;
  /** Messages of the customer that this agent has not read [P-12.7]. */
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
  waiting: null,
  overdueSince: null,
  handoff: null,
  assignee: null,
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
  const { online, closed, waiting, assignee, customerRead, createdAt } = item;
  return {
    ...known,
    online,
    closed,
    waiting,
    assignee,
    unread: unreadIn(item),
    customerRead,
    createdAt,
    mutedBy: item.mutedBy ?? null,
    isSetAside: item.setAside === true,
    last: item.lastMessage,
    here: item.admins ?? known.here,
  };
}

/** [P-12.7] The server counts what no agent has read: what another has read alone is one at least. */
const unreadIn = ({ unread, readByMe = 0, lastMessage }: Lists['groups']): number =>
  lastMessage && readByMe < lastMessage.seq ? Math.max(unread, lastMessage.user === 'customer' ? 1 : 0) : 0;

/** Applies an event to a conversation. Events state how things are: one that comes twice changes nothing. @param me the agent who looks */
export function after(known: Conversation, payload: Payload, stamp: Stamp | undefined, me: string): Conversation {
  const at = stamp?.at ?? known.createdAt;
  switch (payload.type) {
    case 'CHAT_MSG': {
      const { user, adminId, message, content, muted, waiting = waitingAfter(known, user, at) } = payload;
      const unread = user === 'customer' ? Math.max(known.unread, payload.unread) : known.unread;
      // [P-7.4] Whatever is said, it is said in an open chat.
      const last = { at, user, message, ...(adminId !== undefined && { adminId }), ...(content && { content }) };
      return {
        ...known,
        last,
        unread,
        waiting,
        closed: false,
        mutedBy: muted ? (known.mutedBy ?? adminId ?? null) : null,
      };
    }
    case 'MUTE_STATUS':
      return { ...known, ...waitingIn(payload), mutedBy: payload.muted ? payload.adminId : null };
    case 'ASSIGNED':
      return { ...known, assignee: payload.assignee };
    case 'OVERDUE': {
      const isThat = known.waiting?.since === payload.since;
      return {
        ...known,
        overdueSince: payload.since,
        waiting: isThat ? { since: payload.since, for: 'admin' } : known.waiting,
      };
    }
    case 'HANDOFF':
      return { ...known, waiting: payload.waiting, handoff: handoffIn(payload) };
    case 'CLOSE_CHAT':
      return { ...known, closed: true, waiting: null };
    case 'UPDATE_GROUP':
      return { ...known, online: payload.online };
    case 'UPDATE_CHAT': {
      const others = known.here.filter((adminId) => adminId !== payload.adminId);
      return { ...known, here: payload.online ? [...others, payload.adminId] : others };
    }
    case 'READ':
      // [P-7.1]
      if (payload.user === 'admin') return payload.adminId === me ? { ...known, unread: 0 } : known;
      return { ...known, customerRead: Math.max(known.customerRead, payload.seq) };
    case 'UPDATE_PAGEVIEW':
      return { ...known, visit: { at, fields: payload.message } };
    default:
      return known;
  }
}

/** [P-12.1] The wait that an event tells of, where it does. */
const waitingIn = ({ waiting }: { readonly waiting?: Waiting | undefined }) =>
  waiting === undefined ? {} : { waiting };

/** [P-12.1] A wait after this agent's own message, which comes back without one: an answer ends it. */
const waitingAfter = ({ waiting }: Conversation, user: Author['user'], since: string): Waiting =>
  user === 'customer' ? (waiting ?? { since, for: 'admin' }) : null;

export const handoffIn = ({ waiting, reason }: Extract<Payload, { type: 'HANDOFF' }>): Handoff | null =>
  waiting && { since: waiting.since, reason };

/** Words for the bot's call for a person, while its customer waits for one; null: it does not ask. */
export function askedFor({ waiting, handoff }: Pick<Conversation, 'waiting' | 'handoff'>): string | null {
  if (handoff === null || handoff.since !== waiting?.since) return null;
  return handoff.reason === undefined ? text('asks for person') : text('asks because', { reason: handoff.reason });
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

/** Tells whether a person must answer: not where it is the bot's turn, or nobody's [P-12.1]. */
export const isWaiting = ({ waiting, closed }: Conversation): boolean => waiting?.for === 'admin' && !closed;

/** Tells whether a message of its customer is for an admin: not where it is another's, or another has taken over. */
export const concerns = ({ assignee, mutedBy }: Conversation, adminId: string): boolean =>
  (assignee ?? mutedBy ?? adminId) === adminId;

/** Tells whether it is wholly this agent's: nobody else has it, and the bot is silent. */
export const isMine = ({ assignee, mutedBy }: Conversation, adminId: string): boolean =>
  assignee === adminId && mutedBy === adminId;

/** Tells whether any agent has it. */
export const isHeld = ({ assignee, mutedBy }: Conversation): boolean => assignee !== null || mutedBy !== null;

/** Parts of the list: one of them is shown. */
export const TABS = {
  waiting: ({ waiting, closed }: Conversation) => waiting !== null && !closed,
  mine: ({ assignee, mutedBy, closed }: Conversation, adminId: string) => (assignee ?? mutedBy) === adminId && !closed,
  everybody: ({ closed }: Conversation) => !closed,
  closed: ({ closed }: Conversation) => closed,
} as const satisfies Record<string, (conversation: Conversation, adminId: string) => boolean>;
export type Tab = keyof typeof TABS;

export interface View {
  readonly search: string;
  readonly tab: Tab;
  /** True where only those are shown whose customer is online. */
  readonly isOnline: boolean;
}

/** The part that is shown: whoever searches where somebody waits is looking for anybody. */
export const tabOf = ({ search, tab }: Pick<View, 'search' | 'tab'>): Tab =>
  tab === 'waiting' && search.trim() !== '' ? 'everybody' : tab;

const descending = (left: string, right: string): number => (left === right ? 0 : left < right ? 1 : -1);

export const byActivity = (a: Conversation, b: Conversation): number => descending(activeAt(a), activeAt(b));

/** Those who wait for a person before those who wait for the bot, and the longest wait first. */
export const byWait = (a: Conversation, b: Conversation): number =>
  Number(isWaiting(b)) - Number(isWaiting(a)) || descending(b.waiting?.since ?? '', a.waiting?.since ?? '');
