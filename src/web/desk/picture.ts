/** State of the dealer as the desk knows it: read at first, and kept current by events. */
import type { SessionPayload, Stamp } from '../../client/index.ts';
import { type Chat, withVisit } from './chat.ts';
import { after, type Conversation, handoffIn, newConversation, type Payload, withItem } from './conversation.ts';
import { withLine } from './history.ts';
import type { Frame, Lists, RecordList } from './reader.ts';
import { type Known, NOTHING } from './record.ts';
import { Typists } from './typists.ts';
import type { Author } from './words.ts';

/** The longest that a change waits to be shown, in milliseconds. */
const SHOWN_WITHIN = 50;

/** Which record an event says something of. */
const RECORDS: Readonly<Partial<Record<Payload['type'], RecordList>>> = {
  UPDATE_USER: 'users',
  UPDATE_LEAD: 'leads',
  CREATE_LEAD_INTENT: 'lead-intents',
  UPDATE_LEAD_INTENT: 'lead-intents',
};

/** Records that were read of a customer; undefined: there is none. */
interface Records {
  readonly user: Known | undefined;
  readonly lead: Known | undefined;
  readonly visit?: Conversation['visit'];
}

type Availability = NonNullable<SessionPayload['availability']>;

/** [P-12.2] Seconds within which an admin is to answer, until it is told what the dealer has said. */
const ANSWER_WITHIN = 120;

interface Heard {
  readonly payload: Payload;
  readonly stamp: Stamp | undefined;
}

interface PictureOptions {
  readonly adminId: string;
  /** Something happened in a conversation that is not known. */
  readonly onUnknown: (groupId: string) => void;
  /** Something was said of a customer: whose word counts, the server knows. */
  readonly onRecord: (groupId: string, name: RecordList) => void;
  /** A conversation was erased [P-11.4]. */
  readonly onErased: (groupId: string) => void;
  /** A conversation goes on under another name [P-3.1]. */
  readonly onSetAside: (groupId: string, to: string) => void;
}

/** Tells whether the bot may not go on with what it was writing. */
const isSilenced = (payload: Payload): boolean =>
  payload.type === 'CLOSE_CHAT' || (payload.type === 'MUTE_STATUS' && payload.muted);

export class Picture {
  readonly typists = new Typists(() => this.changed());
  conversations = new Map<string, Conversation>();
  /** The conversation that is open. */
  chat: Chat | null = null;
  /** [P-13.2] As it was told last; null: it was not. */
  availability: Availability | null = null;
  /** [P-12.2] Seconds within which an admin is to answer. */
  answerWithin = ANSWER_WITHIN;
  /** [P-12.3] Agents who are here. */
  readonly #admins = new Set<string>();
  /** True once the list has been read. */
  isListed = false;
  readonly #options: PictureOptions;
  readonly #watchers = new Set<() => void>();
  /** Events since a reading began, for each reading under way. */
  readonly #meanwhile = new Set<Heard[]>();
  #redraw: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PictureOptions) {
    this.#options = options;
  }

  /** @returns what unsubscribes */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Takes what the server says of the dealer as this agent joins. */
  join({ availability, answerWithin, admins = [] }: SessionPayload): void {
    this.#admins.clear();
    for (const adminId of admins) this.#admins.add(adminId);
    this.availability = availability ?? null;
    this.answerWithin = answerWithin?.admin ?? ANSWER_WITHIN;
    this.changed();
  }

  /** The other agents who are here, in their order. */
  get colleagues(): readonly string[] {
    return [...this.#admins].filter((adminId) => adminId !== this.#options.adminId).sort();
  }

  /** Shows what has changed, all of it at once and soon. */
  changed(): void {
    this.#redraw ??= setTimeout(() => {
      this.#redraw = undefined;
      for (const watcher of this.#watchers) watcher();
    }, SHOWN_WITHIN);
  }

  /** Changes the conversation that is open, if one is. */
  updateChat(change: Partial<Chat>): void {
    if (this.chat) this.chat = { ...this.chat, ...change };
    this.changed();
  }

  /** A conversation as the server has it. @param records absent: they were not read */
  list(item: Lists['groups'], records?: Records): void {
    const known = this.conversations.get(item.groupId) ?? newConversation(item.groupId, item.createdAt);
    const { user = NOTHING, lead = NOTHING, visit = known.visit } = records ?? {};
    const read = records && { user, lead, visit, isKnown: true };
    this.conversations.set(item.groupId, { ...withItem(known, item), ...read });
  }

  /** [P-12.2] Those whose answer is overdue: the list itself does not say so. */
  listOverdue(items: readonly Lists['groups'][]): void {
    for (const { groupId, waiting } of items) {
      const known = this.conversations.get(groupId);
      if (known && waiting) this.conversations.set(groupId, { ...known, overdueSince: waiting.since });
    }
  }

  /** [P-12.8] Calls for a person, from the desk's log: the list does not have them. */
  listHandoffs(frames: readonly Frame[]): void {
    for (const { payload } of frames) {
      const known = payload.type === 'HANDOFF' && this.conversations.get(payload.groupId);
      if (known) this.conversations.set(known.groupId, { ...known, handoff: handoffIn(payload) });
    }
  }

  /** Reads, and then lets what happened meanwhile happen once more: a reading may be older than that. */
  async read<Found>(read: () => Promise<Found>, take: (found: Found) => void): Promise<void> {
    const meanwhile: Heard[] = [];
    this.#meanwhile.add(meanwhile);
    try {
      take(await read());
      for (const { payload, stamp } of meanwhile) this.#apply(payload, stamp);
    } finally {
      this.#meanwhile.delete(meanwhile);
    }
    this.changed();
  }

  happen(payload: Payload, stamp: Stamp | undefined): void {
    for (const meanwhile of this.#meanwhile) meanwhile.push({ payload, stamp });
    this.#apply(payload, stamp);
    this.changed();
  }

  #apply(payload: Payload, stamp: Stamp | undefined): void {
    if (payload.type === 'AVAILABILITY') this.availability = payload;
    if (payload.type === 'UPDATE_CHAT' && payload.user === 'admin') this.#arrive(payload);
    if (!('groupId' in payload) || payload.groupId === undefined) return;
    const { groupId } = payload;
    if (payload.type === 'ERASE_GROUP') this.forget(groupId);
    else if (payload.type === 'SET_ASIDE') this.#setAside(groupId, payload.setAside, stamp);
    else if (payload.type === 'TYPING') this.#type(groupId, payload, payload.typing, payload.text);
    else this.#change(groupId, payload, stamp);
  }

  /** Notes that an agent has come to the dealer or has left it: one in a conversation is here, and leaves it alone. */
  #arrive({ adminId, groupId, online }: { adminId: string; groupId?: string; online: boolean }): void {
    if (online) this.#admins.add(adminId);
    else if (groupId === undefined) this.#admins.delete(adminId);
  }

  /** @param growing [P-18.2] what a bot has written so far */
  #type(groupId: string, { user, adminId }: Author, isTyping: boolean, growing?: string): void {
    const author: Author = { user, ...(user === 'admin' && { adminId }) };
    if (author.adminId !== this.#options.adminId) this.typists.set(groupId, author, isTyping, growing);
  }

  #change(groupId: string, payload: Payload, stamp: Stamp | undefined): void {
    if (payload.type === 'CHAT_MSG') this.#type(groupId, payload, false);
    if (isSilenced(payload)) this.#type(groupId, { user: 'bot' }, false);
    const known = this.conversations.get(groupId);
    if (!known) this.#options.onUnknown(groupId);
    const conversation = known ?? newConversation(groupId, stamp?.at ?? new Date().toISOString());
    this.conversations.set(groupId, after(conversation, payload, stamp, this.#options.adminId));
    const record = RECORDS[payload.type];
    if (record) this.#options.onRecord(groupId, record);
    if (!stamp || this.chat?.groupId !== groupId) return;
    const isLine = stamp.scope === groupId;
    this.chat = isLine
      ? { ...this.chat, ...withLine(this.chat, { payload, ...stamp }) }
      : withVisit(this.chat, payload, stamp);
  }

  /** [P-3.1] Moves the state of a name with its conversation; the name begins anew. */
  #setAside(groupId: string, to: string, stamp: Stamp | undefined): void {
    const known = this.conversations.get(groupId);
    if (this.conversations.has(to)) return; // told twice
    if (known) this.conversations.set(to, { ...known, groupId: to, isSetAside: true, online: false });
    this.conversations.set(groupId, newConversation(groupId, stamp?.at ?? new Date().toISOString()));
    if (this.chat?.groupId === groupId) this.chat = { ...this.chat, groupId: to };
    this.#options.onSetAside(groupId, to);
  }

  /** Forgets a conversation that the server does not have any more. */
  forget(groupId: string): void {
    this.conversations.delete(groupId);
    if (this.chat?.groupId === groupId) {
      this.updateChat({ lines: [], hasOlder: false, visits: [], intents: new Map(), status: 'gone' });
    }
    this.#options.onErased(groupId);
  }
}
