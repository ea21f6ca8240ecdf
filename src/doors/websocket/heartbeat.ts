import { randomBytes } from 'node:crypto';
import { Deadlines } from '../../conversation/deadlines.ts';
import type { Timing } from '../../timing.ts';

interface Living {
  /** Sends a ping, which is answered by a pong of the same payload [RFC 6455, 5.5.3]. */
  ping(payload: string): void;
  cut(): void;
}

/**
 * [P-2.6] Pings each socket at an interval, and cuts it when an answer does not come in time. What a ping says cannot be
 * guessed: who does not read what is sent to it cannot answer.
 */
export class Heartbeat<T extends Living> {
  readonly #pings: Deadlines<T>;
  readonly #pongs: Deadlines<T>;
  /** Pings that wait for an answer. A second ping says the same as the first, so that either's pong will do. */
  readonly #asked = new Map<T, string>();

  constructor({ pingInterval, pongTimeout }: Timing) {
    this.#pings = new Deadlines(pingInterval, (socket) => this.#ask(socket));
    this.#pongs = new Deadlines(pongTimeout, (socket) => socket.cut());
  }

  start(socket: T): void {
    this.#pings.add(socket);
  }

  #ask(socket: T): void {
    const payload = this.#asked.get(socket) ?? randomBytes(6).toString('base64url');
    this.#asked.set(socket, payload);
    socket.ping(payload);
    if (!this.#pongs.has(socket)) this.#pongs.add(socket);
    this.#pings.add(socket);
  }

  /** A pong came: it counts where it answers what was asked. */
  lives(socket: T, payload: string): void {
    if (this.#asked.get(socket) !== payload) return;
    this.#asked.delete(socket);
    this.#pongs.delete(socket);
  }

  stop(socket: T): void {
    this.#pings.delete(socket);
    this.#pongs.delete(socket);
    this.#asked.delete(socket);
  }
}
