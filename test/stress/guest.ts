/**
 * A client for many: it keeps what it has seen, notes every break of the order that the protocol promises [P-8.3], and
 * finds its answers by their ids.
 */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Frame } from '../support/frame.ts';

/** An answer to a frame with an id: its ack or its error. */
export interface Answer {
  readonly channel: 'ack' | 'error';
  readonly code?: string;
  readonly retryable?: boolean;
  readonly scope?: string;
  readonly seq?: number;
  readonly duplicate?: boolean;
}

/** Longer than anything that is waited for takes. It is a bound on hanging, never a measure. */
const PATIENCE = 10_000;

let ids = 0;

export class Guest {
  readonly socket: WebSocket;
  /** Every frame, in order, and its raw text. */
  readonly frames: Frame[] = [];
  readonly texts: string[] = [];
  /** Answers by id, the last one of each. */
  readonly answers = new Map<string, Answer>();
  /** The last seq seen of each scope: what a rejoin says as `since`. */
  readonly since: Record<string, number> = {};
  /** What broke the order, in words. */
  readonly faults: string[] = [];
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  #session: Frame['payload'] | null = null;
  readonly #wakes = new Set<() => void>();

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    this.closed.then(() => this.#wake());
    socket.on('error', () => {});
    socket.on('message', (data) => {
      const text = data.toString();
      this.texts.push(text);
      this.#take(JSON.parse(text));
      this.#wake();
    });
  }

  /** Opens a socket. @param localAddress which of this machine's own it comes from */
  static async dial(at: string, localAddress?: string): Promise<Guest> {
    const guest = new Guest(new WebSocket(`ws://${at}/ws`, { perMessageDeflate: false, localAddress }));
    await Promise.race([
      once(guest.socket, 'open'),
      guest.closed.then((code) => Promise.reject(new Error(`the socket was not opened: ${code}`))),
    ]);
    return guest;
  }

  /** The payload of its `session` frame. */
  get session(): Frame['payload'] {
    if (this.#session === null) throw new Error('it has not joined');
    return this.#session;
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  #take(frame: Frame): void {
    this.frames.push(frame);
    const { channel, payload, scope, seq } = frame;
    if (channel === 'session') {
      this.#session = payload;
      for (const [name, tail] of Object.entries(payload.seqs)) this.since[name] ??= Number(tail);
    } else if (channel === 'ack' || channel === 'error') {
      if (payload.id !== undefined) this.answers.set(payload.id, { channel, ...payload });
      if (channel === 'ack' && payload.seq !== undefined && !payload.duplicate) this.#see(payload.scope, payload.seq);
    } else if (scope !== undefined && seq !== undefined) this.#see(scope, seq);
  }

  #see(scope: string, seq: number): void {
    const before = this.since[scope];
    // Of @desk a customer sees the acks of its own updates alone.
    const hasAll = scope !== '@desk' || this.#session?.role !== 'customer';
    if (before !== undefined && seq !== before + 1 && hasAll) this.faults.push(`${scope}: ${seq} after ${before}`);
    this.since[scope] = seq;
  }

  #wake(): void {
    for (const wake of [...this.#wakes]) wake();
  }

  send(channel: string, payload: object, id?: string): void {
    if (this.isOpen) this.socket.send(JSON.stringify({ channel, payload, ...(id !== undefined && { id }) }));
  }

  /** Sends a frame with an id, and resolves with its answer. */
  async ask(channel: string, payload: object, id = `q${++ids}`): Promise<Answer> {
    this.answers.delete(id);
    this.send(channel, payload, id);
    await this.until(() => this.answers.has(id), `an answer to ${id}`);
    const answer = this.answers.get(id);
    if (!answer) throw new Error(`no answer to ${id}`);
    return answer;
  }

  /** Resolves when something holds: looked at now, and at every frame. */
  async until(holds: () => boolean, what: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const end = (act: () => void) => {
        clearTimeout(timer);
        this.#wakes.delete(look);
        act();
      };
      const look = () => {
        if (holds()) end(resolve);
        else if (this.socket.readyState === this.socket.CLOSED)
          end(() => reject(new Error(`closed while waiting for ${what}`)));
      };
      const timer = setTimeout(() => end(() => reject(new Error(`no ${what} within ${PATIENCE} ms`))), PATIENCE);
      this.#wakes.add(look);
      look();
    });
  }

  /** Resolves when it has seen a scope up to a seq. */
  async sees(scope: string, seq: number): Promise<void> {
    await this.until(() => (this.since[scope] ?? 0) >= seq, `${scope} up to ${seq}`);
  }

  /** Resolves when all that the server had for it when asked has come. */
  async settled(): Promise<void> {
    const pongs = () => this.frames.reduce((sum, { channel }) => sum + (channel === 'pong' ? 1 : 0), 0);
    const before = pongs();
    this.send('ping', {});
    await this.until(() => pongs() > before, 'pong');
  }

  /** The payloads of a channel, in order. */
  of(channel: string): Frame['payload'][] {
    return this.frames.flatMap((frame) => (frame.channel === channel ? [frame.payload] : []));
  }

  /** Breaks off, as a client whose network goes. */
  async cut(): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }
}
