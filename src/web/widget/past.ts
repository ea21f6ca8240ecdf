/** The log of what was said before, read from its end backwards. */
import type { LaterLoader } from './later.ts';
import { DEALER_SCOPE, entryOf, type Frame, type Log } from './log.ts';
import type { Options } from './options.ts';

interface Reader {
  readonly options: Options;
  readonly log: Log;
  readonly later: LaterLoader;
  readonly token: () => string;
  readonly changed: () => void;
}

export class Past {
  /** State of what is before the oldest event that was read: `none` is nothing. */
  earlier: 'none' | 'some' | 'loading' | 'failed' = 'none';
  readonly #reader: Reader;
  #group = '';
  /** The seq of the oldest event that was read. */
  #oldest = 0;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  forget(): void {
    this.#reader.log.clear();
    this.#group = '';
    this.earlier = 'none';
  }

  /** Reads the end of what was said in a group, and was announced meanwhile. */
  async read(group: string, seqs: Readonly<Record<string, number>>): Promise<void> {
    const { log, changed } = this.#reader;
    this.forget();
    this.#group = group;
    this.#oldest = (seqs[group] ?? 0) + 1;
    if (this.#oldest === 1) return;
    await this.readEarlier();
    const [first] = log.entries(group);
    const last = seqs[DEALER_SCOPE] ?? 0;
    if (!first || last === 0 || this.#group !== group) return;
    // What was announced before they spoke is no part of their conversation.
    const { items } = await this.#before(DEALER_SCOPE, last + 1).catch(() => ({ items: [] }));
    this.#put(items.filter(({ at }) => at >= first.at));
    changed();
  }

  /** Reads on, backwards. */
  async readEarlier(): Promise<void> {
    if (this.earlier === 'loading') return;
    this.earlier = 'loading';
    this.#reader.changed();
    const group = this.#group;
    try {
      const { items, next } = await this.#before(group, this.#oldest);
      if (group !== this.#group) return;
      this.#put(items);
      this.#oldest = items[0]?.seq ?? 0;
      this.earlier = next === null ? 'none' : 'some';
    } catch {
      this.earlier = 'failed';
    }
    this.#reader.changed();
  }

  async #before(scope: string, before: number) {
    const { options, token, later } = this.#reader;
    const { base, dealerId } = options;
    const { readBefore } = await later();
    return readBefore({ base, dealerId, token: token(), scope, before });
  }

  #put(frames: readonly Frame[]): void {
    for (const frame of frames) {
      const entry = entryOf(frame);
      if (entry) this.#reader.log.put(frame.scope, frame.seq, entry);
    }
  }
}
