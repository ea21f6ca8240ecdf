/** The log in Postgres, found by dealer, scope and seq. What is marked to be erased [P-11.4] is not in it. */
import { and, asc, desc, eq, getTableColumns, gt, gte, lt, lte, or, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import { events } from '../../drizzle/postgres/schema.ts';
import { type Bounds, beginningOf } from './bounded.ts';
import { blank, blankedBy, isGone, lastErased } from './erasing.ts';
import { EVENT, type EventsWhere, eventOfRow, type KeptEvent, type Place } from './reading.ts';
import type { StoredEvent } from './rows.ts';
import type { Stretch } from './store.ts';

const IS_GONE = sql.raw(isGone('events'));
const BLANKED_BY = sql<string | null>`${sql.raw(blankedBy('events'))}`;

/** By the log's key: dealer, scope and seq. */
export const EVENTS_WHERE: EventsWhere = {
  ofDealer: (dealerId) => sql`dealer_id = ${dealerId} and not ${IS_GONE}`,
  ofGroup: (dealerId, groupId) => sql`dealer_id = ${dealerId} and scope = ${groupId}`,
  isLastMessage: sql`m.dealer_id = g.dealer_id and m.scope = g.group_id and m.seq = g.last_message_seq`,
};

/** Events of one scope, ascending. What does not fit into a stretch's bytes is measured by the database, and not read from it. */
export async function eventsOf(
  db: NodePgDatabase,
  dealerId: string,
  scope: string,
  { after, before, since, limit, bytes }: Stretch,
): Promise<StoredEvent[]> {
  const order = before !== undefined && after === undefined ? desc(events.seq) : asc(events.seq);
  const size = sql<number>`octet_length(${events.payload})`;
  const total = sql<number>`sum(${size}) over (order by ${order})`;
  const found = db
    .select({
      ...getTableColumns(events),
      erasureId: BLANKED_BY.as('erasure_id'),
      size: size.as('size'),
      total: total.as('total'),
    })
    .from(events)
    .where(
      and(
        eq(events.dealerId, dealerId),
        eq(events.scope, scope),
        gt(events.seq, lastErased(dealerId, scope)),
        after === undefined ? undefined : gt(events.seq, after),
        before === undefined ? undefined : lt(events.seq, before),
        since === undefined ? undefined : gte(events.at, since),
      ),
    )
    .orderBy(order)
    .limit(limit)
    .as('found');
  const { size: own, total: sum, ...columns } = found._.selectedFields;
  const rows = await db
    .select(columns)
    .from(found)
    .where(bytes === undefined ? undefined : or(lte(sum, bytes), eq(sum, own)))
    .orderBy(asc(found.seq));
  return rows.map(({ erasureId, ...event }) => (erasureId === null ? event : blank(event, dealerId, erasureId)));
}

/** Events of all scopes of a dealer, by scope and seq, after a place. */
export async function logOf(
  db: NodePgDatabase,
  dealerId: string,
  after: Place | null,
  bounds: Bounds,
): Promise<KeptEvent[]> {
  const beyond = after ? sql`and (scope, seq) > (${after.scope}, ${after.seq})` : sql``;
  const query = beginningOf(
    {
      columns: sql`${EVENT}, ${BLANKED_BY} as erasure_id`,
      from: sql`events`,
      where: sql`dealer_id = ${dealerId} ${beyond} and not ${IS_GONE}`,
      order: sql`scope, seq`,
      text: sql`payload`,
    },
    bounds,
  );
  const { rows } = await db.execute(query);
  return rows.map((row) => {
    const event = eventOfRow(row);
    return row.erasure_id === null ? event : blank(event, dealerId, String(row.erasure_id));
  });
}

/** For each scope named, the seq of its first event after one. */
export async function firstAfter(
  db: NodePgDatabase,
  dealerId: string,
  seen: ReadonlyMap<string, number>,
): Promise<Map<string, number>> {
  if (seen.size === 0) return new Map();
  const each = [...seen].map(
    ([scope, seq]) => sql`select min(seq) as first, min(scope) as scope from events
      where dealer_id = ${dealerId} and scope = ${scope} and seq > ${seq} and seq > ${lastErased(dealerId, scope)}`,
  );
  const { rows } = await db.execute(sql.join(each, sql` union all `));
  return new Map(rows.flatMap(({ scope, first }) => (scope === null ? [] : [[String(scope), Number(first)]])));
}
