/** Running SQL of both databases on SQLite, and the parts that SQLite has in its own way. */
import type { Database as Client } from 'better-sqlite3';
import { type SQL, sql } from 'drizzle-orm';
import { SQLiteSyncDialect } from 'drizzle-orm/sqlite-core';
import type { Database, Dialect, Row, Steps } from '../sql.ts';
import type { Checkpoints } from './checkpoints.ts';
import { NOW, PLACE, table } from './dialect.ts';
import { erasePart, truncate } from './erasing.ts';
import { EVENTS_WHERE } from './log.ts';
import { removeEvents } from './removing.ts';

const compiler = new SQLiteSyncDialect();

/** Carries a statement out at once. */
export function run(client: Client, query: SQL): Row[] {
  const { sql: text, params } = compiler.sqlToQuery(query);
  const statement = client.prepare<unknown[], Row>(text);
  if (statement.reader) return statement.all(params);
  statement.run(params);
  return [];
}

/** Carries steps out, within a transaction. */
export function carryOut<T>(client: Client, steps: Steps<T>): T {
  for (let step = steps.next(); ; step = steps.next(run(client, step.value))) if (step.done) return step.value;
}

export const databaseOf = (client: Client, checkpoints: Checkpoints | null): Database => ({
  rows: async (query) => run(client, query),
  transact: async (steps) => client.transaction(() => carryOut(client, steps())).immediate(),
  dialect: dialectOf(client, checkpoints),
});

/** The last of those who wait for a turn: each has one of its own, however many they are. */
let lastTurn = Promise.resolve();

export function giveWay(): Promise<void> {
  lastTurn = lastTurn.then(() => new Promise((resolve) => setImmediate(resolve)));
  return lastTurn;
}

const dialectOf = (client: Client, checkpoints: Checkpoints | null): Dialect => ({
  clock: NOW,
  eventsWhere: EVENTS_WHERE,
  isSet: (flag) => sql`${flag} = 1`,
  table,
  place: PLACE,
  locked: sql``, // whoever writes has the whole file
  skipLocked: sql``,
  erasePart,
  removeEvents,
  async scrub() {
    await checkpoints?.carried();
    return truncate(client);
  },
});
