/**
 * [P-8.3] Puts what comes from several nodes into the order of each scope's seq: what overtook waits for what it
 * overtook, what was lost is fetched from the log, what comes twice is dropped. A node that is alone with an embedded
 * database does not need it: there, what was committed has been published.
 */
import { DEALER_SCOPE, DESK_SCOPE } from '../../schemas/table.ts';
import { Cursor, type Receiver } from './cursor.ts';
import type { Publication } from './publication.ts';

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

/** Turns of dealers who have something read. */
interface Turns {
  read<Found>(dealerId: string, read: () => Promise<Found>): Promise<Found>;
}

interface Options extends Receiver {
  readonly log: Log;
  /** Turns of the dealers, where what they missed is read. */
  readonly readings: Turns;
  /** The clock by which events have their times, in ms since 1970. */
  readonly now: () => number;
  /** Time for what was overtaken to come, in ms, before it counts as lost. */
  readonly patience: number;
  /** Time from an event's `at` to its commit, at most, with what clocks of nodes differ, in ms. */
  readonly lateness: number;
}

/** Pause before a log that does not answer is asked again, in ms. */
const RETRY = 1_000;

/** Scopes of a dealer that are remembered however long nothing has happened there, and of which the log tells in one reading. */
const FEW = 1_000;

/** A dealer that has sockets here. */
interface Followed {
  readonly cursors: Map<string, Cursor>;
  /**
   * Since when everything is new here of a scope that has no cursor, by the clock of events; null: only customers are here, and nobody
   * sees such a scope.
   */
  since: number | null;
  /** While it is being found out how far each group goes. */
  opening: Promise<void> | null;
  /** True where something may have been missed that is not being read yet, and while such a reading goes on. */
  isBehind: boolean;
  isCatchingUp: boolean;
}

export class Sequencer {
  readonly #dealers = new Map<string, Followed>();
  readonly #options: Options;
  readonly #timer: NodeJS.Timeout;

  constructor(options: Options) {
    this.#options = options;
    this.#timer = setInterval(() => this.forgetQuiet(), options.lateness).unref();
  }

  /**
   * A customer is about to be here, until it has {@link leave left}: of its group and of what all are told nothing is delivered until it
   * is {@link know known} how far they go.
   */
  follow(dealerId: string, groupId: string): void {
    const followed = this.#followed(dealerId);
    this.#cursor(followed, DEALER_SCOPE);
    this.#cursor(followed, groupId).seats += 1;
  }

  leave(dealerId: string, groupId: string): void {
    const followed = this.#dealers.get(dealerId);
    const cursor = followed?.cursors.get(groupId);
    if (!followed || !cursor) return;
    cursor.seats -= 1;
    this.#dropUnseen(followed, groupId, cursor);
  }

  /** Where only customers are here a group without any has no order. What waits there goes first: a server of all dealers is owed it. */
  #dropUnseen(followed: Followed, scope: string, cursor: Cursor): void {
    if (scope === DEALER_SCOPE || cursor.seats > 0 || cursor.first !== null) return;
    if (followed.since !== null || followed.opening) return;
    cursor.stop();
    followed.cursors.delete(scope);
  }

  /** Somebody is here who sees every group of a dealer: from now on each event of any of them is in order. */
  async followAll(dealerId: string): Promise<void> {
    const followed = this.#followed(dealerId);
    if (followed.since === null) followed.opening ??= this.#open(dealerId, followed);
    await followed.opening;
  }

  async #open(dealerId: string, followed: Followed): Promise<void> {
    const { log, now, lateness } = this.#options;
    const since = now();
    try {
      this.know(dealerId, await log.tailsSince(dealerId, since - lateness));
      followed.since = since;
    } finally {
      followed.opening = null;
      for (const [scope, cursor] of followed.cursors) {
        if (cursor.first !== null) this.#expectLoss(dealerId, scope, cursor, 0);
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
      cursor.drain(this.#options);
    }
    return isFirst;
  }

  /** Nobody of the dealer is here any more. */
  forget(dealerId: string): void {
    for (const cursor of this.#dealers.get(dealerId)?.cursors.values() ?? []) cursor.stop();
    this.#dealers.delete(dealerId);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const dealerId of [...this.#dealers.keys()]) this.forget(dealerId);
  }

  /** All who are here have been closed. Their seats are counted until they have left: others may come to the same groups before. */
  forgetAll(): void {
    for (const [dealerId, { cursors }] of [...this.#dealers]) {
      this.forget(dealerId);
      for (const [scope, { seats }] of cursors) {
        if (seats > 0) this.#cursor(this.#followed(dealerId), scope).seats = seats;
      }
    }
  }

  /** Delivers an event as soon as its turn has come, and not twice. */
  take(publication: Publication): void {
    const { dealerId, scope, seq } = publication;
    const followed = this.#dealers.get(dealerId);
    const isNew = !followed?.cursors.has(scope);
    // What has no place in the log, or is of a scope that nobody here has, needs no order.
    if (seq === null || !followed || (isNew && followed.since === null && !followed.opening)) {
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
    if (publication.answer || !cursor.has(seq)) cursor.put(seq, publication);
    cursor.drain(this.#options);
    if (cursor.first === null) this.#dropUnseen(followed, scope, cursor);
    else if (!followed.opening) this.#expectLoss(dealerId, scope, cursor, isNew ? 0 : this.#options.patience);
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
      const isCurrent = () => this.#dealers.get(dealerId) === followed;
      while (followed.isBehind && isCurrent()) await this.#fetchAll(dealerId, followed);
    } catch {
      setTimeout(() => this.catchUp(dealerId), RETRY).unref();
    } finally {
      followed.isCatchingUp = false;
    }
  }

  /** Delivers what the log has more: of scopes that are known by their seq, of others by the time of their last change. */
  async #fetchAll(dealerId: string, followed: Followed): Promise<void> {
    const { log, readings, now, lateness } = this.#options;
    const [began, scopes] = await readings.read(dealerId, async () => {
      followed.isBehind = false;
      const own = followed.since === null ? [] : [DEALER_SCOPE, DESK_SCOPE];
      return [now(), [...new Set([...own, ...followed.cursors.keys()])]];
    });
    const fetchTo = async (read: () => Promise<ReadonlyMap<string, number>>) => {
      for (const [scope, tail] of await readings.read(dealerId, read)) await this.#fetch(dealerId, scope, tail + 1);
    };
    for (let at = 0; at < scopes.length; at += FEW) {
      await fetchTo(() => log.tails(dealerId, scopes.slice(at, at + FEW)));
    }
    const { since } = followed;
    if (since === null) return;
    await fetchTo(() => log.tailsSince(dealerId, since - lateness));
    this.#forgetUntil(followed, began);
  }

  /** Forgets, of dealers that have many scopes, those in which nothing happens any more, once nothing of them can have been missed. */
  forgetQuiet(): void {
    for (const [dealerId, { since, cursors }] of this.#dealers) {
      if (since !== null && cursors.size > FEW) this.catchUp(dealerId);
    }
  }

  /** All that was stored until a time has been delivered: what comes in a scope that is forgotten is newer. */
  #forgetUntil(followed: Followed, time: number): void {
    const { lateness } = this.#options;
    followed.since = time;
    if (followed.cursors.size <= FEW) return;
    for (const [scope, cursor] of followed.cursors) {
      if (scope === DEALER_SCOPE || scope === DESK_SCOPE || cursor.seats > 0 || cursor.first !== null) continue;
      if (cursor.movedAt < time - 2 * lateness) followed.cursors.delete(scope);
    }
  }

  get dealers(): string[] {
    return [...this.#dealers.keys()];
  }

  #followed(dealerId: string): Followed {
    const followed: Followed = this.#dealers.get(dealerId) ?? {
      cursors: new Map(),
      since: null,
      opening: null,
      isBehind: false,
      isCatchingUp: false,
    };
    this.#dealers.set(dealerId, followed);
    return followed;
  }

  #cursor({ cursors }: Followed, scope: string): Cursor {
    const cursor = cursors.get(scope) ?? new Cursor(this.#options.now());
    cursors.set(scope, cursor);
    return cursor;
  }

  #expectLoss(dealerId: string, scope: string, cursor: Cursor, after: number): void {
    cursor.timer ??= setTimeout(() => {
      const { first } = cursor;
      // Of a dealer that was forgotten, and is followed again, in another log perhaps [P-21.1].
      const isCurrent = () => this.#dealers.get(dealerId)?.cursors.get(scope) === cursor;
      if (first === null || !isCurrent()) return cursor.stop();
      this.#fetch(dealerId, scope, first)
        // Only now is the next looked for: while the log hangs, each event would ask for the same.
        .finally(() => cursor.stop())
        // What lies below an event that was committed is committed, too: what is not there now never comes.
        .then(() => isCurrent() && this.#skipTo(dealerId, scope, first))
        .catch(() => this.#expectLoss(dealerId, scope, cursor, this.#options.patience));
    }, after);
  }

  #skipTo(dealerId: string, scope: string, seq: number): void {
    const followed = this.#dealers.get(dealerId);
    const cursor = followed?.cursors.get(scope);
    if (!followed || !cursor) return;
    cursor.seq = Math.max(cursor.seq ?? 0, seq - 1);
    cursor.drain(this.#options);
    if (cursor.first !== null) this.#expectLoss(dealerId, scope, cursor, this.#options.patience);
    else this.#dropUnseen(followed, scope, cursor);
  }

  /** Delivers what the log has of a scope, from the cursor to before a seq that is known to be committed. */
  async #fetch(dealerId: string, scope: string, before: number): Promise<void> {
    const { log, readings } = this.#options;
    const isWhole = () => {
      const followed = this.#dealers.get(dealerId);
      const cursor = followed?.cursors.get(scope);
      if (!followed || (!cursor && followed.since === null)) return true; // nobody is here any more who had it in order
      return (cursor?.seq ?? 0) >= before - 1;
    };
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
    const { log, now, lateness } = this.#options;
    const cursor = this.#cursor(followed, scope);
    const since = cursor.seq === null ? (followed.since ?? now()) - lateness : 0;
    const found = await log.between(dealerId, scope, cursor.seq ?? 0, before, since);
    const [first] = found;
    if (first?.seq === undefined || first.seq === null) return false;
    // It is the first that is new here, where it was not known how far the scope had gone; else what lay before it was erased.
    cursor.seq = Math.max(cursor.seq ?? 0, first.seq - 1);
    for (const publication of found) {
      if (publication.seq !== null && !cursor.has(publication.seq)) cursor.put(publication.seq, publication);
    }
    cursor.drain(this.#options);
    return true;
  }
}
