/** The lock of the embedded database: one server writes it. */
import { existsSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { isShared, makePrivate } from '../../private-file.ts';
import { ServedError } from '../store.ts';

/**
 * Keeps a second server off the file: two would number the same events. The lock is the operating system's, so that it
 * goes with the process, however that dies. Nobody else on the machine may open its file: who can, can hold it.
 * @throws where another process holds it, or its file is not this user's own
 */
export function lock(file: string): Database.Database {
  // By whatever name it is called: a link to the file is the file.
  const database = existsSync(file) ? realpathSync(file) : join(realpathSync(dirname(file)), basename(file));
  const path = `${database}.lock`;
  makePrivate(path);
  assertOwn(path, database);
  const held = new Database(path, { timeout: 0 });
  try {
    held.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    held.close();
    if (!isBusy(cause)) throw cause;
    const more = isShared(path) ? `, or somebody holds ${path}, which others may open: chmod 600 it` : ': end it first';
    throw new ServedError(`another telle serves ${file}${more}`, { cause });
  }
  return held;
}

const isBusy = (fault: unknown): boolean => fault instanceof Database.SqliteError && fault.code === 'SQLITE_BUSY';

/**
 * Tells whether a server has the file now. Nothing is made, and the lock is held for a moment only.
 * @throws where no server could take it
 */
export function isServed(file: string): boolean {
  const database = existsSync(file) ? realpathSync(file) : file;
  const path = `${database}.lock`;
  if (!existsSync(path)) return false;
  assertOwn(path, database);
  const looked = new Database(path, { timeout: 0, readonly: true });
  try {
    looked.prepare('select count(*) from sqlite_master').get();
    return false;
  } catch (fault) {
    if (isBusy(fault)) return true;
    throw fault;
  } finally {
    looked.close();
  }
}

/** @throws where a lock is not a file of this user's, or of the database's owner: root may serve what is another user's */
function assertOwn(path: string, database: string): void {
  if (process.getuid === undefined) return;
  const owners = [process.getuid(), statSync(database, { throwIfNoEntry: false })?.uid];
  const found = lstatSync(path);
  if (found.isFile() && owners.includes(found.uid)) return;
  throw new ServedError(
    `${path} is not a file of this user's, and whoever holds it keeps every server away: remove it`,
  );
}
