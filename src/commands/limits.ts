/**
 * Limits: what a socket, an address, a dealer or a group may do in a time: plain numbers, since there is one of these
 * for every socket.
 */

/** The work that one token pays for, in bytes: as much as the longest frame holds. */
const PAID_BYTES = 16 * 1024;

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

  /** Takes more for what one of them was let through with, where that turned out to be more work: those that follow wait for it. */
  charge(weight: number): void {
    this.#tokens -= Math.max(0, weight / PAID_BYTES - 1);
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

/** The most keys that are counted: beyond that, whoever has been for the longest is forgotten. 100,000 take some 15 MB. */
const MAX_KEYS = 100_000;

/** Lets each of many have so many in a window of time, the same window for all. */
export class Quota {
  readonly #limit: () => number;
  readonly #window: number;
  #counts = new Map<string, number>();
  #beganAt = Number.NEGATIVE_INFINITY;

  /** @param limit asked each time @param window in milliseconds */
  constructor(limit: () => number, window: number) {
    this.#limit = limit;
    this.#window = window;
  }

  /** Takes so many of a key's, if that many are left. */
  take(key: string, now: number, amount = 1): boolean {
    if (this.isSpent(key, now, amount)) return false;
    this.#counts.set(key, this.#taken(key) + amount);
    if (this.#counts.size > MAX_KEYS) this.#forgetOldest();
    return true;
  }

  /** Gives back what a key took at a time, where that is in this window. */
  giveBack(key: string, takenAt: number, amount = 1): void {
    if (takenAt < this.#beganAt) return;
    const left = this.#taken(key) - amount;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
  }

  /** Tells whether a key has less than so many left, until the window ends. */
  isSpent(key: string, now: number, amount = 1): boolean {
    if (now >= this.#beganAt + this.#window) {
      this.#counts = new Map();
      this.#beganAt = now;
    }
    return this.#taken(key) + amount > this.#limit();
  }

  #forgetOldest(): void {
    const [oldest] = this.#counts.keys();
    if (oldest !== undefined) this.#counts.delete(oldest);
  }

  #taken(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** In how many whole seconds the window has ended. */
  secondsLeft(now: number): number {
    return Math.max(1, Math.ceil((this.#beganAt + this.#window - now) / 1000));
  }
}

/** Share of one quota. */
export interface Share {
  readonly quota: Quota;
  readonly key: string;
  readonly amount: number;
}

/** Takes of several quotas, or of none. @returns the first that has too little left; null where all have been taken of */
export function takeAll<T extends Share>(shares: readonly T[], now: number): T | null {
  const spent = shares.find(({ quota, key, amount }) => quota.isSpent(key, now, amount));
  if (spent) return spent;
  for (const { quota, key, amount } of shares) quota.take(key, now, amount);
  return null;
}

/** Gives back what was taken of several quotas at a time. */
export function giveBackAll(shares: readonly Share[], takenAt: number): void {
  for (const { quota, key, amount } of shares) quota.giveBack(key, takenAt, amount);
}

/** Counts what each has open at a time. */
export class Holdings {
  readonly #limit: () => number;
  readonly #counts = new Map<string, number>();

  /** @param limit asked each time */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** Counts one more, if it is within the limit; what was counted must be released. */
  take(key: string): boolean {
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.#limit()) return false;
    this.#counts.set(key, count + 1);
    return true;
  }

  release(key: string): void {
    const count = this.#counts.get(key) ?? 0;
    if (count > 1) this.#counts.set(key, count - 1);
    else this.#counts.delete(key);
  }
}
