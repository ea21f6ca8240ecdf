/** Readings of the log that nobody waits for as for an answer: few go on at once, and dealers take turns. */

/** Readings that go on at once: most of what the database can do is left to those who join and speak. */
const AT_ONCE = 2;

export class Readings {
  /** Readings that each dealer still has before it; whose turn comes next is first. */
  readonly #waiting = new Map<string, (() => Promise<void>)[]>();
  #going = 0;

  /** Reads when it is the dealer's turn. @returns what was read; rejects where that fails */
  read<Found>(dealerId: string, read: () => Promise<Found>): Promise<Found> {
    return new Promise((resolve, reject) => {
      const own = this.#waiting.get(dealerId) ?? [];
      own.push(() => read().then(resolve, reject));
      this.#waiting.set(dealerId, own);
      this.#next();
    });
  }

  #next(): void {
    if (this.#going === AT_ONCE) return;
    const [first] = this.#waiting;
    if (!first) return;
    const [dealerId, own] = first;
    const go = own.shift();
    this.#waiting.delete(dealerId);
    if (own.length > 0) this.#waiting.set(dealerId, own);
    if (!go) return;
    this.#going += 1;
    void go().finally(() => {
      this.#going -= 1;
      this.#next();
    });
  }
}
