/** [P-11.4] Goes on with what erasures have marked, part by part, so that what is said meanwhile goes between. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ErasureStore } from '../store/erasures.ts';
import { paced } from './paced.ts';

/** The pause after all is out of the tables and scrubbed, in ms: of erasures that follow each other closely, one scrub does. */
const SCRUB_PAUSE = 1_000;

/** The store of what is marked to be erased, which goes part by part. */
type Marks = Pick<ErasureStore, 'erasePart' | 'scrub'>;

interface Options {
  readonly store: Marks;
  /** Pause between two looks for what another node or an earlier run has left, in ms. */
  readonly interval: number;
  /** Told what went wrong; it is tried again after the interval. */
  readonly onFault: (fault: unknown, what: string) => void;
}

export class Eraser {
  readonly #options: Options;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | null = null;
  #isAsked = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Looks for marks of before, now and again after each interval. */
  start(): void {
    this.#timer = setInterval(() => this.wake(), this.#options.interval).unref();
    this.wake();
  }

  /** To be called when something has been marked. */
  wake(): void {
    this.#isAsked = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** Resolves when it is at nothing: what is left goes on at the next start. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { store, onFault } = this.#options;
    const { signal } = this.#stop;
    try {
      while (this.#isAsked && !signal.aborted) {
        this.#isAsked = false;
        while (await paced(() => store.erasePart(), signal));
        await store.scrub();
        if (this.#isAsked) await sleep(SCRUB_PAUSE, undefined, { signal });
      }
    } catch (fault) {
      if (!signal.aborted) onFault(fault, 'what is being erased could not be gone on with');
    }
  }
}

/** Finishes at once whatever is marked, for a command. Rejects where the database fails. */
export async function eraseMarked(store: Marks): Promise<void> {
  while (await store.erasePart());
  await store.scrub();
}
