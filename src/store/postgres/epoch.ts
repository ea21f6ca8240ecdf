/**
 * [P-21.1] The epoch of a log in Postgres: the server's system identifier, the timeline that it writes, which a standby that is promoted
 * and a recovery to a point in time each begin anew, and the database and its table, which another dump makes anew. A log that was
 * brought here whole keeps the epoch that it had, as long as all of that is the same.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';

/** insufficient_privilege, undefined_function, feature_not_supported: a server that keeps it to itself, or has no such thing. */
const NOT_TOLD: ReadonlySet<unknown> = new Set(['42501', '42883', '0A000']);

/** Characters of the digest that are shown: enough that no two are alike. */
const LENGTH = 12;

/** A pool, or the connection of a transaction: after a fault that is of no use any more. */
type Asked = Pick<pg.Pool, 'query'> | Pick<pg.Client, 'query'>;

export async function clusterOf(pool: pg.Pool): Promise<string> {
  return textOf(pool, 'select system_identifier::text as text from pg_control_system()');
}

/** Of the log that is being written: a checkpoint tells of a promotion only afterwards. A standby has none. */
const timelineOf = (pool: pg.Pool): Promise<string> =>
  textOf(pool, 'select left(pg_walfile_name(pg_current_wal_lsn()), 8) as text');

const tableOf = (pool: Asked): Promise<string> =>
  textOf(
    pool,
    `select concat_ws('/', oid, to_regclass('events')::oid) as text from pg_database where datname = current_database()`,
  );

export async function epochOf(pool: pg.Pool): Promise<string> {
  const own = await ownEpoch(pool);
  const { rows } = await pool.query<{ epoch: string }>('select epoch from epochs where log = $1', [own]);
  return rows[0]?.epoch ?? own;
}

/** @param within what sees the tables, where a transaction has just made them */
async function ownEpoch(pool: pg.Pool, within: Asked = pool): Promise<string> {
  const parts = await Promise.all([clusterOf(pool), timelineOf(pool), tableOf(within)]);
  return createHash('sha256').update(parts.join('/')).digest('base64url').slice(0, LENGTH);
}

/** Gives a log that was brought here, within a transaction, the epoch that it had. */
export async function bringEpoch(pool: pg.Pool, transaction: pg.Client, epoch: string): Promise<void> {
  const own = await ownEpoch(pool, transaction);
  const bring =
    'insert into epochs (log, epoch) values ($1, $2) on conflict (log) do update set epoch = excluded.epoch';
  await transaction.query(bring, [own, epoch]); // another may have been here before, and been emptied
}

async function textOf(pool: Asked, query: string): Promise<string> {
  try {
    const { rows } = await pool.query<{ text: string }>(query);
    return rows[0]?.text ?? '';
  } catch (error) {
    if (error instanceof pg.DatabaseError && NOT_TOLD.has(error.code)) return '';
    throw error;
  }
}
