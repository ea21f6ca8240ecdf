/** [P-11.5] Removing a dealer on Postgres: its row at once, so that nobody can read or change what it had, and that part by part. */
import { sql } from 'drizzle-orm';
import { OF_DEALER, WHOLE } from '../dealers.ts';
import type { Marked } from '../rows.ts';
import type { Steps } from '../sql.ts';

/** Rows that go in one transaction: some 20 ms of the database's work. */
const PART = 2_000;

/** Takes away the next part of what a dealer had. Answers whether there may be more. */
export function* removePart(dealerId: string): Steps<boolean> {
  let left = PART;
  for (const name of ['events', ...OF_DEALER]) {
    const table = sql.raw(name);
    const [row] = yield sql`with gone as (delete from ${table} where ctid = any(array(
      select ctid from ${table} where dealer_id = ${dealerId} limit ${left})) returning 1) select count(*) as count from gone`;
    left -= Number(row?.count);
    if (left <= 0) return true;
  }
  return false;
}

/** Notes that something is left of a dealer, for the eraser of any node to find. */
export function* markRemoved(dealerId: string): Steps<void> {
  yield sql`insert into erasing (dealer_id, erasure_id, group_id) values (${dealerId}, ${WHOLE}, ${WHOLE})`;
}

/** Goes on with a dealer that is marked; where nothing is left in the tables, its mark is as that of a conversation. */
export function* removeOn({ dealerId }: Marked): Steps<void> {
  if (yield* removePart(dealerId)) return;
  yield sql`update erasing set group_id = null where dealer_id = ${dealerId} and erasure_id = ${WHOLE}`;
}
