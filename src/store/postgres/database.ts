/** Running SQL of both databases on Postgres, and the parts that Postgres has in its own way. */
import { sql } from 'drizzle-orm';
import type pg from 'pg';
import { WHOLE } from '../dealers.ts';
import type { Database, Dialect, Row, Steps } from '../sql.ts';
import { partOf, vacuumingOf } from './erasing.ts';
import { EVENTS_WHERE } from './log.ts';
import { ask, isDatabases, type PostgresPool, queryOf, withClient } from './pool.ts';
import { markRemoved, removeOn, removePart } from './removing.ts';

/** The database's own clock, in ms since 1970: nodes' clocks may differ. */
export const NOW = sql`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

export const databaseOf = (pool: PostgresPool): Database => ({
  rows: (query) => ask<Row>(pool, queryOf(query)),
  transact: (steps) => withClient(pool, (client) => carryOut(pool, client, steps())),
  dialect: dialectOf(pool),
});

async function carryOut<T>(pool: PostgresPool, client: pg.PoolClient, steps: Steps<T>): Promise<T> {
  try {
    await pool.begin(client);
    let step = steps.next();
    while (!step.done) step = steps.next((await client.query<Row>(queryOf(step.value))).rows);
    await client.query('commit');
    return step.value;
  } catch (error) {
    if (isDatabases(error)) await client.query('rollback').catch(() => {});
    throw error;
  }
}

const dialectOf = (pool: PostgresPool): Dialect => ({
  clock: NOW,
  eventsWhere: EVENTS_WHERE,
  *removeAll(dealerId) {
    const [there] = yield sql`select from dealers where dealer_id = ${dealerId} for update`;
    if (!there) return; // what is left of one that was removed before has its mark, which the eraser goes by
    // Whoever is erasing a part holds its mark, and then its events.
    yield sql`delete from erasing where dealer_id = ${dealerId}`;
    if (yield* removePart(dealerId)) yield* markRemoved(dealerId);
  },
  skipLocked: sql`for update skip locked`,
  erasePart: function* (marked) {
    if (marked.erasureId === WHOLE) yield* removeOn(marked);
    else yield* partOf(marked);
  },
  scrub: vacuumingOf(pool),
});
