/** [P-11.4] How the embedded database erases: its log is walked backwards, from the last position of a conversation. */
import type { Database } from 'better-sqlite3';
import { type SQL, sql } from 'drizzle-orm';
import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3';
import { IS_MILESTONE } from '../../drizzle/sqlite/schema.ts';
import type { Digests } from './digests.ts';
import {
  blanking,
  type Erasing,
  FINISHED,
  forgetMark,
  lastErased,
  type Marked,
  markedOfRow,
  marking,
  NEXT_MARKED,
  PART,
} from './erasing.ts';
import type { Changes } from './rows.ts';

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

/** Carries a batch's erasures out, within its transaction: what is short whole, what is long as far as a part. */
export function eraseAll(db: BetterSQLite3Database, changes: Changes, digests: Digests): void {
  for (const statement of marking(changes, digests, ERASING)) db.run(statement);
  for (const marked of changes.erasures) erasePart(db, marked);
}

/** Goes on with what is marked, within a transaction. @returns whether anything was */
export function eraseMarked(db: BetterSQLite3Database): boolean {
  const [row] = db.all<Record<string, unknown>>(NEXT_MARKED);
  if (row) erasePart(db, markedOfRow(row));
  return row !== undefined;
}

function erasePart(db: BetterSQLite3Database, marked: Marked): void {
  const isMark = sql`dealer_id = ${marked.dealerId} and erasure_id = ${marked.erasureId}`;
  const removed = db.all<{
    previous: number;
  }>(sql`delete from events where ${isIn('events', marked.dealerId, marked.groupId)} and position in (
    with recursive chain(position) as (
      select last_position from erasing where ${isMark}
      union all select e.previous from chain cross join events e on e.position = chain.position limit ${PART}
    ) select position from chain) returning previous`);
  // Each event comes after the one before it: the least is where to go on.
  const next = removed.reduce((least, { previous }) => Math.min(least, previous), Number.MAX_SAFE_INTEGER);
  const position = removed.length === 0 ? 0 : next;
  db.run(sql`update erasing set last_position = ${position},
    last_seq = coalesce((select seq from events where position = ${position}), 0) where ${isMark}`);
  for (const statement of blanking(marked)) db.run(statement);
}

/**
 * Empties the write-ahead log, where it holds what was erased as it was, and forgets the marks. Does not wait for whoever reads
 * from it. @returns whether that is done
 */
export function scrub(client: Database, db: BetterSQLite3Database): boolean {
  const finished = db.all<Record<string, unknown>>(FINISHED);
  if (finished.length > 0 && !truncate(client)) return false;
  for (const row of finished) db.run(forgetMark(row));
  return true;
}

function truncate(client: Database): boolean {
  const patience = client.pragma('busy_timeout', { simple: true });
  client.pragma('busy_timeout = 0');
  try {
    return client.pragma('wal_checkpoint(TRUNCATE)', { simple: true }) === 0;
  } finally {
    client.pragma(`busy_timeout = ${patience}`);
  }
}
