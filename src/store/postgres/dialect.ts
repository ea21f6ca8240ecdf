/** Parts of statements that both databases speak, as Postgres says them. */
import { type SQL, sql } from 'drizzle-orm';
import type { Dialect } from '../sql.ts';

/** The database's own clock, in ms since 1970: nodes' clocks may differ. */
export const NOW = sql`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

export const PLACE = sql`ctid`;

export const table: Dialect['table'] = (columns): SQL => {
  const arrays = Object.values(columns).map((values) => sql`${sql.param(values)}::text[]`);
  return sql`unnest(${sql.join(arrays, sql`, `)}) as n (${sql.raw(Object.keys(columns).join(', '))})`;
};
