/** The log in Postgres, found by dealer, scope and seq. What is marked to be erased [P-11.4] is not in it. */
import { sql } from 'drizzle-orm';
import { type Bounds, beginningOf } from '../bounded.ts';
import { blank, blankedBy, isGone, lastErased } from '../erasing.ts';
import { EVENT, eventOfRow, type KeptEvent, type Position, type Stretch } from '../log.ts';
import type { StoredEvent } from '../rows.ts';
import { all, type Database, type EventsWhere } from '../sql.ts';
import { ask, type PostgresPool, queryOf } from './pool.ts';

type Rows = Pick<Database, 'rows'>;

const IS_GONE = sql.raw(isGone('events'));
const BLANKED_BY = sql.raw(blankedBy('events'));

/** By the log's key: dealer, scope and seq. */
export const EVENTS_WHERE: EventsWhere = {
  ofDealer: (dealerId) => sql`dealer_id = ${dealerId} and not ${IS_GONE}`,
  ofGroup: (dealerId, groupId) => sql`dealer_id = ${dealerId} and scope = ${groupId}`,
  isLastMessage: sql`m.dealer_id = g.dealer_id and m.scope = g.group_id and m.seq = g.last_message_seq`,
};

/** The columns of a `StoredEvent`. */
const STORED = sql`dealer_id as "dealerId", scope, seq, id, keyed, sender, type, group_id as "groupId", payload, at`;

/** Events of one scope, ascending. What does not fit into a stretch's bytes is measured by the database, and not read from it. */
export async function eventsOf(
  pool: PostgresPool,
  dealerId: string,
  scope: string,
  { after, before, since, limit, bytes }: Stretch,
): Promise<StoredEvent[]> {
  const order = before !== undefined && after === undefined ? sql`seq desc` : sql`seq`;
  const where = all([
    sql`dealer_id = ${dealerId} and scope = ${scope} and seq > ${lastErased(dealerId, sql`${scope}`)}`,
    after === undefined ? null : sql`seq > ${after}`,
    before === undefined ? null : sql`seq < ${before}`,
    since === undefined ? null : sql`at >= ${since}`,
  ]);
  const fits = bytes === undefined ? sql`` : sql`where total <= ${bytes} or total = size`;
  const query = sql`select ${STORED}, erasure_id as "erasureId" from (
      select *, ${BLANKED_BY} as erasure_id, octet_length(payload) as size,
        sum(octet_length(payload)) over (order by ${order}) as total
      from events where ${where} order by ${order} limit ${limit}
    ) as found ${fits} order by seq`;
  const rows = await ask<StoredEvent & { erasureId: string | null }>(pool, queryOf(query));
  return rows.map(({ erasureId, ...event }) => (erasureId === null ? event : blank(event, dealerId, erasureId)));
}

/** Events of all scopes of a dealer, by scope and seq, after a position. */
export async function logOf(
  { rows }: Rows,
  dealerId: string,
  after: Position | null,
  bounds: Bounds,
): Promise<KeptEvent[]> {
  const beyond = after ? sql`and (scope, seq) > (${after.scope}, ${after.seq})` : sql``;
  const query = beginningOf(
    {
      columns: sql`${EVENT}, ${BLANKED_BY} as erasure_id`,
      from: sql`events`,
      where: sql`dealer_id = ${dealerId} ${beyond} and not ${IS_GONE}`,
      order: sql`scope, seq`,
      texts: [sql`payload`],
    },
    bounds,
  );
  const found = await rows(query);
  return found.map((row) => {
    const event = eventOfRow(row);
    return row.erasure_id === null ? event : blank(event, dealerId, String(row.erasure_id));
  });
}

/** For each scope named, the seq of its first event after one. */
export async function firstAfter(
  { rows }: Rows,
  dealerId: string,
  seen: ReadonlyMap<string, number>,
): Promise<Map<string, number>> {
  if (seen.size === 0) return new Map();
  const each = [...seen].map(
    ([scope, seq]) => sql`select min(seq) as first, min(scope) as scope from events
      where dealer_id = ${dealerId} and scope = ${scope} and seq > ${seq} and seq > ${lastErased(dealerId, sql`${scope}`)}`,
  );
  const found = await rows(sql.join(each, sql` union all `));
  return new Map(found.flatMap(({ scope, first }) => (scope === null ? [] : [[String(scope), Number(first)]])));
}
