/** An agent's desk: the connection, what comes over it, and what the agent does. */
import { type Client, type Closed, connect, type Delivered, type Stamp, TelleError } from '../../client/index.ts';
import { newId } from '../../client/platform.ts';
import { Acts } from './acts.ts';
import { newChat } from './chat.ts';
import { askedFor, type Conversation, concerns, handoffIn, nameOf, type Payload } from './conversation.ts';
import { isLookedAt } from './notify.ts';
import { Picture } from './picture.ts';
import { Readings } from './readings.ts';
import { Search } from './search.ts';
import { type Sent, SentShelf } from './sent.ts';
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
  connection: ConnectionState = { state: 'connecting' };
  readonly #options: DeskOptions;
  readonly #client: Client<'admin'>;
  readonly #sent: SentShelf;
  /** True where this agent has ended it. */
  #isLeft = false;

  constructor(options: DeskOptions) {
    const { signIn } = options;
    const { dealerId, adminId, token } = signIn;
    this.#options = options;
    this.me = signIn;
    this.drafts = new Shelf('sessionStorage', 'telle.desk', dealerId, adminId);
    this.#sent = new SentShelf(this.drafts);
    this.picture = new Picture({
      adminId,
      onUnknown: (groupId) => void this.readings.need(groupId),
      onRecord: (groupId, name) => this.readings.renewSoon(groupId, name),
      onErased: (groupId) => {
        this.drafts.drop(groupId);
        this.#sent.drop((sent) => sent.groupId === groupId);
      },
      onSetAside: (groupId, to) => this.#moved(groupId, to),
    });
    this.readings = new Readings(signIn, this.picture);
    this.search = new Search(this.readings, () => this.picture.changed());
    const url = `${location.origin.replace(/^http/, 'ws')}/ws`;
    this.#client = connect({ url, role: 'admin', dealerId, adminId, token });
    const { picture, drafts } = this;
    this.acts = new Acts({ me: signIn, client: this.#client, picture, drafts, tell: options.tell });
    this.#listen();
    for (const sent of this.#sent.all) if (sent.fault === undefined) this.#transmit(sent);
  }

  #listen(): void {
    const client = this.#client;
    for (const channel of CHANNELS) client.on(channel, (payload: Payload, stamp?: Stamp) => this.#hear(payload, stamp));
    client.on('connecting', () => this.#connected({ state: 'connecting' }));
    client.on('offline', ({ retryIn }) => this.#connected({ state: 'offline', retryAt: Date.now() + retryIn }));
    client.on('session', () => {
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
    for (const sent of this.#sent.all) if (sent.groupId === groupId) this.#sent.put({ ...sent, groupId: to });
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

  /** Messages of the open conversation that are on their way, or were refused. */
  get unsent(): readonly Sent[] {
    return this.#sent.all.filter(({ groupId }) => groupId === this.picture.chat?.groupId);
  }

  say(groupId: string, message: string): void {
    this.acts.undoing.undo(groupId);
    this.#transmit({ id: newId(), groupId, message, ...this.#asSeen(groupId) });
  }

  /** Sends again what was refused. */
  retry({ id, groupId, message }: Sent): void {
    this.#transmit({ id, groupId, message, ...this.#asSeen(groupId) });
  }

  #asSeen(groupId: string): Pick<Sent, 'expect'> {
    const conversation = this.picture.conversations.get(groupId);
    return conversation ? { expect: conversation.assignee } : {};
  }

  discard({ id }: Sent): void {
    this.#sent.drop((sent) => sent.id === id);
    this.picture.changed();
  }

  async #transmit(sent: Sent): Promise<void> {
    const { id, groupId, message, expect } = sent;
    this.#sent.put(sent);
    this.picture.changed();
    try {
      const said = {
        type: 'UPDATE_MSG',
        groupId,
        message,
        ...(expect !== undefined && { expectAssignee: expect }),
      } as const;
      const ack = await this.#client.send('admin_message', said, { id });
      this.#sent.drop((other) => other.id === id);
      const { dealerId, adminId } = this.me;
      const muted = (this.picture.conversations.get(groupId)?.mutedBy ?? null) !== null;
      this.acts.own({ type: 'CHAT_MSG', dealerId, groupId, adminId, user: 'admin', muted, unread: 0, message }, ack);
    } catch (error) {
      if (!(error instanceof TelleError)) throw error;
      if (error.code === 'conflict') return this.#contested(sent);
      // Where it is over, it waits for the next sign-in.
      if (error.code !== 'closed') this.#sent.put({ ...sent, fault: error.message });
      this.picture.changed();
    }
  }

  /** [P-12.4] It is another's than this agent saw: what was written is kept, unless that other is this agent, by an answer before. */
  async #contested(sent: Sent): Promise<void> {
    const { groupId } = sent;
    await this.readings.need(groupId);
    const { adminId } = this.me;
    const assignee = this.picture.conversations.get(groupId)?.assignee ?? null;
    if (assignee === adminId && sent.expect !== adminId) return this.#transmit({ ...sent, expect: adminId });
    const fault = assignee === null ? text('is nobody’s') : text('is another’s', { agent: assignee });
    this.#sent.put({ ...sent, fault });
    this.picture.changed();
  }
}
