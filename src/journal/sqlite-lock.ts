/** The lock of the embedded database: one server writes it. */
import { existsSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { isShared, makePrivate } from '../private-file.ts';

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
  if (!isOwn(path, database)) {
    throw new Error(`${path} is not a file of this user's, and whoever holds it keeps every server away: remove it`);
  }
  const held = new Database(path, { timeout: 0 });
  try {
    held.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    held.close();
    const or = isShared(path) ? `, or somebody holds ${path}, which others may open: chmod 600 it` : '';
    throw new Error(`another telle serves ${file}${or}`, { cause });
  }
  return held;
}

/** Whether a lock is a file of this user's, or of the database's owner: root may serve what is another user's. */
function isOwn(path: string, database: string): boolean {
  if (process.getuid === undefined) return true;
  const owners = [process.getuid(), statSync(database, { throwIfNoEntry: false })?.uid];
  const found = lstatSync(path);
  return found.isFile() && owners.includes(found.uid);
}
