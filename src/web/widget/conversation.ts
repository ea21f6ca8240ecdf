/** The customer's conversation with the dealer, as the widget shows it. */
import { Connection } from '../../client/connection.ts';
import type { AckPayload, Client, Events, SessionPayload } from '../../client/index.ts';
import { newId } from '../../client/platform.ts';
import type { Choice } from '../content/shown.ts';
import { type Answer, type Entry, entryOf, entrySent, type Frame, isFromOthers, Log } from './log.ts';
import type { Entered, Kept, Memory } from './memory.ts';
import { Past } from './past.ts';
import type { Trouble } from './reasons.ts';
import { Receipts } from './receipts.ts';
import { type Sight, troubleOf } from './reception.ts';
import { type About, type Person, Records } from './records.ts';
import { Sends } from './sends.ts';
import type { Availability, Setting, Writer } from './setting.ts';
import { TypingTeller, Typist } from './typing.ts';

/** Nothing need be done: it is of no use later, or is told again. */
const ignored = () => {};

export class Conversation {
  muted = false;
  closed = false;
  /** [P-13.2] State of the dealer: can anybody answer? Undefined until that is known. */
  availability: Availability | undefined;
  /** Agent whose it has become since it is looked at [P-12.3]. */
  assignee: string | null | undefined;
  /** True where the connection is lost, and it may take a while to have one again. */
  isLost = false;
  /** Why there is no chat: the server does not want it. */
  trouble: Trouble | undefined;
  /** Fate of the details that were last left. */
  details: 'none' | 'sending' | 'sent' | 'failed' = 'none';
  readonly memory: Memory;
  /** Records of the customer, sent, once there is a connection. */
  readonly records: Records;
  readonly past: Past;
  readonly #setting: Setting;
  readonly #typist: Typist;
  readonly #changed: () => void;
  readonly #log = new Log();
  readonly #sends: Sends;
  readonly #receipts: Receipts;
  #client: Client<'customer'> | undefined;
  #group = '';
  /** True where the connection was begun with a token that was kept here. */
  #hasKept = false;
  readonly #typing = new TypingTeller((typing) => {
    if (this.state === 'joined') this.#client?.send('typing', { type: 'TYPING', typing }).catch(ignored);
  });

  constructor(setting: Setting) {
    const { options, memory, visit, changed, later } = setting;
    this.#setting = setting;
    this.memory = memory;
    this.#changed = changed;
    this.#typist = new Typist(changed);
    this.#sends = new Sends(memory, {
      acked: (kept, ack) => this.#acked(kept, ack),
      refused: (kept) => this.#refused(kept),
    });
    this.#receipts = new Receipts(memory, async (seq) => {
      await this.#client?.send('read', { type: 'READ', seq }).catch(ignored);
    });
    this.past = new Past({ options, log: this.#log, later, token: () => this.#client?.session?.token ?? '', changed });
    this.records = new Records(memory, visit);
    this.remember();
  }

  /** Shows, and sends, what is kept of this customer. */
  remember(): void {
    for (const kept of this.#sends.waiting) this.#show(kept);
    if (this.#client) this.#sends.by(this.#client);
  }

  /** `idle`: nobody has asked for a connection. */
  get state() {
    return this.#client?.state ?? 'idle';
  }

  /** Somebody who is writing. */
  get typist(): Writer | undefined {
    return this.#typist.now;
  }

  get isLoggedIn(): boolean {
    return this.#setting.token !== undefined;
  }

  /** True where there is something to say, or to hear: without a word there is no conversation. */
  get isOn(): boolean {
    return this.isLoggedIn || this.memory.hasBegun.get() || this.#sends.waiting.length > 0;
  }

  get entries(): readonly Entry[] {
    return this.#log.entries(this.#group);
  }

  /** Messages of others that the customer has not seen. */
  get unread(): readonly Entry[] {
    return this.#log.unread(this.#receipts.seqs);
  }

  /** Tries again, where it did not work. */
  again(): void {
    if (this.state === 'idle') this.look();
    else this.connect();
  }

  /** Asks whether anybody is here, for who has not said anything yet: nobody is told of them. */
  async look(): Promise<void> {
    if (this.state !== 'idle') return;
    const { options, later } = this.#setting;
    const { trouble, availability }: Sight = await later().then(
      ({ lookIn }) => lookIn(options),
      () => ({ trouble: 'unreachable' }),
    );
    if (this.state !== 'idle') return;
    this.availability = availability;
    this.#fail(trouble);
    this.#changed();
  }

  /** Joins, unless it has. What is not sent yet goes out. */
  connect(): void {
    if (this.#client && this.#client.state !== 'closed') return;
    const { memory } = this;
    const { token, options, later } = this.#setting;
    const { base, dealerId } = options;
    const url = new URL('ws', base).href.replace('http', 'ws');
    this.#hasKept = token === undefined && memory.token.get() !== null;
    this.trouble = undefined;
    const who = token === undefined ? { storage: memory.tokens } : { token };
    const client = new Connection({ url, role: 'customer', dealerId, ...who }, later);
    this.#client = client;
    this.#listen(client);
    this.#sends.by(client);
    this.records.tellBy(client);
  }

  #listen(client: Client<'customer'>): void {
    const on = <Name extends keyof Events>(name: Name, hear: (...heard: Events[Name]) => void) =>
      client.on(name, (...heard) => {
        if (client !== this.#client) return;
        hear(...heard);
        this.#changed();
      });
    on('session', (session) => this.#seated(session));
    on('gap', () => this.past.read(this.#group, client.session?.seqs ?? {}));
    on('connecting', ignored);
    on('offline', ({ retryIn }) => {
      this.isLost ||= retryIn > 0;
      this.#typist.set(undefined);
    });
    on('closed', ({ code, reason }) => this.#ended(code, reason));
    on('CHAT_MESSAGE', (payload, stamp) => this.#happened({ ...stamp, channel: 'CHAT_MESSAGE', payload }));
    on('MUTE_STATE', (payload, stamp) => this.#happened({ ...stamp, channel: 'MUTE_STATE', payload }));
    on('CLOSE_CHAT', (payload, stamp) => this.#happened({ ...stamp, channel: 'CLOSE_CHAT', payload }));
    on('SYS_MESSAGE', (payload, stamp) => this.#happened({ ...stamp, channel: 'SYS_MESSAGE', payload }));
    on('CHAT_STATE', (payload) => {
      if (payload.type === 'ASSIGNED') this.assignee = payload.assignee;
      else if (payload.type === 'ERASE_GROUP') this.#forget();
    });
    on('DEALER_STATE', (availability) => {
      this.availability = availability;
    });
    on('TYPING_STATE', ({ user, adminId, typing, text }) => {
      if (user !== 'customer') this.#typist.set(typing ? { kind: user, name: adminId, text } : undefined);
    });
    on('READ_STATE', ({ user, seq }) => {
      if (user === 'customer') this.#receipts.keep({ [this.#group]: seq });
    });
  }

  /** The customer is another one from now on: nothing of this one's is shown or sent any more. */
  leave(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.close();
    this.#typing.end();
    this.#typist.set(undefined);
  }

  /** [P-3.5] */
  #seated({ groupId = '', seqs, muted = false, closed = false, availability }: SessionPayload): void {
    Object.assign(this, { muted, closed, availability, isLost: false });
    this.#receipts.readNoFurther(this.#group, seqs);
    if (groupId === this.#group) return;
    this.#group = groupId;
    this.#receipts.begin(groupId, seqs);
    this.past.read(groupId, seqs);
  }

  #happened(frame: Frame): void {
    const entry = entryOf(frame);
    if (entry) this.#log.put(frame.scope, frame.seq, entry);
    if (entry && isFromOthers(entry)) this.#setting.heard(entry);
    if (frame.channel === 'CHAT_MESSAGE') {
      const { user, muted } = frame.payload;
      this.muted = muted;
      this.closed = false;
      if (user !== 'customer') this.#typist.set(undefined);
    } else if (frame.channel === 'MUTE_STATE') {
      this.muted = frame.payload.muted;
      this.#typist.set(undefined);
    } else if (frame.channel === 'CLOSE_CHAT') {
      this.closed = true;
      this.#typist.set(undefined);
    }
  }

  /**
   * The server does not want this client back. A kept token that it no longer takes, for it was revoked or its conversation
   * was erased, is of no more use: the next chat is a new one. Whoever came without any would be refused again.
   */
  #ended(code: number, reason: string): void {
    const trouble = troubleOf(code, reason);
    if (trouble === 'unauthorized' && this.#hasKept) this.#forget();
    else this.#fail(trouble);
  }

  #fail(trouble: Trouble | undefined): void {
    if (trouble !== undefined && trouble !== this.trouble) this.#setting.failed(trouble);
    this.trouble = trouble;
  }

  #forget(): void {
    this.leave();
    for (const slot of ['token', 'hasBegun', 'read'] as const) this.memory[slot].forget();
    this.past.forget();
    this.#group = '';
  }

  /** Sends what the customer wrote; it is shown, and kept, until it is acked. */
  send(text: string, answer?: Answer): void {
    this.#typing.tell(false);
    this.#enter({ channel: 'customer_message', payload: { type: 'UPDATE_MSG', message: text, ...answer } });
  }

  /** [P-18.1] Takes a choice that a message offers. */
  take({ seq: replyTo }: Entry, { label, value }: Choice): void {
    if (replyTo !== undefined) this.send(label, { replyTo, ...(value !== undefined && { value }) });
  }

  sendAgain({ id }: Entry): void {
    const kept = this.#sends.waiting.find((each) => each.id === id);
    if (kept) this.#post(kept);
  }

  /** Sends how the customer is to be reached, and about what: kept until it is acked, as a message is. */
  leaveDetails(person: Person, about: About): void {
    for (const payload of this.records.detailsOf(person, about)) this.#enter({ channel: 'customer_update', payload });
  }

  #enter(entered: Entered): void {
    this.memory.hasBegun.set(true);
    this.#post({ ...entered, id: newId(), at: new Date().toISOString() });
    this.connect();
  }

  #post(kept: Kept): void {
    this.#show(kept);
    this.#sends.add(kept);
    this.#changed();
  }

  #show(kept: Kept): void {
    const entry = entrySent(kept);
    if (entry) this.#log.putUnsent(entry);
    else this.details = 'sending';
  }

  #acked(kept: Kept, { scope, seq, at, duplicate }: AckPayload): void {
    const entry = entrySent(kept);
    if (!entry) {
      const isLast = this.#sends.waiting.every(({ channel }) => channel === 'customer_message');
      if (isLast && this.details === 'sending') this.details = 'sent';
    } else if (scope !== undefined && seq !== undefined) {
      this.#log.put(scope, seq, { ...entry, at: at ?? entry.at, status: undefined });
      if (!duplicate) this.closed = false;
    }
    this.#changed();
  }

  #refused(kept: Kept): void {
    const entry = entrySent(kept);
    if (entry) this.#log.putUnsent({ ...entry, status: 'failed' });
    else this.details = 'failed';
    this.#changed();
  }

  /** The customer has pressed a key, or has emptied the field. */
  typed(isTyping: boolean): void {
    this.#typing.tell(isTyping);
  }

  /** Everything that came is seen. */
  read(): void {
    this.#receipts.keep(this.#client?.seqs ?? {});
    this.#receipts.tell(this.#group);
  }
}
