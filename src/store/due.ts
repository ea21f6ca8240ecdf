/** Work that is due, and letters that nobody has looked at: what an operator's dashboard asks of the database. */
import { sql } from 'drizzle-orm';
import { WHOLE } from './removing.ts';
import type { Database } from './sql.ts';

/** Marks that are counted at most: of a hundred thousand it need not be known how many there are. */
const MOST = 10_000;

export interface Due {
  /** Conversations, and dealers, of which something is still to be taken out of the log; at most {@link MOST} in all. */
  readonly erasures: number;
  readonly removals: number;
  /** When the oldest dead letter was kept, in ms since 1970; null: there is none. */
  readonly oldestLetterAt: number | null;
}

export async function dueIn({ rows }: Pick<Database, 'rows'>): Promise<Due> {
  const [[marks], [letter]] = await Promise.all([
    rows(sql`select count(*) as marks, coalesce(sum(case when erasure_id = ${WHOLE} then 1 else 0 end), 0) as removals
      from (select erasure_id from erasing where group_id is not null limit ${MOST}) as some`),
    // Ids are in the order of time.
    rows(sql`select at from dead_letters order by dead_letter_id limit 1`),
  ]);
  const removals = Number(marks?.removals);
  return {
    erasures: Number(marks?.marks) - removals,
    removals,
    oldestLetterAt: letter ? Number(letter.at) : null,
  };
}
