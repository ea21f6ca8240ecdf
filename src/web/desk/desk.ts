/** The desk itself: everything that it knows of its dealer, kept true by events, and what an agent does there. */
import type { Fields } from '../../../schemas/records.ts';
import {
  type AckPayload,
  type Channel,
  type Client,
  type Closed,
  connect,
  type Delivered,
  type Payload as Sending,
  type Stamp,
  TelleError,
} from '../../client/index.ts';
import { newId } from '../../client/platform.ts';
import { type Chat, merged, newChat, withRecords } from './chat.ts';
import { after, type Conversation, newConversation, type Payload, withItem } from './conversation.ts';
import { presentIn, withLatest, withLine, withOlder } from './history.ts';
import { type Lists, Reader, ReadingError } from './reader.ts';
import { type Sent, SentShelf } from './sent.ts';
import { Shelf } from './shelf.ts';
import type { SignIn } from './sign-in.ts';
import { Typists } from './typists.ts';

const CHANNELS = [
  'CHAT_MESSAGE',
  'MUTE_STATE',
  'CLOSE_CHAT',
  'SYS_MESSAGE',
  'CHAT_STATE',
  'CUSTOMER_STATE',
  'TYPING_STATE',
  'READ_STATE',
] as const satisfies (keyof Delivered)[];

/** The most pages of each list that are read at once: 2,000 conversations. */
const PAGES = 10;
/** The longest that a change waits to be shown, in milliseconds. */
const SHOWN_WITHIN = 50;
/** How long news of conversations that were not listed are gathered before they are looked up, in milliseconds. */
const GATHERING = 500;

export type Connection =
  | { readonly state: 'connecting' | 'joined' }
  | { readonly state: 'offline' /** When the next try is, in ms since 1970. */; readonly retryAt: number };

interface Heard {
  readonly payload: Payload;
  readonly stamp: Stamp | undefined;
}

interface DeskOptions {
  readonly signIn: SignIn;
  /** It is over: the server does not want this client back. */
  readonly ended: (closed: Closed) => void;
  /** Something is to be told to the agent, in words. */
  readonly tell: (text: string) => void;
  /** A customer has said something. */
  readonly said: (conversation: Conversation, message: string) => void;
}

export class Desk {
  readonly me: SignIn;
  /** What is being written, by conversation. */
  readonly drafts: Shelf;
  readonly typists: Typists;
  conversations = new Map<string, Conversation>();
  /** The conversation that is open. */
  chat: Chat | null = null;
  connection: Connection = { state: 'connecting' };
  /** Whether the list has been read. */
  isListed = false;
  readonly #options: DeskOptions;
  readonly #reader: Reader;
  readonly #client: Client<'admin'>;
  readonly #sent: SentShelf;
  readonly #watchers = new Set<() => void>();
  /** Conversations that the list does not have yet: where it goes on. */
  #more: string | null = null;
  /** What has happened since a reading began, for each that is under way. */
  readonly #meanwhile = new Set<Heard[]>();
  #session = new AbortController();
  #opening = new AbortController();
  #isOlderAsked = false;
  /** Whether it is this agent who has ended it. */
  #isLeft = false;
  #redraw: ReturnType<typeof setTimeout> | undefined;
  #lookUp: ReturnType<typeof setTimeout> | undefined;

  constructor(options: DeskOptions) {
    const { signIn } = options;
    const { dealerId, adminId, token } = signIn;
    this.#options = options;
    this.me = signIn;
    this.drafts = new Shelf('telle.desk', dealerId, adminId);
    this.#sent = new SentShelf(this.drafts);
    this.typists = new Typists(() => this.#changed());
    this.#reader = new Reader(signIn);
    const url = `${location.origin.replace(/^http/, 'ws')}/ws`;
    this.#client = connect({ url, role: 'admin', dealerId, adminId, token });
    this.#listen();
    for (const sent of this.#sent.all) if (sent.fault === undefined) this.#transmit(sent);
  }

  #listen(): void {
    const client = this.#client;
    for (const channel of CHANNELS) client.on(channel, (payload: Payload, stamp?: Stamp) => this.#hear(payload, stamp));
    client.on('connecting', () => this.#connected({ state: 'connecting' }));
    client.on('offline', ({ retryIn }) => this.#connected({ state: 'offline', retryAt: Date.now() + retryIn }));
    client.on('gap', ({ scope }) => {
      // [P-3.6] What is known of it does not go on to what will be read.
      if (this.chat?.groupId === scope) this.#update({ lines: [], hasOlder: false });
    });
    client.on('session', () => {
      this.#connected({ state: 'joined' });
      // After the session's gaps: what could not be caught up with is read anew, with all that was never caught up with.
      queueMicrotask(() => this.#read());
    });
    client.on('closed', (closed) => {
      this.#leaveAlone();
      if (!this.#isLeft) this.#options.ended(closed);
    });
  }

  /** @returns what unsubscribes */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Shows what has changed, all of it at once and soon. */
  #changed(): void {
    this.#redraw ??= setTimeout(() => {
      this.#redraw = undefined;
      for (const watcher of this.#watchers) watcher();
    }, SHOWN_WITHIN);
  }

  #connected(connection: Connection): void {
    this.connection = connection;
    this.#changed();
  }

  /** Stops everything that goes on by itself. */
  #leaveAlone(): void {
    this.#session.abort();
    this.#opening.abort();
    clearTimeout(this.#lookUp);
  }

  /** Signs out. */
  close(): void {
    this.leave();
    this.#isLeft = true;
    this.#client.close();
  }

  // ——— What is read

  /** Everything anew, for a session that begins. */
  #read(): void {
    this.#session.abort();
    this.#session = new AbortController();
    this.#quietly(this.#readList(this.#session.signal));
    if (this.chat) this.#readChat(this.chat.groupId);
  }

  /** A reading that is of no more interest, or not allowed, ends: of the latter the socket hears too. */
  #quietly(reading: Promise<void>): void {
    reading.catch((error: unknown) => {
      const isExpected =
        error instanceof ReadingError || (error instanceof DOMException && error.name === 'AbortError');
      if (!isExpected) throw error;
    });
  }

  /** Reads, and then lets what happened meanwhile happen once more: a reading may be older than that. */
  async #upToDate<Found>(read: () => Promise<Found>, take: (found: Found) => void): Promise<void> {
    const meanwhile: Heard[] = [];
    this.#meanwhile.add(meanwhile);
    try {
      take(await read());
      for (const { payload, stamp } of meanwhile) this.#apply(payload, stamp);
    } finally {
      this.#meanwhile.delete(meanwhile);
    }
    this.#changed();
  }

  #readList(signal: AbortSignal): Promise<void> {
    const pages = <Name extends keyof Lists>(name: Name) => this.#reader.pages(name, PAGES, signal);
    return this.#upToDate(
      () => Promise.all([pages('groups'), pages('users'), pages('leads'), pages('pageviews')]),
      ([groups, users, leads, visits]) => {
        const known = new Map<string, Conversation>();
        for (const item of groups.items) {
          known.set(item.groupId, withItem(newConversation(item.groupId, item.createdAt), item));
        }
        const set = (groupId: string, change: (known: Conversation) => Partial<Conversation>) => {
          const conversation = known.get(groupId);
          if (conversation) known.set(groupId, { ...conversation, ...change(conversation) });
        };
        for (const { groupId, fields } of users.items) set(groupId, () => ({ user: fields }));
        for (const { groupId, fields } of leads.items) set(groupId, () => ({ lead: fields }));
        // The last come first.
        for (const visit of visits.items)
          set(visit.groupId, (conversation) => ({ visit: conversation.visit ?? visit }));
        this.conversations = known;
        this.#more = groups.next;
        this.isListed = true;
      },
    );
  }

  get hasMore(): boolean {
    return this.#more !== null;
  }

  /** Goes on with the list, where something happened longer ago. */
  async readMore(): Promise<void> {
    const cursor = this.#more;
    if (cursor === null) return;
    this.#more = null;
    const { signal } = this.#session;
    await this.#upToDate(
      () => this.#reader.list('groups', { cursor }, signal),
      ({ items, next }) => {
        for (const item of items) this.#list(item);
        this.#more = next;
      },
    ).catch(() => {
      this.#more ??= cursor;
    });
  }

  #list(item: Lists['groups']): void {
    const known = this.conversations.get(item.groupId) ?? newConversation(item.groupId, item.createdAt);
    this.conversations.set(item.groupId, withItem(known, item));
  }

  /** Looks conversations up that were not in the list when something happened in them: they are the first there now. */
  #lookUpSoon(): void {
    const { signal } = this.#session;
    this.#lookUp ??= setTimeout(() => {
      this.#lookUp = undefined;
      const reading = this.#upToDate(
        () => this.#reader.list('groups', {}, signal),
        ({ items }) => {
          for (const item of items) this.#list(item);
        },
      );
      this.#quietly(reading);
    }, GATHERING);
  }

  /** What there is of the open conversation, and that this admin has it open. */
  #readChat(groupId: string): void {
    this.#opening.abort();
    this.#opening = new AbortController();
    const { signal } = this.#opening;
    const list = <Name extends keyof Lists>(name: Name, limit: number) =>
      this.#reader.list(name, { groupId, limit }, signal);
    const reading = this.#upToDate(
      () =>
        Promise.all([
          this.#reader.events(groupId, signal),
          list('users', 1),
          list('leads', 1),
          list('lead-intents', 50),
          list('pageviews', 50),
        ]),
      ([events, users, leads, intents, visits]) => {
        const known = this.conversations.get(groupId);
        if (!this.chat) return;
        if (known) {
          const [user = {}, lead = {}] = [users.items[0]?.fields, leads.items[0]?.fields];
          this.conversations.set(groupId, { ...known, user, lead, visit: visits.items[0] ?? known.visit });
        }
        this.chat = withRecords(this.chat, intents.items, visits.items);
        this.#update({ ...withLatest(this.chat, events), status: 'ready' });
      },
    );
    this.#quietly(
      reading.then(
        () => {
          this.#enter();
          this.markRead();
        },
        (error: unknown) => {
          if (error instanceof ReadingError && error.status === 404) this.#update({ status: 'gone' });
          throw error;
        },
      ),
    );
  }

  /** The page before the first line. */
  async readOlder(): Promise<void> {
    const { chat } = this;
    if (!chat?.hasOlder || this.#isOlderAsked) return;
    this.#isOlderAsked = true;
    const { signal } = this.#opening;
    try {
      const page = await this.#reader.events(chat.groupId, signal, chat.lines[0]?.seq);
      if (this.chat?.groupId === chat.groupId) this.#update(withOlder(this.chat, page));
    } catch {
      // It is asked for again by the next scrolling.
    } finally {
      this.#isOlderAsked = false;
    }
  }

  /** The last announcements, the last one last. */
  async announcements(): Promise<readonly { at: string; adminId: string; message: string }[]> {
    const { items } = await this.#reader.events('@dealer', this.#session.signal);
    return items.flatMap(({ at, payload }) => (payload.type === 'SYS_MSG' ? [{ at, ...payload }] : []));
  }

  #update(change: Partial<Chat>): void {
    if (this.chat) this.chat = { ...this.chat, ...change };
    this.#changed();
  }

  // ——— What happens

  #hear(payload: Payload, stamp: Stamp | undefined): void {
    this.#happened(payload, stamp);
    if (payload.type === 'CHAT_MSG' && payload.user === 'customer') {
      this.markRead();
      const conversation = this.conversations.get(payload.groupId);
      if (conversation) this.#options.said(conversation, payload.message);
    }
    if (payload.type === 'SYS_MSG') this.#options.tell(`${payload.adminId} announced to everybody: ${payload.message}`);
  }

  #happened(payload: Payload, stamp: Stamp | undefined): void {
    for (const meanwhile of this.#meanwhile) meanwhile.push({ payload, stamp });
    this.#apply(payload, stamp);
    this.#changed();
  }

  #apply(payload: Payload, stamp: Stamp | undefined): void {
    if (payload.type === 'SYS_MSG' || payload.groupId === undefined) return;
    const { groupId } = payload;
    if (payload.type === 'ERASE_GROUP') {
      this.#forget(groupId);
      return;
    }
    if (payload.type === 'TYPING') {
      const who = payload.adminId ?? payload.user;
      if (who !== this.me.adminId) this.typists.set(groupId, who, payload.typing);
      return;
    }
    if (payload.type === 'CHAT_MSG') this.typists.set(groupId, payload.adminId ?? payload.user, false);
    const known = this.conversations.get(groupId);
    if (!known && this.#more !== null) this.#lookUpSoon();
    const conversation = known ?? newConversation(groupId, stamp?.at ?? new Date().toISOString());
    this.conversations.set(groupId, after(conversation, payload, stamp));
    if (this.chat?.groupId === groupId) this.#applyToChat(this.chat, payload, stamp);
  }

  #applyToChat(chat: Chat, payload: Payload, stamp: Stamp | undefined): void {
    if (stamp?.scope === chat.groupId) this.chat = { ...chat, ...withLine(chat, { payload, ...stamp }) };
    else if (stamp) this.chat = merged(chat, payload, stamp);
  }

  /** [P-11.4] */
  #forget(groupId: string): void {
    this.conversations.delete(groupId);
    this.drafts.drop(groupId);
    this.#sent.drop((sent) => sent.groupId === groupId);
    if (this.chat?.groupId === groupId) {
      this.#opening.abort();
      this.#update({ lines: [], hasOlder: false, visits: [], intents: new Map<string, Fields>(), status: 'gone' });
    }
  }

  // ——— What the agent does

  /** Opens a conversation; null: none. */
  open(groupId: string | null): void {
    if (this.chat?.groupId === groupId) return;
    this.leave();
    this.#opening.abort();
    this.chat = groupId === null ? null : newChat(groupId);
    if (groupId !== null && this.#client.state === 'joined') this.#readChat(groupId);
    this.#changed();
  }

  /** The other admins who have the open conversation open, too. */
  get others(): string[] {
    return this.chat ? presentIn(this.chat).filter((adminId) => adminId !== this.me.adminId) : [];
  }

  #enter(): void {
    const { chat } = this;
    if (chat && !presentIn(chat).includes(this.me.adminId)) this.#present(chat.groupId, true);
  }

  /** Nobody is at the open conversation from here any more. */
  leave(): void {
    if (this.chat?.status === 'ready') this.#present(this.chat.groupId, false);
  }

  #present(groupId: string, online: boolean): void {
    const { dealerId, adminId } = this.me;
    const event = { type: 'UPDATE_CHAT', dealerId, groupId, adminId, user: 'admin', online } as const;
    this.#act('chat_state', { type: 'UPDATE_CHAT', groupId, online }, event);
  }

  /** [P-7.1] Tells how far this admin has read, where somebody is looking. */
  markRead(): void {
    const { chat } = this;
    const seq = chat?.lines.at(-1)?.seq;
    const isSeen = document.visibilityState === 'visible' && document.hasFocus();
    if (chat?.status !== 'ready' || seq === undefined || seq <= chat.readTo || !isSeen) return;
    if (!this.conversations.get(chat.groupId)?.unread || this.#client.state !== 'joined') return;
    this.chat = { ...chat, readTo: seq };
    const { groupId } = chat;
    const { dealerId, adminId } = this.me;
    const event = { type: 'READ', dealerId, groupId, adminId, user: 'admin', seq } as const;
    this.#act('read', { type: 'READ', groupId, seq }, event);
  }

  /** Messages of the open conversation that are on their way, or were refused. */
  get unsent(): readonly Sent[] {
    return this.#sent.all.filter(({ groupId }) => groupId === this.chat?.groupId);
  }

  say(groupId: string, message: string): void {
    this.#transmit({ id: newId(), groupId, message });
  }

  /** Sends again what was refused. */
  retry({ id, groupId, message }: Sent): void {
    this.#transmit({ id, groupId, message });
  }

  discard({ id }: Sent): void {
    this.#sent.drop((sent) => sent.id === id);
    this.#changed();
  }

  async #transmit(sent: Sent): Promise<void> {
    const { id, groupId, message } = sent;
    this.#sent.put(sent);
    this.#changed();
    try {
      const ack = await this.#client.send('admin_message', { type: 'UPDATE_MSG', groupId, message }, { id });
      this.#sent.drop((other) => other.id === id);
      const { dealerId, adminId } = this.me;
      const muted = (this.conversations.get(groupId)?.mutedBy ?? null) !== null;
      this.#own({ type: 'CHAT_MSG', dealerId, groupId, adminId, user: 'admin', muted, unread: 0, message }, ack);
    } catch (error) {
      if (!(error instanceof TelleError)) throw error;
      // It waits for the next sign-in.
      if (error.code !== 'closed') this.#sent.put({ ...sent, fault: error.message });
    }
    this.#changed();
  }

  typing(groupId: string, typing: boolean): void {
    this.#client.send('typing', { type: 'TYPING', groupId, typing }).catch(() => {});
  }

  takeOver(groupId: string): void {
    const { dealerId, adminId } = this.me;
    const event = { type: 'MUTE_STATUS', dealerId, groupId, adminId, muted: true } as const;
    this.#act('mute_bot', { type: 'MUTE_BOT', groupId }, event);
  }

  handBack(groupId: string): void {
    const { dealerId, adminId } = this.me;
    const event = { type: 'MUTE_STATUS', dealerId, groupId, adminId, muted: false } as const;
    this.#act('mute_bot', { type: 'UNMUTE_BOT', groupId }, event);
  }

  closeChat(groupId: string): void {
    const { dealerId, adminId } = this.me;
    const event = { type: 'CLOSE_CHAT', dealerId, groupId, adminId, user: 'admin', close: true } as const;
    this.#act('close_chat', { type: 'CLOSE_CHAT', groupId }, event);
  }

  /** @throws TelleError where it was refused */
  async announce(message: string): Promise<void> {
    await this.#client.send('sys_message', { type: 'SYS_MSG', message });
  }

  /** Sends, and lets the event happen here when it is acked: it does not come back by itself [P-7]. */
  async #act<C extends Channel<'admin'>>(channel: C, payload: Sending<'admin', C>, event: Payload): Promise<void> {
    try {
      this.#own(event, await this.#client.send(channel, payload));
    } catch (error) {
      if (!(error instanceof TelleError)) throw error;
      if (error.code !== 'closed') this.#options.tell(`That was not done: ${error.message}.`);
    }
  }

  #own(event: Payload, { id, scope, seq, at }: AckPayload): void {
    const isStored = scope !== undefined && seq !== undefined && at !== undefined;
    this.#happened(event, isStored ? { id, scope, seq, at } : undefined);
  }
}
