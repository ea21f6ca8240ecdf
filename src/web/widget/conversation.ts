/** The customer's conversation with the dealer, as the widget shows it. */
import { type Client, connect, type Events, type SessionPayload, TelleError, type Token } from '../../client/index.ts';
import { newId } from '../../client/platform.ts';
import type { Choice } from '../content/shown.ts';
import { readBefore } from './history.ts';
import { type Answer, DEALER_SCOPE, type Entry, entryOf, type Frame, Log } from './log.ts';
import type { Memory } from './memory.ts';
import type { Options } from './options.ts';
import { Records } from './records.ts';
import { TypingTeller } from './typing.ts';

/** Time after which somebody counts as no longer typing, in milliseconds, unless it is said again. */
const TYPING_LASTS = 10_000;
/** [P-9] */
const UNAUTHORIZED = 4401;

/** Nothing need be done: it is of no use later, or is told again. */
const ignored = () => {};

/** Author of answers, and whether that is a person. */
export interface Author {
  readonly kind: 'admin' | 'bot';
  readonly name?: string | undefined;
}

export class Conversation {
  muted = false;
  closed = false;
  /** True while an agent is here. */
  online = false;
  /** True where the connection is lost, and it may take a while to have one again. */
  isLost = false;
  /** True where the dealer takes nobody who brings no token [P-3.1]. */
  needsLogin = false;
  /** State of what is before the oldest event that was read: `none` is nothing. */
  earlier: 'none' | 'some' | 'loading' | 'failed' = 'none';
  typist: Author | undefined;
  /** Records of the customer, sent, once there is a connection. */
  readonly records: Records;
  readonly #options: Options;
  readonly #memory: Memory;
  readonly #changed: () => void;
  readonly #log = new Log();
  #client: Client<'customer'> | undefined;
  #group = '';
  /** The seq of the oldest event that was read. */
  #oldest = 0;
  /** The seq up to which it was told that the customer has read, and whether that is on its way. */
  #told = 0;
  #isTelling = false;
  #token: Token | undefined;
  /** True where the connection was begun with a token that was kept here. */
  #hasKept = false;
  #typistGone: ReturnType<typeof setTimeout> | undefined;
  readonly #typing = new TypingTeller((typing) => {
    if (this.state === 'joined') this.#client?.send('typing', { type: 'TYPING', typing }).catch(ignored);
  });

  /** @param changed is called after each change of what is seen */
  constructor(options: Options, memory: Memory, changed: () => void) {
    this.#options = options;
    this.#memory = memory;
    this.#changed = changed;
    this.records = new Records(memory);
    for (const entry of memory.unsent.get()) this.#log.putUnsent({ ...entry, kind: 'customer', status: 'sending' });
  }

  /** `idle`: nobody has asked for a connection. */
  get state() {
    return this.#client?.state ?? 'idle';
  }

  get entries(): readonly Entry[] {
    return this.#log.entries(this.#group);
  }

  get unread(): number {
    return this.#log.unread(this.#memory.read.get());
  }

  /** Author who answers now, as far as it is known. */
  get author(): Author | undefined {
    const { entries } = this;
    if (this.muted) return { kind: 'admin', name: entries.findLast(({ kind }) => kind === 'joined')?.name };
    return entries.some(({ kind }) => kind === 'bot') ? { kind: 'bot' } : undefined;
  }

  /** Joins, unless it has. What is not sent yet goes out. */
  connect(): void {
    if (this.#client && this.#client.state !== 'closed') return;
    const { base, dealerId } = this.#options;
    const url = new URL('ws', base);
    url.protocol = url.protocol.replace('http', 'ws');
    const token = this.#token;
    this.#hasKept = token === undefined && this.#memory.token.get() !== null;
    this.needsLogin = false;
    const who = token === undefined ? { storage: this.#memory.tokens } : { token };
    const client = connect({ url: url.href, role: 'customer', dealerId, ...who });
    this.#client = client;
    const on = <Name extends keyof Events>(name: Name, hear: (...heard: Events[Name]) => void) =>
      client.on(name, (...heard) => {
        if (client !== this.#client) return;
        hear(...heard);
        this.#changed();
      });
    on('session', (session) => this.#seated(session));
    on('gap', () => this.#read());
    on('connecting', ignored);
    on('offline', ({ retryIn }) => {
      this.isLost ||= retryIn > 0;
      this.#setTypist(undefined);
    });
    on('closed', ({ code }) => this.#ended(code));
    on('CHAT_MESSAGE', (payload, stamp) => this.#happened({ ...stamp, channel: 'CHAT_MESSAGE', payload }));
    on('MUTE_STATE', (payload, stamp) => this.#happened({ ...stamp, channel: 'MUTE_STATE', payload }));
    on('CLOSE_CHAT', (payload, stamp) => this.#happened({ ...stamp, channel: 'CLOSE_CHAT', payload }));
    on('SYS_MESSAGE', (payload, stamp) => this.#happened({ ...stamp, channel: 'SYS_MESSAGE', payload }));
    on('CHAT_STATE', (payload) => {
      if (payload.type === 'UPDATE_CHAT') this.online ||= payload.online;
      else if (payload.type === 'ERASE_GROUP') this.#forget();
    });
    on('TYPING_STATE', ({ user, adminId, typing }) => {
      if (user !== 'customer') this.#setTypist(typing ? { kind: user, name: adminId } : undefined);
    });
    on('READ_STATE', ({ user, seq }) => {
      if (user === 'customer') this.#keepRead({ [this.#group]: seq });
    });
    for (const entry of this.#log.unsent) this.#post(entry);
    this.records.tellBy(client);
  }

  /** Goes on as the customer that a token of the dealer's own names [P-4]. */
  login(token: Token): void {
    const client = this.#client;
    this.#client = undefined;
    client?.close();
    this.#token = token;
    this.connect();
  }

  /** [P-3.5] */
  #seated({ groupId = '', seqs, muted = false, closed = false, online = false }: SessionPayload): void {
    Object.assign(this, { muted, closed, online, isLost: false });
    this.#readNoFurther(seqs);
    if (groupId === this.#group) return;
    this.#group = groupId;
    const read = this.#memory.read.get();
    // Where nothing is known of what was read, there is nothing that waits to be.
    this.#memory.read.set(Object.hasOwn(read, groupId) ? read : seqs);
    this.#told = this.#memory.read.get()[groupId] ?? 0;
    this.#read();
  }

  /** [P-21.1] A log that was restored may end before what was read of the one before it. */
  #readNoFurther(seqs: Readonly<Record<string, number>>): void {
    const read = Object.entries(this.#memory.read.get());
    this.#memory.read.set(Object.fromEntries(read.map(([scope, seq]) => [scope, Math.min(seq, seqs[scope] ?? seq)])));
    this.#told = Math.min(this.#told, seqs[this.#group] ?? this.#told);
  }

  #happened(frame: Frame): void {
    const entry = entryOf(frame);
    if (entry) this.#log.put(frame.scope, frame.seq, entry);
    if (frame.channel === 'CHAT_MESSAGE') {
      const { user, muted } = frame.payload;
      this.muted = muted;
      this.closed = false;
      this.online ||= user === 'admin';
      if (user !== 'customer') this.#setTypist(undefined);
    } else if (frame.channel === 'MUTE_STATE') {
      this.muted = frame.payload.muted;
    } else if (frame.channel === 'CLOSE_CHAT') {
      this.closed = true;
    }
  }

  #setTypist(author: Author | undefined): void {
    clearTimeout(this.#typistGone);
    this.typist = author;
    if (!author) return;
    this.#typistGone = setTimeout(() => {
      this.typist = undefined;
      this.#changed();
    }, TYPING_LASTS);
  }

  /**
   * The server does not want this client back. A kept token that it no longer takes, for it was revoked or its conversation
   * was erased, is of no more use: the next chat is a new one. Whoever came without any would be refused again.
   */
  #ended(code: number): void {
    if (code !== UNAUTHORIZED || this.#token !== undefined) return;
    if (this.#hasKept) {
      this.#forget();
      return;
    }
    this.needsLogin = true;
    console.warn(
      `telle: the dealer ${this.#options.dealerId} takes customers by a token alone: call telle.login(token)`,
    );
  }

  #forget(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.close();
    this.#memory.token.set(null);
    this.#memory.hasBegun.set(false);
    this.#memory.read.set({});
    this.#log.clear();
    this.#group = '';
    this.earlier = 'none';
  }

  /** Reads the end of what was said. */
  async #read(): Promise<void> {
    const { seqs = {} } = this.#client?.session ?? {};
    this.#log.clear();
    this.#oldest = (seqs[this.#group] ?? 0) + 1;
    this.earlier = 'none';
    if (this.#oldest === 1) return;
    await this.readEarlier();
    const [first] = this.#log.entries(this.#group);
    const last = seqs[DEALER_SCOPE] ?? 0;
    if (!first || last === 0) return;
    // What was announced before they spoke is no part of their conversation.
    const { items } = await this.#readBefore(DEALER_SCOPE, last + 1).catch(() => ({ items: [] }));
    this.#put(items.filter(({ at }) => at >= first.at));
    this.#changed();
  }

  /** Reads on, backwards. */
  async readEarlier(): Promise<void> {
    if (this.earlier === 'loading') return;
    this.earlier = 'loading';
    this.#changed();
    try {
      const { items, next } = await this.#readBefore(this.#group, this.#oldest);
      this.#put(items);
      this.#oldest = items[0]?.seq ?? 0;
      this.earlier = next === null ? 'none' : 'some';
    } catch {
      this.earlier = 'failed';
    }
    this.#changed();
  }

  #readBefore(scope: string, before: number) {
    const { base, dealerId } = this.#options;
    return readBefore({ base, dealerId, token: this.#client?.session?.token ?? '', scope, before });
  }

  #put(frames: readonly Frame[]): void {
    for (const frame of frames) {
      const entry = entryOf(frame);
      if (entry) this.#log.put(frame.scope, frame.seq, entry);
    }
  }

  /** Sends what the customer wrote; it is shown, and kept, until it is acked. */
  send(text: string, answer?: Answer): void {
    const entry: Entry = {
      kind: 'customer',
      id: newId(),
      at: new Date().toISOString(),
      text,
      answer,
      status: 'sending',
    };
    this.#typing.tell(false);
    this.connect();
    this.#post(entry);
  }

  /** [P-18.1] Takes a choice that a message offers. */
  take({ seq: replyTo }: Entry, { label, value }: Choice): void {
    if (replyTo !== undefined) this.send(label, { replyTo, ...(value !== undefined && { value }) });
  }

  sendAgain(entry: Entry): void {
    this.#post({ ...entry, status: 'sending' });
  }

  async #post(entry: Entry): Promise<void> {
    this.#keepUnsent(entry);
    const { id, text: message = '', answer } = entry;
    try {
      const ack = await this.#client?.send('customer_message', { type: 'UPDATE_MSG', message, ...answer }, { id });
      if (ack?.scope === undefined || ack.seq === undefined) return;
      this.#log.put(ack.scope, ack.seq, { ...entry, at: ack.at ?? entry.at, status: undefined });
      if (!ack.duplicate) this.closed = false;
      this.#keepUnsent();
    } catch (error) {
      // What a connection that has ended did not send waits for the next.
      if (error instanceof TelleError && error.code === 'closed') return;
      this.#keepUnsent({ ...entry, status: 'failed' });
    }
  }

  #keepUnsent(entry?: Entry): void {
    if (entry) this.#log.putUnsent(entry);
    this.#memory.unsent.set(
      this.#log.unsent.map(({ id, at, text = '', answer }) => ({ id, at, text, ...(answer && { answer }) })),
    );
    this.#changed();
  }

  /** The customer has pressed a key, or has emptied the field. */
  typed(isTyping: boolean): void {
    this.#typing.tell(isTyping);
  }

  /** Everything that came is seen. */
  read(): void {
    this.#keepRead(this.#client?.seqs ?? {});
    this.#tellRead();
  }

  /** Tells how far was read: once at a time, so that what the customer says need not wait for it. */
  async #tellRead(): Promise<void> {
    const seq = this.#memory.read.get()[this.#group] ?? 0;
    if (this.#isTelling || seq <= this.#told) return;
    this.#isTelling = true;
    this.#told = seq;
    await this.#client?.send('read', { type: 'READ', seq }).catch(ignored);
    this.#isTelling = false;
    this.#tellRead();
  }

  #keepRead(seqs: Readonly<Record<string, number>>): void {
    const read = this.#memory.read.get();
    const later = Object.entries(seqs).filter(([scope, seq]) => seq > (read[scope] ?? 0));
    this.#memory.read.set({ ...read, ...Object.fromEntries(later) });
  }
}
