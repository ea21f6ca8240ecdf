/** A part of a list that is bounded in bytes as well as rows, in SQL that does for both databases. */
import { type SQL, sql } from 'drizzle-orm';

/** What a row of a list is but for its text, in bytes: names, times, numbers. */
const ROW_BYTES = 256;

/** Rows in an order, and which of their columns may be long. */
interface List {
  readonly columns: SQL;
  readonly from: SQL;
  readonly where: SQL;
  readonly order: SQL;
  /** The text whose length counts; null is of none. */
  readonly text: SQL;
}

/** How much of a list is read: so many rows, and where it is said, of at most so many bytes, but at least one. */
export interface Bounds {
  readonly limit: number;
  readonly bytes?: number;
}

/** The beginning of a list. What does not fit is measured by the database, and not read from it. */
export function beginningOf(
  { columns, from, where, order, text }: List,
  { limit, bytes = Number.MAX_SAFE_INTEGER }: Bounds,
): SQL {
  const size = sql`(${sql.raw(String(ROW_BYTES))} + coalesce(octet_length(${text}), 0))`;
  // The total grows with each row: it has their order.
  return sql`select * from (
      select ${columns}, ${size} as size, sum(${size}) over (order by ${order} rows unbounded preceding) as total
      from ${from} where ${where} order by ${order} limit ${limit}
    ) as beginning where total <= ${bytes} or total = size order by total`;
}
