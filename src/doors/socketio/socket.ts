/** [P-19.1] A session of Engine.IO, as a conversation sees it: polled, or over a WebSocket, or first the one and then the other. */
import type { ServerResponse } from 'node:http';
import type { Socket as Session } from 'engine.io';
import { PacketType } from 'socket.io-parser';
import { WebSocket } from 'ws';
import type { CloseCode } from '../../../schemas/errors.ts';
import type { Frame } from '../../../schemas/story.ts';
import type { Socket } from '../../conversation/socket.ts';
import type { Said, Tongue } from '../dialect.ts';
import { CLOSING, called, controlPacket, emitted, eventPacket, type Leaving, saidPacket, told } from './packets.ts';

/** [P-9] Codes after which a client is not to come back unchanged, as Socket.IO's clients do not after a DISCONNECT. */
const isFinal = (code: CloseCode): boolean => code >= 4400 && code <= 4499;

/** Events that answer a frame. */
const ANSWERS: ReadonlySet<string> = new Set(['ack', 'error']);

/** A packet that was sent and has not left. */
interface Unsent {
  readonly bytes: number;
  readonly onGone: (() => void) | undefined;
}

export class EngineSocket implements Socket {
  readonly #session: Session;
  readonly #closeTimeout: number;
  readonly #tongue: Tongue | null;
  readonly #leaving: Unsent[] = [];
  #unsent = 0;
  /** True where this client says JSON as text: it is answered so. */
  saysText = false;
  /** True where Engine.IO is about to end it, as soon as it has told of that: what still waits to leave never does. */
  isBroken = false;
  /** Callbacks that wait for an answer, by the id of it; null until there is one. */
  #callbacks: Map<string, number[]> | null = null;
  #isPaused = false;
  #whenRead: (() => void)[] = [];
  /** Polls that bring something and are not answered yet: a close would break them off, and what it says would not be fetched. */
  #bringing = 0;
  #isLeaving = false;
  #cut: NodeJS.Timeout | undefined;

  /**
   * @param closeTimeout time that a closed one may take to fetch what was sent before, in ms
   * @param tongue language in which it is told what happens, where it says JSON as text
   */
  constructor(session: Session, closeTimeout: number, tongue: Tongue | null = null) {
    this.#session = session;
    this.#tongue = tongue;
    this.#closeTimeout = closeTimeout;
    // Else half a minute, for a client that fetches nothing any more.
    if ('closeTimeout' in session.transport) session.transport.closeTimeout = closeTimeout;
    session.on('upgrade', () => this.#pauseStream());
    session.on('close', () => this.#end());
  }

  get isOpen(): boolean {
    return !this.#isLeaving && this.#session.readyState === 'open';
  }

  get unsent(): number {
    return this.#unsent;
  }

  send(text: string, onGone?: () => void): void {
    const one = told(text);
    const callback = this.#callbackOf(one.frame);
    const { channel, payload } = one.frame;
    const answer =
      callback === undefined ? null : called(callback, channel === 'ack' ? payload : { error: payload }, this.saysText);
    if (this.#tongue && this.saysText) this.#sendSaid(this.#tongue.tell(one.frame), answer, onGone);
    else this.write(answer ?? eventPacket(one, this.saysText), onGone);
  }

  /** Sends what a dialect makes of a frame; where a callback waits for it, that is called in the place of the answer's event. */
  #sendSaid(said: readonly Said[], answer: Leaving | null, onGone: (() => void) | undefined): void {
    const events = answer === null ? said : said.filter(({ event }) => !ANSWERS.has(event));
    const packets = [...events.map(saidPacket), ...(answer === null ? [] : [answer])];
    for (const packet of packets.slice(0, -1)) this.write(packet);
    const last = packets.at(-1);
    if (last) this.write(last, onGone);
    else onGone?.();
  }

  /** A callback waits for the answer with an id. */
  awaits(id: string, callback: number): void {
    this.#callbacks ??= new Map();
    const waiting = this.#callbacks.get(id);
    if (waiting) waiting.push(callback);
    else this.#callbacks.set(id, [callback]);
  }

  #callbackOf({ channel, payload: { id } }: Frame): number | undefined {
    if (typeof id !== 'string' || (channel !== 'ack' && channel !== 'error')) return undefined;
    const waiting = this.#callbacks?.get(id);
    const callback = waiting?.shift();
    if (waiting?.length === 0) this.#callbacks?.delete(id);
    return callback;
  }

  write({ text, frame }: Leaving, onGone?: () => void): void {
    this.#leaving.push({ bytes: frame.length, onGone });
    this.#unsent += frame.length;
    const options = { compress: false, wsPreEncodedFrame: [frame] };
    this.#session.write(text, options, this.#left);
  }

  /** Called for each packet in turn, when its transport has taken it. */
  readonly #left = (): void => {
    const first = this.#leaving.shift();
    this.#unsent -= first?.bytes ?? 0;
    first?.onGone?.();
  };

  close(code: CloseCode, reason: string): void {
    if (!this.isOpen) return;
    const farewell = emitted(CLOSING, [{ code, reason }], this.saysText);
    if (this.isBroken) this.#sendPast(farewell);
    else this.write(farewell);
    if (isFinal(code)) this.write(controlPacket({ type: PacketType.DISCONNECT, nsp: '/' }));
    this.leave();
  }

  #sendPast({ text: data }: Leaving): void {
    const { transport } = this.#session;
    if (this.#stream || transport.writable) transport.send([{ type: 'message', data, options: { compress: false } }]);
  }

  /** Closes it without a word. */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#leaveWhereDone();
    this.#cut = setTimeout(() => this.#session.close(true), this.#closeTimeout);
  }

  #leaveWhereDone(): void {
    if (this.#isLeaving && this.#bringing === 0) this.#session.close();
  }

  /** A poll brings something. Resolves when it is to be read: what the client has sent before comes first. */
  async brought(answer: ServerResponse): Promise<void> {
    this.#bringing += 1;
    answer.once('close', () => {
      this.#bringing -= 1;
      this.#leaveWhereDone();
    });
    if (this.#isPaused) await new Promise<void>((resolve) => this.#whenRead.push(resolve));
  }

  pause(): void {
    this.#isPaused = true;
    this.#pauseStream();
  }

  resume(): void {
    this.#isPaused = false;
    this.#stream?.resume();
    for (const resolve of this.#whenRead) resolve();
    this.#whenRead = [];
  }

  #pauseStream(): void {
    if (this.#isPaused) this.#stream?.pause();
  }

  /** The WebSocket by which it goes; undefined while it is polled. */
  get #stream(): WebSocket | undefined {
    const socket: unknown = Reflect.get(this.#session.transport, 'socket');
    return socket instanceof WebSocket ? socket : undefined;
  }

  #end(): void {
    clearTimeout(this.#cut);
    this.resume();
    for (const { onGone } of this.#leaving.splice(0)) onGone?.();
    this.#unsent = 0;
  }
}
