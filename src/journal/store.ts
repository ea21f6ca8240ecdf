/**
 * The store's face: what the journal and the readers need of a database. SQLite is one implementation; each must pass
 * `test/conformance/store.ts`.
 */
import type { CLAIMS, Dealer, DealerSettings } from '../../schemas/dealers.ts';
import type { Event } from '../../schemas/delivered.ts';
import type { Detail, Refusal } from '../../schemas/errors.ts';
import { isId } from '../../schemas/kinds.ts';
import type { Erasure, Group, Known } from '../domain/state.ts';
import type { KeptAct } from './audit.ts';
import type { Bounds } from './bounded.ts';
import type { CredentialStore } from './credentials.ts';
import type { Reading } from './reading.ts';

/** That what opens such a database cannot be loaded, whatever it is named; and what to do about it, where that is known. */
export class DriverError extends Error {
  readonly found: string;
  readonly advice: string;

  constructor(found: string, advice: string, options: ErrorOptions) {
    super(advice === '' ? found : `${found}: ${advice}`, options);
    this.found = found;
    this.advice = advice;
  }
}

/** That another server has the database, or somebody its lock. */
export class ServedError extends Error {}

/** One event as it is kept: the payload is JSON text, the very bytes that are delivered. */
export interface StoredEvent {
  readonly dealerId: string;
  readonly scope: string;
  /** [P-8.2] 1, 2, 3, … within the scope. */
  readonly seq: number;
  readonly id: string;
  /** Whether `id` is the sender's own, so that a repeat of it is known [P-8.4]. */
  readonly keyed: boolean;
  readonly sender: string;
  readonly type: Event['type'];
  readonly groupId: string | null;
  readonly payload: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The last seqs of a dealer's own two scopes. */
export interface DealerSeqs {
  readonly dealerSeq: number;
  readonly deskSeq: number;
}

/** What was stored under a sender's key before. */
export interface Prior {
  readonly seq: number;
  readonly at: number;
}

/**
 * The rows that a batch works on, by the parts of their keys joined with `/`: dealers by dealer; groups, users and leads
 * by dealer and group; places (where an admin is present) by dealer and admin; presences (the nodes that have sockets of
 * somebody) by dealer and sender; intents by dealer, group and intent; intentCounts (how many intents a group has, up to
 * {@link MAX_INTENTS}) by dealer and group; priors by dealer, scope, sender and key. Of a group that is not there, `erased`
 * tells the last seq of the one of its name that was erased. `removed` has the dealers that
 * are not there because they were removed.
 *
 * A repeat is rare, and what is written must pass the index that knows it: `priors` may lack one that is there. Whoever
 * would not write what has a key asks `findPrior` first; where what is written was stored before, `work` is called again
 * with all priors.
 */
export interface Rows {
  readonly dealers: Map<string, DealerSeqs>;
  readonly groups: Map<string, Group>;
  readonly places: Map<string, ReadonlySet<string>>;
  readonly presences: Map<string, ReadonlySet<string>>;
  readonly users: Map<string, Known>;
  readonly leads: Map<string, Known>;
  readonly intents: Map<string, Known>;
  readonly intentCounts: Map<string, number>;
  readonly priors: Map<string, Prior>;
  readonly findPrior: (parts: readonly string[]) => Prior | undefined;
  readonly erased: Map<string, number>;
  readonly removed: ReadonlySet<string>;
}
export type Table = Exclude<keyof Rows, 'erased' | 'removed' | 'findPrior'>;

/** What a row is named by, from its key. An intent's word comes last, and may hold a `/` itself. */
export function namedRow(key: string) {
  const [dealerId = '', groupId = '', ...intent] = key.split('/');
  return { dealerId, groupId, intent: intent.join('/') };
}

/**
 * Which rows to load: for each table, the parts of a key by that key. Where an admin's places are needed, so are the
 * groups that are those places: an admin who leaves, leaves them.
 */
export type Needs = { readonly [T in Table]: Map<string, readonly string[]> } & {
  /** The dealers whose own scopes, or admins' places, may be written. */
  readonly writtenDealers: Set<string>;
};

/** An admin has come to a place (a groupId, or `@desk`) or left it. */
export interface Move {
  readonly dealerId: string;
  readonly place: string;
  readonly adminId: string;
  readonly online: boolean;
}

/** A node has the first socket of somebody, or has lost the last. */
export interface Arrival {
  readonly dealerId: string;
  /** The sender that their commands have, such as `customer:g1`. */
  readonly sender: string;
  readonly nodeId: string;
  readonly online: boolean;
}

/** A conversation that is to be erased, and how far its log went. */
export interface Forgotten extends Pick<Erasure, 'dealerId' | 'groupId' | 'erasureId' | 'reason'> {
  readonly lastSeq: number;
  /** Who asked for it, as a sender is written. */
  readonly by: string;
}

/** [P-3.1] A conversation that goes on under another name. */
export interface SetAside {
  readonly dealerId: string;
  readonly groupId: string;
  readonly to: string;
}

/**
 * What a batch writes: whole rows, new or changed, and the events in the order in which they happened. With an event comes
 * the row of its scope, a dealer or a group, which says how far the scope goes.
 */
export interface Changes
  extends Omit<Rows, 'places' | 'presences' | 'intentCounts' | 'priors' | 'findPrior' | 'erased' | 'removed'> {
  readonly events: StoredEvent[];
  readonly moves: Move[];
  readonly arrivals: Arrival[];
  /** Carried out after everything else is written. */
  readonly erasures: Forgotten[];
  /** Carried out before anything else is written. */
  readonly setAside: SetAside[];
  /** Groups of which no token is taken any more that was signed before. */
  readonly revoked: Pick<SetAside, 'dealerId' | 'groupId'>[];
  /** When, for the rows' own timestamps: milliseconds since 1970. */
  readonly at: number;
}

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
export interface Store extends Reading, CredentialStore {
  /**
   * Brings the tables up to date. Idempotent. Answers whether there were none: whether the database is new.
   * @param onUpgrade told first, where there are tables, how many migrations they are to have: a large log takes minutes
   */
  migrate(onUpgrade?: (migrations: number) => void): Promise<boolean>;
  /** How many migrations it has not had yet. */
  pendingMigrations(): Promise<number>;
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
  /** Keeps who did what [{@link Audit}], in one transaction: all of it, or nothing. */
  keepActs(acts: readonly KeptAct[]): Promise<void>;
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
