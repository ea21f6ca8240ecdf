/**
 * [P-12] The door by which time comes in: once a second, what has fallen due is asked of the database, and each is a command like any
 * other. The command says no more than that it is time: what follows is decided from the rows as they are then, so that what was committed
 * first counts, and of several nodes that ask the same, one is answered.
 */
import type { Command } from '../../domain/state.ts';
import type { Outcome } from '../../journal/batch.ts';
import type { Journal } from '../../journal/journal.ts';
import type { DueGroup, TimerStore } from '../../store/timers.ts';

/** Conversations that are read at a time. */
const PAGE = 500;
/** Dealers that are read at a time. */
const DEALERS = 100;
/** The most commands under way, of all dealers and of one: somebody may have a dealer's rows locked. */
const MOST = 4_000;
const MOST_OF_ONE = 500;

/** Sender of what time brings about. */
const SENDER = 'server:timers';

interface Options {
  readonly store: TimerStore;
  readonly journal: Pick<Journal, 'append'>;
  /** The time, in ms since 1970. */
  readonly now: () => number;
  readonly interval: number;
  /** Told that what is due could not be looked for. */
  readonly onFault: (fault: unknown, what: string) => void;
}

const keyOf = ({ dealerId, groupId }: DueGroup): string => `${dealerId}/${groupId}`;

export class Sweep {
  readonly #options: Options;
  readonly #timer: NodeJS.Timeout;
  /** Dealers that are being looked at as a whole. */
  readonly #dealers = new Set<string>();
  /** Conversations of which a command is under way. */
  readonly #asked = new Set<string>();
  readonly #ofDealer = new Map<string, number>();
  #running: Promise<void> | null = null;
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
    this.#timer = setInterval(() => this.run(), options.interval).unref();
    this.run();
  }

  /** Looks for what is due, unless that is being done. @returns when it is found, and the commands are sent */
  run(): Promise<void> {
    this.#running ??= this.#look()
      .catch((fault: unknown) => this.#options.onFault(fault, 'what is due could not be looked for'))
      .finally(() => {
        this.#running = null;
      });
    return this.#running;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  async #look(): Promise<void> {
    const { store, now } = this.#options;
    const until = now();
    for (const dealerId of await store.dueDealers(until, DEALERS)) this.#wakeDealer(dealerId);
    for (let last: DueGroup | undefined; ; ) {
      const page = await store.dueGroups(until, PAGE, last);
      for (const group of page) this.#wake(group);
      last = page.at(-1);
      if (page.length < PAGE || this.#isClosed || this.#asked.size >= MOST) return;
    }
  }

  #wake(group: DueGroup): void {
    const key = keyOf(group);
    const { dealerId, groupId } = group;
    const ofDealer = this.#ofDealer.get(dealerId) ?? 0;
    if (this.#isClosed || this.#asked.has(key) || ofDealer >= MOST_OF_ONE || this.#asked.size >= MOST) return;
    this.#asked.add(key);
    this.#ofDealer.set(dealerId, ofDealer + 1);
    void this.#ask({ type: 'WAKE_GROUP', dealerId, groupId }).then(() => {
      this.#asked.delete(key);
      const left = (this.#ofDealer.get(dealerId) ?? 1) - 1;
      if (left === 0) this.#ofDealer.delete(dealerId);
      else this.#ofDealer.set(dealerId, left);
    });
  }

  #wakeDealer(dealerId: string): void {
    if (this.#dealers.has(dealerId) || this.#isClosed) return;
    this.#dealers.add(dealerId);
    this.#lookThrough(dealerId)
      .catch((fault: unknown) => this.#options.onFault(fault, 'a dealer could not be looked at'))
      .finally(() => this.#dealers.delete(dealerId));
  }

  /** Has a dealer's conversations looked at, and then the dealer, so that one of which a part was not stored is looked at again. */
  async #lookThrough(dealerId: string): Promise<void> {
    for (let last = ''; !this.#isClosed; ) {
      const page = await this.#options.store.pendingGroups(dealerId, last, PAGE);
      const outcomes = await Promise.all(page.map((groupId) => this.#ask({ type: 'WAKE_GROUP', dealerId, groupId })));
      if (outcomes.some((outcome) => 'refusal' in outcome && outcome.refusal.code === 'unavailable')) return;
      last = page.at(-1) ?? '';
      if (page.length < PAGE) break;
    }
    await this.#ask({ type: 'WAKE_DEALER', dealerId });
  }

  /** Sends a command. What could not be stored is still due, and found again. */
  #ask(body: Command['body']): Promise<Outcome> {
    return this.#options.journal.append({ role: 'server', sender: SENDER, key: null, body });
  }
}
