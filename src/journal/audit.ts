/** The account of what a dealer may have to answer for, and of who did it: kept in the database, and told in the log. It names no customer. */
import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Dealer } from '../../schemas/dealers.ts';
import type { ActStore, KeptAct } from '../store/acts.ts';
import type { Cause } from './journal.ts';

/** Actions that an account is kept of. */
export type Action =
  | 'export'
  | 'csv'
  | 'adf'
  | 'transcript'
  | 'erase_group'
  | 'change_dealer'
  | 'remove_dealer'
  | 'replay_dead_letter'
  | 'revoke';

/** Something that was done. */
export interface Act {
  /** `*` where it is no dealer's that there still is: only operators see it. */
  readonly dealerId: string;
  /** The sender of who did it, such as `admin:alice`; `cli` for a command at the server itself. */
  readonly by: string;
  readonly action: Action;
  /** As the documents write it: with the names of parameters, never with their values. */
  readonly route: string;
  /** Where it came from; null for a command. */
  readonly address: string | null;
  /** A receipt's id, names of settings: nothing of a customer. */
  readonly detail?: string;
}

/** Where acts are kept. */
type Kept = Pick<ActStore, 'keepActs'>;

/** Somebody who was refused for who they are, or are not. */
interface Refused {
  readonly code: string;
  /** The dealer and the name, where the token was good; of a customer no more than that it was one. */
  readonly dealerId?: string;
  readonly by?: string;
  readonly route: string | null;
  readonly address: string | null;
  readonly cause: Cause;
}

/** The names of the settings that are no longer what they were; an account says no values. */
export function changedSettings(before: Dealer | null, after: Dealer): string {
  const [had, has] = [Object(before), Object(after)];
  const names = [...new Set([...Object.keys(had), ...Object.keys(has)])].filter((name) => name !== 'dealerId');
  return names.filter((name) => !isDeepStrictEqual(had[name], has[name])).join(' ');
}

/** As much of a log as is needed: lines at level `info`. */
interface Log {
  info(fields: object, message: string): void;
}

/** Between two lines about refusals of one address with one code, in ms: those between them are counted. */
const QUIET = 1000;
/** Addresses and codes that are remembered; with one more, it begins anew. */
const MAX_REMEMBERED = 10_000;

const MINUTE = 60_000;
/** Pages that are told of in a minute: anybody may say any origin. */
const MOST_PAGES = 20;
const LONGEST_ORIGIN = 200;

/** A page whose chat is refused, and why. */
interface TurnedAway {
  readonly origin: string;
  readonly dealerId: string;
  readonly code: 'forbidden' | 'unknown_dealer';
}

export class Audit {
  readonly #store: Kept;
  readonly #log: Log | null;
  /** Acts of this turn of the event loop, kept together: each by itself would wait for the disk. */
  #acts: KeptAct[] = [];
  #keeping: Promise<void> | null = null;
  #refusals = new Map<string, { at: number; more: number }>();
  /** Pages that were told of since then. */
  readonly #turned = new Set<string>();
  #turnedSince = 0;

  /** @param log a stream of its own; null where there is none, as in a command */
  constructor(store: Kept, log: Log | null) {
    this.#store = store;
    this.#log = log;
  }

  /**
   * Tells of an act in the log, and resolves when it is kept. Rejects where the database fails.
   * @param cause the request by which it was done, for the log alone
   */
  async record({ detail, ...act }: Act, cause?: Cause): Promise<void> {
    const at = Date.now();
    // In the order of time.
    const auditId = `${at.toString(36).padStart(9, '0')}-${randomBytes(6).toString('hex')}`;
    this.#log?.info({ ...act, ...(detail !== undefined && { detail }), ...cause }, 'done');
    this.#acts.push({ ...act, detail: detail ?? null, auditId, at });
    this.#keeping ??= this.#keep();
    await this.#keeping;
  }

  async #keep(): Promise<void> {
    await setImmediate();
    const acts = this.#acts;
    this.#acts = [];
    this.#keeping = null;
    await this.#store.keepActs(acts);
  }

  /** Tells of a refusal in the log alone, and not of each: whoever is refused may try a thousand times a second. */
  refused({ code, address, cause, ...who }: Refused): void {
    const key = `${address} ${code}`;
    const now = performance.now();
    const last = this.#refusals.get(key);
    if (last && now - last.at < QUIET) {
      last.more += 1;
      return;
    }
    if (this.#refusals.size >= MAX_REMEMBERED) this.#refusals = new Map();
    this.#refusals.set(key, { at: now, more: 0 });
    this.#log?.info({ code, address, ...who, ...cause, ...(last?.more && { more: last.more }) }, 'refused');
  }

  /** Tells of a page whose chat nobody can use, once a minute: it is the operator who lists its origin, or knows the dealer's name. */
  turnedAway({ origin, dealerId, code }: TurnedAway): void {
    const page = `${origin} ${dealerId} ${code}`;
    const now = performance.now();
    if (now - this.#turnedSince > MINUTE) {
      this.#turnedSince = now;
      this.#turned.clear();
    }
    if (this.#turned.has(page) || this.#turned.size >= MOST_PAGES) return;
    this.#turned.add(page);
    this.#log?.info({ code, dealerId, origin: origin.slice(0, LONGEST_ORIGIN) }, 'a page was turned away');
  }
}

/** Keeps an account of what a command does, whose user is whoever may run it beside the database. */
export const recordCommand = (
  store: Kept,
  command: string,
  act: Pick<Act, 'dealerId' | 'action' | 'detail'>,
): Promise<void> => new Audit(store, null).record({ ...act, by: 'cli', route: command, address: null });
