import { readMigrationFiles } from 'drizzle-orm/migrator';

/** How many migrations of a folder are younger than the last that a database has had (ms since 1970; 0: none). */
export const pendingIn = (folder: string, lastAt: number): number =>
  readMigrationFiles({ migrationsFolder: folder }).filter(({ folderMillis }) => folderMillis > lastAt).length;
