/** Brings the tables of a database that is in use up to date, without having everybody else wait for who holds one of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { assetFolder } from '../../assets.ts';
import { type Migration, pendingIn } from '../migrations.ts';
import { lastOf, type Planned, planOf, tablesOf, type Works } from '../planning.ts';
import { ServedError } from '../store.ts';
import { assertEncoding, assertMayMigrate, assertMayUse } from './fitness.ts';
import { isLocked } from './pool.ts';

const MIGRATIONS = 'drizzle/postgres/migrations';

/** Each table that is here is locked for everybody, and no other one. */
export const WORKS: Works = {
  '0000_events': [],
  '0001_letters_by_group': [{ table: 'dead_letters', manner: 'indexes' }],
  '0002_keys_by_id': [{ table: 'events', manner: 'indexes' }],
  '0003_groups_by_minute': [
    {
      table: 'groups',
      manner: 'rewrites',
      measured: [
        { rows: 1_000_000, seconds: 3 },
        // With all else that is between 0.1.0 and 0.2.0.
        { rows: 2_000_000, seconds: 50 },
      ],
    },
  ],
  '0004_generations': [
    { table: 'groups', manner: 'indexes' },
    ...['dealers', 'erasures', 'lead_intents', 'leads', 'users'].map((table) => ({ table, manner: 'alters' }) as const),
  ],
  '0005_epochs': [],
  '0006_settings': [{ table: 'dealers', manner: 'alters' }],
  '0007_waiting': [
    { table: 'dealers', manner: 'writes' },
    { table: 'groups', manner: 'writes' },
  ],
  '0008_views': [],
  '0009_contacts': [{ table: 'leads', manner: 'rewrites' }],
};

/** The last of them: what this program's tables are known by. */
export const SCHEMA = lastOf(WORKS);

/** The key of the lock under which one node migrates, or a command moves all of it, while others wait. */
export const MIGRATION_LOCK = 7_355_308;
/** The longest wait for a table that somebody has, in seconds: whoever comes for it meanwhile waits behind. */
const PATIENCE = 2;
/** Number of tries, and the pause between two, in seconds. */
const TRIES = 10;
const PAUSE = 5;

/** Counts the migrations that are to be carried out. */
type Told = (pending: number) => void;

/**
 * @returns whether the tables are new
 * @throws ServedError where somebody has a table each time; all is as it was then
 */
export async function migrateInTries(
  client: pg.Client,
  onUpgrade: Told,
  onBusy: (sentence: string) => void,
): Promise<boolean> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await migrateOnce(client, tried === 1 ? onUpgrade : () => {});
    } catch (fault) {
      await client.query('rollback').catch(() => {});
      if (!isLocked(fault)) throw fault;
      if (tried === TRIES) throw new ServedError(`${IN_USE}, ${TRIES} times: ${ADVICE}`, { cause: fault });
      onBusy(`${IN_USE}: tried again in ${PAUSE} s (${tried} of ${TRIES})`);
      await sleep(PAUSE * 1000);
    }
  }
}

const IN_USE = `a table is in use, and was not to be had in ${PATIENCE} s`;
const ADVICE =
  'end the long transactions that select pid, query from pg_stat_activity shows, or migrate in a quiet hour';

/** All of it is one transaction, and so is the lock, whoever is between here and the database. */
async function migrateOnce(client: pg.Client, onUpgrade: Told): Promise<boolean> {
  await client.query('begin');
  await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
  const isNew = await migrateWithin(client, onUpgrade);
  await client.query('commit');
  return isNew;
}

/** Migrates within a transaction that has the lock. @returns whether the tables are new */
export async function migrateWithin(client: pg.ClientBase, onUpgrade: Told): Promise<boolean> {
  const { rows } = await client.query<{ is_new: boolean }>("select to_regclass('events') is null as is_new");
  const isNew = rows[0]?.is_new === true;
  const pending = await pendingOf(client);
  await assertEncoding(client);
  if (pending.length > 0) {
    await assertMayMigrate(client, pending.length);
    if (!isNew) onUpgrade(pending.length);
    await carryOut(client, pending);
  }
  await assertMayUse(client);
  return isNew;
}

/** The migrations that it has not had yet. */
export async function pendingOf(client: Pick<pg.ClientBase, 'query'>): Promise<Migration[]> {
  await assertMayUse(client);
  const { rows: known } = await client.query("select to_regclass('drizzle.__drizzle_migrations') as name");
  if (known[0]?.name === null) return pendingIn(assetFolder(MIGRATIONS), []);
  const { rows } = await client.query<{ at: number }>('select created_at as at from drizzle.__drizzle_migrations');
  const had = rows.map(({ at }) => at);
  return pendingIn(assetFolder(MIGRATIONS), had);
}

/** Rows are as the last VACUUM or ANALYZE estimated them; before the first, nothing is known of them. */
export async function planFor(client: Pick<pg.ClientBase, 'query'>): Promise<Planned[]> {
  const { rows } = await client.query<{ table: string; rows: number }>(
    `select name as table, reltuples as rows from unnest($1::text[]) as name
      join pg_class on oid = to_regclass(quote_ident(name))`,
    [tablesOf(WORKS)],
  );
  const counts = new Map(rows.map(({ table, rows: count }) => [table, count < 0 ? null : count]));
  return planOf(await pendingOf(client), WORKS, (table) => counts.get(table));
}

/** Notes them as Drizzle does, which has transactions of its own and makes its schema again and again. */
async function carryOut(client: pg.ClientBase, pending: readonly Migration[]): Promise<void> {
  await client.query(`set local lock_timeout = '${PATIENCE}s'`);
  await client.query('create schema if not exists drizzle');
  await client.query(`create table if not exists drizzle.__drizzle_migrations
    (id serial primary key, hash text not null, created_at bigint)`);
  for (const { sql: statements, hash, folderMillis } of pending) {
    for (const statement of statements) await client.query(statement);
    const noted = [hash, folderMillis];
    await client.query('insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, $2)', noted);
  }
}
