/**
 * Who waits to be stored, and whose turn it is. Dealers take turns, and within a dealer those who send; what a turn gives is
 * counted by weight. So a flood waits for itself, and whoever has little waiting is soon next.
 */
import { ALL_DEALERS } from '../../schemas/table.ts';

/** What each may give in a turn, in bytes: some eight plain commands. Whoever gave more misses turns until it is made up for. */
const TURN = 4 * 1024;
/** How many places of a line are empty before they are done away with. */
const GAP = 256;

export interface Entry {
  /** The dealer that it waits with; `*` for what a server of all dealers sends. */
  readonly dealerId: string;
  /** Who sent it, within that dealer. What one sender sends stays in order [P-2.3]. */
  readonly sender: string;
  /** How much work it is, in bytes. */
  readonly weight: number;
}

interface Queue<T> {
  readonly size: number;
  /** The one that `shift` takes. */
  first(): T | undefined;
  shift(): T | undefined;
}

/** What one sender has waiting, in order. */
class Line<T> implements Queue<T> {
  readonly #entries: T[] = [];
  #gone = 0;

  get size(): number {
    return this.#entries.length - this.#gone;
  }

  push(entry: T): void {
    this.#entries.push(entry);
  }

  first(): T | undefined {
    return this.#entries[this.#gone];
  }

  shift(): T | undefined {
    const entry = this.first();
    this.#gone += 1;
    if (this.#gone === GAP) this.#gone -= this.#entries.splice(0, GAP).length;
    return entry;
  }
}

/** A place in the ring of those who take turns. */
class Member<Q> {
  readonly key: string;
  readonly queue: Q;
  /** What it may still give in this turn, in bytes; where that is nothing, or less, the turn is the next one's. */
  credit = TURN;
  next: Member<Q> = this;

  constructor(key: string, queue: Q) {
    this.key = key;
    this.queue = queue;
  }
}

/** Queues that give in turn, each as much as any other. One that is empty is forgotten, with what it owed. */
class Turns<T extends Entry, Q extends Queue<T>> implements Queue<T> {
  readonly #make: () => Q;
  readonly #members = new Map<string, Member<Q>>();
  /** The end of the ring: behind it comes whose turn it is. */
  #last: Member<Q> | null = null;
  #size = 0;

  constructor(make: () => Q) {
    this.#make = make;
  }

  get size(): number {
    return this.#size;
  }

  find(key: string): Q | undefined {
    return this.#members.get(key)?.queue;
  }

  /** The queue of that name, into which the caller puts one more. A new one comes last. */
  widen(key: string): Q {
    this.#size += 1;
    return this.find(key) ?? this.#add(key);
  }

  #add(key: string): Q {
    const member = new Member(key, this.#make());
    const last = this.#last;
    if (last) {
      member.next = last.next;
      last.next = member;
    }
    this.#last = member;
    this.#members.set(key, member);
    return member.queue;
  }

  #current(): Member<Q> | undefined {
    while (this.#last && this.#last.next.credit <= 0) {
      this.#last = this.#last.next;
      this.#last.credit += TURN;
    }
    return this.#last?.next;
  }

  first(): T | undefined {
    return this.#current()?.queue.first();
  }

  shift(): T | undefined {
    const current = this.#current();
    const entry = current?.queue.shift();
    if (!current || !entry) return undefined;
    this.#size -= 1;
    current.credit -= entry.weight;
    if (current.queue.size === 0) this.#drop(current);
    return entry;
  }

  /** Takes out the one whose turn it is. */
  #drop(current: Member<Q>): void {
    this.#members.delete(current.key);
    if (this.#last === current) this.#last = null;
    else if (this.#last) this.#last.next = current.next;
  }
}

type Senders<T extends Entry> = Turns<T, Line<T>>;
type Dealers<T extends Entry> = Turns<T, Senders<T>>;

export class FairQueue<T extends Entry> {
  readonly #max: number;
  /** Servers of all dealers, and dealers: whoever speaks for all has as many turns as they have together. */
  readonly #sides: Turns<T, Dealers<T>>;

  /** @param max how many may wait */
  constructor(max: number) {
    const senders = (): Senders<T> => new Turns(() => new Line<T>());
    this.#max = max;
    this.#sides = new Turns(() => new Turns(senders));
  }

  get size(): number {
    return this.#sides.size;
  }

  /** Lets one wait. @returns whether there is room for it */
  push(entry: T): boolean {
    const { dealerId, sender } = entry;
    const side = dealerId === ALL_DEALERS ? 'all' : 'each';
    if (this.#isOver(side, dealerId, sender)) return false;
    this.#sides.widen(side).widen(dealerId).widen(sender).push(entry);
    return true;
  }

  /**
   * A dealer may have as many waiting as there is room left for all others, and a sender as many as its dealer then has room
   * left for other senders: so there always is some for whoever has nothing waiting. One alone may take a third of it all.
   */
  #isOver(side: string, dealerId: string, sender: string): boolean {
    if (this.size * 3 < this.#max) return false;
    const left = this.#max - this.size;
    const ofDealer = this.#sides.find(side)?.find(dealerId);
    const dealerHas = ofDealer?.size ?? 0;
    const senderHas = ofDealer?.find(sender)?.size ?? 0;
    return dealerHas >= left || senderHas >= left - dealerHas;
  }

  /** Takes those whose turn it is, of so much weight together, in bytes; what weighs more comes alone. */
  take(weight: number): T[] {
    const taken: T[] = [];
    let left = weight;
    for (let next = this.#sides.first(); next; next = this.#sides.first()) {
      left -= next.weight;
      if (left < 0 && taken.length > 0) break;
      this.#sides.shift();
      taken.push(next);
    }
    return taken;
  }
}
