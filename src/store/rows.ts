/** The rows that a batch loads and writes, as the store has them, and events as they are kept. */
import type { Event } from '../../schemas/delivered.ts';
import type { Erasure, Group, Known, Rules } from '../domain/state.ts';

/** One event as it is kept: the payload is JSON text, the very bytes that are delivered. */
export interface StoredEvent {
  readonly dealerId: string;
  readonly scope: string;
  /** [P-8.2] 1, 2, 3, … within the scope. */
  readonly seq: number;
  readonly id: string;
  /** True where `id` is the sender's own, so that a repeat of it is known [P-8.4]. */
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

/** Rules of a dealer that change, beside its seqs, as far as it is written with the batch that changes it [P-12]. */
export type RulesChange = Pick<Rules, 'aloneSince' | 'isOpen' | 'lookAt'>;

/** [P-12.7] Mark of how far an admin has read in a conversation. */
export interface AdminRead {
  readonly dealerId: string;
  readonly groupId: string;
  readonly adminId: string;
  readonly seq: number;
}

/** An event that was stored under a sender's key before. */
export interface Prior {
  readonly seq: number;
  readonly at: number;
}

/**
 * The rows that a batch works on, by the parts of their keys joined with `/`: dealers by dealer; groups, users and leads
 * by dealer and group; openChats (the scopes of an admin's) by dealer and admin; presences (the nodes that have sockets of
 * somebody) by dealer and sender; intents by dealer, group and intent; intentCounts (how many intents a group has, up to
 * {@link MAX_INTENTS}) by dealer and group; present (how many admins are here) by dealer; priors by dealer, scope, sender and key. Of a group that is not there, `erased`
 * tells the last seq of the one of its name that was erased. `removed` has the dealers that
 * are not there because they were removed.
 *
 * A repeat is rare, and what is written must pass the index that knows it: `priors` may lack one that is there. Whoever
 * would not write what has a key asks `findPrior` first; where what is written was stored before, `work` is called again
 * with all priors.
 */
export interface Rows {
  readonly dealers: Map<string, DealerSeqs>;
  /** Of each dealer that is there. */
  readonly rules: Map<string, Rules>;
  /** Admins that are here, of the dealers of which it was asked. */
  readonly present: Map<string, number>;
  readonly groups: Map<string, Group>;
  readonly openChats: Map<string, ReadonlySet<string>>;
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
export type Table = Exclude<keyof Rows, 'rules' | 'erased' | 'removed' | 'findPrior'>;

/** Parts of a row's key. An intent's word comes last, and may hold a `/` itself. */
export function keyParts(key: string) {
  const [dealerId = '', groupId = '', ...intent] = key.split('/');
  return { dealerId, groupId, intent: intent.join('/') };
}

/**
 * Which rows to load: for each table, the parts of a key by that key. Where an admin's open chats are needed, so are their
 * groups: an admin who leaves, leaves them.
 */
export type Needs = { readonly [T in Table]: Map<string, readonly string[]> } & {
  /** The dealers whose own scopes, or admins' open chats, may be written. */
  readonly writtenDealers: Set<string>;
};

/** An admin has opened a chat (its scope: a groupId, or `@desk`) or left it. */
interface ChatPresence {
  readonly dealerId: string;
  readonly scope: string;
  readonly adminId: string;
  readonly online: boolean;
}

/** A node has the first socket of somebody, or has lost the last. */
interface Arrival {
  readonly dealerId: string;
  /** The sender that their commands have, such as `customer:g1`. */
  readonly sender: string;
  readonly nodeId: string;
  readonly online: boolean;
}

/** A conversation that is to be erased, and how far its log went. */
export interface PendingErasure extends Pick<Erasure, 'dealerId' | 'groupId' | 'erasureId' | 'reason'> {
  readonly lastSeq: number;
  /** The one who asked for it, as a sender is written. */
  readonly by: string;
}

/** The mark of a conversation of which something is still there, or of a dealer. */
export type Mark = Pick<PendingErasure, 'dealerId' | 'erasureId'>;

/** [P-3.1] A conversation that goes on under another name. */
export interface SetAside {
  readonly dealerId: string;
  readonly groupId: string;
  readonly to: string;
}

/**
 * The writes of a batch: whole rows, new or changed, and the events in the order in which they happened. With an event comes
 * the row of its scope, a dealer or a group, which says how far the scope goes.
 */
export interface Changes
  extends Omit<
    Rows,
    'rules' | 'present' | 'openChats' | 'presences' | 'intentCounts' | 'priors' | 'findPrior' | 'erased' | 'removed'
  > {
  readonly events: StoredEvent[];
  readonly chatPresences: ChatPresence[];
  readonly arrivals: Arrival[];
  readonly rules: Map<string, RulesChange>;
  /** Dealers of which a bot has spoken, and when that was. Who has a dealer locked writes it the next time. */
  readonly botsSpoke: Map<string, number>;
  readonly adminReads: AdminRead[];
  /** Carried out after everything else is written. */
  readonly erasures: PendingErasure[];
  /** Carried out before anything else is written. */
  readonly setAside: SetAside[];
  /** Groups of which no token is taken any more that was signed before. */
  readonly revoked: Pick<SetAside, 'dealerId' | 'groupId'>[];
  /** When, for the rows' own timestamps: milliseconds since 1970. */
  readonly at: number;
  /** [P-20.1] Of what is imported, the timestamps of each row that is written, by its table and key. */
  readonly times?: RowTimes;
}

/** When a row was made, which is written with the first of it alone, and when it was last changed, in ms since 1970. */
export interface RowTime {
  readonly created: number;
  readonly updated: number;
}

/** Tables whose rows have times of their own. */
export const TIMED = ['groups', 'users', 'leads', 'intents'] as const;
export type RowTimes = Readonly<Record<(typeof TIMED)[number], ReadonlyMap<string, RowTime>>>;

/** All of it, dealer by dealer. */
export const byDealer = <Each extends { readonly dealerId: string }>(all: readonly Each[]): [string, Each[]][] => [
  ...Map.groupBy(all, ({ dealerId }) => dealerId),
];
