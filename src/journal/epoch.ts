/** [P-21.1] The log's epoch, as this node knows it. */
import type { EpochStore } from '../store/log.ts';

/**
 * Read at the start and with every sign of life. In between a node may go by one that is past: whoever joins then is closed
 * when that is noticed, and what it was told is of the past one, so that nothing of it counts.
 */
export class Epoch {
  readonly #store: EpochStore;
  #now: string;

  private constructor(store: EpochStore, now: string) {
    this.#store = store;
    this.#now = now;
  }

  static async of(store: EpochStore): Promise<Epoch> {
    return new Epoch(store, await store.epoch());
  }

  get now(): string {
    return this.#now;
  }

  /** Reads it again. @returns whether it has changed */
  async look(): Promise<boolean> {
    const found = await this.#store.epoch();
    const hasChanged = found !== this.#now;
    this.#now = found;
    return hasChanged;
  }
}
