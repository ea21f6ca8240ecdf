/** What a socket may send in a time: counted in plain numbers, since there is one of these for every socket. */

/** Lets so many through at once, and so many a second after that. */
export class TokenBucket {
  readonly #capacity: number;
  readonly #perSecond: number;
  #tokens: number;
  #filledAt: number;

  constructor(capacity: number, perSecond: number, now: number) {
    this.#capacity = capacity;
    this.#perSecond = perSecond;
    this.#tokens = capacity;
    this.#filledAt = now;
  }

  /** Takes one, if there is one. `now` is in milliseconds, of a clock that only goes forward. */
  take(now: number): boolean {
    const earned = ((now - this.#filledAt) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#capacity, this.#tokens + earned);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/** Counts offences: `limit` of them within `window` milliseconds are too many. */
export class Strikes {
  readonly #limit: number;
  readonly #window: number;
  #times: number[] = [];

  constructor(limit: number, window: number) {
    this.#limit = limit;
    this.#window = window;
  }

  /** Counts one more. @returns whether that makes too many */
  add(now: number): boolean {
    this.#times = this.#times.filter((time) => now - time < this.#window);
    this.#times.push(now);
    return this.#times.length >= this.#limit;
  }
}
