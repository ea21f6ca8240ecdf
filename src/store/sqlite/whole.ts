/** Checks that a file is as SQLite wrote it. */
import Database from 'better-sqlite3';
import { UnfitError } from '../store.ts';

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
