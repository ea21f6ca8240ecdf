/**
 * [P-11.4] Erasing a conversation from the tables, in SQL that both databases speak. A short one is gone at once. Of a
 * long one the events stay, marked in `erasing`: nobody reads them from that commit on, and they go part by part, so that nobody
 * waits for them.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { Event } from '../../schemas/delivered.ts';
import { ERASED, OF_NO_GROUP } from '../../schemas/events/kind.ts';
import { EVENT_TYPES, KINDS } from '../../schemas/table.ts';
import type { Digests } from './digests.ts';
import type { Changes, Marked, PendingErasure, StoredEvent } from './rows.ts';
import type { Row } from './sql.ts';

/** Events of each of the two logs that go in one transaction: some 10 ms, in which an embedded database does nothing else. */
export const PART = 500;

/**
 * The rest of an erased event of the desk, whose seqs must have no gap [P-8.2]: its type and time, of a group that is called by
 * the receipt's name, and what the definition of its kind puts in place of what it said.
 */
const blankPayload = (type: Event['type'], dealerId: string, erasureId: string): string =>
  JSON.stringify({ type, dealerId, groupId: erasureId, ...blankOf(type) });

function blankOf(type: Event['type']): object | undefined {
  const { erased } = KINDS[type];
  return erased === OF_NO_GROUP ? undefined : erased;
}

/** An event of the desk as its erasure leaves it, which has not come to it yet. */
export function blank<Stored extends Pick<StoredEvent, 'seq' | 'type' | 'payload'>>(
  event: Stored,
  dealerId: string,
  erasureId: string,
): Stored {
  const payload = blankPayload(event.type, dealerId, erasureId);
  const rest = { id: `${erasureId}.${event.seq}`, groupId: erasureId, payload };
  return { ...event, ...rest, ...('sender' in event && { sender: ERASED, keyed: false }) };
}

/** The condition that an event, by the name that it has in a query, is one of an erased conversation's own log. */
export const isGone = (event: string): string => `exists (select 1 from erasing x
  where x.dealer_id = ${event}.dealer_id and x.group_id = ${event}.scope and ${event}.seq <= x.last_seq)`;

/** The erasure that is to blank an event of the desk, by the name that the event has in a query; null: none. */
export const blankedBy = (event: string): string => `(select x.erasure_id from erasing x
  where x.dealer_id = ${event}.dealer_id and x.group_id = ${event}.group_id and ${event}.scope = '@desk'
  and ${event}.seq <= x.desk_seq order by x.desk_seq limit 1)`;

/** The condition that an event, by its name in a query, is neither. */
export const isKept = (event: string): string => `(not ${isGone(event)} and ${blankedBy(event)} is null)`;

/** The last seq of a scope that nobody may read; 0: all of it may be read. */
export const lastErased = (dealerId: string, scope: string): SQL =>
  sql`coalesce((select max(last_seq) from erasing where dealer_id = ${dealerId} and group_id = ${scope}), 0)`;

/** The part of erasing that each database does in its own way. */
export interface Erasing {
  /** The first seq of a group's log that may be read. */
  readonly firstSeq: (dealerId: string, groupId: string) => SQL;
  /** The position of the last event of a group's log, where events have one. */
  readonly lastPosition?: (dealerId: string, groupId: string) => SQL;
}

const ofGroup = (dealerId: string, groupId: string): SQL => sql`dealer_id = ${dealerId} and group_id = ${groupId}`;
const onDesk = (dealerId: string, groupId: string): SQL => sql`${ofGroup(dealerId, groupId)} and scope = '@desk'`;
const isMark = ({ dealerId, erasureId }: Marked): SQL => sql`dealer_id = ${dealerId} and erasure_id = ${erasureId}`;

/** The last seq of the desk's that is to be blanked of earlier conversations of a name. */
const deskErased = (dealerId: string, groupId: string, before = sql``): SQL =>
  sql`coalesce((select max(desk_seq) from erasing where ${ofGroup(dealerId, groupId)} ${before}), 0)`;

/** The statements that erase a batch's conversations, in order, and mark their logs, of which a part each may go next. */
export const marking = ({ erasures, at }: Changes, digests: Digests, erasing: Erasing): SQL[] =>
  erasures.flatMap((each) => {
    const { dealerId, groupId } = each;
    // The receipt comes first, while there is still something to be counted.
    return [
      receipt(each, digests.of(dealerId, groupId), erasing.firstSeq(dealerId, groupId), at),
      mark(each, erasing),
      ...removing(dealerId, groupId),
    ];
  });

/** The seqs of a group's log have no gap: its events need no counting. */
function receipt(
  { dealerId, groupId, erasureId, reason, by, lastSeq }: PendingErasure,
  digest: string,
  firstSeq: SQL,
  at: number,
): SQL {
  const group = ofGroup(dealerId, groupId);
  const views = sql`${onDesk(dealerId, groupId)} and type = 'UPDATE_PAGEVIEW' and seq > ${deskErased(dealerId, groupId)}`;
  const count = (from: SQL) => sql`(select count(*) from ${from})`;
  return sql`insert into erasures
    (dealer_id, erasure_id, digest, reason, "by", last_seq, events, pageviews, users, leads, intents, at)
    values (${dealerId}, ${erasureId}, ${digest}, ${reason}, ${by}, ${lastSeq}, coalesce(cast(${lastSeq} as bigint) + 1 - ${firstSeq}, 0),
      ${count(sql`events where ${views}`)}, ${count(sql`users where ${group}`)}, ${count(sql`leads where ${group}`)},
      ${count(sql`lead_intents where ${group}`)}, ${at})`;
}

function mark({ dealerId, groupId, erasureId, lastSeq }: PendingErasure, { lastPosition }: Erasing): SQL {
  const deskSeq = sql`coalesce((select max(seq) from events
    where ${onDesk(dealerId, groupId)} and seq > ${deskErased(dealerId, groupId)}), 0)`;
  const position = lastPosition && sql`, coalesce(${lastPosition(dealerId, groupId)}, 0)`;
  return sql`insert into erasing
    (dealer_id, erasure_id, group_id, last_seq, desk_seq ${position && sql`, last_position`})
    values (${dealerId}, ${erasureId}, ${groupId}, ${lastSeq}, ${deskSeq} ${position})`;
}

/** Takes everything of a group out of the tables but for the logs. */
function removing(dealerId: string, groupId: string): SQL[] {
  const group = ofGroup(dealerId, groupId);
  return [
    sql`delete from users where ${group}`,
    sql`delete from leads where ${group}`,
    sql`delete from lead_intents where ${group}`,
    sql`delete from chats where dealer_id = ${dealerId} and place = ${groupId}`,
    sql`delete from presences where dealer_id = ${dealerId} and sender = ${`customer:${groupId}`}`,
    sql`delete from dead_letters where ${group}`,
    sql`delete from groups where ${group}`,
  ];
}

/** Blanks the last part of what the desk still has of a conversation, and notes what is left; where nothing of it is, its name goes. */
export function blanking(marked: Marked): SQL[] {
  const { dealerId, groupId, erasureId } = marked;
  const last = sql`(select desk_seq from erasing where ${isMark(marked)})`;
  const earlier = deskErased(dealerId, groupId, sql`and desk_seq < ${last}`);
  const left = sql`events where ${onDesk(dealerId, groupId)} and seq <= ${last} and seq > ${earlier}`;
  const blanks = EVENT_TYPES.filter(blankOf).map(
    (type) => sql`when ${type} then ${blankPayload(type, dealerId, erasureId)}`,
  );
  // A node of the next version may have stored what this one knows no kind of: nothing of it is kept but its type.
  const ofType = sql`${'{"type":"'} || type || ${`","dealerId":"${dealerId}","groupId":"${erasureId}"}`}`;
  return [
    sql`update events set id = ${`${erasureId}.`} || seq, keyed = ${sql.raw('false')}, sender = ${ERASED}, group_id = ${erasureId},
      payload = case type ${sql.join(blanks, sql` `)} else ${ofType} end
      where ${onDesk(dealerId, groupId)} and seq in (select seq from ${left} order by seq desc limit ${PART})`,
    sql`update erasing set desk_seq = coalesce((select max(seq) from ${left}), 0) where ${isMark(marked)}`,
    sql`update erasing set group_id = null where ${isMark(marked)} and last_seq = 0 and desk_seq = 0`,
  ];
}

/** The conversation to go on with: the one of them that is marked first is as good as any. */
export const NEXT_MARKED = sql`select dealer_id, erasure_id, group_id from erasing where group_id is not null limit 1`;

export const markedOfRow = (row: Row): Marked => ({
  dealerId: String(row.dealer_id),
  erasureId: String(row.erasure_id),
  groupId: String(row.group_id),
});

/** Those of which nothing is in the tables any more, and their marks. */
export const FINISHED = sql`select dealer_id, erasure_id from erasing where group_id is null`;

export const deleteMark = (row: Row): SQL =>
  sql`delete from erasing where dealer_id = ${row.dealer_id} and erasure_id = ${row.erasure_id}`;
