/** [P-11.4] Erasing in the embedded database: its log is walked backwards, from the last position of a conversation. */
import type { Database } from 'better-sqlite3';
import { type SQL, sql } from 'drizzle-orm';
import { IS_MILESTONE } from '../../../drizzle/sqlite/schema.ts';
import type { Digests } from '../digests.ts';
import { blanking, type Erasing, lastErased, marking, PART } from '../erasing.ts';
import type { Changes, Marked } from '../rows.ts';
import type { Steps } from '../sql.ts';

/** A position alone names no tenant: what is found there must be of the group that is erased. */
const isIn = (event: string, dealerId: string, groupId: string): SQL =>
  sql.raw(event).append(sql`.dealer_id = ${dealerId} and ${sql.raw(event)}.scope = ${groupId}`);

const lastPosition = (dealerId: string, groupId: string): SQL =>
  sql`(select last_position from groups where dealer_id = ${dealerId} and group_id = ${groupId})`;

const ERASING: Erasing = {
  lastPosition,
  // From the first milestone there is it is at most 31 back.
  firstSeq: (dealerId, groupId) => sql`(
    with recursive chain(previous, seq) as (
      select previous, seq from events where ${isIn('events', dealerId, groupId)} and position = coalesce(
        (select position from events where dealer_id = ${dealerId} and scope = ${groupId}
          and seq > ${lastErased(dealerId, groupId)} and ${sql.raw(IS_MILESTONE)} order by seq limit 1),
        ${lastPosition(dealerId, groupId)})
      union all select e.previous, e.seq from chain cross join events e on e.position = chain.previous and ${isIn('e', dealerId, groupId)}
    ) select min(seq) from chain)`,
};

/** The steps that carry a batch's erasures out, within its transaction: what is short whole, what is long as far as a part. */
export function* erasing(changes: Changes, digests: Digests): Steps<void> {
  yield* marking(changes, digests, ERASING);
  for (const marked of changes.erasures) yield* erasePart(marked);
}

export function* erasePart(marked: Marked): Steps<void> {
  const isMark = sql`dealer_id = ${marked.dealerId} and erasure_id = ${marked.erasureId}`;
  const removed =
    yield sql`delete from events where ${isIn('events', marked.dealerId, marked.groupId)} and position in (
    with recursive chain(position) as (
      select last_position from erasing where ${isMark}
      union all select e.previous from chain cross join events e on e.position = chain.position limit ${PART}
    ) select position from chain) returning previous`;
  // Each event comes after the one before it: the least is where to go on.
  const next = removed.reduce((least, { previous }) => Math.min(least, Number(previous)), Number.MAX_SAFE_INTEGER);
  const position = removed.length === 0 ? 0 : next;
  yield sql`update erasing set last_position = ${position},
    last_seq = coalesce((select seq from events where position = ${position}), 0) where ${isMark}`;
  yield* blanking(marked);
}

/**
 * Empties the write-ahead log, where it holds what was erased as it was. Does not wait for whoever reads from it.
 * @returns whether that is done
 */
export function truncate(client: Database): boolean {
  const patience = client.pragma('busy_timeout', { simple: true });
  client.pragma('busy_timeout = 0');
  try {
    return client.pragma('wal_checkpoint(TRUNCATE)', { simple: true }) === 0;
  } finally {
    client.pragma(`busy_timeout = ${patience}`);
  }
}
