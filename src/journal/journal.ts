/**
 * The one way in for everything that changes anything. Commands are gathered for one turn of the event loop; each batch
 * is one transaction; only what is committed is published and acked [P-8.1].
 */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Event } from '../../schemas/delivered.ts';
import { unavailable } from '../../schemas/errors.ts';
import type { Bus } from '../bus/bus.ts';
import type { Command, Policy } from '../domain/state.ts';
import type { Peer } from '../hub/peer.ts';
import type { Publication } from '../hub/publication.ts';
import { ackFrame, eventFrame, passingFrame } from '../protocol/encode.ts';
import { type Happened, type Outcome, planOf, type Receipt, runBatch } from './batch.ts';
import type { Store } from './store.ts';

/** The most commands of one transaction: a batch blocks the event loop, so it is bounded. */
const MAX_BATCH = 256;
/** The most that they may hold together, in bytes; one that holds more is a batch of its own. */
const MAX_BATCH_BYTES = 128 * 1024;
/** What an update of a record counts for, in bytes, however small it is: all of the record is read, merged and written anew. */
const RECORD_BYTES = 16 * 1024;
/** The most commands that wait for a transaction; more are refused as `unavailable`. */
const MAX_WAITING = 20_000;

/** How long joins are gathered at most, and how long the next may take, in ms: nobody waits for a join as for an answer. */
const JOINING = 25;
const NEXT_JOIN = 1;

/** The socket that a command came from, and the id by which it asked for an ack. */
export interface Origin {
  readonly peer: Peer;
  readonly id: string | undefined;
}

interface Waiting {
  readonly command: Command;
  readonly origin: Origin | undefined;
  readonly settle: (outcome: Outcome) => void;
}

interface Options {
  readonly store: Store;
  readonly bus: Bus;
  readonly policy: Policy;
  /** Told of each transaction. */
  readonly onCommit: (committed: { size: number; seconds: number; types: Event['type'][] }) => void;
  /** Told what went wrong, without the command's contents. */
  readonly onFault: (fault: unknown, what: string) => void;
}

const notTaken = (message: string): Outcome => ({ refusal: { code: 'unavailable', message } });

export class Journal {
  readonly #options: Options;
  #waiting: Waiting[] = [];
  /** Dealers of a batch whose commit failed: it may have been done all the same, and its events never published. */
  readonly #doubtful = new Set<string>();
  #running: Promise<void> | null = null;
  /** Ends the wait for the turn's end. */
  #wake: () => void = () => {};
  #committing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: Options) {
    this.#options = options;
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
    if (this.#closed) settle(notTaken('the server is shutting down'));
    else if (this.#waiting.length >= MAX_WAITING) settle(notTaken('too much is waiting to be stored'));
    else {
      this.#waiting.push({ command, origin, settle });
      this.#running ??= this.#run();
      if (this.#waiting.length === MAX_BATCH) this.#wake();
    }
  }

  /** Resolves when the batch that is being committed, if any, has been published or has failed. */
  settled(): Promise<void> {
    return this.#committing;
  }

  /** Takes nothing more, and resolves when all that was taken is settled. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#gather();
      this.#committing = this.#commit(this.#waiting.splice(0, batchSize(this.#waiting)));
      await this.#committing;
    }
    this.#running = null;
  }

  /**
   * Resolves at the turn's end. Where thousands join at once, the network hands over one or two of them in a turn: as long as
   * one comes soon after the other, and nothing but joins is waiting, one transaction takes what comes within {@link JOINING}.
   */
  async #gather(): Promise<void> {
    const began = performance.now();
    let last = began;
    let now = began;
    let known = 0;
    do {
      await this.#turn();
      now = performance.now();
      if (this.#waiting.length > known) last = now;
      known = this.#waiting.length;
    } while (known < MAX_BATCH && now - last < NEXT_JOIN && now - began < JOINING && this.#waiting.every(isJoin));
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

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const { store, bus } = this.#options;
    const commands = batch.map(({ command }) => command);
    const plan = planOf(commands);
    let outcomes: Outcome[] = [];
    const began = performance.now();
    try {
      await store.commit(plan.needs, (rows) => {
        const result = runBatch(rows, plan, this.#told());
        outcomes = result.outcomes;
        return result.changes;
      });
    } catch (fault) {
      const { refusal } = unavailable(fault);
      for (const { body } of commands) this.#doubtful.add(body.dealerId);
      for (const each of batch) this.#settle(each, { refusal });
      return;
    }
    if (this.#doubtful.size > 0) bus.resync([...this.#doubtful]);
    this.#doubtful.clear();
    this.#tell(outcomes, began);
    bus.publish(publicationsOf(batch, outcomes));
    batch.forEach((each, index) => {
      const outcome = outcomes[index];
      if (outcome) this.#settle(each, outcome);
    });
  }

  #settle({ command, settle }: Waiting, outcome: Outcome): void {
    try {
      settle(outcome);
    } catch (fault) {
      this.#options.onFault(fault, `${command.body.type} was not answered`);
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

  #told() {
    return {
      policy: this.#options.policy,
      now: Date.now(),
      newId: randomUUID,
      onFault: (fault: unknown, { body }: Command) => this.#options.onFault(fault, `${body.type} was not decided`),
    };
  }
}

const isJoin = ({ command: { body } }: Waiting): boolean => body.type === 'CLIENT_JOIN' || body.type === 'ADMIN_JOIN';

/** An erasure is a batch of its own: what it erases is what was stored before it, and nothing that came after. */
function batchSize(waiting: readonly Waiting[]): number {
  let bytes = 0;
  const full = waiting.findIndex(({ command: { body } }, index) => {
    bytes += weightOf(body);
    return index === MAX_BATCH || body.type === 'ERASE_GROUP' || bytes > MAX_BATCH_BYTES;
  });
  return full < 0 ? waiting.length : Math.max(1, full);
}

/** About how much a command holds, in bytes. */
function weightOf(body: Command['body']): number {
  if (!('message' in body)) return 0;
  if (typeof body.message === 'string') return body.message.length;
  return body.type === 'UPDATE_PAGEVIEW' ? JSON.stringify(body.message).length : RECORD_BYTES;
}

/** The frames of a batch's events; a command's own comes last among its events, and is answered to its origin [P-7]. */
function publicationsOf(batch: readonly Waiting[], outcomes: readonly Outcome[]): Publication[] {
  const publications: Publication[] = [];
  batch.forEach(({ origin }, index) => {
    const outcome = outcomes[index];
    if (!outcome || 'refusal' in outcome) return;
    const { happened, receipt } = outcome;
    happened.forEach((event, place) => {
      const isOwn = place === happened.length - 1;
      publications.push(publication(event, isOwn && origin ? answer(event, receipt, origin) : null));
    });
  });
  return publications;
}

/**
 * What the sender's socket gets in its event's place: the ack that it asked for. Where it asked for none, it gets a
 * stored event like everybody else, so that its seqs have no gap, and nothing for one that is only passed on.
 */
function answer({ stored }: Happened, receipt: Receipt | null, { peer, id }: Origin): Publication['answer'] {
  if (id !== undefined) return { peer, frame: ackFrame(id, receipt) };
  return stored ? null : { peer, frame: null };
}

function publication(
  { dealerId, groupId, type, payload, stored }: Happened,
  reply: Publication['answer'],
): Publication {
  if (stored) {
    return { dealerId, scope: stored.scope, seq: stored.seq, frame: eventFrame(stored), answer: reply };
  }
  return { dealerId, scope: groupId ?? '', seq: null, frame: passingFrame(type, payload), answer: reply };
}
