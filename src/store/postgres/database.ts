/** Running SQL of both databases on Postgres, and the parts that Postgres has in its own way. */
import { sql } from 'drizzle-orm';
import type pg from 'pg';
import type { Database, Dialect, Row, Steps } from '../sql.ts';
import { NOW, PLACE, table } from './dialect.ts';
import { partOf, vacuumingOf } from './erasing.ts';
import { EVENTS_WHERE } from './log.ts';
import { ask, isDatabases, type PostgresPool, queryOf, withClient } from './pool.ts';

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
  isSet: (flag) => flag,
  table,
  place: PLACE,
  locked: sql`for update`,
  skipLocked: sql`for update skip locked`,
  *erasePart(dealerId, marked) {
    yield* partOf(dealerId, marked);
  },
  *removeEvents(dealerId, most) {
    const gone = yield sql`delete from events where ctid = any(array(
      select ctid from events where dealer_id = ${dealerId} limit ${most})) returning 1 as gone`;
    return gone.length === most;
  },
  scrub: vacuumingOf(pool),
});
