/** A part of a list: after a place in it, and bounded in bytes as well as rows. */
import { type SQL, sql } from 'drizzle-orm';
import { before } from './sql.ts';

/** Bytes of a list's row besides its text: names, times, numbers. */
const ROW_BYTES = 256;

/** The part of a list that is read: so many rows, and where `bytes` is given, of at most so many bytes, but at least one. */
export interface Bounds {
  readonly limit: number;
  readonly bytes?: number;
}

/** A database that is read at length, page by page. */
export interface Paged {
  /** A page: of an embedded database a millisecond's rows, in which everybody else waits; of another, what is worth asking for. */
  readonly pageAtOnce: Required<Bounds>;
}

/** A place in a list that is ordered by time: ms since 1970, and what comes after it in the key of the row there. */
export interface Mark {
  readonly at: number;
  readonly key: readonly string[];
}

/** A part of a list, after a place in it. */
export interface Part extends Bounds {
  readonly after?: Mark | undefined;
}

/** Rows in an order, and which of their columns may be long. */
interface List {
  readonly columns: SQL;
  readonly from: SQL;
  readonly where: SQL;
  readonly order: SQL;
  /** The texts whose lengths count; null is of none. */
  readonly texts: readonly SQL[];
}

/** The beginning of a list. What does not fit is measured by the database, and not read from it. */
export function beginningOf(
  { columns, from, where, order, texts }: List,
  { limit, bytes = Number.MAX_SAFE_INTEGER }: Bounds,
): SQL {
  const lengths = texts.map((text) => sql` + coalesce(octet_length(${text}), 0)`);
  const size = sql`(${sql.raw(String(ROW_BYTES))}${sql.join(lengths)})`;
  // The total grows with each row: it has their order.
  return sql`select * from (
      select ${columns}, ${size} as size, sum(${size}) over (order by ${order} rows unbounded preceding) as total
      from ${from} where ${where} order by ${order} limit ${limit}
    ) as beginning where total <= ${bytes} or total = size order by total`;
}

/** After a place in a list that is ordered by these columns, all of them descending. */
export const after = (
  columns: readonly SQL[],
  mark: Mark | undefined,
  at: (ms: number) => readonly number[] = (ms) => [ms],
): SQL | null => (mark ? before(columns, [...at(mark.at), ...mark.key]) : null);
