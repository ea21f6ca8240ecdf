/** SQLite itself, which is an addon: needed before any file. */
import Database from 'better-sqlite3';
import { MEMORY } from '../../../schemas/settings.ts';
import { DriverError } from '../store.ts';

/** npm does not look at the files of a package that is there, and there is nothing to rebuild: the package has its addons in it. */
const ADVICE = 'install it anew: npm ci, or remove node_modules/better-sqlite3 and npm install';

/** Ways in which an addon fails to load. The message, with all the places that were looked at, is many lines and not what to do. */
const FAULTS: readonly (readonly [says: RegExp, found: (message: string) => string])[] = [
  [/Cannot find module/, () => 'is missing'],
  [/^ERR_DLOPEN_FAILED/, (message) => `cannot be loaded: ${message.split('\n')[0]}`],
];

/** @throws DriverError where SQLite cannot be loaded, whatever file it is to open */
export function loadSqlite(): void {
  try {
    new Database(MEMORY).close();
  } catch (cause) {
    const { message, code } =
      cause instanceof Error ? { code: '', ...cause, message: cause.message } : { message: String(cause), code: '' };
    const fault = FAULTS.find(([pattern]) => pattern.test(`${code} ${message}`));
    throw fault === undefined
      ? new DriverError(message, '', { cause })
      : new DriverError(`SQLite's addon (better_sqlite3.node) ${fault[1](message)}`, ADVICE, { cause });
  }
}
