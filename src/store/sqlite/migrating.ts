/** Brings the tables of a file up to date. */
import type { Database } from 'better-sqlite3';
import { assetFolder } from '../../assets.ts';
import { type Migration, pendingIn } from '../migrations.ts';
import { lastOf, type Planned, planOf, type Works } from '../planning.ts';

const MIGRATIONS = 'drizzle/sqlite/migrations';

/** Columns that are added are not here: SQLite writes none of a table's rows for them. */
export const WORKS: Works = {
  '0000_events': [],
  '0001_letters_by_group': [{ table: 'dead_letters', manner: 'indexes' }],
  '0002_keys_by_id': [{ table: 'events', manner: 'indexes' }],
  '0003_positions': [
    {
      table: 'events',
      manner: 'rewrites',
      measured: [
        { rows: 1_000_000, seconds: 13.5 },
        { rows: 10_000_000, seconds: 285 },
      ],
    },
    { table: 'dealers', manner: 'writes' },
    { table: 'groups', manner: 'writes' },
  ],
  '0004_generations': [{ table: 'groups', manner: 'indexes' }],
  '0005_ends': [
    { table: 'events', manner: 'indexes', measured: [{ rows: 1_000_000, seconds: 2 }] },
    { table: 'dealers', manner: 'writes' },
    { table: 'groups', manner: 'writes' },
    { table: 'groups', manner: 'indexes' },
  ],
  '0006_epochs': [],
  '0007_settings': [],
  '0008_waiting': [
    { table: 'dealers', manner: 'writes' },
    { table: 'dealers', manner: 'indexes' },
    { table: 'groups', manner: 'writes' },
    { table: 'groups', manner: 'indexes' },
    { table: 'presences', manner: 'indexes' },
  ],
  '0009_views': [],
  '0010_contacts': [{ table: 'leads', manner: 'indexes' }],
};

/** The last of them: what this program's tables are known by. */
export const SCHEMA = lastOf(WORKS);

/** When the migrations were made that a file has had, in ms since 1970. */
export function hadBy(client: Database): number[] {
  const isKnown = client.prepare("select 1 from sqlite_master where name = '__drizzle_migrations'").get();
  return isKnown ? client.prepare<[], number>('select created_at from __drizzle_migrations').pluck().all() : [];
}

/** The migrations that a file has not had yet. */
export const pendingOf = (client: Database): Migration[] => pendingIn(assetFolder(MIGRATIONS), hadBy(client));

/** The highest rowid stands for the number of rows: it is there at once, and no row has a higher one. */
export function planFor(client: Database): Planned[] {
  const exists = client.prepare("select 1 from sqlite_master where type = 'table' and name = ?");
  const most = (table: string) =>
    client.prepare<[], number>(`select coalesce(max(rowid), 0) from "${table}"`).pluck().get();
  return planOf(pendingOf(client), WORKS, (table) => (exists.get(table) ? most(table) : undefined));
}

/**
 * Brings the tables up to date, in one transaction. Drizzle's own way tells of a full disk only that it could not roll back:
 * SQLite has done so by then.
 */
export function migrateFile(client: Database): void {
  client.exec(
    'create table if not exists __drizzle_migrations (id serial primary key, hash text not null, created_at numeric)',
  );
  if (pendingOf(client).length === 0) return;
  const insert = client.prepare('insert into __drizzle_migrations (hash, created_at) values (?, ?)');
  const apply = client.transaction(() => {
    for (const { sql, hash, folderMillis } of pendingOf(client)) {
      for (const statement of sql) client.exec(statement);
      insert.run(hash, folderMillis);
    }
  });
  apply.immediate();
}
