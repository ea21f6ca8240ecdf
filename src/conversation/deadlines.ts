/** One timer for all that wait equally long: there are as many of them as sockets, and who came first is due first. */
import { performance } from 'node:perf_hooks';

export class Deadlines<T> {
  readonly #wait: number;
  readonly #isDue: (item: T) => void;
  /** Since when each waits, in whole ms of a clock that only goes forward; the first has waited longest. */
  readonly #since = new Map<T, number>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param wait how long each waits, in ms
   * @param isDue told of each that has waited so long, and waits no more
   */
  constructor(wait: number, isDue: (item: T) => void) {
    this.#wait = wait;
    this.#isDue = isDue;
  }

  /** From now on it waits, and no longer since before. */
  add(item: T): void {
    this.#since.delete(item);
    this.#since.set(item, now());
    this.#timer ??= setTimeout(this.#look, this.#wait);
  }

  has(item: T): boolean {
    return this.#since.has(item);
  }

  delete(item: T): void {
    this.#since.delete(item);
    if (this.#since.size === 0) this.#stop();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #look = (): void => {
    this.#stop();
    for (const [item, since] of this.#since) {
      const left = since + this.#wait - now();
      if (left > 0) {
        this.#stop();
        this.#timer = setTimeout(this.#look, left);
        return;
      }
      this.#since.delete(item);
      this.#isDue(item);
    }
  };
}

/** Rounded down: a whole number takes no memory of its own. */
const now = (): number => Math.floor(performance.now());
