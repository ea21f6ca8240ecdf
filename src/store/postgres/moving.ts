/** Moving a whole Postgres database, in one transaction: nobody writes to one that is read, and one that is written is whole or as it was. */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { MOVED, type MovedTable } from '../../../drizzle/moved.ts';
import { type Held, isLong, type MovedRow, PAGE, paged, type Source, type Target } from '../moving.ts';
import { ServedError, UnfitError } from '../store.ts';
import { bringEpoch, epochOf } from './epoch.ts';
import { MIGRATION_LOCK, migrateWithin, pendingOf } from './migrating.ts';
import { isLocked, openPool, type PoolOptions, type PostgresPool } from './pool.ts';

/** Time in which every node that lives is heard of, thrice at least, in ms: of one that has just ended it is waited for. */
const SILENCE = 6_000;
/** The longest wait for whoever writes, in seconds: a transaction of a node's is ended sooner. Who comes meanwhile waits behind. */
const PATIENCE = 6;
/** Another who holds what is to be moved. */
const MOVER = 'it is being migrated, or moved, by somebody else';

/** Holds a database that is to be moved. @throws ServedError where a server has it; UnfitError where it cannot be moved as it is */
export const openSource = (options: PoolOptions): Promise<Source> =>
  opened(options, { begin: 'begin read only', heldBy: MOVER }, async ({ pool, client, held }) => {
    if ((await pendingOf(client)).length > 0)
      throw new UnfitError('is of an older version', 'bring it up to date with telle migrate');
    await lockWriters(client);
    const { rows } = await client.query('select from erasing where group_id is not null limit 1');
    if (rows.length > 0) throw new UnfitError('has erasures that are not finished', 'finish them with telle prune');
    return { ...held, epoch: await epochOf(pool) };
  });

/** Holds a database that is to be filled. @throws ServedError where a server has it; UnfitError where something is in it */
export const openTarget = (options: PoolOptions): Promise<Target> =>
  opened(
    options,
    { begin: 'begin', heldBy: `${MOVER}, or is the DATABASE_URL itself` },
    async ({ pool, client, held }) => {
      await assertEmpty(client);
      await migrateWithin(client, () => {});
      await client.query('delete from nodes');
      return {
        ...held,
        write: async (table, rows) => {
          await client.query(insertInto(table), [JSON.stringify(rows)]);
        },
        keep: async (epoch, warn) => {
          await bringEpoch(pool, client, epoch);
          await client.query('commit');
          await client.query(`analyze ${MOVED.map(({ name }) => name)}`).catch(() => warn(UNANALYZED));
        },
      };
    },
  );

/** Until Postgres does so by itself, it reads slowly. */
const UNANALYZED = { found: 'all was copied, but the tables there could not be analyzed', advice: 'run ANALYZE there' };

/** Tables that a move reads, but for that in which a node says that it lives. */
const WRITTEN = MOVED.map(({ name }) => name).filter((name) => name !== 'nodes');

/** From now on nobody changes anything: what was written until then is seen, and whoever still would write is not acked. */
async function lockWriters(client: pg.Client): Promise<void> {
  await client.query(`set local lock_timeout = '${PATIENCE}s'`);
  await client.query(`lock table ${WRITTEN} in share mode`).catch((fault: unknown) => {
    if (!isLocked(fault)) throw fault;
    throw new ServedError(`somebody writes to it, and has not ended in ${PATIENCE} s: ${ADVICE}`, { cause: fault });
  });
}

const ADVICE = 'end the transactions that select pid, query from pg_stat_activity shows';

interface Opened {
  readonly pool: PostgresPool;
  readonly client: pg.Client;
  readonly held: Held;
}

interface Opening {
  /** Statement that begins the transaction. */
  readonly begin: string;
  /** Words for who holds it already. */
  readonly heldBy: string;
}

async function opened<T>(
  options: PoolOptions,
  { begin, heldBy }: Opening,
  use: (opened: Opened) => Promise<T>,
): Promise<T> {
  const pool = openPool('health', options);
  const client = await pool.connectPatiently().catch(async (fault: unknown) => {
    await pool.end();
    throw fault;
  });
  const close = async () => {
    await client.end().catch(() => {}); // it may be what broke
    await pool.end();
  };
  try {
    await client.query(begin);
    for (const limit of ['idle_in_transaction_session_timeout', 'statement_timeout'])
      await client.query(`set local ${limit} = 0`);
    if (!(await isHeld(client))) throw new ServedError(`${heldBy}: try again`);
    const assertUnserved = await watchedFor(pool);
    return await use({ pool, client, held: { ...readingOf(client), assertUnserved, close } });
  } catch (fault) {
    await close();
    throw fault;
  }
}

/** Takes the lock without which no server starts on it. @returns whether it was to be had */
async function isHeld(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_xact_lock($1) as held', [
    MIGRATION_LOCK,
  ]);
  return rows[0]?.held === true;
}

/** Watches for nodes from now on. @throws ServedError where one is heard of, at once or whenever it is looked */
async function watchedFor(pool: PostgresPool): Promise<() => Promise<void>> {
  const before = await lastSign(pool);
  const assertUnserved = async () => {
    const { seenAt } = await lastSign(pool);
    if (seenAt !== before.seenAt) throw new ServedError('a server serves it: end it first');
  };
  if (before.ago < SILENCE) await sleep(SILENCE);
  await assertUnserved();
  return assertUnserved;
}

/** When a node was last heard of, in ms since 1970, and how long ago that is. */
async function lastSign(pool: PostgresPool): Promise<{ seenAt: number; ago: number }> {
  const { rows: there } = await pool.query<{ name: string | null }>("select to_regclass('nodes') as name");
  if (there[0]?.name === null) return NEVER;
  const { rows } = await pool.query<{ seenAt: number; ago: number }>(
    `select coalesce(max(seen_at), 0) as "seenAt",
      (extract(epoch from clock_timestamp()) * 1000)::bigint - coalesce(max(seen_at), 0) as ago from nodes`,
  );
  return rows[0] ?? NEVER;
}

const NEVER = { seenAt: 0, ago: Number.POSITIVE_INFINITY };

async function assertEmpty(client: pg.Client): Promise<void> {
  for (const { name } of MOVED) {
    const { rows: there } = await client.query('select to_regclass($1) as name', [name]);
    if (name === 'nodes' || there[0]?.name === null) continue;
    const { rows } = await client.query(`select from ${name} limit 1`);
    if (rows.length > 0) throw new UnfitError(`is not empty: its table ${name} has rows`, 'name one that is new');
  }
}

const readingOf = (client: pg.Client): Pick<Held, 'tables' | 'rows' | 'count'> => ({
  tables: MOVED,
  rows: (table) => pagesOf(client, table),
  count: async ({ name }) => {
    const { rows } = await client.query<{ count: number }>(`select count(*) as count from ${name}`);
    return rows[0]?.count ?? 0;
  },
});

/** Lengths are read ahead of the rows: of a text the database knows it without reading that. */
async function* pagesOf(client: pg.Client, { name, columns, key }: MovedTable): AsyncGenerator<MovedRow[]> {
  const listed = columns.map((column) => `"${column.name}" as "${column.property}"`);
  const lengths = columns.filter(isLong).map((column) => ` + coalesce(octet_length("${column.name}"::text), 0)`);
  for (const [cursor, selected] of [
    ['moved', listed],
    ['sizes', `0${lengths.join('')} as bytes`],
  ])
    await client.query(`declare ${cursor} no scroll cursor for select ${selected} from ${name} order by ${key}`);
  for (;;) {
    const { rows: sizes } = await client.query<{ bytes: number }>(`fetch ${PAGE.limit} from sizes`);
    if (sizes.length === 0) break;
    for (const page of paged(sizes, ({ bytes }) => bytes))
      yield (await client.query<MovedRow>(`fetch ${page.length} from moved`)).rows;
  }
  for (const cursor of ['moved', 'sizes']) await client.query(`close ${cursor}`);
}

function insertInto({ name, columns }: MovedTable): string {
  const names = columns.map((column) => `"${column.name}"`);
  const fields = columns.map(({ property, type }) => `"${property}" ${type}`);
  return `insert into ${name} (${names}) select * from json_to_recordset($1) as rows(${fields})`;
}
