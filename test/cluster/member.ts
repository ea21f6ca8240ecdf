/**
 * A client that survives: it keeps what it has seen, comes back with `since` to whichever node lives, and sends again, with
 * the same id, what was not acked. It is written from PROTOCOL.md alone.
 */
import { EventEmitter, once } from 'node:events';
import { WebSocket } from 'ws';

/** Messages that wait for their ack at a time. */
const WINDOW = 4;
/** Between two tries, in ms. */
const RETRY = 200;

interface Options {
  /** The nodes that live now; the first that is tried. */
  readonly nodes: () => readonly string[];
  readonly first: number;
  readonly channel: 'client_join' | 'admin_join';
  readonly join: Readonly<Record<string, unknown>>;
}

/** Tells of every frame that any member gets. */
const frames = new EventEmitter();

export class Member {
  /** Every seq received, by scope, in the order of receipt: events and first acks. */
  readonly seen = new Map<string, number[]>();
  /** The seq that each acked id got. */
  readonly acked = new Map<string, { scope: string; seq: number }>();
  /** What went wrong with the order, in words. */
  readonly faults: string[] = [];
  joins = 0;
  repeats = 0;
  readonly #options: Options;
  readonly #since: Record<string, number> = {};
  readonly #queue: { id: string; channel: string; payload: object }[] = [];
  readonly #sent = new Map<string, { id: string; channel: string; payload: object }>();
  #socket: WebSocket | null = null;
  #token: string | undefined;
  #isJoined = false;
  #isClosed = false;
  #node: number;

  constructor(options: Options) {
    this.#options = options;
    this.#node = options.first;
    this.#connect();
  }

  /** Queues a message; it is sent as soon as it may be, and until it is acked. */
  say(id: string, channel: string, payload: object): void {
    this.#queue.push({ id, channel, payload });
    this.#pump();
  }

  get unacked(): number {
    return this.#queue.length + this.#sent.size;
  }

  last(scope: string): number {
    return this.#since[scope] ?? 0;
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.terminate();
  }

  #connect(): void {
    if (this.#isClosed) return;
    const nodes = this.#options.nodes();
    const socket = new WebSocket(`ws://${nodes[this.#node % nodes.length]}/ws`, 'telle.v1');
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('open', () => {
      const { join, channel } = this.#options;
      const token = this.#token === undefined ? {} : { token: this.#token };
      socket.send(JSON.stringify({ channel, payload: { ...join, ...token, since: this.#since } }));
    });
    socket.on('message', (data) => this.#take(JSON.parse(data.toString())));
    socket.on('close', () => {
      this.#isJoined = false;
      this.#node += 1;
      this.#queue.unshift(...this.#sent.values());
      this.#sent.clear();
      setTimeout(() => this.#connect(), RETRY);
    });
  }

  // biome-ignore lint/suspicious/noExplicitAny: frames are read as a stranger reads them
  #take({ channel, payload, scope, seq }: any): void {
    if (channel === 'session') {
      this.joins += 1;
      this.#isJoined = true;
      this.#token = payload.token ?? this.#token;
      for (const [name, whole] of Object.entries(payload.recovered))
        if (!whole) this.faults.push(`${name} was not recovered`);
      for (const [name, tail] of Object.entries(payload.seqs)) this.#since[name] ??= Number(tail);
      this.#pump();
    } else if (channel === 'ack') {
      this.#sent.delete(payload.id);
      this.acked.set(payload.id, payload);
      if (payload.duplicate) this.repeats += 1;
      else if (payload.seq) this.#see(payload.scope, payload.seq);
      this.#pump();
    } else if (channel === 'error') {
      this.#again(payload);
    } else if (seq !== undefined) {
      this.#see(scope, seq);
    }
    frames.emit('frame');
  }

  #see(scope: string, seq: number): void {
    const seqs = this.seen.get(scope) ?? [];
    const before = this.#since[scope] ?? 0;
    if (seq !== before + 1) this.faults.push(`${scope}: ${seq} after ${before}`);
    seqs.push(seq);
    this.seen.set(scope, seqs);
    this.#since[scope] = Math.max(before, seq);
  }

  /** A refusal that may be tried again is; any other is a fault of the test. */
  #again({ id, code, retryable }: { id?: string; code: string; retryable: boolean }): void {
    const message = id === undefined ? undefined : this.#sent.get(id);
    if (!retryable) this.faults.push(`refused: ${code}`);
    if (!message) {
      // The join itself was refused: from the start again.
      this.#socket?.close();
      return;
    }
    this.#sent.delete(message.id);
    setTimeout(() => this.say(message.id, message.channel, message.payload), RETRY);
  }

  #pump(): void {
    while (this.#isJoined && this.#sent.size < WINDOW) {
      const next = this.#queue.shift();
      if (!next) return;
      this.#sent.set(next.id, next);
      this.#socket?.send(JSON.stringify(next));
    }
  }
}

/** Resolves when a condition holds; it is looked at whenever any member gets a frame. */
export async function until(what: string, holds: () => boolean, ms = 60_000): Promise<void> {
  const signal = AbortSignal.timeout(ms);
  while (!holds()) {
    await once(frames, 'frame', { signal }).catch(() => {
      throw new Error(`${what}: not within ${ms} ms`);
    });
  }
}
