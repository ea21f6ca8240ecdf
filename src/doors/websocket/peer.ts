import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Peer } from '../../hub/peer.ts';

/** Reasons are at most 123 bytes [RFC 6455, 5.5]. */
const MAX_REASON = 123;

/** The first byte of a text frame that is whole [RFC 6455, 5.2]: FIN, and the opcode of text. */
const WHOLE_TEXT = 0x81;
/** A payload's length is in the second byte, or said there to be in the next 2 or 8. */
const [SHORT, IN_16_BITS, IN_64_BITS] = [126, 126, 127];

/** A text frame as it goes over the wire from a server, which masks nothing. */
function framed(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const isWide = length > 0xffff;
  const header = length < SHORT ? 2 : isWide ? 10 : 4;
  const frame = Buffer.allocUnsafe(header + length);
  frame[0] = WHOLE_TEXT;
  frame[1] = length < SHORT ? length : isWide ? IN_64_BITS : IN_16_BITS;
  if (isWide) frame.writeBigUInt64BE(BigInt(length), 2);
  else if (length >= SHORT) frame.writeUInt16BE(length, 2);
  frame.write(text, header);
  return frame;
}

let lastText: string | undefined;
let lastFramed: Buffer = Buffer.alloc(0);

/** The hub hands the same text to one socket after another: it is framed for the first. */
function framedOnce(text: string): Buffer {
  if (text !== lastText) {
    lastText = text;
    lastFramed = framed(text);
  }
  return lastFramed;
}

/** Those whose streams hold what they are given until this turn of the event loop has no more for anybody. */
let corked: WebSocketPeer[] = [];

function uncorkAll(): void {
  const peers = corked;
  corked = [];
  for (const peer of peers) peer.uncork();
}

/**
 * A `ws` socket, as the hub sees it. Text frames are written to the stream beneath it, past `ws`, which would frame each
 * anew for every socket; what one turn of the event loop has for a socket leaves in one write. It is safe as long as `ws`
 * itself sends nothing in pieces here: nothing is compressed, and it sends control frames alone, whole and in order.
 */
export class WebSocketPeer implements Peer {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #sent: () => void;
  #isCorked = false;
  /** The code with which this side closed it, if it did. */
  closedWith: number | null = null;

  /**
   * @param stream what the socket was upgraded from
   * @param sent told of each frame that is sent
   */
  constructor(socket: WebSocket, stream: Duplex, sent: () => void) {
    this.#socket = socket;
    this.#stream = stream;
    this.#sent = sent;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  get unsent(): number {
    return this.#socket.bufferedAmount;
  }

  send(frame: string, onGone?: () => void): void {
    if (!this.isOpen) {
      onGone?.();
      return;
    }
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#stream.cork();
      if (corked.push(this) === 1) process.nextTick(uncorkAll);
    }
    this.#stream.write(framedOnce(frame), onGone && (() => onGone()));
    this.#sent();
  }

  uncork(): void {
    this.#isCorked = false;
    this.#stream.uncork();
  }

  close(code: number, reason: string): void {
    this.closedWith ??= code;
    this.#socket.close(code, reason.slice(0, MAX_REASON));
  }
}
