/** Tells a dead connection from a silent one [P-2.6]: after a silence it asks, and waits for anything at all. */
export class Pulse {
  readonly #timeout: number;
  readonly #ping: () => void;
  readonly #dead: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When it asks next; in the past while it waits for the answer. */
  #due = Number.POSITIVE_INFINITY;

  /** @param timeout how long an answer may take, in milliseconds */
  constructor(timeout: number, ping: () => void, dead: () => void) {
    this.#timeout = timeout;
    this.#ping = ping;
    this.#dead = dead;
  }

  /** Something came: the next question is due after so many milliseconds of silence. */
  heard(interval: number): void {
    this.stop();
    this.#askWithin(interval);
  }

  /** Something was sent that is answered: no need to be silent for long. */
  sent(): void {
    this.#askWithin(this.#timeout / 2);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#due = Number.POSITIVE_INFINITY;
  }

  #askWithin(ms: number): void {
    const due = performance.now() + ms;
    if (due >= this.#due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#timer = setTimeout(this.#dead, this.#timeout);
      this.#ping();
    }, ms);
  }
}
