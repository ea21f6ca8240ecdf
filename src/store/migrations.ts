import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator';
import { UnfitError } from './store.ts';

/** A migration, with the name of its file. */
export interface Migration extends MigrationMeta {
  readonly name: string;
}

/** Drizzle keeps the names beside the files, and hands on none. */
function migrationsIn(migrationsFolder: string): Migration[] {
  const journal: { entries: { when: number; tag: string }[] } = JSON.parse(
    readFileSync(join(migrationsFolder, 'meta', '_journal.json'), 'utf8'),
  );
  const names = new Map(journal.entries.map(({ when, tag }) => [when, tag]));
  return readMigrationFiles({ migrationsFolder }).map((each) => ({
    ...each,
    name: names.get(each.folderMillis) ?? String(each.folderMillis),
  }));
}

/**
 * The migrations of a folder that a database has not had.
 * @param had when those that it has had were made (ms since 1970), which is what they are known by
 * @throws UnfitError where it has had others: what a later version has made of its tables is not known
 */
export function pendingIn(migrationsFolder: string, had: readonly number[]): Migration[] {
  const known = migrationsIn(migrationsFolder);
  const unknown = had.filter((at) => known.every(({ folderMillis }) => folderMillis !== at));
  if (unknown.length > 0) {
    const last = new Date(Math.max(...unknown)).toISOString().slice(0, 10);
    throw new UnfitError(
      `has tables of a later version, by ${unknown.length === 1 ? 'a migration' : `${unknown.length} migrations`} up to ${last}`,
      'run that version, or restore a back-up from before it',
    );
  }
  const last = Math.max(0, ...had);
  return known.filter(({ folderMillis }) => folderMillis > last);
}
