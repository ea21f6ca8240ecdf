/** [P-4] A session ends with its token, and not after it. */
import { Deadlines } from './deadlines.ts';

interface Expiring {
  /** When its token ends, in ms since 1970. */
  readonly expiresAt: number;
  expire(): void;
}

/** Nearly every token outlives its socket: each is looked at now and then, and has a timer only once it ends soon. */
export class Expiries {
  readonly #interval: number;
  readonly #looks: Deadlines<Expiring>;
  readonly #timers = new Map<Expiring, NodeJS.Timeout>();

  /** @param interval between two looks at each, in ms */
  constructor(interval: number) {
    this.#interval = interval;
    this.#looks = new Deadlines(interval, (one) => this.watch(one));
  }

  /** From now on it is told when its token ends; again, where it has another one. */
  watch(one: Expiring): void {
    this.forget(one);
    const left = one.expiresAt - Date.now();
    if (left > 2 * this.#interval) this.#looks.add(one);
    else
      this.#timers.set(
        one,
        setTimeout(() => one.expire(), Math.max(0, left)),
      );
  }

  forget(one: Expiring): void {
    this.#looks.delete(one);
    clearTimeout(this.#timers.get(one));
    this.#timers.delete(one);
  }
}
