import type { CloseCode } from '../../schemas/errors.ts';
import { dropAsSlow, type Peer } from '../hub/peer.ts';
import type { Socket } from './socket.ts';

/** [P-9] The one way out to a socket, for events, acks and errors alike: it closes one that reads more slowly than it is sent to. */
export class Outlet implements Peer {
  readonly #socket: Socket;
  readonly #maxBacklog: number;
  readonly #onSent: () => void;
  /** True while its backlog is to be looked at after this turn of the event loop. */
  #isSuspect = false;
  /** The code with which this side closed it, if it did. */
  closedWith: CloseCode | null = null;

  /**
   * @param maxBacklog bytes that may be unsent
   * @param onSent told of each text that is sent
   */
  constructor(socket: Socket, maxBacklog: number, onSent: () => void) {
    this.#socket = socket;
    this.#maxBacklog = maxBacklog;
    this.#onSent = onSent;
  }

  get isOpen(): boolean {
    return this.#socket.isOpen;
  }

  get unsent(): number {
    return this.#socket.unsent;
  }

  send(text: string, onGone?: () => void): void {
    if (!this.#socket.isOpen) {
      onGone?.();
      return;
    }
    this.#socket.send(text, onGone);
    this.#onSent();
    this.checkBacklog();
  }

  /** Looks at what is still unsent after a turn of the event loop: what the turn sends can only leave after it. */
  checkBacklog(): void {
    if (this.#isSuspect || this.#socket.unsent <= this.#maxBacklog) return;
    this.#isSuspect = true;
    setImmediate(() => {
      this.#isSuspect = false;
      if (this.#socket.unsent > this.#maxBacklog) dropAsSlow(this);
    });
  }

  close(code: CloseCode, reason: string): void {
    this.closedWith ??= code;
    this.#socket.close(code, reason);
  }
}
