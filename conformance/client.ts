/** A plain client of the protocol over any transport: it keeps every frame, and waits for those that are named. */
import { check, same } from './expect.ts';
import { type Frame, frameOf, isObject } from './frame.ts';
import type { Connection, Transport } from './transport.ts';

type Matcher = string | ((frame: Frame) => boolean);

const isIt = (matcher: Matcher) =>
  typeof matcher === 'string' ? (frame: Frame) => frame.channel === matcher || frame.payload.type === matcher : matcher;

/** [P-9] The errors that may be answered by the same frame again. */
const RETRYABLE = new Set<unknown>(['rate_limited', 'unavailable', 'internal']);

export type Payload = Readonly<Record<string, unknown>>;

let ids = 0;

export class Client {
  /** Every frame received, in order, and the text of each. */
  readonly frames: Frame[] = [];
  readonly texts: string[] = [];
  #connection: Connection | undefined;
  #code: number | undefined;
  #fault: Error | undefined;
  readonly #waiting = new Set<() => void>();
  /** Frames that `next` has passed. */
  #read = 0;
  /** The `since` of its join. */
  #since: unknown;
  readonly #patience: number;

  private constructor(patience: number) {
    this.#patience = patience;
  }

  static async open(transport: Transport, patience: number, token?: string): Promise<Client> {
    const client = new Client(patience);
    const listener = {
      text: (text: string) => client.#hear(text),
      closed: (code: number) => {
        client.#code = code;
        client.#wake();
      },
    };
    client.#connection = await transport.open(listener, token);
    return client;
  }

  #hear(text: string): void {
    this.texts.push(text);
    try {
      this.frames.push(frameOf(text));
    } catch (error) {
      this.#fault ??= error instanceof Error ? error : new Error(String(error));
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Waits until `look` finds something. */
  async #until<T>(what: string, look: () => T | undefined, patience = this.#patience): Promise<T> {
    const deadline = Date.now() + patience;
    for (;;) {
      if (this.#fault) throw this.#fault;
      const found = look();
      if (found !== undefined) return found;
      if (this.#code !== undefined) throw new Error(`no ${what}: it was closed with ${this.#code}`);
      if (Date.now() >= deadline) throw new Error(`no ${what} within ${patience} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now());
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  sendText(text: string): void {
    this.#connection?.send(text);
  }

  send(channel: string, payload: object, id?: string): void {
    if (isObject(payload) && 'since' in payload) this.#since = payload.since;
    this.sendText(JSON.stringify({ channel, payload, ...(id !== undefined && { id }) }));
  }

  /** The next frame of a channel, of a payload's type, or that a function picks; those before it are passed over. */
  next(matcher: Matcher, what = String(matcher)): Promise<Frame> {
    const matches = isIt(matcher);
    return this.#until(what, () => {
      while (this.#read < this.frames.length) {
        const frame = this.frames[this.#read];
        this.#read += 1;
        if (frame && matches(frame)) return frame;
      }
      return undefined;
    });
  }

  /** The `ack` or `error` that repeats an id. */
  answer(id: string): Promise<Frame> {
    const answers = ({ channel, payload }: Frame) => ['ack', 'error'].includes(channel) && payload.id === id;
    return this.#until(`ack or error with id "${id}"`, () => this.frames.find(answers));
  }

  /** Sends with an id, and answers with the ack's payload. @throws where it is refused */
  async taken(channel: string, payload: object, id = newId()): Promise<Payload> {
    this.send(channel, payload, id);
    const frame = await this.answer(id);
    check(frame.channel === 'ack', `${channel} was not taken: ${JSON.stringify(frame.payload)}`);
    return frame.payload;
  }

  /** Sends with an id what must be refused with a code. @returns the error's payload */
  async refused(code: string, channel: string, payload: object, id = newId()): Promise<Payload> {
    this.send(channel, payload, id);
    const frame = await this.answer(id);
    same(`the answer to ${channel}`, frame.payload.code ?? 'ack', code);
    same(`"retryable" of ${code}`, frame.payload.retryable, RETRYABLE.has(code));
    check(typeof frame.payload.message === 'string', 'an error has a message');
    return frame.payload;
  }

  /** Resolves when everything that the server had for this socket has come: a ping has gone round. */
  async settled(): Promise<void> {
    const pongs = () => this.frames.filter(({ channel }) => channel === 'pong').length;
    const before = pongs();
    this.send('ping', {});
    await this.#until('pong', () => (pongs() > before ? true : undefined));
  }

  /** Resolves with the close code, once it is closed by the server. */
  closed(patience = this.#patience): Promise<number> {
    return this.#until('close', () => this.#code, patience);
  }

  /** The stored events received of a scope. */
  events(scope: string): Frame[] {
    return this.frames.filter((frame) => frame.scope === scope);
  }

  /**
   * [P-8.2, P-8.3] Of its own scopes each event came once, in order and without a gap; what it sent itself counts by its ack.
   * @throws where that is not so
   */
  assertInOrder(): void {
    if (this.#fault) throw this.#fault;
    const session = this.frames.find(({ channel }) => channel === 'session')?.payload;
    if (!isObject(session?.seqs)) return;
    for (const [scope, last] of Object.entries(session.seqs)) {
      const isRecovered = isObject(session.recovered) && session.recovered[scope] === true;
      const from = isRecovered && isObject(this.#since) ? Number(this.#since[scope]) : Number(last);
      const told = this.events(scope).map(({ seq = 0 }) => seq);
      for (const [index, seq] of told.entries())
        check(index === 0 || seq > Number(told[index - 1]), `[8.3] seq ${seq} of ${scope} came twice, or too late`);
      const acked = this.frames.flatMap(({ channel, payload }) =>
        channel === 'ack' && payload.scope === scope && payload.duplicate === false ? [Number(payload.seq)] : [],
      );
      const all = [...told, ...acked].sort((one, other) => one - other);
      for (const [index, seq] of all.entries()) same(`[8.2] the seqs of ${scope}, from ${from}`, seq, from + index + 1);
    }
  }

  close(): void {
    this.#connection?.close();
  }
}

/** An id that nobody has used. */
export const newId = (): string => `c-${process.pid}-${Date.now()}-${++ids}`;
