/** The log, as those read it who catch up: one scope's events in their order, and how far scopes go. */
import { sql } from 'drizzle-orm';
import type { Event } from '../../schemas/delivered.ts';
import { isEventType } from '../../schemas/table.ts';
import type { Bounds } from './bounded.ts';
import type { StoredEvent } from './rows.ts';
import { CHANGED, changedAt, type Database, notBefore, type Row, textOrNull } from './sql.ts';

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

/** An event of the log, as much as is shown of it. */
export interface KeptEvent {
  readonly scope: string;
  readonly seq: number;
  readonly id: string;
  readonly type: Event['type'];
  readonly groupId: string | null;
  readonly payload: string;
  readonly at: number;
}

/** Position in the log of a dealer. */
export type Position = Pick<KeptEvent, 'scope' | 'seq'>;

export interface EpochStore {
  /** [P-21.1] Names the log as it is: the same as long as it only grows, another where events may be missing from it that were acked. */
  epoch(): Promise<string>;
}

export interface LogStore extends EpochStore {
  /** Events of one scope, by seq, ascending. */
  events(dealerId: string, scope: string, stretch: Stretch): Promise<StoredEvent[]>;
  /** The last seq of each scope named; 0 for one that has no events. All read at one moment. */
  tails(dealerId: string, scopes: readonly string[]): Promise<Map<string, number>>;
  /** The last seq of each group of the dealer that has changed since a time, in ms since 1970. */
  tailsSince(dealerId: string, since: number): Promise<Map<string, number>>;
  /** For each scope named, the seq of its first event after one: what lay between has been erased. */
  firstAfter(dealerId: string, seen: ReadonlyMap<string, number>): Promise<Map<string, number>>;
  /** Every event of a dealer by scope and seq, after the one named. */
  log(dealerId: string, after: Position | null, bounds: Bounds): Promise<KeptEvent[]>;
  /** Counts the events of a dealer's log. */
  logSize(dealerId: string): Promise<number>;
}

function typeOf(value: unknown): Event['type'] {
  const word = String(value);
  if (!isEventType(word)) throw new Error(`an event of the unknown type ${word}`);
  return word;
}

/** The columns of {@link eventOfRow}. */
export const EVENT = sql`scope, seq, id, type, group_id, payload, at`;

export const eventOfRow = (row: Row): KeptEvent => ({
  scope: String(row.scope),
  seq: Number(row.seq),
  id: String(row.id),
  type: typeOf(row.type),
  groupId: textOrNull(row.group_id),
  payload: String(row.payload),
  at: Number(row.at),
});

/** The reads of the log that both databases share. */
export const logIn = ({ rows, dialect }: Database): Pick<LogStore, 'tailsSince' | 'logSize'> => ({
  async tailsSince(dealerId, since) {
    const found = await rows(sql`select g.group_id, g.last_seq from groups g where g.dealer_id = ${dealerId}
      and ${notBefore(CHANGED, changedAt(since))}`);
    return new Map(found.map((row) => [String(row.group_id), Number(row.last_seq)]));
  },

  async logSize(dealerId) {
    const [found] = await rows(
      sql`select count(*) as size from events where ${dialect.eventsWhere.ofDealer(dealerId)}`,
    );
    return Number(found?.size);
  },
});
