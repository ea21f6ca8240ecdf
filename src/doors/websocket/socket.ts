/** A `ws` socket, as a conversation sees it. */
import type { Duplex } from 'node:stream';
import { Sender, type WebSocket } from 'ws';
import type { Socket } from '../../conversation/socket.ts';

/** Reasons are at most 123 bytes [RFC 6455, 5.5]. */
const MAX_REASON = 123;

/** A frame of text that is whole, as a server sends it, which masks nothing [RFC 6455, 5.2]. */
const WHOLE_TEXT = { fin: true, opcode: 1, mask: false, rsv1: false, readOnly: true };

/** The frame of a text, in one piece. */
export const framed = (text: string): Buffer => Buffer.concat(Sender.frame(Buffer.from(text), WHOLE_TEXT));

let lastText: string | undefined;
let lastFramed: Buffer = Buffer.alloc(0);

/** The hub hands the same text to one socket after another: it is framed for the first, in one piece. */
function framedOnce(text: string): Buffer {
  if (text !== lastText) {
    lastText = text;
    lastFramed = framed(text);
  }
  return lastFramed;
}

/** Those whose streams hold what they are given until this turn of the event loop has no more for anybody. */
let corked: FramedSocket[] = [];

function uncorkAll(): void {
  const sockets = corked;
  corked = [];
  for (const socket of sockets) socket.uncork();
}

/**
 * Frames are written to the stream beneath `ws`, past it: it would frame each text anew for every socket. What one turn of
 * the event loop has for a socket leaves in one write. It is safe as long as `ws` itself sends nothing in pieces here:
 * nothing is compressed, and it sends control frames alone, whole and in order.
 */
export class FramedSocket implements Socket {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  #isCorked = false;

  /** @param stream what the socket was upgraded from */
  constructor(socket: WebSocket, stream: Duplex) {
    this.#socket = socket;
    this.#stream = stream;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  get unsent(): number {
    return this.#socket.bufferedAmount;
  }

  send(text: string, onGone?: () => void): void {
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#stream.cork();
      if (corked.push(this) === 1) process.nextTick(uncorkAll);
    }
    this.#stream.write(framedOnce(text), onGone && (() => onGone()));
  }

  uncork(): void {
    this.#isCorked = false;
    this.#stream.uncork();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason.slice(0, MAX_REASON));
  }

  /** Reads no more. Where this side has closed it, the other need not wait for its own close to be read. */
  pause(): void {
    this.#socket.pause();
    if (!this.isOpen) this.#stream.end();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** [P-2.6] */
  ping(payload: string): void {
    this.#socket.ping(payload);
  }

  cut(): void {
    this.#socket.terminate();
  }
}
