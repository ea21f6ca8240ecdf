/**
 * The queue of what waits to be stored. Dealers take turns, and within a dealer those who send; what a turn gives is
 * counted by weight. So a flood waits for itself, and whoever has little waiting is soon next.
 */
import { ALL_DEALERS } from '../../schemas/table.ts';
import { BATCH } from './weights.ts';

/** Bytes that each may give in a turn: some eight plain commands. Whoever gave more misses turns until it is made up for. */
const TURN = 4 * 1024;
/** Bytes that are few enough to be taken at once: what a batch of the journal may weigh. */
const FEW = BATCH;
/** Empty places of a line before they are done away with. */
const GAP = 256;
/** Entries of a line that are looked at for one that may go, where the first may not: a batch has no more. */
const LOOKED_AT = 256;

export interface Entry {
  /** The dealer that it waits with; `*` for what a server of all dealers sends. */
  readonly dealerId: string;
  /** The dealer that it is about, where it may wait with `*`; absent: the one that it waits with. */
  readonly about?: string;
  /** The sender within that dealer. What one sender sends about a dealer stays in order [P-2.3]. */
  readonly sender: string;
  /** Its work, in bytes. */
  readonly weight: number;
}

/** Tells whether what is about a dealer may go now; null: all may. */
type MayGo = ((dealerId: string) => boolean) | null;

const aboutOf = (entry: Entry | undefined): string => entry?.about ?? entry?.dealerId ?? '';

/** A queue that takes turns with others: all that do are a ring. */
abstract class Member<T> {
  readonly key: string;
  /** Bytes that it may still give in this turn; at zero or less, its turn is the next. */
  credit = TURN;
  next: Member<T> = this;

  constructor(key: string) {
    this.key = key;
  }

  abstract readonly size: number;
  /** Takes the one whose turn it is: null where it weighs more than that, in bytes; undefined where none may go. */
  abstract shift(most: number, mayGo: MayGo): T | null | undefined;
}

/** Entries of one sender that wait, in order. */
class Line<T extends Entry> extends Member<T> {
  readonly #entries: T[] = [];
  #gone = 0;

  get size(): number {
    return this.#entries.length - this.#gone;
  }

  push(entry: T): void {
    this.#entries.push(entry);
  }

  shift(most: number, mayGo: MayGo): T | null | undefined {
    const place = mayGo === null ? this.#gone : this.#firstThat(mayGo);
    const entry = this.#entries[place];
    if (entry === undefined) return undefined;
    if (entry.weight > most) return null;
    if (place > this.#gone) this.#entries.splice(place, 1);
    else this.#gone += 1;
    if (this.#gone === GAP) this.#gone -= this.#entries.splice(0, GAP).length;
    return entry;
  }

  /** The place of the first that may go, looked for a while; -1 where none is found. */
  #firstThat(mayGo: (dealerId: string) => boolean): number {
    const end = Math.min(this.#entries.length, this.#gone + LOOKED_AT);
    for (let place = this.#gone; place < end; place += 1) {
      if (mayGo(aboutOf(this.#entries[place]))) return place;
    }
    return -1;
  }
}

/** Queues that give in turn, each as much as any other. One that is empty is forgotten, with what it owed. */
class Turns<T extends Entry, M extends Member<T>> extends Member<T> {
  readonly #make: (key: string) => M;
  readonly #members = new Map<string, M>();
  /** The end of the ring: behind it comes whose turn it is. */
  #last: Member<T> | null = null;
  size = 0;

  constructor(key: string, make: (key: string) => M) {
    super(key);
    this.#make = make;
  }

  find(key: string): M | undefined {
    return this.#members.get(key);
  }

  /** The queue of that name, into which the caller puts one more. A new one comes last. */
  widen(key: string): M {
    this.size += 1;
    return this.#members.get(key) ?? this.#add(key);
  }

  #add(key: string): M {
    const member = this.#make(key);
    const last = this.#last;
    if (last) {
      member.next = last.next;
      last.next = member;
    }
    this.#last = member;
    this.#members.set(key, member);
    return member;
  }

  shift(most: number, mayGo: MayGo): T | null | undefined {
    for (let passed = 0; this.#last && passed < this.#members.size; ) {
      const current = this.#last.next;
      if (current.credit <= 0) {
        this.#last = current;
        current.credit += TURN;
        passed = 0;
        continue;
      }
      const entry = current.shift(most, mayGo);
      if (entry === null) return null;
      if (entry) return this.#given(current, entry);
      this.#last = current; // who may not go now has not had a turn
      passed += 1;
    }
    return undefined;
  }

  #given(current: Member<T>, entry: T): T {
    this.size -= 1;
    current.credit -= entry.weight;
    if (current.size === 0) this.#drop(current);
    return entry;
  }

  /** Takes out the one whose turn it is. */
  #drop(current: Member<T>): void {
    this.#members.delete(current.key);
    if (this.#last === current) this.#last = null;
    else if (this.#last) this.#last.next = current.next;
  }
}

type Dealers<T extends Entry> = Turns<T, Senders<T>>;

const sideOf = ({ dealerId }: Entry): string => (dealerId === ALL_DEALERS ? 'all' : 'each');

/** Those who send within a dealer, or for all of them. */
class Senders<T extends Entry> extends Turns<T, Line<T>> {
  override shift(most: number, mayGo: MayGo): T | null | undefined {
    const isOfOne = this.key !== ALL_DEALERS;
    if (isOfOne && mayGo !== null && !mayGo(this.key)) return undefined;
    return super.shift(most, isOfOne ? null : mayGo);
  }
}

const lineOf = <T extends Entry>(key: string): Line<T> => new Line(key);
const sendersOf = <T extends Entry>(key: string): Senders<T> => new Senders(key, lineOf<T>);
const dealersOf = <T extends Entry>(key: string): Dealers<T> => new Turns(key, sendersOf<T>);

export class FairQueue<T extends Entry> {
  readonly #max: number;
  /** Entries that are taken all at once, as long as no more than {@link FEW} of work waits: then nobody has to take turns. */
  #few: T[] = [];
  #fewWeigh = 0;
  /** Servers of all dealers, and dealers: whoever speaks for all has as many turns as they have together. */
  readonly #sides: Turns<T, Dealers<T>> = new Turns('', dealersOf<T>);

  /** @param max how many may wait */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#few.length + this.#sides.size;
  }

  /** Lets one wait. @returns whether there is room for it */
  push(entry: T): boolean {
    const weight = this.#fewWeigh + entry.weight;
    if (this.#sides.size === 0 && weight <= FEW && this.#few.length * 3 < this.#max) {
      this.#few.push(entry);
      this.#fewWeigh = weight;
      return true;
    }
    this.#spread();
    const { dealerId, sender } = entry;
    if (this.#isOver(sideOf(entry), dealerId, sender)) return false;
    this.#place(entry);
    return true;
  }

  /** Lets the few take turns. */
  #spread(): void {
    for (const entry of this.#takeFew()) this.#place(entry);
  }

  #takeFew(): T[] {
    const few = this.#few;
    if (few.length === 0) return few;
    this.#few = [];
    this.#fewWeigh = 0;
    return few;
  }

  #takeFewThat(mayGo: (dealerId: string) => boolean): T[] {
    const taken: T[] = [];
    for (const entry of this.#takeFew()) {
      if (mayGo(aboutOf(entry))) {
        taken.push(entry);
      } else {
        this.#few.push(entry);
        this.#fewWeigh += entry.weight;
      }
    }
    return taken;
  }

  #place(entry: T): void {
    this.#sides.widen(sideOf(entry)).widen(entry.dealerId).widen(entry.sender).push(entry);
  }

  /**
   * A dealer may have as many waiting as there is room left for all others, and a sender as many as its dealer then has room
   * left for other senders: so there is some for whoever has nothing waiting. One alone may take a third of it all.
   */
  #isOver(side: string, dealerId: string, sender: string): boolean {
    if (this.size * 3 < this.#max) return false;
    const left = this.#max - this.size;
    const ofDealer = this.#sides.find(side)?.find(dealerId);
    const dealerHas = ofDealer?.size ?? 0;
    const senderHas = ofDealer?.find(sender)?.size ?? 0;
    return dealerHas >= left || senderHas >= left - dealerHas;
  }

  /** Takes those that may go and whose turn it is, of so much weight together, in bytes; what weighs more comes alone. */
  take(weight: number, mayGo: MayGo = null): T[] {
    if (this.#sides.size === 0 && this.#fewWeigh <= weight) {
      return mayGo === null ? this.#takeFew() : this.#takeFewThat(mayGo);
    }
    this.#spread();
    const first = this.#sides.shift(Number.POSITIVE_INFINITY, mayGo);
    if (!first) return [];
    const taken = [first];
    let left = weight - first.weight;
    for (let next = this.#sides.shift(left, mayGo); next; next = this.#sides.shift(left, mayGo)) {
      left -= next.weight;
      taken.push(next);
    }
    return taken;
  }
}
