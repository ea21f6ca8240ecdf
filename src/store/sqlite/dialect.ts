/** Parts of statements that both databases speak, as SQLite says them. */
import { type SQL, sql } from 'drizzle-orm';
import type { Dialect } from '../sql.ts';

/** The clock of this machine, in ms since 1970: the database has no other. */
export const NOW = sql`cast(unixepoch('subsec') * 1000 as integer)`;

export const PLACE = sql`rowid`;

export const table: Dialect['table'] = (columns): SQL => {
  const [[, first = []] = []] = Object.entries(columns);
  const rows = first.map((_, row) => Object.values(columns).map((values) => values[row]));
  const named = Object.keys(columns).map((name, index) => sql.raw(`value ->> ${index} as ${name}`));
  return sql`(select ${sql.join(named, sql`, `)} from json_each(${JSON.stringify(rows)})) as n`;
};
