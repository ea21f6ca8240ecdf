/** Findings of `telle doctor` about the database, and about where it lies. */
import { accessSync, constants, existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { MEMORY, type Settings, shownDatabase, sqliteFile } from '../../schemas/settings.ts';
import { isDatabaseServed, openStore } from '../app.ts';
import { freeBytesOf, inGiB, LITTLE_SPACE } from '../store/disk.ts';
import { DriverError, UnfitError } from '../store/store.ts';
import { warningsOfDemo } from './demo.ts';
import { type Finding, fault, ok, skewOf, warned, warning } from './finding.ts';
import { warningsOfGroupKeys } from './group-keys.ts';
import { isTelle } from './listening.ts';
import { warningsOfFiles } from './private-files.ts';
import { reasonOf } from './reason.ts';

/** Free bytes below which a server cannot start: it makes its tables, or its write-ahead log. */
const NO_SPACE = 1024 ** 2;

/** The folder of an embedded database, or where that is not there, the one that it would be made in. */
function folderOf(settings: Settings): string | null {
  const file = sqliteFile(settings);
  if (file === null || file === MEMORY) return null;
  let folder = resolve(dirname(file));
  while (!existsSync(folder)) folder = dirname(folder);
  return folder;
}

export async function checkDatabase(settings: Settings): Promise<readonly Finding[]> {
  const file = sqliteFile(settings);
  try {
    if (file !== null) await openStore({ ...settings, DATABASE_URL: `sqlite:${MEMORY}` }).close();
    if (file === MEMORY) return [ok('in memory: it is gone when the server ends')];
    assertWritable(settings);
    if (file !== null && !existsSync(file)) return [ok(`none yet: ${file} is made at the first start`)];
    return [...(await findingsIn(settings)), ...(await servingOf(settings))];
  } catch (error) {
    if (error instanceof UnfitError && !(error instanceof DriverError))
      return [fault(`${shownDatabase(settings)} ${error.found}`, error.advice)];
    if (error instanceof DriverError) return [fault(error.found, error.advice || 'without it nothing starts')];
    const advice =
      file === null ? 'is it running, and do DATABASE_URL and its password fit?' : `may this user write to ${file}?`;
    return [fault(`${shownDatabase(settings)} does not answer: ${reasonOf(error)}`, advice)];
  }
}

/** @throws where a server could not make its files, or write to those that are there. What is tried is taken away again. */
function assertWritable(settings: Settings): void {
  const [folder, file] = [folderOf(settings), sqliteFile(settings)];
  if (folder === null || file === null) return;
  rmdirSync(mkdtempSync(join(folder, '.telle-')));
  for (const each of [file, `${file}-wal`, `${file}-shm`, `${file}.lock`]) {
    if (existsSync(each)) accessSync(each, constants.R_OK | constants.W_OK);
  }
}

async function findingsIn(settings: Settings): Promise<Finding[]> {
  const store = openStore(settings);
  try {
    await store.examine();
    const pending = await store.pendingMigrations();
    // It looks into the tables, which a new database does not have yet.
    if (pending === 0) await store.check();
    return [
      ok(`${shownDatabase(settings)} answers`),
      migrationsOf(pending),
      ...(await skewOf('the database', () => store.now())),
      ...warningsOfFiles(settings).map(warned),
      ...(pending === 0 ? [...(await warningsOfDemo(store)), ...(await warningsOfGroupKeys(store))] : []).map(warned),
    ];
  } finally {
    await store.close();
  }
}

function migrationsOf(pending: number): Finding {
  if (pending === 0) return ok('its tables are up to date');
  return warning(`${pending} migrations are to be applied`, 'telle migrate, or the next start, applies them');
}

/** Tells whether the server that these settings are for runs: it has the database, and its port. */
export async function isRunning(settings: Settings): Promise<boolean> {
  try {
    return isDatabaseServed(settings) !== false && (await isTelle(settings));
  } catch {
    return false; // no server could take its lock
  }
}

/** A second server is not let in. */
async function servingOf(settings: Settings): Promise<Finding[]> {
  if (!isDatabaseServed(settings) || (await isRunning(settings))) return [];
  const advice = 'end that one; or look with its own HOST and PORT, if it is to be looked at';
  return [fault(`another telle serves ${sqliteFile(settings)}`, advice)];
}

/** Checks that there is room for what is written. */
export async function checkDisk(settings: Settings): Promise<readonly Finding[]> {
  const folder = folderOf(settings);
  if (folder === null) return [];
  return [roomOf(await freeBytesOf(folder), folder)];
}

export function roomOf(free: number, folder: string): Finding {
  const found = `${inGiB(free)} free for ${folder}`;
  if (free > LITTLE_SPACE) return ok(found);
  if (free > NO_SPACE) return warning(found, 'a full disk refuses every message: make room');
  return fault(`${Math.floor(free / 1024)} KiB free for ${folder}`, 'too little for a start: make room');
}
