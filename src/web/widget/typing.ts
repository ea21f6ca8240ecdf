import type { Writer } from './setting.ts';

/** Interval at which typing is reported, and time without a key after which it is over, in milliseconds. */
const EVERY = 3_000;
const ENDS = 5_000;

/** Time after which somebody counts as no longer typing, in milliseconds, unless it is said again. */
const LASTS = 10_000;

/** Somebody of the dealer's who is writing, as long as that is so. */
export class Typist {
  now: Writer | undefined;
  readonly #changed: () => void;
  #gone: ReturnType<typeof setTimeout> | undefined;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  set(author: Writer | undefined): void {
    clearTimeout(this.#gone);
    this.now = author;
    if (!author) return;
    this.#gone = setTimeout(() => {
      this.now = undefined;
      this.#changed();
    }, LASTS);
  }
}

/** Tells that somebody types, now and then while it is so, and once when it is over. */
export class TypingTeller {
  readonly #tell: (isTyping: boolean) => void;
  /** When it was told last; 0 where it is over. */
  #at = 0;
  #ends: ReturnType<typeof setTimeout> | undefined;

  constructor(tell: (isTyping: boolean) => void) {
    this.#tell = tell;
  }

  /** Tells nothing any more. */
  end(): void {
    clearTimeout(this.#ends);
    this.#at = 0;
  }

  tell(isTyping: boolean): void {
    clearTimeout(this.#ends);
    if (isTyping) this.#ends = setTimeout(() => this.tell(false), ENDS);
    const now = Date.now();
    if (isTyping ? now - this.#at < EVERY : this.#at === 0) return;
    this.#at = isTyping ? now : 0;
    this.#tell(isTyping);
  }
}
