/** Connections to Postgres: how they are made, lent and thrown away, and whose fault it is when one fails. */
import { DrizzleQueryError } from 'drizzle-orm/errors';
import pg from 'pg';

/** Connections of a node: one for the journal, the rest for readers. */
const MAX_CONNECTIONS = 10;
/** How long to wait for a connection, and for an answer, in ms: after that the database counts as away. */
const CONNECT_TIMEOUT = 3_000;
const QUERY_TIMEOUT = 5_000;
/** unique_violation, serialization_failure, deadlock_detected: another node was first. */
const LOST_RACE: ReadonlySet<unknown> = new Set(['23505', '40001', '40P01']);

// Seqs and times are bigint; both stay far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** Opens a pool; nothing is connected until it is used. @param onError told of a connection lost while idle */
export function openPool(url: string, onError: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    query_timeout: QUERY_TIMEOUT,
    keepAlive: true,
    // What is asked of a connection is sent before what was asked before it is answered: a batch is two round trips.
    pipeline: true,
    application_name: 'telle',
  });
  // A connection that breaks tells so twice: to whoever uses it, and as an event, which unheard would end the process.
  pool.on('connect', (client) => client.on('error', onError));
  pool.on('error', onError);
  return pool;
}

/** Lends a connection. One that failed for another reason than its query may be in any state: it is thrown away. */
export async function withClient<T>(pool: pg.Pool, use: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    return await use(client);
  } catch (error) {
    if (!isDatabases(error)) failure = driversOwn(error);
    throw error;
  } finally {
    client.release(failure);
  }
}

/** Opens a connection outside of the pool, on which an answer may take as long as it takes. */
export async function withPatientClient<T>(pool: pg.Pool, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...pool.options, query_timeout: 0 });
  client.on('error', () => {}); // whoever uses it is told
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** What the driver said, without what Drizzle wraps it in. */
function driversOwn(error: unknown): Error {
  if (error instanceof DrizzleQueryError && error.cause) return error.cause;
  return error instanceof Error ? error : new Error(String(error));
}

/** What is asked of a connection now leaves in one write: a batch is a dozen statements, and each write wakes the database. */
export function inOneWrite<T>({ connection: { stream } }: pg.Client, ask: () => T): T {
  stream.cork();
  try {
    return ask();
  } finally {
    stream.uncork();
  }
}

/** Whether the database itself refused what it was asked, on a connection that is as good as before. */
export const isDatabases = (error: unknown): boolean => driversOwn(error) instanceof pg.DatabaseError;

/** Whether another node was first: what was tried may be tried again. */
export function isLostRace(error: unknown): boolean {
  const fault = driversOwn(error);
  return fault instanceof pg.DatabaseError && LOST_RACE.has(fault.code);
}
