/** An agent's desk: the connection, what comes over it, and what the agent does. */
import { type Client, type Closed, connect, type Delivered, type Stamp } from '../../client/index.ts';
import { Acts } from './acts.ts';
import { newChat } from './chat.ts';
import { askedFor, type Conversation, concerns, handoffIn, nameOf, type Payload } from './conversation.ts';
import { isLookedAt } from './notify.ts';
import { Picture } from './picture.ts';
import { Readings } from './readings.ts';
import { Search } from './search.ts';
import { Sending } from './sending.ts';
import { Shelf } from './shelf.ts';
import type { SignIn } from './sign-in.ts';
import { text } from './texts.ts';
import { inFull } from './words.ts';

const CHANNELS = [
  'CHAT_MESSAGE',
  'MUTE_STATE',
  'CLOSE_CHAT',
  'SYS_MESSAGE',
  'CHAT_STATE',
  'CUSTOMER_STATE',
  'TYPING_STATE',
  'READ_STATE',
  'DEALER_STATE',
] as const satisfies (keyof Delivered)[];

export type ConnectionState =
  | { readonly state: 'connecting' | 'joined' }
  | { readonly state: 'offline' /** When the next try is, in ms since 1970. */; readonly retryAt: number };

interface DeskOptions {
  readonly signIn: SignIn;
  /** It is over: the server does not want this client back. */
  readonly ended: (closed: Closed) => void;
  /** Something is to be told to the agent, in words. */
  readonly tell: (text: string) => void;
  /** A conversation goes on under another name. */
  readonly moved: (groupId: string, to: string) => void;
  /** A customer has said something that concerns this agent. @param key what tells it from all other messages */
  readonly said: (conversation: Conversation, message: string, key: string) => void;
}

export class Desk {
  readonly me: SignIn;
  /** Drafts, by conversation. */
  readonly drafts: Shelf;
  readonly picture: Picture;
  readonly readings: Readings;
  readonly search: Search;
  readonly acts: Acts;
  readonly sending: Sending;
  connection: ConnectionState = { state: 'connecting' };
  readonly #options: DeskOptions;
  readonly #client: Client<'admin'>;
  /** True where this agent has ended it. */
  #isLeft = false;

  constructor(options: DeskOptions) {
    const { signIn } = options;
    const { dealerId, adminId, token } = signIn;
    this.#options = options;
    this.me = signIn;
    this.drafts = new Shelf('sessionStorage', 'telle.desk', dealerId, adminId);
    this.picture = new Picture({
      adminId,
      onUnknown: (groupId) => void this.readings.need(groupId),
      onRecord: (groupId, name) => this.readings.renewSoon(groupId, name),
      onErased: (groupId) => {
        this.drafts.drop(groupId);
        this.sending.forget(groupId);
      },
      onSetAside: (groupId, to) => this.#moved(groupId, to),
    });
    this.readings = new Readings(signIn, this.picture);
    this.search = new Search(this.readings, () => this.picture.changed());
    const url = `${location.origin.replace(/^http/, 'ws')}/ws`;
    this.#client = connect({ url, role: 'admin', dealerId, adminId, token });
    const { picture, drafts } = this;
    this.acts = new Acts({ me: signIn, client: this.#client, picture, drafts, tell: options.tell });
    const { acts, readings } = this;
    this.sending = new Sending({ client: this.#client, acts, picture, readings, drafts });
    this.#listen();
    this.sending.resume();
  }

  #listen(): void {
    const client = this.#client;
    for (const channel of CHANNELS) client.on(channel, (payload: Payload, stamp?: Stamp) => this.#hear(payload, stamp));
    client.on('connecting', () => this.#connected({ state: 'connecting' }));
    client.on('offline', ({ retryIn }) => this.#connected({ state: 'offline', retryAt: Date.now() + retryIn }));
    client.on('session', (session) => {
      this.picture.join(session);
      this.#connected({ state: 'joined' });
      // After the session's gaps: what could not be caught up with is read anew, with all that was never caught up with.
      queueMicrotask(() => this.#read());
    });
    client.on('gap', ({ scope }) => {
      // [P-3.6] What is known of it does not go on to what will be read.
      if (this.picture.chat?.groupId === scope) this.picture.updateChat({ lines: [], hasOlder: false });
    });
    client.on('closed', (closed) => {
      this.readings.stop();
      if (!this.#isLeft) this.#options.ended(closed);
    });
  }

  /**
   * [P-3.1] Moves a draft with its conversation: what was written, and not sent, is meant for the customer whom it goes
   * on with.
   */
  #moved(groupId: string, to: string): void {
    this.drafts.put(to, this.drafts.get(groupId) ?? '');
    this.drafts.drop(groupId);
    this.sending.move(groupId, to);
    this.#options.moved(groupId, to);
    if (this.picture.chat?.groupId === to) this.#readChat();
  }

  #connected(connection: ConnectionState): void {
    this.connection = connection;
    this.picture.changed();
  }

  #read(): void {
    this.readings.list((before, now) => this.#catchUp(before, now));
    this.#readChat();
  }

  #readChat(): void {
    const { chat } = this.picture;
    if (!chat || this.#client.state !== 'joined') return;
    this.readings.open(chat.groupId, () => {
      this.#enter();
      this.markRead();
    });
  }

  #hear(payload: Payload, stamp: Stamp | undefined): void {
    this.picture.happen(payload, stamp);
    if (payload.type === 'CHAT_MSG' && payload.user === 'customer') {
      this.markRead();
      this.#keepOpen(payload.groupId);
      void this.#said(payload.groupId, payload.message, stamp?.at ?? '');
    }
    if (payload.type === 'HANDOFF')
      void this.#said(payload.groupId, askedFor({ ...payload, handoff: handoffIn(payload) }) ?? '', stamp?.at ?? '');
    if (payload.type === 'OVERDUE') void this.#said(payload.groupId, text('is overdue'), stamp?.at ?? '');
    if (payload.type === 'UPDATE_CHAT' && payload.adminId === this.me.adminId) this.#stay(payload.groupId);
    if (payload.type === 'SYS_MSG') {
      const who = inFull(payload, '', this.me.adminId);
      this.#options.tell(text('was announced', { who, message: payload.message }));
    }
  }

  /** Tells of what was said while there was no connection. */
  #catchUp(before: Conversation | undefined, { groupId, last }: Conversation): void {
    const isNew = last?.user === 'customer' && last.at > (before?.last?.at ?? '');
    if (isNew) void this.#said(groupId, last.message, last.at);
  }

  async #said(groupId: string, message: string, at: string): Promise<void> {
    await this.readings.know(groupId);
    const conversation = this.picture.conversations.get(groupId);
    const { dealerId, adminId } = this.me;
    if (!conversation || !concerns(conversation, adminId)) return;
    this.#options.said(conversation, message, [dealerId, adminId, groupId, at].join('/'));
  }

  /** Takes a close back that somebody writes into. */
  #keepOpen(groupId: string): void {
    if (!this.acts.isClosing(groupId)) return;
    this.acts.undoing.undo(groupId);
    const conversation = this.picture.conversations.get(groupId);
    if (conversation) this.#options.tell(text('not closed', { name: nameOf(conversation) }));
  }

  /** Another tab of this agent has left the conversation: this one has not. */
  #stay(groupId: string | undefined): void {
    if (groupId !== undefined && this.picture.chat?.groupId === groupId) this.#enter();
  }

  /** The page is left: what could still be undone is done, and nobody is at the open conversation from here any more. */
  go(): void {
    this.acts.undoing.finish();
    this.leave();
  }

  /** Signs out. */
  close(): void {
    this.go();
    this.search.stop();
    this.#isLeft = true;
    this.#client.close();
  }

  /** Opens a conversation; null: none. */
  open(groupId: string | null): void {
    if (groupId === (this.picture.chat?.groupId ?? null)) return;
    this.leave();
    this.readings.close();
    this.picture.chat = groupId === null ? null : newChat(groupId);
    this.#readChat();
    this.picture.changed();
  }

  /** The other admins who have the open conversation open, too. */
  get others(): string[] {
    const { chat } = this.picture;
    const here = (chat && this.picture.conversations.get(chat.groupId)?.here) ?? [];
    return here.filter((adminId) => adminId !== this.me.adminId);
  }

  #enter(): void {
    const { chat } = this.picture;
    if (chat?.status !== 'ready' || this.#client.state !== 'joined') return;
    const here = this.picture.conversations.get(chat.groupId)?.here ?? [];
    if (!here.includes(this.me.adminId)) this.acts.present(chat.groupId, true);
  }

  /** Nobody is at the open conversation from here any more. */
  leave(): void {
    const { chat } = this.picture;
    if (chat?.status === 'ready') this.acts.present(chat.groupId, false);
  }

  /** [P-7.1] Tells how far this admin has read, where somebody is looking. */
  markRead(): void {
    const { chat, conversations } = this.picture;
    const seq = chat?.lines.at(-1)?.seq;
    if (chat?.status !== 'ready' || seq === undefined || seq <= chat.readTo || !isLookedAt()) return;
    const { groupId } = chat;
    if (!conversations.get(groupId)?.unread || this.#client.state !== 'joined') return;
    this.picture.updateChat({ readTo: seq });
    const { dealerId, adminId } = this.me;
    const event = { type: 'READ', dealerId, groupId, adminId, user: 'admin', seq } as const;
    this.acts.act('read', { type: 'READ', groupId, seq }, event);
  }
}
