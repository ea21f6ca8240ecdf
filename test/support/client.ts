/**
 * A plain client of the protocol, as a stranger would write it: it keeps every frame, and waits for those it names. Each
 * frame that it gets, and each that it sends and that is acked, must be as the published schemas say: where one is not,
 * whatever waits for a frame rejects, and so does the close of the server.
 */
import { once } from 'node:events';
import type { WebSocket } from 'ws';
import type { Role } from '../../schemas/kinds.ts';
import type { Frame } from './frame.ts';
import { faultsOf } from './published.ts';

/** A test that waits longer than this for a frame has failed. It is a bound on hanging, never a measure. */
const PATIENCE = 10_000;

type Matcher = string | ((frame: Frame) => boolean);

const matches = (matcher: Matcher) =>
  typeof matcher === 'string' ? (frame: Frame) => frame.channel === matcher || frame.payload.type === matcher : matcher;

let ids = 0;

export class Client {
  readonly socket: WebSocket;
  /** Every frame received, in order. */
  readonly frames: Frame[] = [];
  /** [P-13.2] What it was told of who is there: it comes whenever agents do, and clients of version 1 know nothing of it. */
  readonly availability: Frame[] = [];
  /** The raw text of each of these. */
  readonly texts: string[] = [];
  /** Resolves with the close code, when the socket is closed. */
  readonly closed: Promise<number>;
  /** How many of the frames `next` has passed. */
  #read = 0;
  #wake: () => void = () => {};
  /** Before it joins it may send only what is everybody's: whose schema that is held to makes no difference. */
  #role: Role = 'customer';
  /** What was sent under each id. */
  readonly #asked = new Map<string, Frame[]>();
  #fault: Error | null = null;

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', (code) => {
        resolve(code);
        this.#wake();
      });
    });
    socket.on('error', () => {});
    socket.on('message', (data) => {
      const frame: Frame = JSON.parse(data.toString());
      if (frame.channel === 'DEALER_STATE') this.availability.push(frame);
      else {
        this.frames.push(frame);
        this.texts.push(data.toString());
      }
      this.#hold(frame);
      this.#wake();
    });
  }

  /** Sends a frame, and waits for nothing. */
  send(channel: string, payload: object, id?: string): void {
    const text = JSON.stringify({ channel, payload, ...(id !== undefined && { id }) });
    if (id !== undefined) this.#asked.set(id, [...(this.#asked.get(id) ?? []), JSON.parse(text)]);
    this.socket.send(text);
  }

  /** Holds a frame that has come, and what it acks, to the published schemas. */
  #hold(frame: Frame): void {
    if (frame.channel === 'session') this.#role = frame.payload.role;
    const asked = frame.channel === 'ack' ? this.#asked.get(frame.payload.id) : undefined;
    const faults = asked?.map((sent) => faultsOf(this.#role, sent)) ?? [];
    // Of several with one id, any may be the one that is acked.
    const fault = faultsOf('telle', frame) ?? (faults.includes(null) ? null : faults.find((each) => each !== null));
    if (fault) this.#fault ??= new Error(`${fault}\n${JSON.stringify(asked ?? frame)}`);
  }

  /** @throws where a frame was not as it is published */
  assertPublished(): void {
    if (this.#fault) throw this.#fault;
  }

  /** The next frame of a channel, of a payload type, or that a function picks; those before it are passed over. */
  async next(matcher: Matcher): Promise<Frame> {
    const isIt = matches(matcher);
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      this.assertPublished();
      while (this.#read < this.frames.length) {
        const frame = this.frames[this.#read];
        this.#read += 1;
        if (frame && isIt(frame)) return frame;
      }
      if (this.socket.readyState === this.socket.CLOSED) throw new Error(`closed while waiting for ${matcher}`);
      await this.#more(deadline, String(matcher));
    }
  }

  #more(deadline: number, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no ${what} came; got ${this.texts.slice(-5).join('\n')}`)),
        deadline - Date.now(),
      );
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Sends a frame with an id, and answers with the payload of its `ack` or `error`, whichever comes. */
  async ask(channel: string, payload: object, id = `ask-${++ids}`): Promise<Frame['payload']> {
    const from = this.frames.length;
    this.send(channel, payload, id);
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      this.assertPublished();
      const answer = this.frames.slice(from).find(({ channel: name, payload: body }) => {
        return (name === 'ack' || name === 'error') && body.id === id;
      });
      if (answer) return { ...answer.payload, channel: answer.channel };
      if (this.socket.readyState === this.socket.CLOSED) throw new Error(`closed while waiting for ${id}'s answer`);
      await this.#more(deadline, `answer to ${id}`);
    }
  }

  /** Resolves when everything that the server had for this socket when called has come: a ping has gone round. */
  async settled(): Promise<void> {
    const pongs = () => this.frames.filter(({ channel }) => channel === 'pong').length;
    const before = pongs();
    this.send('ping', {});
    const deadline = Date.now() + PATIENCE;
    while (pongs() === before) await this.#more(deadline, 'pong');
    this.assertPublished();
  }

  /** The stored events received of a scope, in order. */
  events(scope: string): Frame[] {
    return this.frames.filter((frame) => frame.scope === scope);
  }

  /** The seqs received of a scope, of events and acks alike, in order: what a client counts as seen. */
  seqs(scope: string): number[] {
    return this.frames.flatMap((frame) => {
      const at = frame.channel === 'ack' ? frame.payload : frame;
      return at.scope === scope && typeof at.seq === 'number' && !at.duplicate ? [at.seq] : [];
    });
  }

  async close(): Promise<void> {
    if (this.socket.readyState === this.socket.CLOSED) return;
    this.socket.close();
    await once(this.socket, 'close');
  }
}
