/** Readings of the database that nobody waits for as for an answer, or that take long: few go on at once, and dealers take turns. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

export class Readings {
  readonly #atOnce: number;
  readonly #isPaced: boolean;
  /** Readings that each dealer still has before it; whose turn comes next is first. */
  readonly #waiting = new Map<string, (() => Promise<void>)[]>();
  #going = 0;

  /** @param isPaced whether the next waits for as long as the one before it took: the database is everybody else's then */
  constructor(atOnce: number, isPaced = false) {
    this.#atOnce = atOnce;
    this.#isPaced = isPaced;
  }

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
    if (this.#going === this.#atOnce) return;
    const [first] = this.#waiting;
    if (!first) return;
    const [dealerId, own] = first;
    const go = own.shift();
    this.#waiting.delete(dealerId);
    if (own.length > 0) this.#waiting.set(dealerId, own);
    if (!go) return;
    this.#going += 1;
    void this.#go(go).finally(() => {
      this.#going -= 1;
      this.#next();
    });
  }

  async #go(go: () => Promise<void>): Promise<void> {
    const began = performance.now();
    await go();
    if (this.#isPaced) await sleep(performance.now() - began);
  }
}
