/** Interval at which typing is reported, and time without a key after which it is over, in milliseconds. */
const EVERY = 3_000;
const ENDS = 5_000;

/** Tells that somebody types, now and then while it is so, and once when it is over. */
export class TypingTeller {
  readonly #tell: (isTyping: boolean) => void;
  /** When it was told last; 0 where it is over. */
  #at = 0;
  #ends: ReturnType<typeof setTimeout> | undefined;

  constructor(tell: (isTyping: boolean) => void) {
    this.#tell = tell;
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
