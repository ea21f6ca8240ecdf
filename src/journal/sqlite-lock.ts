/** The lock of the embedded database: one server writes it. */
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';

/**
 * Keeps a second server off the file: two would number the same events. The lock is the operating system's, so that it
 * goes with the process, however that dies.
 * @throws where another process holds it
 */
export function lock(file: string): Database.Database {
  // By whatever name it is called: a link to the file is the file.
  const path = existsSync(file) ? realpathSync(file) : join(realpathSync(dirname(file)), basename(file));
  const held = new Database(`${path}.lock`, { timeout: 0 });
  try {
    held.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    held.close();
    throw new Error(`another telle serves ${file}`, { cause });
  }
  return held;
}
