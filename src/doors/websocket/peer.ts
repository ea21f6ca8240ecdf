import type { WebSocket } from 'ws';
import type { Peer } from '../../hub/peer.ts';

/** Reasons are at most 123 bytes [RFC 6455, 5.5]. */
const MAX_REASON = 123;

const TEXT = { binary: false };

/** A `ws` socket, as the hub sees it. */
export class WebSocketPeer implements Peer {
  readonly #socket: WebSocket;
  readonly #sent: () => void;
  /** The code with which this side closed it, if it did. */
  closedWith: number | null = null;

  /** @param sent told of each frame that is sent */
  constructor(socket: WebSocket, sent: () => void) {
    this.#socket = socket;
    this.#sent = sent;
  }

  get unsent(): number {
    return this.#socket.bufferedAmount;
  }

  send(frame: Buffer, onGone?: () => void): void {
    if (this.#socket.readyState !== this.#socket.OPEN) {
      onGone?.();
      return;
    }
    this.#socket.send(frame, TEXT, onGone);
    this.#sent();
  }

  close(code: number, reason: string): void {
    this.closedWith ??= code;
    this.#socket.close(code, reason.slice(0, MAX_REASON));
  }
}
