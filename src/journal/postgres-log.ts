/** The log in Postgres, found by dealer, scope and seq. What is marked to be erased [P-11.4] is not in it. */
import { and, asc, desc, eq, getTableColumns, gt, gte, lt, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import { events } from '../../drizzle/postgres/schema.ts';
import { blank, blankedBy, isGone, lastErased } from './erasing.ts';
import { EVENT, type EventsWhere, eventOfRow, type KeptEvent } from './reading.ts';
import type { StoredEvent, Stretch } from './store.ts';

const IS_GONE = sql.raw(isGone('events'));
const BLANKED_BY = sql<string | null>`${sql.raw(blankedBy('events'))}`;

/** By the log's key: dealer, scope and seq. */
export const EVENTS_WHERE: EventsWhere = {
  ofDealer: (dealerId) => sql`dealer_id = ${dealerId} and not ${IS_GONE}`,
  ofGroup: (dealerId, groupId) => sql`dealer_id = ${dealerId} and scope = ${groupId}`,
  isLastMessage: sql`m.dealer_id = g.dealer_id and m.scope = g.group_id and m.seq = g.last_message_seq`,
};

/** Events of one scope, by seq, ascending. */
export async function eventsOf(
  db: NodePgDatabase,
  dealerId: string,
  scope: string,
  { after, before, since, limit }: Stretch,
): Promise<StoredEvent[]> {
  const latest = before !== undefined && after === undefined;
  const found = await db
    .select({ ...getTableColumns(events), erasureId: BLANKED_BY })
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
    .orderBy(latest ? desc(events.seq) : asc(events.seq))
    .limit(limit);
  const rows = found.map(({ erasureId, ...event }) => (erasureId === null ? event : blank(event, dealerId, erasureId)));
  return latest ? rows.reverse() : rows;
}

/** Every event of a dealer by scope and seq, after the one named. */
export async function logOf(
  db: NodePgDatabase,
  dealerId: string,
  after: { scope: string; seq: number } | null,
  limit: number,
): Promise<KeptEvent[]> {
  const beyond = after ? sql`and (scope, seq) > (${after.scope}, ${after.seq})` : sql``;
  const { rows } = await db.execute(sql`select ${EVENT}, ${BLANKED_BY} as erasure_id from events
    where dealer_id = ${dealerId} ${beyond} and not ${IS_GONE} order by scope, seq limit ${limit}`);
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
