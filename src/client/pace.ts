/** [P-9] Just under what a server takes of one socket: 20 frames at once, 10 a second. The rest is for pings and for jitter. */
const BURST = 18;
const PER_SECOND = 9;

/** Lets frames through no faster than a server takes them. */
export class Pace {
  #left = BURST;
  #at = performance.now();

  /** Takes a frame's turn. @returns 0, or in how many milliseconds there is one */
  take(): number {
    const now = performance.now();
    this.#left = Math.min(BURST, this.#left + ((now - this.#at) / 1000) * PER_SECOND);
    this.#at = now;
    if (this.#left < 1) return ((1 - this.#left) / PER_SECOND) * 1000;
    this.#left -= 1;
    return 0;
  }

  /** The server has refused one: everything is used up. */
  spend(): void {
    this.#left = 0;
  }
}
