/**
 * The store's face: what the journal and the readers need of a database. SQLite is one implementation; each must pass
 * `test/conformance/store.ts`.
 */
import type { CLAIMS, Dealer, DealerSettings } from '../../schemas/dealers.ts';
import type { Detail, Refusal } from '../../schemas/errors.ts';
import { isId } from '../../schemas/kinds.ts';
import type { Group } from '../domain/state.ts';
import type { ActStore } from './audit.ts';
import type { Bounds } from './bounded.ts';
import type { CredentialStore } from './credentials.ts';
import type { Reading } from './reading.ts';
import type { Changes, DealerSeqs, Needs, Rows, StoredEvent } from './rows.ts';

/** What is wrong with a database, and what to do about it, where that is known. */
export class UnfitError extends Error {
  readonly found: string;
  readonly advice: string;

  constructor(found: string, advice: string, options?: ErrorOptions) {
    super(advice === '' ? found : `${found}: ${advice}`, options);
    this.found = found;
    this.advice = advice;
  }
}

/** That what opens such a database cannot be loaded, whatever it is named. */
export class DriverError extends UnfitError {}

/** That another server has the database, or somebody its lock. */
export class ServedError extends Error {}

/** That the setting which names the database asks for what there is not. */
export class MisusedError extends Error {}

/** Who may join a dealer: pages of which origins, and who without a token. */
export interface Doorway {
  readonly origins: readonly string[];
  readonly claims: (typeof CLAIMS)[number];
}

/** What a joining socket is told of its dealer and group. */
export interface Standing {
  /** Null: there is no such dealer. */
  readonly dealer: (DealerSeqs & Doorway) | null;
  /** Null: none was asked for, or there is none of that name. */
  readonly group: Group | null;
  /** Whether any admin of the dealer is here; false where no group was asked for. */
  readonly adminOnline: boolean;
}

/** What came over Redis and was refused, whole, with the reason [P-6.3]. */
export interface DeadLetter extends Refusal {
  readonly deadLetterId: string;
  readonly source: 'events' | 'ingress';
  /** The text as it came. */
  readonly payload: string;
  readonly details: readonly Detail[];
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A stretch of a scope's log, ends not included. With `before` alone, the latest `limit` before it. */
export interface Stretch {
  readonly after?: number;
  readonly before?: number;
  /** None from before this time, in ms since 1970. */
  readonly since?: number;
  readonly limit: number;
  /** At most so many bytes of payloads, as UTF-8, but at least one event. */
  readonly bytes?: number;
}

/** Every method rejects with the driver's own error where the database fails. */
export interface Store extends Reading, CredentialStore, ActStore {
  /**
   * Brings the tables up to date. Idempotent. Answers whether there were none: whether the database is new.
   * @param onUpgrade told first, where there are tables, how many migrations they are to have: a large log takes minutes
   * @throws UnfitError where this program cannot use it, or may not
   */
  migrate(onUpgrade?: (migrations: number) => void): Promise<boolean>;
  /** How many migrations it has not had yet. @throws UnfitError where it has had others */
  pendingMigrations(): Promise<number>;
  /** Looks at all of it, which takes its time. @throws UnfitError where something is wrong with it */
  examine(): Promise<void>;
  /** The database's clock, in ms since 1970. */
  now(): Promise<number>;
  /** Resolves where the database answers and can be written to. */
  check(): Promise<void>;
  /**
   * One transaction: load the rows needed, let `work` say what changes, write it, commit (to disk). `work` is called
   * inside the transaction, synchronously; again, on other rows, where another node was first or a key proved to be
   * taken. When it or the database fails, nothing is written and the promise rejects.
   */
  commit(needs: Needs, work: (rows: Rows) => Changes): Promise<void>;
  standing(dealerId: string, groupId?: string): Promise<Standing>;
  /** The last seq of each scope named; 0 for one that has no events. All read at one moment. */
  tails(dealerId: string, scopes: readonly string[]): Promise<Map<string, number>>;
  /** Events of one scope, by seq, ascending. */
  events(dealerId: string, scope: string, stretch: Stretch): Promise<StoredEvent[]>;
  /** For each scope named, the seq of its first event after one: what lay between has been erased. */
  firstAfter(dealerId: string, seen: ReadonlyMap<string, number>): Promise<Map<string, number>>;
  /** Notes that a node lives. Answers whether it was known to: one that was forgotten must tell again who is there. */
  beat(nodeId: string): Promise<boolean>;
  /** The other nodes that have not been noted to live for so many ms. Of an embedded database no other ever lives. */
  silentNodes(nodeId: string, ms: number): Promise<string[]>;
  /** Everybody whom a node has sockets of, as the database has it. */
  presencesOf(nodeId: string): Promise<{ dealerId: string; sender: string }[]>;
  /** Strikes a node off. */
  forgetNode(nodeId: string): Promise<void>;
  dealer(dealerId: string): Promise<Dealer | null>;
  /** Dealers by dealerId, after the one named. */
  dealers(after: string, limit: number): Promise<Dealer[]>;
  /** Replaces a dealer's settings, making the dealer if it is new. Answers whether it was. */
  putDealer(dealerId: string, settings: DealerSettings): Promise<boolean>;
  /**
   * Takes the next part of what erasures have marked out of the log, in a transaction of its own. Where another node is at it,
   * that counts as done. Answers whether there may be more.
   */
  erasePart(): Promise<boolean>;
  /**
   * Takes what has been erased out of where the database keeps it beside the tables, as far as it can. Answers whether that is
   * done: what hinders it passes, and it may be asked again.
   */
  scrub(): Promise<boolean>;
  /** Removes a dealer and everything of it. Answers whether there was one. */
  deleteDealer(dealerId: string): Promise<boolean>;
  /** Keeps letters, in one transaction: all of them, or none. */
  bury(letters: readonly DeadLetter[]): Promise<void>;
  /** Dead letters by id, and so by time, after the one named. */
  deadLetters(after: string, bounds: Bounds): Promise<DeadLetter[]>;
  deadLetter(deadLetterId: string): Promise<DeadLetter | null>;
  removeDeadLetter(deadLetterId: string): Promise<void>;
  /** Writes one moment's copy of an embedded database to a file that is not there. Rejects for any other database. */
  copyTo(file: string): Promise<void>;
  close(): Promise<void>;
}

/** A dealer's settings, from its row: what was not set is absent. */
export const dealerOf = ({ dealerId, name, email, phone, origins, retentionDays, claims }: DealerRow): Dealer => ({
  dealerId,
  ...(name !== null && { name }),
  ...(email !== null && { email }),
  ...(phone !== null && { phone }),
  origins,
  ...(retentionDays !== null && { retentionDays }),
  ...(claims !== null && { claims }),
});

/** A dealer's settings, as its row has them. */
export const rowOfSettings = ({ name, email, phone, origins, retentionDays, claims }: DealerSettings) => ({
  name: name ?? null,
  email: email ?? null,
  phone: phone ?? null,
  origins: origins ?? [],
  retentionDays: retentionDays ?? null,
  claims: claims ?? null,
});

interface DealerRow {
  readonly dealerId: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly origins: string[];
  readonly retentionDays: number | null;
  readonly claims: Doorway['claims'] | null;
}

/**
 * A dead letter's row: its text as JSON, since a database's text cannot hold every character that may come; filed under
 * the dealer and the group that it names, so that it is erased with them [P-11.4].
 */
export const rowOfLetter = ({ payload, details, ...letter }: DeadLetter) => ({
  ...letter,
  ...namesIn(payload),
  payload: JSON.stringify(payload),
  details: JSON.stringify(details),
});

export const letterOfRow = ({ deadLetterId, source, payload, code, message, details, at }: LetterRow): DeadLetter => ({
  deadLetterId,
  source,
  payload: JSON.parse(payload),
  code,
  message,
  details: JSON.parse(details),
  at,
});

export type LetterRow = Omit<ReturnType<typeof rowOfLetter>, 'dealerId' | 'groupId'>;

/** The dealer and the group that an event's text names; null where there is none, or the text is no event at all. */
function namesIn(text: string): { dealerId: string | null; groupId: string | null } {
  const idIn = (field: unknown) => (isId(field) ? String(field) : null);
  try {
    const { dealerId, groupId } = Object(JSON.parse(text));
    return { dealerId: idIn(dealerId), groupId: idIn(groupId) };
  } catch {
    return { dealerId: null, groupId: null };
  }
}
