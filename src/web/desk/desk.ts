/** An agent's desk: the connection, what comes over it, and what the agent does. */
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
import { newChat } from './chat.ts';
import type { Conversation, Payload } from './conversation.ts';
import { presentIn } from './history.ts';
import { Picture } from './picture.ts';
import { Readings } from './readings.ts';
import { type Sent, SentShelf } from './sent.ts';
import { Shelf } from './shelf.ts';
import type { SignIn } from './sign-in.ts';

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
  /** A customer has said something. */
  readonly said: (conversation: Conversation, message: string) => void;
}

export class Desk {
  readonly me: SignIn;
  /** Drafts, by conversation. */
  readonly drafts: Shelf;
  readonly picture: Picture;
  readonly readings: Readings;
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
    this.drafts = new Shelf('telle.desk', dealerId, adminId);
    this.#sent = new SentShelf(this.drafts);
    this.picture = new Picture({
      adminId,
      onUnknown: () => this.readings.lookUpSoon(),
      onRecord: (groupId, name) => this.readings.renewSoon(groupId, name),
      onErased: (groupId) => {
        this.drafts.drop(groupId);
        this.#sent.drop((sent) => sent.groupId === groupId);
      },
      onSetAside: (groupId, to) => this.#moved(groupId, to),
    });
    this.readings = new Readings(signIn, this.picture);
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
    this.readings.list();
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
      const conversation = this.picture.conversations.get(payload.groupId);
      if (conversation) this.#options.said(conversation, payload.message);
    }
    if (payload.type === 'SYS_MSG')
      this.#options.tell(`Agent ${payload.adminId} announced to everybody: ${payload.message}`);
  }

  /** Signs out. */
  close(): void {
    this.leave();
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
    return chat ? presentIn(chat).filter((adminId) => adminId !== this.me.adminId) : [];
  }

  #enter(): void {
    const { chat } = this.picture;
    if (chat && !presentIn(chat).includes(this.me.adminId)) this.#present(chat.groupId, true);
  }

  /** Nobody is at the open conversation from here any more. */
  leave(): void {
    const { chat } = this.picture;
    if (chat?.status === 'ready') this.#present(chat.groupId, false);
  }

  #present(groupId: string, online: boolean): void {
    const { dealerId, adminId } = this.me;
    const event = { type: 'UPDATE_CHAT', dealerId, groupId, adminId, user: 'admin', online } as const;
    this.#act('chat_state', { type: 'UPDATE_CHAT', groupId, online }, event);
  }

  /** [P-7.1] Tells how far this admin has read, where somebody is looking. */
  markRead(): void {
    const { chat, conversations } = this.picture;
    const seq = chat?.lines.at(-1)?.seq;
    const isSeen = document.visibilityState === 'visible' && document.hasFocus();
    if (chat?.status !== 'ready' || seq === undefined || seq <= chat.readTo || !isSeen) return;
    const { groupId } = chat;
    if (!conversations.get(groupId)?.unread || this.#client.state !== 'joined') return;
    this.picture.updateChat({ readTo: seq });
    const { dealerId, adminId } = this.me;
    const event = { type: 'READ', dealerId, groupId, adminId, user: 'admin', seq } as const;
    this.#act('read', { type: 'READ', groupId, seq }, event);
  }

  /** Messages of the open conversation that are on their way, or were refused. */
  get unsent(): readonly Sent[] {
    return this.#sent.all.filter(({ groupId }) => groupId === this.picture.chat?.groupId);
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
    this.picture.changed();
  }

  async #transmit(sent: Sent): Promise<void> {
    const { id, groupId, message } = sent;
    this.#sent.put(sent);
    this.picture.changed();
    try {
      const ack = await this.#client.send('admin_message', { type: 'UPDATE_MSG', groupId, message }, { id });
      this.#sent.drop((other) => other.id === id);
      const { dealerId, adminId } = this.me;
      const muted = (this.picture.conversations.get(groupId)?.mutedBy ?? null) !== null;
      this.#own({ type: 'CHAT_MSG', dealerId, groupId, adminId, user: 'admin', muted, unread: 0, message }, ack);
    } catch (error) {
      if (!(error instanceof TelleError)) throw error;
      // Where it is over, it waits for the next sign-in.
      if (error.code !== 'closed') this.#sent.put({ ...sent, fault: error.message });
      this.picture.changed();
    }
  }

  typing(groupId: string, typing: boolean): void {
    this.#client.send('typing', { type: 'TYPING', groupId, typing }).catch(() => {});
  }

  takeOver(groupId: string): void {
    this.#mute(groupId, 'MUTE_BOT');
  }

  handBack(groupId: string): void {
    this.#mute(groupId, 'UNMUTE_BOT');
  }

  #mute(groupId: string, type: 'MUTE_BOT' | 'UNMUTE_BOT'): void {
    const { dealerId, adminId } = this.me;
    const event = { type: 'MUTE_STATUS', dealerId, groupId, adminId, muted: type === 'MUTE_BOT' } as const;
    this.#act('mute_bot', { type, groupId }, event);
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
    this.picture.happen(event, isStored ? { id, scope, seq, at } : undefined);
  }
}
