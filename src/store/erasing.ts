/**
 * [P-11.4] Erasing conversations from the tables, in SQL that both databases speak: those of one dealer together, in as many statements
 * for fifty as for one. What is short is gone at once. Of the rest the events stay, marked in `erasing`: nobody reads them from that
 * commit on, and they go part by part, so that nobody waits for them.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { Event } from '../../schemas/delivered.ts';
import { ERASED, OF_NO_GROUP } from '../../schemas/events/kind.ts';
import { EVENT_TYPES, KINDS } from '../../schemas/table.ts';
import type { Digests } from './digests.ts';
import { byDealer, type Changes, type Mark, type PendingErasure, type StoredEvent } from './rows.ts';
import type { Dialect, Row } from './sql.ts';

/** Events of each of the two logs that go in one transaction: some 10 ms, in which an embedded database does nothing else. */
export const PART = 500;
/** Conversations that a part is of, at most: fewer than its events, so that something of each goes. */
export const TOGETHER = 50;

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
export const lastErased = (dealerId: string, scope: SQL): SQL =>
  sql`coalesce((select max(last_seq) from erasing where dealer_id = ${dealerId} and group_id = ${scope}), 0)`;

/** The part of erasing that each database does in its own way. */
export interface Erasing extends Pick<Dialect, 'table' | 'place'> {
  /** The first seq of a group's log that may be read. The group is a column. */
  readonly firstSeq: (dealerId: string, groupId: SQL) => SQL;
  /** The position of the last event of a group's log, where events have one. The group is a column. */
  readonly lastPosition?: (dealerId: string, groupId: SQL) => SQL;
}

const onDesk = (dealerId: string, groupId: SQL): SQL =>
  sql`dealer_id = ${dealerId} and group_id = ${groupId} and scope = '@desk'`;

/** The condition that a row of `erasing` is one of these marks. */
export const isMarkOf = (dealerId: string, marks: readonly Mark[], table: Dialect['table']): SQL =>
  among(dealerId, 'erasure_id', table({ name: marks.map(({ erasureId }) => erasureId) }));

/** The condition that a row of a dealer is called as one of a table of names. */
const among = (dealerId: string, column: string, names: SQL): SQL =>
  sql`dealer_id = ${dealerId} and ${sql.raw(column)} in (select n.name from ${names})`;

/** The last seq of the desk's that is to be blanked of earlier conversations of a name. */
const deskErased = (dealerId: string, groupId: SQL, before = sql``): SQL =>
  sql`coalesce((select max(o.desk_seq) from erasing o where o.dealer_id = ${dealerId} and o.group_id = ${groupId} ${before}), 0)`;

/** The statements that erase a batch's conversations, in order, and mark their logs, of which a part may go next. */
export const marking = ({ erasures, at }: Changes, digests: Digests, erasing: Erasing): SQL[] =>
  byDealer(erasures).flatMap(([dealerId, each]) => [
    // The receipts come first, while there is still something to be counted.
    receipts(dealerId, each, { digests, erasing, at }),
    marks(dealerId, each, erasing),
    ...removing(dealerId, each, erasing),
  ]);

interface Told {
  readonly digests: Digests;
  readonly erasing: Erasing;
  readonly at: number;
}

/** The seqs of a group's log have no gap: its events need no counting. */
function receipts(dealerId: string, erasures: readonly PendingErasure[], { digests, erasing, at }: Told): SQL {
  const group = sql`n.group_id`;
  const rows = erasing.table({
    ...namesOf(erasures),
    digest: erasures.map(({ groupId }) => digests.of(dealerId, groupId)),
    reason: erasures.map(({ reason }) => reason),
    by_whom: erasures.map(({ by }) => by),
  });
  const count = (from: SQL) => sql`(select count(*) from ${from})`;
  const ofGroup = (table: SQL) => count(sql`${table} where dealer_id = ${dealerId} and group_id = ${group}`);
  const views = sql`events where ${onDesk(dealerId, group)} and type = 'UPDATE_PAGEVIEW' and seq > ${deskErased(dealerId, group)}`;
  return sql`insert into erasures (dealer_id, erasure_id, digest, reason, "by", last_seq, events, pageviews, users, leads, intents, at)
    select ${dealerId}, n.erasure_id, n.digest, n.reason, n.by_whom, ${LAST_SEQ},
      coalesce(${LAST_SEQ} + 1 - ${erasing.firstSeq(dealerId, group)}, 0), ${count(views)},
      ${ofGroup(sql`users`)}, ${ofGroup(sql`leads`)}, ${ofGroup(sql`lead_intents`)}, cast(${at} as bigint) from ${rows}`;
}

const LAST_SEQ = sql`cast(n.last_seq as bigint)`;

const namesOf = (erasures: readonly PendingErasure[]) => ({
  group_id: erasures.map(({ groupId }) => groupId),
  erasure_id: erasures.map(({ erasureId }) => erasureId),
  last_seq: erasures.map(({ lastSeq }) => String(lastSeq)),
});

function marks(dealerId: string, erasures: readonly PendingErasure[], { lastPosition, table }: Erasing): SQL {
  const group = sql`n.group_id`;
  const deskSeq = sql`coalesce((select max(seq) from events
    where ${onDesk(dealerId, group)} and seq > ${deskErased(dealerId, group)}), 0)`;
  const position = lastPosition && sql`, coalesce(${lastPosition(dealerId, group)}, 0)`;
  return sql`insert into erasing (dealer_id, erasure_id, group_id, last_seq, desk_seq ${position && sql`, last_position`})
    select ${dealerId}, n.erasure_id, n.group_id, ${LAST_SEQ}, ${deskSeq} ${position} from ${table(namesOf(erasures))}`;
}

/** Takes everything of groups out of the tables but for the logs. */
function removing(dealerId: string, erasures: readonly PendingErasure[], { table }: Erasing): SQL[] {
  const name = erasures.map(({ groupId }) => groupId);
  const ofGroups = among(dealerId, 'group_id', table({ name }));
  const senders = table({ name: name.map((groupId) => `customer:${groupId}`) });
  return [
    ...['users', 'leads', 'lead_intents', 'dead_letters', 'admin_reads'].map(
      (each) => sql`delete from ${sql.raw(each)} where ${ofGroups}`,
    ),
    leaving(dealerId, among(dealerId, 'place', table({ name }))),
    sql`delete from presences where ${among(dealerId, 'sender', senders)}`,
    sql`delete from groups where ${ofGroups}`,
  ];
}

/** Chats have the admin before the place: they are looked for by the names of the admins there are, not through all that these have left. */
const leaving = (dealerId: string, isThere: SQL): SQL => sql`with recursive admins (admin_id) as (
    select min(admin_id) from chats where dealer_id = ${dealerId}
    union all select (select min(c.admin_id) from chats c where c.dealer_id = ${dealerId} and c.admin_id > a.admin_id)
      from admins a where a.admin_id is not null
  ) delete from chats where ${isThere} and admin_id in (select admin_id from admins where admin_id is not null)`;

/** Blanks the last part of what the desk still has of conversations, and notes what is left; where nothing of one is, its name goes. */
export function blanking(dealerId: string, marked: readonly Mark[], { place, table }: Erasing): SQL[] {
  const isMark = isMarkOf(dealerId, marked, table);
  const earlier = (mark: SQL) => deskErased(dealerId, sql`${mark}.group_id`, sql`and o.desk_seq < ${mark}.desk_seq`);
  // No more of each is looked at than may go.
  const low = sql`coalesce((select i.seq from events i
    where i.dealer_id = ${dealerId} and i.group_id = x.group_id and i.scope = '@desk' and i.seq <= x.desk_seq
    order by i.seq desc limit 1 offset ${PART}), 0)`;
  const part = sql`select e.${place} as place, m.erasure_id from
    (select x.*, ${earlier(sql`x`)} as earlier, ${low} as low from erasing x where ${isMark}) m
    join events e on e.dealer_id = ${dealerId} and e.group_id = m.group_id and e.scope = '@desk'
      and e.seq <= m.desk_seq and e.seq > m.earlier and e.seq > m.low limit ${PART}`;
  const left = sql`events e where e.dealer_id = ${dealerId} and e.group_id = erasing.group_id and e.scope = '@desk'
    and e.seq <= erasing.desk_seq and e.seq > ${earlier(sql`erasing`)}`;
  return [
    sql`update events set id = p.erasure_id || '.' || seq, keyed = ${sql.raw('false')}, sender = ${ERASED}, group_id = p.erasure_id,
      payload = ${blankedAs(dealerId)} from (${part}) as p where events.${place} = p.place`,
    sql`update erasing set desk_seq = coalesce((select max(e.seq) from ${left}), 0) where ${isMark}`,
    sql`update erasing set group_id = null where ${isMark} and last_seq = 0 and desk_seq = 0`,
  ];
}

/** The payload that takes the place of what an event of the desk said, by its type, with the name of the erasure `p`. */
function blankedAs(dealerId: string): SQL {
  const named = (payload: string) => {
    const [before, after] = payload.split('"groupId":"');
    return sql`${`${before}"groupId":"`} || p.erasure_id || ${after}`;
  };
  const blanks = EVENT_TYPES.filter(blankOf).map(
    (type) => sql`when ${type} then ${named(blankPayload(type, dealerId, ''))}`,
  );
  // A node of the next version may have stored what this one knows no kind of: nothing of it is kept but its type.
  const rest = named(`","dealerId":"${dealerId}","groupId":""}`);
  return sql`case type ${sql.join(blanks, sql` `)} else ${'{"type":"'} || type || ${rest} end`;
}

/** Marks to go on with: those that come first are as good as any. */
export const NEXT_MARKED = sql`select dealer_id, erasure_id from erasing where group_id is not null limit ${TOGETHER}`;

/** Those of them that a part is of: of one dealer. */
export function togetherOf(rows: readonly Row[]): { dealerId: string; marked: readonly Mark[] } | null {
  const [first] = byDealer(rows.map(markOfRow));
  return first ? { dealerId: first[0], marked: first[1] } : null;
}

const markOfRow = (row: Row): Mark => ({ dealerId: String(row.dealer_id), erasureId: String(row.erasure_id) });

/** Those of which nothing is in the tables any more. */
export const FINISHED = sql`select dealer_id, erasure_id from erasing where group_id is null`;

/** Marks that are taken away in one statement: an embedded database does nothing else meanwhile. */
const MARKS = 500;

/** The statements that take marks away. */
export const deletingMarks = (rows: readonly Row[], table: Dialect['table']): SQL[] =>
  byDealer(rows.map(markOfRow)).flatMap(([dealerId, marks]) =>
    Array.from({ length: Math.ceil(marks.length / MARKS) }, (_, part) => {
      const isMark = isMarkOf(dealerId, marks.slice(part * MARKS, (part + 1) * MARKS), table);
      return sql`delete from erasing where ${isMark}`;
    }),
  );
