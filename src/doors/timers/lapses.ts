/**
 * [P-7.5] Looks for customers who are here by a server's word alone, and ends what holds no longer: on every node, and decided from the
 * rows as they are then, so that of several that look, one is answered.
 */
import type { Journal } from '../../journal/journal.ts';
import { inParts, paced } from '../../journal/paced.ts';
import type { LapseStore, SaidHere, SaidPage } from '../../store/lapses.ts';

/** Conversations that are read at a time. */
const PAGE = 500;

interface Options {
  readonly store: LapseStore;
  readonly journal: Pick<Journal, 'append'>;
  /** The time, in ms since 1970. */
  readonly now: () => number;
  readonly interval: number;
  /** Time for which a server's word holds, in ms. */
  readonly holds: number;
  /** Told that it could not be looked for. */
  readonly onFault: (fault: unknown, what: string) => void;
}

export class Lapses {
  readonly #options: Options;
  readonly #timer: NodeJS.Timeout;
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;

  constructor(options: Options) {
    this.#options = options;
    this.#timer = setInterval(() => this.#run(), options.interval).unref();
    this.#run();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await this.#running;
  }

  #run(): void {
    this.#running ??= this.#look()
      .catch((fault: unknown) => {
        if (this.#stop.signal.aborted) return; // it was broken off
        this.#options.onFault(fault, 'who is here by a word alone could not be looked for');
      })
      .finally(() => {
        this.#running = null;
      });
  }

  async #look(): Promise<void> {
    const { store, now, holds } = this.#options;
    const since = now() - holds;
    let after: SaidHere | null = null;
    do {
      const { said, next }: SaidPage = await paced(() => store.saidHere(since, PAGE, after), this.#stop.signal);
      await inParts(said, (group) => this.#end(group), this.#stop.signal);
      after = next;
    } while (after);
  }

  /** Ends one. If it could not be stored, it is found again. */
  async #end({ dealerId, groupId }: SaidHere): Promise<void> {
    const body = { type: 'LAPSE_GROUP', dealerId, groupId } as const;
    await this.#options.journal.append({ role: 'server', sender: 'server:timers', key: null, body });
  }
}
