/** [P-17.1] Conversations that the server finds for what is written into the search: page by page, as long as it is still searched for. */

import type { Lists } from './reader.ts';
import type { Readings } from './readings.ts';

export type Hit = Lists['search'];

/** Time that somebody has to write on, in milliseconds. */
const PATIENCE = 250;
/** Fewer characters are in everything. */
const FEWEST = 2;
/** Pages that are asked for by themselves; more where somebody asks. */
const PAGES = 10;

export class Search {
  /** By conversation. */
  found: ReadonlyMap<string, Hit> = new Map();
  isGoing = false;
  /** True where there is more to look through. */
  isMore = false;
  readonly #readings: Readings;
  readonly #changed: () => void;
  #text = '';
  #cursor: string | null = null;
  #asking = new AbortController();

  constructor(readings: Readings, changed: () => void) {
    this.#readings = readings;
    this.#changed = changed;
  }

  /** Searches for something else. */
  for(text: string): void {
    this.stop();
    this.#asking = new AbortController();
    [this.#text, this.#cursor, this.found, this.isMore] = [text.trim(), null, new Map(), false];
    this.isGoing = [...this.#text].length >= FEWEST;
    if (this.isGoing) void this.#go(PATIENCE);
  }

  /** Goes on where it ended. */
  more(): void {
    this.isGoing = true;
    this.#changed();
    void this.#go(0);
  }

  stop(): void {
    this.#asking.abort();
  }

  async #go(pause: number): Promise<void> {
    const { signal } = this.#asking;
    await new Promise((resolve) => setTimeout(resolve, pause));
    try {
      for (let page = 0; page < PAGES && !signal.aborted; page += 1) {
        const { items, next } = await this.#readings.search(this.#text, this.#cursor, signal);
        await Promise.all(items.map(({ groupId }) => this.#readings.know(groupId)));
        if (signal.aborted) return;
        this.found = new Map([...this.found, ...items.map((hit) => [hit.groupId, hit] as const)]);
        [this.#cursor, this.isMore] = [next, next !== null];
        this.#changed();
        if (next === null) break;
      }
    } catch {
      // Given up, or refused: what was found is shown.
    }
    if (signal.aborted) return;
    this.isGoing = false;
    this.#changed();
  }
}
