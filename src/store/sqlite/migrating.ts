/** Brings the tables of a file up to date. */
import type { Database } from 'better-sqlite3';
import type { MigrationMeta } from 'drizzle-orm/migrator';
import { assetFolder } from '../../assets.ts';
import { pendingIn } from '../migrations.ts';

const MIGRATIONS = 'drizzle/sqlite/migrations';

/** When the migrations were made that a file has had, in ms since 1970. */
export function hadBy(client: Database): number[] {
  const isKnown = client.prepare("select 1 from sqlite_master where name = '__drizzle_migrations'").get();
  return isKnown ? client.prepare<[], number>('select created_at from __drizzle_migrations').pluck().all() : [];
}

/** The migrations that a file has not had yet. */
export const pendingOf = (client: Database): MigrationMeta[] => pendingIn(assetFolder(MIGRATIONS), hadBy(client));

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
