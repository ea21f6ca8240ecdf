import type { WebSocket } from 'ws';
import type { Peer } from '../../hub/peer.ts';

/** Reasons are at most 123 bytes [RFC 6455, 5.5]. */
const MAX_REASON = 123;

const TEXT = { binary: false };

/** A `ws` socket, as the hub sees it. */
export class WebSocketPeer implements Peer {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  get unsent(): number {
    return this.#socket.bufferedAmount;
  }

  send(frame: Buffer, onGone?: () => void): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(frame, TEXT, onGone);
    else onGone?.();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason.slice(0, MAX_REASON));
  }
}
