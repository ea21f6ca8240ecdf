/** Connections to Postgres: how they are made, lent and thrown away, and whose fault it is when one fails. */
import type { SQL } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { TooLongError } from '../store.ts';
import type { PoolState } from '../upkeep.ts';
import { isFinal, isUnreached, type Wanted, type Way, type Ways, waysTo, withoutNames } from './ways.ts';

/** Transactions of the journal: while the database works on a batch, this node works on another. */
export const AT_ONCE = { batches: 2, apart: 2 };
/** Connections for the journal, and for what tells whether this node and the others live; readers have the rest of a node's. */
const COMMITS = AT_ONCE.batches + AT_ONCE.apart;
const HEALTH = 2;
/** Limits of the wait for a connection, and for an answer, in ms: after that the database counts as away. */
const CONNECT_TIMEOUT = 3_000;
const QUERY_TIMEOUT = 5_000;
/** After how long without a word this side asks whether the other one is still there, in ms. */
const KEEP_ALIVE_DELAY = 10_000;
/** unique_violation, serialization_failure, deadlock_detected: another node was first. */
const LOST_RACE: ReadonlySet<unknown> = new Set(['23505', '40001', '40P01']);

// Seqs and times are bigint; both stay far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

type Setting = readonly [name: string, value: string, untouched: string];

/**
 * The server's settings for each connection, unless somebody has set them to something else than the default: by that it would wait for hours. A node that stops within
 * a transaction has its locks for seconds, a statement waits for another's lock for less than this side waits for it, and a connection whose
 * client has gone is ended. Milliseconds have a unit; what TCP is told are seconds and counts.
 */
const SESSION: readonly Setting[] = [
  ['idle_in_transaction_session_timeout', '5s', '0'],
  ['client_connection_check_interval', '2s', '0'],
  ['tcp_keepalives_idle', '10', '7200'],
  ['tcp_keepalives_interval', '5', '75'],
  ['tcp_keepalives_count', '3', '9'],
  ['tcp_user_timeout', '20s', '0'],
];
/** The wait for a lock, and the time for an answer, that are given up before this side does. */
const BOUNDED: readonly Setting[] = [...SESSION, ['lock_timeout', '3s', '0'], ['statement_timeout', '4s', '0']];

/**
 * Kinds of connections: how many there are of so many, and what each is told. None waits until another kind is done. A batch that
 * meets a lock goes on without whoever is locked, and so waits no longer than batches take.
 */
const KINDS = {
  commits: { max: () => COMMITS, session: [...SESSION, ['lock_timeout', '250ms', '0']] },
  readers: { max: (all) => all - COMMITS - HEALTH, session: BOUNDED },
  health: { max: () => HEALTH, session: BOUNDED },
} as const satisfies Record<string, { max: (all: number) => number; session: readonly Setting[] }>;

/** Sets one of them for the session, where the session is this connection's own: a pooler's process has another number than its server. */
const SET = `select set_config($1, $2, false) where current_setting($1, true) = $3 and pg_backend_pid() = $4`;
/** Those that a transaction needs by itself, on a connection to a pooler: any other session may be next. */
const LOCAL = ['idle_in_transaction_session_timeout', 'lock_timeout', 'statement_timeout'];

/** Connections that lead to a pooler (PgBouncer, and the like), by which each transaction may be in another session. */
const pooled = new WeakSet<pg.ClientBase>();

/** The settings, for one transaction. */
function settingLocally(settings: readonly Setting[]): pg.QueryConfig {
  const column = (at: 0 | 1 | 2) => settings.map((setting) => setting[at]);
  return {
    text: `select set_config(name, value, true) from unnest($1::text[], $2::text[], $3::text[]) as s (name, value, untouched)
      where current_setting(name, true) = untouched`,
    values: [column(0), column(1), column(2)],
  };
}

/** A pool that knows several ways to its database: it keeps to the one that leads there, and else tries the next. */
export class PostgresPool extends pg.Pool {
  readonly #ways: Ways['ways'];
  readonly #wanted: Wanted | null;
  readonly #opening: pg.QueryConfig;
  #at = 0;

  constructor({ ways, wanted }: Ways, session: readonly Setting[], options: pg.PoolConfig) {
    const current = (): pg.ClientConfig => this.#way.config;
    class Client extends pg.Client {
      constructor(config?: pg.ClientConfig) {
        super({ ...config, ...current() });
      }
    }
    super({ ...options, Client, onConnect: (client) => this.#welcome(client, session) });
    this.#ways = ways;
    this.#wanted = wanted;
    this.#opening = settingLocally(session.filter(([name]) => LOCAL.includes(name)));
  }

  /** Begins a transaction, with all that it is to be told. */
  begin(client: pg.ClientBase): Promise<unknown> {
    const begun = client.query('begin');
    return pooled.has(client) ? Promise.all([begun, client.query(this.#opening)]) : begun;
  }

  get state(): PoolState {
    const used = this.totalCount - this.idleCount;
    return { most: this.options.max, open: this.totalCount, used, waiting: this.waitingCount };
  }

  get #way(): Way {
    return this.#ways[this.#at] ?? this.#ways[0];
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(
    callback: (error: Error | undefined, client: pg.PoolClient | undefined, done: (release?: unknown) => void) => void,
  ): void;
  override connect(
    callback?: (error: Error | undefined, client: pg.PoolClient | undefined, done: (release?: unknown) => void) => void,
  ): Promise<pg.PoolClient> | undefined {
    const connected = this.#tryAll(() => super.connect());
    if (callback === undefined) return connected;
    connected.then(
      (client) =>
        callback(undefined, client, (failure) => client.release(failure instanceof Error ? failure : Boolean(failure))),
      (error) => callback(error, undefined, () => {}),
    );
    return undefined;
  }

  /** Opens a connection that is none of the pool's, on which an answer may take as long as it takes. */
  connectPatiently(): Promise<pg.Client> {
    return this.#tryAll(async () => {
      const client = new pg.Client({ ...this.options, ...this.#way.config, query_timeout: 0 });
      client.on('error', () => {}); // whoever uses it is told
      try {
        await client.connect();
        await this.#welcome(client, SESSION);
        return client;
      } catch (error) {
        await client.end().catch(() => {});
        throw error;
      }
    });
  }

  /** Tries each way once, from the one that was good, and keeps to the one that leads there. @throws what each said */
  async #tryAll<T>(connect: () => Promise<T>): Promise<T> {
    const said: string[] = [];
    const first = this.#at;
    let unreached: string | null = null;
    let fault: unknown;
    for (const index of this.#ways.keys()) {
      const at = (first + index) % this.#ways.length;
      const way = this.#ways[at] ?? this.#ways[0];
      // A host that does not answer is not asked again without TLS.
      if (way.name === unreached) continue;
      this.#at = at;
      try {
        return await connect();
      } catch (error) {
        fault = withoutNames(error);
        said.push(`${way.name}: ${errorOf(fault).message}`);
        if (isFinal(error)) break;
        if (isUnreached(error)) unreached = way.name;
      }
    }
    // Where none leads there, the next time begins where this one did: with TLS, where that is preferred.
    this.#at = first;
    throw said.length === 1 ? fault : new Error(said.join('; '), { cause: fault });
  }

  /** Sets up a new connection, in one write. */
  async #welcome(client: pg.ClientBase, session: readonly Setting[]): Promise<void> {
    const processID: unknown = Reflect.get(client, 'processID');
    const set = session.map((values) =>
      client.query(SET, [...values, processID]).catch((error: unknown) => {
        // A server that does not know one, or lets nobody set it, goes on without.
        if (!isDatabases(error)) throw error;
      }),
    );
    const asked = this.#wanted && client.query<{ answer: unknown }>(this.#wanted.query);
    const owned = client.query<{ own: boolean }>('select pg_backend_pid() = $1 as own', [processID]);
    // Together: each of them rejects where the connection breaks, and one that nobody awaits would end the process.
    const [answered, owns] = await Promise.all([asked, owned, ...set]);
    if (owns.rows[0]?.own === false) pooled.add(client);
    const answer = answered?.rows[0]?.answer;
    if (this.#wanted && answer !== this.#wanted.answer) throw new Error(this.#wanted.otherwise);
  }
}

const compiler = new PgDialect();

/** A statement, as the driver takes it. */
export function queryOf(statement: SQL): pg.QueryConfig {
  const { sql: text, params } = compiler.sqlToQuery(statement);
  return { text, values: params };
}

export interface PoolOptions {
  readonly url: string;
  /** Connections of this node, of all kinds. */
  readonly connections: number;
  /** Told of a connection lost while idle. */
  readonly onError: (error: Error) => void;
}

/** Opens a pool; nothing is connected until it is used. */
export function openPool(kind: keyof typeof KINDS, { url, connections, onError }: PoolOptions): PostgresPool {
  const { max, session } = KINDS[kind];
  const pool = new PostgresPool(waysTo(url), session, {
    max: max(connections),
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    query_timeout: QUERY_TIMEOUT,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY,
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
    if (!isDatabases(error)) failure = errorOf(error);
    throw error;
  } finally {
    client.release(failure);
  }
}

/** Asks for what is prepared once for a connection, and by a pooler each time: whoever is there next may not have it. */
export const askPrepared = <Row extends pg.QueryResultRow>(
  client: pg.ClientBase,
  { text, values, name }: pg.QueryConfig,
) => client.query<Row>(pooled.has(client) || name === undefined ? { text, values } : { text, values, name });

/** Asks one thing. @throws TooLongError where that takes longer than it may */
export async function ask<Row extends pg.QueryResultRow>(pool: PostgresPool, query: pg.QueryConfig): Promise<Row[]> {
  try {
    return await withClient(pool, async (client) => {
      if (!pooled.has(client)) return (await client.query<Row>(query)).rows;
      const [, { rows }] = await inOneWrite(client, () =>
        Promise.all([pool.begin(client), askPrepared<Row>(client, query), client.query('commit')]),
      );
      return rows;
    });
  } catch (error) {
    throw isTooLong(error) ? new TooLongError('the database was stopped', { cause: error }) : error;
  }
}

/** Lends a connection outside of the pool, on which an answer may take as long as it takes. */
export async function withPatientClient<T>(pool: PostgresPool, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await pool.connectPatiently();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** A fault as an `Error`. */
const errorOf = (fault: unknown): Error => (fault instanceof Error ? fault : new Error(String(fault)));

/** Sends in one write all that `ask` asks of a connection: a batch is a dozen statements, and each write wakes the database. */
export function inOneWrite<T>({ connection: { stream } }: pg.Client, ask: () => T): T {
  stream.cork();
  try {
    return ask();
  } finally {
    stream.uncork();
  }
}

/** Tells whether the database itself refused what it was asked, on a connection that is as good as before. */
export const isDatabases = (error: unknown): boolean => error instanceof pg.DatabaseError;

/** Tells whether it took longer than it may: query_canceled. */
const isTooLong = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === '57014';

/** Tells whether it waited for a lock in vain: lock_not_available. */
export const isLocked = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === '55P03';

/** Tells whether another node was first, so that the same may be tried again. */
export const isLostRace = (error: unknown): boolean => error instanceof pg.DatabaseError && LOST_RACE.has(error.code);
