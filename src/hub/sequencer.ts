/**
 * [P-8.3] Puts what comes from several nodes into the order of each scope's seq: what overtook waits for what it
 * overtook, what was lost is fetched from the log, what comes twice is dropped. A node that is alone with an embedded
 * database does not need it: there, what was committed has been published.
 */
import { DEALER_SCOPE, DESK_SCOPE } from '../../schemas/table.ts';
import type { Publication } from './publication.ts';
import type { Readings } from './readings.ts';

/** The log, as far as the sequencer reads it. */
export interface Log {
  /**
   * Resolves when what this node is storing now has been published. Until then, the log may show an event of this
   * node's own whose sender is owed the ack in its place.
   */
  settled(): Promise<void>;
  /** The last seq of each scope named, 0 for none. */
  tails(dealerId: string, scopes: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** The last seq of each group that has had an event since a time (milliseconds since 1970). */
  tailsSince(dealerId: string, since: number): Promise<ReadonlyMap<string, number>>;
  /** The next events of a scope between two seqs, neither included, none from before a time; ascending, some at a time. */
  between(dealerId: string, scope: string, after: number, before: number, since: number): Promise<Publication[]>;
}

interface Options {
  readonly log: Log;
  /** Turns of the dealers, where what they missed is read. */
  readonly readings: Readings;
  readonly deliver: (publication: Publication) => void;
  /** The event itself has been delivered, read from the log: its sender is still owed the ack, where it asked for one. */
  readonly acknowledge: (publication: Publication) => void;
  /** Time for what was overtaken to come, in ms, before it counts as lost. */
  readonly patience: number;
}

/** Clocks of two nodes, and the time from an event's `at` to its commit, differ by less than this, in ms. */
const SKEW = 5 * 60_000;

/** Pause before a log that does not answer is asked again, in ms. */
const RETRY = 1_000;

/** The end of what was delivered of a scope, and the publications that wait for what came before them. */
interface Cursor {
  /** Null until it is known what came before the first event that was seen. */
  seq: number | null;
  readonly waiting: Map<number, Publication>;
  timer: NodeJS.Timeout | null;
}

/** A dealer that has sockets here. */
interface Followed {
  readonly cursors: Map<string, Cursor>;
  /** Since when everything of the dealer is new here, in ms since 1970; null: only customers are here. */
  openedAt: number | null;
  /** While it is being found out how far each group goes. */
  opening: Promise<void> | null;
  /** True where something may have been missed that is not being read yet, and while such a reading goes on. */
  isBehind: boolean;
  isCatchingUp: boolean;
}

export class Sequencer {
  readonly #dealers = new Map<string, Followed>();
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** A customer is about to be here: of these scopes nothing is delivered until it is {@link know known} how far they go. */
  follow(dealerId: string, scopes: readonly string[]): void {
    const followed = this.#followed(dealerId);
    for (const scope of scopes) this.#cursor(followed, scope);
  }

  /** Somebody is here who sees every group of a dealer: from now on each event of any of them is in order. */
  async followAll(dealerId: string): Promise<void> {
    const followed = this.#followed(dealerId);
    if (followed.openedAt === null) followed.opening ??= this.#open(dealerId, followed);
    await followed.opening;
  }

  async #open(dealerId: string, followed: Followed): Promise<void> {
    const openedAt = Date.now();
    try {
      this.know(dealerId, await this.#options.log.tailsSince(dealerId, openedAt - SKEW));
      followed.openedAt = openedAt;
    } finally {
      followed.opening = null;
      for (const [scope, cursor] of followed.cursors) {
        if (cursor.waiting.size > 0) this.#expectLoss(dealerId, scope, cursor, 0);
      }
    }
  }

  /**
   * Takes in how far scopes go, as somebody who joins has read: the first that is known of one counts.
   * @returns false where another reading came first that went further: what lies between was not delivered, and this
   *   one must read again
   */
  know(dealerId: string, tails: ReadonlyMap<string, number>): boolean {
    const followed = this.#dealers.get(dealerId);
    if (!followed) return true;
    let isFirst = true;
    for (const [scope, seq] of tails) {
      const cursor = this.#cursor(followed, scope);
      if (cursor.seq !== null) {
        isFirst &&= cursor.seq <= seq;
        continue;
      }
      cursor.seq = seq;
      this.#drain(cursor);
    }
    return isFirst;
  }

  /** Nobody of the dealer is here any more. */
  forget(dealerId: string): void {
    for (const { timer } of this.#dealers.get(dealerId)?.cursors.values() ?? []) if (timer) clearTimeout(timer);
    this.#dealers.delete(dealerId);
  }

  /** Nobody is here any more, or all who are have been closed. */
  forgetAll(): void {
    for (const dealerId of [...this.#dealers.keys()]) this.forget(dealerId);
  }

  /** Delivers an event as soon as its turn has come, and not twice. */
  take(publication: Publication): void {
    const { dealerId, scope, seq } = publication;
    const followed = this.#dealers.get(dealerId);
    const isNew = !followed?.cursors.has(scope);
    // What has no place in the log, or is of a scope that nobody here has, needs no order.
    if (seq === null || !followed || (isNew && followed.openedAt === null && !followed.opening)) {
      this.#options.deliver(publication);
      return;
    }
    const cursor = this.#cursor(followed, scope);
    if (isNew && seq === 1) cursor.seq = 0;
    if (cursor.seq !== null && seq <= cursor.seq) {
      this.#options.acknowledge(publication);
      return;
    }
    // What this node published may come back from the log, without the answer that is owed: it does not take its place.
    if (publication.answer || !cursor.waiting.has(seq)) cursor.waiting.set(seq, publication);
    this.#drain(cursor);
    if (cursor.waiting.size > 0 && !followed.opening)
      this.#expectLoss(dealerId, scope, cursor, isNew ? 0 : this.#options.patience);
  }

  /** Some events of the dealer may not have come: fetches what the log has more, as soon as it answers. */
  catchUp(dealerId: string): void {
    const followed = this.#dealers.get(dealerId);
    if (!followed) return;
    followed.isBehind = true;
    if (!followed.isCatchingUp) void this.#catchUp(dealerId, followed);
  }

  async #catchUp(dealerId: string, followed: Followed): Promise<void> {
    followed.isCatchingUp = true;
    try {
      while (followed.isBehind) {
        const tails = await this.#options.readings.read(dealerId, () => this.#tailsOf(dealerId, followed));
        for (const [scope, tail] of tails) await this.#fetch(dealerId, scope, tail + 1);
      }
    } catch {
      setTimeout(() => this.catchUp(dealerId), RETRY);
    } finally {
      followed.isCatchingUp = false;
    }
  }

  /** Reads how far the scopes go of which something may have been missed. */
  async #tailsOf(dealerId: string, followed: Followed): Promise<ReadonlyMap<string, number>> {
    const { log } = this.#options;
    followed.isBehind = false;
    const { openedAt, cursors } = followed;
    const known = openedAt === null ? [...cursors.keys()] : [DEALER_SCOPE, DESK_SCOPE];
    const tails = new Map(await log.tails(dealerId, known));
    if (openedAt === null) return tails;
    for (const [scope, seq] of await log.tailsSince(dealerId, openedAt - SKEW)) tails.set(scope, seq);
    return tails;
  }

  get dealers(): string[] {
    return [...this.#dealers.keys()];
  }

  #followed(dealerId: string): Followed {
    const followed: Followed = this.#dealers.get(dealerId) ?? {
      cursors: new Map(),
      openedAt: null,
      opening: null,
      isBehind: false,
      isCatchingUp: false,
    };
    this.#dealers.set(dealerId, followed);
    return followed;
  }

  #cursor({ cursors }: Followed, scope: string): Cursor {
    const cursor = cursors.get(scope) ?? { seq: null, waiting: new Map(), timer: null };
    cursors.set(scope, cursor);
    return cursor;
  }

  /** Delivers what waits, as far as there is no gap. */
  #drain(cursor: Cursor): void {
    if (cursor.seq === null) return;
    for (const [seq, publication] of cursor.waiting) {
      if (seq > cursor.seq) continue;
      cursor.waiting.delete(seq);
      this.#options.acknowledge(publication);
    }
    for (;;) {
      const next: Publication | undefined = cursor.waiting.get(cursor.seq + 1);
      if (!next) break;
      cursor.waiting.delete(cursor.seq + 1);
      cursor.seq += 1;
      this.#options.deliver(next);
    }
    if (cursor.waiting.size === 0 && cursor.timer) {
      clearTimeout(cursor.timer);
      cursor.timer = null;
    }
  }

  #expectLoss(dealerId: string, scope: string, cursor: Cursor, after: number): void {
    cursor.timer ??= setTimeout(() => {
      cursor.timer = null;
      if (cursor.waiting.size === 0) return;
      // Of a dealer that was forgotten, and is followed again, in another log perhaps [P-21.1].
      const isCurrent = () => this.#dealers.get(dealerId)?.cursors.get(scope) === cursor;
      if (!isCurrent()) return;
      const first = Math.min(...cursor.waiting.keys());
      this.#fetch(dealerId, scope, first)
        // What lies below an event that was committed is committed, too: what is not there now never comes.
        .then(() => isCurrent() && this.#skipTo(dealerId, scope, first))
        .catch(() => this.#expectLoss(dealerId, scope, cursor, this.#options.patience));
    }, after);
  }

  #skipTo(dealerId: string, scope: string, seq: number): void {
    const cursor = this.#dealers.get(dealerId)?.cursors.get(scope);
    if (!cursor) return;
    cursor.seq = Math.max(cursor.seq ?? 0, seq - 1);
    this.#drain(cursor);
    if (cursor.waiting.size > 0) this.#expectLoss(dealerId, scope, cursor, this.#options.patience);
  }

  /** Delivers what the log has of a scope, from the cursor to before a seq that is known to be committed. */
  async #fetch(dealerId: string, scope: string, before: number): Promise<void> {
    const { log, readings } = this.#options;
    const isWhole = () => (this.#dealers.get(dealerId)?.cursors.get(scope)?.seq ?? 0) >= before - 1;
    if (!isWhole()) await log.settled();
    while (!isWhole()) {
      // What came while it waited for its turn need not be read.
      const isThere = await readings.read(dealerId, async () => isWhole() || this.#readPage(dealerId, scope, before));
      if (!isThere) return;
    }
  }

  /** Delivers the next of what {@link #fetch} is to deliver. @returns false where there is nothing more */
  async #readPage(dealerId: string, scope: string, before: number): Promise<boolean> {
    const followed = this.#dealers.get(dealerId);
    if (!followed) return false;
    const cursor = this.#cursor(followed, scope);
    const since = cursor.seq === null ? (followed.openedAt ?? Date.now()) - SKEW : 0;
    const found = await this.#options.log.between(dealerId, scope, cursor.seq ?? 0, before, since);
    const [first] = found;
    if (first?.seq === undefined || first.seq === null) return false;
    // It is the first that is new here, where it was not known how far the scope had gone; else what lay before it was erased.
    cursor.seq = Math.max(cursor.seq ?? 0, first.seq - 1);
    for (const publication of found) {
      if (publication.seq !== null && publication.seq > cursor.seq && !cursor.waiting.has(publication.seq)) {
        cursor.waiting.set(publication.seq, publication);
      }
    }
    this.#drain(cursor);
    return true;
  }
}
