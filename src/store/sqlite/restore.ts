/**
 * Putting a back-up in the place of an embedded database. Until the last step nothing of that is touched; then what was there is
 * under another name, whole, with what only its write-ahead log had.
 */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  lchownSync,
  linkSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { makeFolderOf, makePrivate, PRIVATE } from '../../private-file.ts';
import { ServedError, UnfitError } from '../store.ts';
import { loadSqlite } from './addon.ts';
import { changeEpoch } from './epoch.ts';
import { lock } from './lock.ts';
import { hadBy, pendingOf } from './migrating.ts';
import { assertWhole } from './whole.ts';

const MAGIC = Buffer.from('SQLite format 3\0');

/** Parts of a database in WAL mode beside its file. */
const BESIDE = ['-wal', '-shm', '-journal'];

export interface Restored {
  /** File that has now what was there; null: nothing was. */
  readonly aside: string | null;
  /** Migrations that it has not had yet. */
  readonly pending: number;
}

/**
 * @throws ServedError where somebody has the database; UnfitError where what is to take its place is none. Nothing has changed then
 */
export function restoreFile(from: string, file: string): Restored {
  loadSqlite();
  makeFolderOf(file);
  const held = lock(file);
  try {
    // By whatever name it is called: a link to the file stays one.
    const place = existsSync(file) ? realpathSync(file) : file;
    if (existsSync(place) && realpathSync(from) === place)
      throw new UnfitError('is the database itself', 'name a back-up');
    return replace(from, place);
  } finally {
    held.close();
  }
}

function replace(from: string, place: string): Restored {
  const part = `${place}.restoring`;
  removeParts(part);
  try {
    for (const end of ['', '-wal']) copyPart(`${from}${end}`, `${part}${end}`);
    const pending = makeReady(part);
    const aside = setAside(place);
    takePlace(part, place);
    return { aside, pending };
  } finally {
    removeParts(part);
  }
}

/** Puts a file, as its owner's who serves, in the place of another. */
export function takePlace(part: string, place: string): void {
  giveToOwnerOf(existsSync(place) ? place : dirname(place), part);
  giveToOwnerOf(part, `${place}.lock`);
  flush(part);
  renameSync(part, place);
  flush(dirname(place));
}

function copyPart(from: string, to: string): void {
  if (!existsSync(from)) return;
  makePrivate(to); // else others could read it while it is written
  copyFileSync(from, to); // with the mode that the other has
  chmodSync(to, PRIVATE);
}

const notOurs = () => new UnfitError("is no database of Telle's", 'name a file that telle backup made');

const isNoDatabase = (fault: unknown): boolean =>
  fault instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(fault.code);

/** Looks at a copy as a server will, and makes it one file, of an epoch of its own. @returns the migrations that it needs */
function makeReady(part: string): number {
  const client = new Database(part, { fileMustExist: true });
  try {
    assertWhole(client);
    const pending = pendingOf(client).length;
    if (hadBy(client).length === 0) throw notOurs();
    changeEpoch(client); // [P-21.1]
    client.pragma('journal_mode = DELETE');
    return pending;
  } catch (fault) {
    throw isNoDatabase(fault) ? notOurs() : fault;
  } finally {
    client.close();
  }
}

/** Keeps what is there under another name; under its own it stays until something takes its place. @returns the other */
function setAside(place: string): string | null {
  const aside = `${place}.before-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
  const isThere = existsSync(place);
  if (isThere && isDatabase(place)) makeWhole(place);
  // Of one that is damaged they are kept as they are.
  for (const end of BESIDE) if (existsSync(`${place}${end}`)) renameSync(`${place}${end}`, `${aside}${end}`);
  if (!isThere) return null;
  try {
    linkSync(place, aside);
  } catch {
    copyFileSync(place, aside); // a file system without links
  }
  chmodSync(aside, PRIVATE);
  return aside;
}

/** Tells by its first bytes whether SQLite would take a file for a database: of one that is none it takes the log away. */
function isDatabase(file: string): boolean {
  const begins = Buffer.alloc(MAGIC.length);
  const handle = openSync(file, 'r');
  readSync(handle, begins);
  closeSync(handle);
  return begins.equals(MAGIC);
}

/** Carries the write-ahead log into its file. @throws ServedError where another program has it open */
export function makeWhole(place: string): void {
  const client = new Database(place, { timeout: 0, fileMustExist: true });
  try {
    client.pragma('journal_mode = DELETE');
  } catch (fault) {
    if (fault instanceof Database.SqliteError && fault.code.startsWith('SQLITE_BUSY'))
      throw new ServedError(`another program has ${place} open: end it first`);
    if (!isNoDatabase(fault)) throw fault;
  } finally {
    client.close();
  }
}

/**
 * Gives a file of root's to whoever has another: it is that user who serves, and who may have put a link there
 * meanwhile. Nobody but root may give a file away.
 */
function giveToOwnerOf(other: string, file: string): void {
  const { uid, gid } = statSync(other);
  if (process.getuid?.() === 0) lchownSync(file, uid, gid);
}

function flush(path: string): void {
  if (process.platform === 'win32') return; // which flushes no folder, and renames through its own journal
  const handle = openSync(path, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

export const removeParts = (file: string): void => {
  for (const end of ['', ...BESIDE]) rmSync(`${file}${end}`, { force: true });
};
