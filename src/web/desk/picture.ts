/** What the desk knows of its dealer: read at first, and kept true by events. */
import type { Stamp } from '../../client/index.ts';
import { type Chat, merged } from './chat.ts';
import { after, type Conversation, newConversation, type Payload, withItem } from './conversation.ts';
import { withLine } from './history.ts';
import type { Lists } from './reader.ts';
import { Typists } from './typists.ts';

/** The longest that a change waits to be shown, in milliseconds. */
const SHOWN_WITHIN = 50;

interface Heard {
  readonly payload: Payload;
  readonly stamp: Stamp | undefined;
}

interface PictureOptions {
  readonly adminId: string;
  /** Something happened in a conversation that is not known. */
  readonly onUnknown: () => void;
  /** A conversation was erased [P-11.4]. */
  readonly onErased: (groupId: string) => void;
}

export class Picture {
  readonly typists = new Typists(() => this.changed());
  conversations = new Map<string, Conversation>();
  /** The conversation that is open. */
  chat: Chat | null = null;
  /** Whether the list has been read. */
  isListed = false;
  readonly #options: PictureOptions;
  readonly #watchers = new Set<() => void>();
  /** What has happened since a reading began, for each that is under way. */
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

  /** A conversation as the server has it. */
  list(item: Lists['groups']): void {
    const known = this.conversations.get(item.groupId) ?? newConversation(item.groupId, item.createdAt);
    this.conversations.set(item.groupId, withItem(known, item));
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
    if (payload.type === 'SYS_MSG' || payload.groupId === undefined) return;
    const { groupId } = payload;
    if (payload.type === 'ERASE_GROUP') this.#forget(groupId);
    else if (payload.type === 'TYPING') this.#type(groupId, payload.adminId ?? payload.user, payload.typing);
    else this.#change(groupId, payload, stamp);
  }

  #type(groupId: string, who: string, isTyping: boolean): void {
    if (who !== this.#options.adminId) this.typists.set(groupId, who, isTyping);
  }

  #change(groupId: string, payload: Payload, stamp: Stamp | undefined): void {
    if (payload.type === 'CHAT_MSG') this.typists.set(groupId, payload.adminId ?? payload.user, false);
    const known = this.conversations.get(groupId);
    if (!known) this.#options.onUnknown();
    const conversation = known ?? newConversation(groupId, stamp?.at ?? new Date().toISOString());
    this.conversations.set(groupId, after(conversation, payload, stamp));
    if (!stamp || this.chat?.groupId !== groupId) return;
    const isLine = stamp.scope === groupId;
    this.chat = isLine
      ? { ...this.chat, ...withLine(this.chat, { payload, ...stamp }) }
      : merged(this.chat, payload, stamp);
  }

  #forget(groupId: string): void {
    this.conversations.delete(groupId);
    if (this.chat?.groupId === groupId) {
      this.updateChat({ lines: [], hasOlder: false, visits: [], intents: new Map(), status: 'gone' });
    }
    this.#options.onErased(groupId);
  }
}
