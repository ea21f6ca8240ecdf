import type { Timing } from '../../timing.ts';
import { Deadlines } from './deadlines.ts';

interface Living {
  ping(): void;
  cut(): void;
}

/** [P-2.6] Pings each socket at an interval, and cuts it when an answer does not come in time. */
export class Heartbeat<T extends Living> {
  readonly #pings: Deadlines<T>;
  readonly #pongs: Deadlines<T>;

  constructor({ pingInterval, pongTimeout }: Timing) {
    this.#pings = new Deadlines(pingInterval, (socket) => {
      socket.ping();
      if (!this.#pongs.has(socket)) this.#pongs.add(socket);
      this.#pings.add(socket);
    });
    this.#pongs = new Deadlines(pongTimeout, (socket) => socket.cut());
  }

  start(socket: T): void {
    this.#pings.add(socket);
  }

  /** It has answered. */
  lives(socket: T): void {
    this.#pongs.delete(socket);
  }

  stop(socket: T): void {
    this.#pings.delete(socket);
    this.#pongs.delete(socket);
  }
}
