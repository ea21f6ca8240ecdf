/** What stands before any file: SQLite itself, which is an addon, and the tables that the program knows. */
import Database from 'better-sqlite3';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { MEMORY } from '../../schemas/settings.ts';
import { DriverError, UnfitError } from './store.ts';

const AGAIN = 'install it anew: npm ci, or npm rebuild better-sqlite3';

/** How an addon fails to load: what is said of it, with where it was looked for, is many lines and not what to do. */
const ADDON_FAULTS: readonly (readonly [says: RegExp, found: (message: string) => string, advice: string])[] = [
  [
    /NODE_MODULE_VERSION/,
    (message) => {
      const { node, modules } = process.versions;
      const [, theirs] = /NODE_MODULE_VERSION (\d+)/.exec(message) ?? [];
      return `is made for a Node.js of ABI ${theirs}, and this one, ${node}, has ABI ${modules}`;
    },
    AGAIN,
  ],
  [/bindings file|Cannot find module/, () => 'is missing', AGAIN],
  [/^ERR_DLOPEN_FAILED/, (message) => `cannot be loaded: ${message.split('\n')[0]}`, AGAIN],
];

/** @throws DriverError where SQLite cannot be loaded, whatever file it is to open */
export function loadSqlite(): void {
  try {
    new Database(MEMORY).close();
  } catch (cause) {
    const { message, code } =
      cause instanceof Error ? { code: '', ...cause, message: cause.message } : { message: String(cause), code: '' };
    const fault = ADDON_FAULTS.find(([pattern]) => pattern.test(`${code} ${message}`));
    throw fault === undefined
      ? new DriverError(message, '', { cause })
      : new DriverError(`SQLite's addon (better_sqlite3.node) ${fault[1](message)}`, fault[2], { cause });
  }
}

/**
 * Brings the tables up to date, in one transaction. Drizzle's own way tells of a full disk only that it could not roll back:
 * SQLite has done so by then.
 */
export function migrateFile(client: Database.Database, migrationsFolder: string): void {
  client.exec(
    'create table if not exists __drizzle_migrations (id serial primary key, hash text not null, created_at numeric)',
  );
  const last = client.prepare('select max(created_at) from __drizzle_migrations').pluck();
  const insert = client.prepare('insert into __drizzle_migrations (hash, created_at) values (?, ?)');
  const pending = () =>
    readMigrationFiles({ migrationsFolder }).filter(({ folderMillis }) => folderMillis > Number(last.get() ?? 0));
  if (pending().length === 0) return;
  const apply = client.transaction(() => {
    for (const { sql, hash, folderMillis } of pending()) {
      for (const statement of sql) client.exec(statement);
      insert.run(hash, folderMillis);
    }
  });
  apply.immediate();
}

/** Reads the whole file. @throws UnfitError where it is damaged */
export function assertWhole(client: Database.Database): void {
  const said = checked(client);
  if (said === 'ok') return;
  const what = said.split('\n').at(-1);
  throw new UnfitError(`is damaged: ${what}`, 'restore a back-up, or save what can be read with sqlite3 FILE .recover');
}

function checked(client: Database.Database): string {
  try {
    return client.prepare<[], string>('pragma quick_check(1)').pluck().get() ?? '';
  } catch (fault) {
    if (fault instanceof Database.SqliteError && fault.code.startsWith('SQLITE_CORRUPT')) return fault.message;
    throw fault;
  }
}
