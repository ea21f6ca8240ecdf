/** [P-11.5] Removing a dealer's log from the embedded database: it is gone through from its beginning to its end, part by part. */
import { sql } from 'drizzle-orm';
import { WHOLE } from '../removing.ts';
import type { Steps } from '../sql.ts';

/** Positions of a part of the index `events_place`, as a power of two; and such parts that are looked into at a time: a millisecond of work. */
const SHIFT = 12;
const LOOKED_INTO = 256;

/** Takes the next events of a dealer away. How far that has come is noted in its mark. */
export function* removeEvents(dealerId: string, most: number): Steps<boolean> {
  const isMark = sql`dealer_id = ${dealerId} and erasure_id = ${WHOLE}`;
  const [mark] =
    yield sql`select last_position, (select max(position) from events) as last from erasing where ${isMark}`;
  const first = Math.floor(Number(mark?.last_position) / 2 ** SHIFT);
  const removed = yield sql`delete from events where position in (
    with recursive parts(n) as (select cast(${first} as integer) union all select n + 1 from parts where n < ${first + LOOKED_INTO - 1})
    select e.position from parts cross join events e on e.position >> ${sql.raw(String(SHIFT))} = parts.n and e.dealer_id = ${dealerId}
    limit ${most}) returning position`;
  const isFull = removed.length === most;
  const next = isFull
    ? Math.max(...removed.map(({ position }) => Number(position)))
    : (first + LOOKED_INTO) * 2 ** SHIFT;
  yield sql`update erasing set last_position = ${next} where ${isMark}`;
  return isFull || next <= Number(mark?.last);
}
