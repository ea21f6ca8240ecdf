/**
 * SQL that does for both databases: what runs it, what each database has in its own way, and the parts that statements are made
 * of.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { Mark } from './rows.ts';

export type Row = Readonly<Record<string, unknown>>;

/** Statements, one after the other. Each is answered with its rows; a statement that has none, with no row. */
export type Steps<T> = Generator<SQL, T, readonly Row[]>;

/** A database that runs SQL. */
export interface Database {
  rows(query: SQL): Promise<readonly Row[]>;
  /** Carries the steps out in one transaction. Where one of them fails, nothing is done and the promise rejects. */
  transact<T>(steps: () => Steps<T>): Promise<T>;
  readonly dialect: Dialect;
}

/** The SQL that each database has in its own way. */
export interface Dialect {
  /** The clock, in ms since 1970. */
  readonly clock: SQL;
  readonly eventsWhere: EventsWhere;
  /** A flag is set, as the indexes of what is set say it. */
  readonly isSet: (flag: SQL) => SQL;
  /** A table `n` of texts, by its columns: one text of SQL, however many rows it has. */
  readonly table: (columns: Readonly<Record<string, readonly string[]>>) => SQL;
  /** The address of a row of any table, by which it is found at once, whatever it holds. */
  readonly place: SQL;
  /** At the end of a query: locks the rows that it finds. */
  readonly locked: SQL;
  /** The same, but rows that another node has it does not find. */
  readonly skipLocked: SQL;
  /** Takes the next part of a dealer's conversations that are marked out of the log. */
  readonly erasePart: (dealerId: string, marked: readonly Mark[]) => Steps<void>;
  /** Takes the next part of the log of a dealer that was removed, so many events at most. Answers whether there may be more. */
  readonly removeEvents: (dealerId: string, most: number) => Steps<boolean>;
  /** Empties what the database keeps beside the tables of what was erased. Answers whether it could. */
  readonly scrub: () => Promise<boolean>;
}

/** Conditions that find events in the part of the log that may be read. Each database has it in its own order. */
export interface EventsWhere {
  readonly ofDealer: (dealerId: string) => SQL;
  /** Those of a group's own scope. */
  readonly ofGroup: (dealerId: string, groupId: string) => SQL;
  /** An event `m` is the last message of a group `g`. */
  readonly isLastMessage: SQL;
}

/** By what groups `g` are in the order of their last changes. Within a minute, which the index has, those that it finds are sorted. */
export const CHANGED: readonly SQL[] = [sql`g.updated_minute`, sql`g.updated_at`];
/** A minute, in ms, as the tables have it. */
export const MINUTE = 60_000;
export const minuteOf = (ms: number): number => Math.floor(ms / MINUTE);
/** The values of {@link CHANGED} at a time, in ms since 1970. */
export const changedAt = (ms: number): readonly number[] => [minuteOf(ms), ms];

export const textOrNull = (value: unknown): string | null =>
  value === null || value === undefined ? null : String(value);

/** All of the conditions that there are. */
export const all = (conditions: readonly (SQL | null)[]): SQL =>
  sql.join(
    conditions.filter((condition) => condition !== null),
    sql` and `,
  );

export const list = (parts: readonly SQL[]): SQL => sql.join([...parts], sql`, `);
export const tuple = (parts: readonly SQL[]): SQL => sql`(${list(parts)})`;
export const texts = (values: readonly string[]): SQL => list(values.map((value) => sql`${value}`));

/** Rows to insert, all with the same columns: `(a, b) values (1, 2), (3, 4)`. */
export function inserted(rows: readonly Row[]): SQL {
  const names = Object.keys(rows[0] ?? {});
  const valuesOf = (row: Row) => tuple(names.map((name) => sql`${row[name]}`));
  return sql`${tuple(names.map((name) => sql.raw(`"${name}"`)))} values ${list(rows.map(valuesOf))}`;
}

type Values = readonly (string | number)[];
export const valuesOf = (place: Values): SQL => tuple(place.map((part) => sql`${part}`));
/** Before a place in the order of these columns; and there, or after it. */
export const before = (columns: readonly SQL[], place: Values): SQL => sql`${tuple(columns)} < ${valuesOf(place)}`;
export const notBefore = (columns: readonly SQL[], place: Values): SQL => sql`${tuple(columns)} >= ${valuesOf(place)}`;
export const descending = (columns: readonly SQL[]): SQL => list(columns.map((column) => sql`${column} desc`));
