/** [P-11.5] Removing a dealer: its row at once, so that nobody can read or change what it had, and that part by part. */
import { sql } from 'drizzle-orm';
import { PART } from './erasing.ts';
import type { Dialect, Steps } from './sql.ts';

/** Tables whose rows go with their dealer, beside its log: that goes last, when nothing leads to it any more. */
export const OF_DEALER = [
  'groups',
  'chats',
  'presences',
  'users',
  'leads',
  'lead_intents',
  'admin_reads',
  'erasures',
  'dead_letters',
  'audit',
] as const;

/** Name under which a dealer that was removed is marked in `erasing`, until nothing is left of it. No conversation has such a name. */
export const WHOLE = '@dealer';

/** Takes the first part of a dealer away, while the dealer is there, and marks the rest for the eraser of any node to find. */
export function* removeAll(dealerId: string, dialect: Dialect): Steps<void> {
  const [there] = yield sql`select 1 from dealers where dealer_id = ${dealerId} ${dialect.locked}`;
  if (!there) return; // what is left of one that was removed before has its mark, which the eraser goes by
  // Whoever is erasing a part holds its mark, and then its events.
  yield sql`delete from erasing where dealer_id = ${dealerId}`;
  yield sql`insert into erasing (dealer_id, erasure_id, group_id) values (${dealerId}, ${WHOLE}, ${WHOLE})`;
  yield* removeOn(dealerId, dialect);
}

/** Goes on with a dealer that is marked; where nothing is left in the tables, its mark is as that of a conversation. */
export function* removeOn(dealerId: string, dialect: Dialect): Steps<void> {
  if (yield* removePart(dealerId, dialect)) return;
  yield sql`update erasing set group_id = null where dealer_id = ${dealerId} and erasure_id = ${WHOLE}`;
}

/** Takes away the next part of what a dealer had. Answers whether there may be more. */
function* removePart(dealerId: string, { place, removeEvents }: Dialect): Steps<boolean> {
  let left = PART;
  for (const name of OF_DEALER) {
    const table = sql.raw(name);
    const gone = yield sql`delete from ${table} where ${place} in (
      select ${place} from ${table} where dealer_id = ${dealerId} limit ${left}) returning 1 as gone`;
    left -= gone.length;
    if (left === 0) return true;
  }
  return yield* removeEvents(dealerId, left);
}
