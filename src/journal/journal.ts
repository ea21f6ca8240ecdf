/**
 * The one way in for everything that changes anything. Commands are gathered for one turn of the event loop; each batch
 * is one transaction; only what is committed is published and acked [P-8.1]. Where the database takes several transactions at
 * once, those are of different dealers: what is about one dealer is stored, numbered and published in one order.
 */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Event } from '../../schemas/delivered.ts';
import { unavailable } from '../../schemas/errors.ts';
import type { Bus } from '../bus/bus.ts';
import type { Command, Policy } from '../domain/state.ts';
import type { CommitStore, Locked } from '../store/commits.ts';
import { Apart } from './apart.ts';
import { type Happened, type Outcome, planOf, runBatch } from './batch.ts';
import { type Asking, publicationsOf } from './publications.ts';
import { type Entry, FairQueue } from './queue.ts';
import { BATCH, LEAST, Weights } from './weights.ts';

const NONE: ReadonlySet<string> = new Set();
const ALONE: readonly never[] = [];

/** Commands that fill a batch, whatever they are. */
const FULL = BATCH / LEAST;
/** The most commands that wait for a transaction; more are refused as `unavailable`, of whoever has the most first. */
const MAX_WAITING = 20_000;

/** Time for which joins are gathered at most, and that the next may take, in ms: nobody waits for a join as for an answer. */
const JOINING = 25;
const NEXT_JOIN = 1;

/** Names by which the log knows what a command came from: a request's id, or a connection's. */
export type Cause = Readonly<Record<string, string>>;

/** Where a command came from. */
export interface Origin extends Asking {
  readonly cause?: Cause;
  /** The address that it takes turns with: all customers behind it are one. Absent: it takes turns as its sender. */
  readonly address?: string | null | undefined;
}

interface Waiting extends Entry {
  readonly about: string;
  readonly command: Command;
  readonly origin: Origin | undefined;
  readonly settle: (outcome: Outcome) => void;
  /** Those that are stored with it, right behind it. */
  readonly others: readonly Waiting[];
}

interface Options {
  readonly store: CommitStore;
  readonly bus: Bus;
  readonly policy: Policy;
  /** The time, in ms since 1970. */
  readonly now: () => number;
  /** Told how many dealers had their rows locked by somebody else when a batch came to them. */
  readonly onLocked: (dealers: number) => void;
  /** Told of each transaction. */
  readonly onCommit: (committed: { size: number; seconds: number; types: Event['type'][] }) => void;
  /** Told of the events of each sender's command, once they are committed. */
  readonly onEvents?: (sender: string, events: readonly Happened[]) => void;
  /** Told what went wrong, without the command's contents. */
  readonly onFault: (fault: unknown, what: string, cause?: Cause) => void;
}

const notTaken = (message: string): Outcome => ({ refusal: { code: 'unavailable', message } });

export class Journal {
  readonly #options: Options;
  readonly #waiting = new FairQueue<Waiting>(MAX_WAITING);
  readonly #weights = new Weights();
  readonly #apart: Apart<Waiting>;
  /** Commands that wait and are no joins. */
  #hurried = 0;
  /** When joins were last committed. */
  #joinedAt = Number.NEGATIVE_INFINITY;
  /** Dealers of a batch whose commit failed: it may have been done all the same, and its events never published. */
  readonly #doubtful = new Map<string, symbol>();
  #running: Promise<void> | null = null;
  /** Ends the wait for the turn's end. */
  #wake: () => void = () => {};
  /** Batches that are being stored, and where there may be several, the dealers that they are about. */
  #underWay = 0;
  readonly #busy = new Set<string>();
  /** Ends the wait for a batch to be stored, and where the next may be of others, for something to come. */
  #goOn: () => void = () => {};
  #isBlocked = false;
  readonly #committing = new Set<Promise<unknown>>();
  #closed = false;

  constructor(options: Options) {
    this.#options = options;
    this.#apart = new Apart({
      atOnce: options.store.atOnce.apart,
      store: async (batch) => (await this.#commit(batch)).size > 0,
      refuse: (batch) => this.#refuse(batch, 'somebody else has locked rows of this dealer: try again'),
    });
  }

  /**
   * Decides a command and stores what follows from it. Where it has an origin, that socket has been sent its ack by the
   * time this resolves, in its place among the scope's events, unless the outcome is a refusal or a repeat.
   * @returns the outcome; a refusal where nothing was stored. Never rejects.
   */
  append(command: Command, origin?: Origin): Promise<Outcome> {
    return new Promise((settle) => this.submit(command, origin, settle));
  }

  /** {@link append}, for what comes by the ten thousand: told by a call, and not by a promise. */
  submit(command: Command, origin: Origin | undefined, settle: (outcome: Outcome) => void): void {
    this.#push(this.#waitingOf(command, origin, settle));
  }

  /**
   * {@link append}, for commands about one dealer that are one: they are stored in one transaction, one after the other and nothing
   * between them, and where it fails, nothing of them is stored.
   */
  appendTogether(commands: readonly Command[]): Promise<Outcome[]> {
    const settled: Promise<Outcome>[] = [];
    const [first, ...others] = commands.map((command) => {
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      settled.push(promise);
      return this.#waitingOf(command, undefined, resolve);
    });
    const weight = others.reduce((sum, each) => sum + each.weight, first?.weight ?? 0);
    if (first) this.#push({ ...first, weight: Math.min(BATCH, weight), others });
    return Promise.all(settled);
  }

  #push(entry: Waiting): void {
    const { command } = entry;
    if (this.#closed) this.#refuse([entry], 'the server is shutting down');
    else if (!this.#waiting.push(entry)) this.#refuse([entry], 'too much is waiting to be stored');
    else {
      if (!isJoin(command.body)) this.#hurried += 1;
      this.#running ??= this.#run();
      if (this.#waiting.size === FULL) this.#wake();
      if (this.#isBlocked) this.#goOn();
    }
  }

  #waitingOf(command: Command, origin: Origin | undefined, settle: Waiting['settle']): Waiting {
    return {
      dealerId: command.turn ?? command.body.dealerId,
      about: command.body.dealerId,
      sender: origin?.address ?? command.sender,
      weight: this.#weights.of(command.body),
      command,
      origin,
      settle,
      others: ALONE,
    };
  }

  /** Commands that wait to be stored. */
  get waiting(): number {
    return this.#waiting.size + this.#apart.waiting;
  }

  /** Dealers of which each is stored on its own, since somebody else had locked their rows. */
  get locked(): number {
    return this.#apart.size;
  }

  /** Resolves when what is being committed, if anything, has been published or has failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#committing);
  }

  /** Takes nothing more, and resolves when all that was taken is settled. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    while (this.#underWay > 0) await this.settled();
    await this.#apart.emptied();
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      if (this.#isBlocked || this.#underWay === this.#options.store.atOnce.batches) await this.#change();
      await this.#gather();
      const taken = this.#waiting.take(BATCH, this.#busy.size === 0 ? null : this.#isFree);
      this.#isBlocked = taken.length === 0;
      for (const { command } of taken) if (!isJoin(command.body)) this.#hurried -= 1;
      const batch = this.#apart.size === 0 ? taken : this.#withoutApart(taken);
      if (batch.length > 0) void this.#carry(batch);
    }
    this.#isBlocked = false;
    this.#running = null;
  }

  /** Resolves when a batch is stored; and where what waits is of the dealers under way, when more comes. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#goOn = resolve;
    });
  }

  readonly #isFree = (dealerId: string): boolean => !this.#busy.has(dealerId);

  /** Hands over what is about dealers that are kept apart. @returns the rest */
  #withoutApart(taken: readonly Waiting[]): readonly Waiting[] {
    const [rest, apart] = [
      taken.filter(({ about }) => !this.#apart.has(about)),
      taken.filter(({ about }) => this.#apart.has(about)),
    ];
    if (this.waiting + apart.length > MAX_WAITING) this.#refuse(apart, 'too much is waiting to be stored');
    else for (const each of apart) this.#apart.push(each);
    return rest;
  }

  /** Stores a batch: where somebody else has rows of it, without those dealers, which are tried on their own. */
  async #carry(batch: readonly Waiting[]): Promise<void> {
    const isAlone = this.#options.store.atOnce.batches === 1;
    const dealers = isAlone ? NONE : new Set(batch.map(({ about }) => about));
    this.#underWay += 1;
    for (const dealerId of dealers) this.#busy.add(dealerId);
    for (let rest = batch; rest.length > 0; ) {
      const locked = await this.#commit(rest);
      if (locked.size > 0) this.#options.onLocked(locked.size);
      for (const dealerId of locked)
        this.#apart.add(
          dealerId,
          rest.filter(({ about }) => about === dealerId),
        );
      rest = locked.size === 0 ? [] : rest.filter(({ about }) => !locked.has(about));
    }
    if (batch.some(({ command }) => isJoin(command.body))) this.#joinedAt = performance.now();
    for (const dealerId of dealers) this.#busy.delete(dealerId);
    this.#underWay -= 1;
    this.#goOn();
  }

  /**
   * Resolves at the turn's end. Where thousands join at once, the network hands over one or two of them in a turn: as long as
   * one comes soon after the other, and nothing but joins is waiting, one transaction takes what comes within {@link JOINING}.
   * One that is alone, of which none came soon before it, goes at once; those behind it gather.
   */
  async #gather(): Promise<void> {
    const began = performance.now();
    const isFirst = began - this.#joinedAt >= NEXT_JOIN;
    let last = began;
    let now = began;
    let known = 0;
    do {
      await this.#turn();
      now = performance.now();
      if (this.#waiting.size > known) last = now;
      known = this.#waiting.size;
      if (isFirst && known === 1) return;
    } while (known < FULL && now - last < NEXT_JOIN && now - began < JOINING && this.#hurried === 0);
  }

  /**
   * Resolves when the event loop has handed over what there was, or a batch is full: what came first is then stored and
   * acked before the rest is read, and is garbage before it is old.
   */
  #turn(): Promise<void> {
    return new Promise((resolve) => {
      const immediate = setImmediate(resolve);
      this.#wake = () => {
        clearImmediate(immediate);
        resolve();
      };
    });
  }

  /** Commits a batch, and tells everybody. @returns the dealers whose rows are locked: then nothing is done, and nobody told */
  #commit(batch: readonly Waiting[]): Promise<Locked> {
    const committed = this.#transact(batch).finally(() => this.#committing.delete(committed));
    this.#committing.add(committed);
    return committed;
  }

  async #transact(entries: readonly Waiting[]): Promise<Locked> {
    const { store, bus, onEvents } = this.#options;
    const batch = withOthers(entries);
    const commands = batch.map(({ command }) => command);
    const plan = planOf(commands);
    // What failed before this began: its end is known by then.
    const doubtful = [...this.#doubtful];
    let outcomes: Outcome[] = [];
    const began = performance.now();
    try {
      const locked = await store.commit(plan.needs, (rows) => {
        const result = runBatch(rows, plan, this.#told(batch));
        outcomes = result.outcomes;
        return result.changes;
      });
      if (locked.size > 0) return locked;
    } catch (fault) {
      const { refusal } = unavailable(fault);
      const failure = Symbol();
      for (const { body } of commands) this.#doubtful.set(body.dealerId, failure);
      for (const each of batch) this.#settle(each, { refusal });
      return NONE;
    }
    if (doubtful.length > 0) bus.resync(doubtful.map(([dealerId]) => dealerId));
    // Another may have failed since.
    for (const [dealerId, failure] of doubtful)
      if (this.#doubtful.get(dealerId) === failure) this.#doubtful.delete(dealerId);
    this.#tell(outcomes, began);
    bus.publish(outcomes.flatMap((outcome, index) => publicationsOf(outcome, batch[index]?.origin)));
    batch.forEach((each, index) => {
      const outcome = outcomes[index];
      if (!outcome) return;
      if (outcome.weight !== undefined) this.#weights.learn(each.command.body, outcome.weight);
      if ('happened' in outcome) onEvents?.(each.command.sender, outcome.happened);
      this.#settle(each, outcome);
    });
    return NONE;
  }

  #refuse(batch: readonly Waiting[], message: string): void {
    for (const each of withOthers(batch)) this.#settle(each, notTaken(message));
  }

  #settle({ command, origin, settle }: Waiting, outcome: Outcome): void {
    try {
      settle(outcome);
    } catch (fault) {
      this.#options.onFault(fault, `${command.body.type} was not answered`, origin?.cause);
    }
  }

  #tell(outcomes: readonly Outcome[], began: number): void {
    const seconds = (performance.now() - began) / 1000;
    const types: Event['type'][] = [];
    for (const outcome of outcomes) {
      if (!('refusal' in outcome)) for (const { type } of outcome.happened) types.push(type);
    }
    this.#options.onCommit({ size: outcomes.length, seconds, types });
  }

  #told(batch: readonly Waiting[]) {
    const causeOf = (command: Command) => batch.find((each) => each.command === command)?.origin?.cause;
    return {
      policy: this.#options.policy,
      now: this.#options.now(),
      newId: randomUUID,
      onFault: (fault: unknown, command: Command) =>
        this.#options.onFault(fault, `${command.body.type} was not decided`, causeOf(command)),
    };
  }
}

/** Entries, each followed by those that are stored with it. */
const withOthers = (entries: readonly Waiting[]): readonly Waiting[] =>
  entries.some(({ others }) => others.length > 0) ? entries.flatMap((each) => [each, ...each.others]) : entries;

const JOINS: ReadonlySet<string> = new Set(['CLIENT_JOIN', 'ADMIN_JOIN', 'SERVER_JOIN']);
const isJoin = ({ type }: Command['body']): boolean => JOINS.has(type);
