/** [P-11.4] Erasing in the embedded database: its log is walked backwards, from the last position of a conversation. */
import type { Database } from 'better-sqlite3';
import { type SQL, sql } from 'drizzle-orm';
import { IS_MILESTONE } from '../../../drizzle/sqlite/schema.ts';
import type { Digests } from '../digests.ts';
import { blanking, type Erasing, isMarkOf, lastErased, marking, PART, TOGETHER } from '../erasing.ts';
import { byDealer, type Changes, type Mark } from '../rows.ts';
import type { Steps } from '../sql.ts';
import { PLACE, table } from './dialect.ts';

/** A position alone names no tenant: what is found there must be of the group that is erased. */
const isIn = (event: SQL, dealerId: string, groupId: SQL): SQL =>
  sql`${event}.dealer_id = ${dealerId} and ${event}.scope = ${groupId}`;

const lastPosition = (dealerId: string, groupId: SQL): SQL =>
  sql`(select last_position from groups g where g.dealer_id = ${dealerId} and g.group_id = ${groupId})`;

const ERASING: Erasing = {
  place: PLACE,
  table,
  lastPosition,
  // From the first milestone there is it is at most 31 back.
  firstSeq: (dealerId, groupId) => sql`(
    with recursive chain(previous, seq) as (
      select previous, seq from events where ${isIn(sql`events`, dealerId, groupId)} and position = coalesce(
        (select position from events where dealer_id = ${dealerId} and scope = ${groupId}
          and seq > ${lastErased(dealerId, groupId)} and ${sql.raw(IS_MILESTONE)} order by seq limit 1),
        ${lastPosition(dealerId, groupId)})
      union all select e.previous, e.seq from chain cross join events e on e.position = chain.previous and ${isIn(sql`e`, dealerId, groupId)}
    ) select min(seq) from chain)`,
};

/** The steps that carry a batch's erasures out, within its transaction, and take the first part of their logs. */
export function* erasing(changes: Changes, digests: Digests): Steps<void> {
  yield* marking(changes, digests, ERASING);
  for (const [dealerId, marked] of byDealer(changes.erasures)) yield* erasePart(dealerId, marked.slice(0, TOGETHER));
}

/** Takes the next part of a dealer's conversations that are marked. Each chain is gone back by one event after the other. */
export function* erasePart(dealerId: string, marked: readonly Mark[]): Steps<void> {
  const isMark = isMarkOf(dealerId, marked, table);
  const ends = yield sql`select erasure_id, last_position from erasing where ${isMark}`;
  const removed = yield sql`delete from events where dealer_id = ${dealerId} and position in (
    with recursive chain(scope, position) as (
      select group_id, last_position from erasing where ${isMark}
      union all select chain.scope, e.previous from chain
        cross join events e on e.position = chain.position and ${isIn(sql`e`, dealerId, sql`chain.scope`)} limit ${PART}
    ) select c.position from chain c cross join events e on e.position = c.position and ${isIn(sql`e`, dealerId, sql`c.scope`)}
  ) returning position, previous`;
  const before = new Map(removed.map(({ position, previous }) => [Number(position), Number(previous)]));
  const left = table({
    name: ends.map(({ erasure_id }) => String(erasure_id)),
    position: ends.map(({ last_position }) => String(endOf(before, Number(last_position)))),
  });
  yield sql`update erasing set last_position = cast(n.position as integer),
    last_seq = coalesce((select seq from events e where e.position = cast(n.position as integer)), 0)
    from ${left} where ${isMark} and erasure_id = n.name`;
  yield* blanking(dealerId, marked, ERASING);
}

/** The position at which a log ends, without the events that were removed from its end; 0: it has none. */
function endOf(before: ReadonlyMap<number, number>, last: number): number {
  if (!before.has(last)) return 0; // something of each is removed, where it has anything
  let position = last;
  for (let next = before.get(position); next !== undefined; next = before.get(position)) position = next;
  return position;
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
