/**
 * Dealers whose rows somebody else has locked: what is sent about each is stored on its own, apart from all others, so that nobody
 * else waits. A dealer goes with the others again when all of its own is stored.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Entry, FairQueue } from './queue.ts';
import { BATCH } from './weights.ts';

/** Time for which the same is tried before it is refused, in ms, and the pause between two tries. */
const PATIENCE = 3_000;
const PAUSE = 50;
/** Commands that may wait about one dealer. */
const MAX_WAITING = 1_000;

type AboutOne = Entry & { readonly about: string };

interface Options<T> {
  /** Dealers that are tried at the same time: each may hold a connection for as long as a batch waits for a lock. */
  readonly atOnce: number;
  /** Stores a batch. Answers whether its dealer's rows are locked still; else all of it is settled. */
  readonly store: (batch: readonly T[]) => Promise<boolean>;
  /** Told of what is refused: what was tried for too long, and what comes while too much waits. */
  readonly refuse: (entries: readonly T[]) => void;
}

interface Dealer<T extends AboutOne> {
  readonly waiting: FairQueue<T>;
  /** The batch that is tried now: it comes before whatever waits. */
  batch: readonly T[];
  /** When it is refused, as `performance.now()` tells time. */
  deadline: number;
}

export class Apart<T extends AboutOne> {
  readonly #options: Options<T>;
  readonly #dealers = new Map<string, Dealer<T>>();
  /** Those of which something waits for its turn. */
  readonly #due: string[] = [];
  readonly #workers = new Set<Promise<void>>();

  constructor(options: Options<T>) {
    this.#options = options;
  }

  get size(): number {
    return this.#dealers.size;
  }

  /** Entries that it holds. */
  get waiting(): number {
    return [...this.#dealers.values()].reduce((sum, { batch, waiting }) => sum + batch.length + waiting.size, 0);
  }

  has(dealerId: string): boolean {
    return this.#dealers.has(dealerId);
  }

  /** Keeps a dealer apart, with what of it could not be stored with others. */
  add(dealerId: string, batch: readonly T[]): void {
    this.#dealers.set(dealerId, { waiting: new FairQueue(MAX_WAITING), batch, deadline: performance.now() + PATIENCE });
    this.#call(dealerId);
  }

  /** Takes what is about a dealer that is kept apart. */
  push(entry: T): void {
    const dealer = this.#dealers.get(entry.about);
    const isIdle = dealer?.batch.length === 0 && dealer.waiting.size === 0;
    if (!dealer?.waiting.push(entry)) this.#options.refuse([entry]);
    else if (isIdle) this.#next(entry.about, dealer);
  }

  /** Resolves when nothing of it waits. */
  async emptied(): Promise<void> {
    while (this.#workers.size > 0) await Promise.all(this.#workers);
  }

  #next(dealerId: string, dealer: Dealer<T>): void {
    dealer.batch = dealer.waiting.take(BATCH);
    dealer.deadline = performance.now() + PATIENCE;
    this.#call(dealerId);
  }

  #call(dealerId: string): void {
    this.#due.push(dealerId);
    if (this.#workers.size === this.#options.atOnce) return;
    const worker = this.#work().finally(() => this.#workers.delete(worker));
    this.#workers.add(worker);
  }

  async #work(): Promise<void> {
    for (let dealerId = this.#due.shift(); dealerId !== undefined; dealerId = this.#due.shift()) {
      const dealer = this.#dealers.get(dealerId);
      if (dealer) await this.#try(dealerId, dealer);
    }
  }

  async #try(dealerId: string, dealer: Dealer<T>): Promise<void> {
    const isLate = performance.now() >= dealer.deadline;
    const isLocked = isLate || (await this.#options.store(dealer.batch));
    if (!isLocked) {
      if (dealer.waiting.size > 0) this.#next(dealerId, dealer);
      else this.#dealers.delete(dealerId);
    } else if (performance.now() < dealer.deadline) {
      await sleep(PAUSE);
      this.#due.push(dealerId);
    } else {
      // Whoever asks next is tried on its own, too: nobody knows how long that goes on.
      const refused = [...dealer.batch, ...dealer.waiting.take(Number.POSITIVE_INFINITY)];
      dealer.batch = [];
      this.#options.refuse(refused);
    }
  }
}
