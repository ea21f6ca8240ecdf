import { existsSync, statSync } from 'node:fs';
import { MEMORY, type Settings, shownDatabase, sqliteFile } from '../../schemas/settings.ts';
import { type Restored, restoreFile } from '../app.ts';
import { ServedError, UnfitError } from '../store/store.ts';
import { missing } from './must-exist.ts';
import { reasonOf } from './reason.ts';
import { UsageError } from './usage-error.ts';

const ADVICE = 'name a file that telle backup made';

/** `telle restore`: puts a back-up in the place of the embedded database, which no server may have meanwhile. */
export async function restore(settings: Settings, from: string): Promise<void> {
  const file = sqliteFile(settings);
  if (file === null) throw new UsageError('only an embedded database is restored so: for Postgres, use pg_restore');
  if (file === MEMORY)
    throw new UsageError(`DATABASE_URL is "${shownDatabase(settings)}", which is its server's alone: set another`);
  if (!existsSync(from)) throw new UsageError(`${missing(from)}: ${ADVICE}`);
  if (statSync(from).isDirectory()) throw new UsageError(`${from} is a folder: ${ADVICE}`);
  const { aside, pending } = restored(settings, from, file);
  const [kept, older] = [
    aside === null ? '' : `; what was there is kept as ${aside}: remove that once you are sure`,
    pending === 0 ? '' : `; it is of an older version: telle migrate, or the next start, brings it up to date`,
  ];
  process.stdout.write(`${file} now holds what ${from} holds${kept}${older}\n`);
}

/** @throws UsageError where one of the two is not as it must be; any other error in a sentence */
function restored(settings: Settings, from: string, file: string): Restored {
  try {
    return restoreFile(from, file);
  } catch (cause) {
    if (cause instanceof UnfitError) throw new UsageError(`${from} ${cause.message}`, { cause });
    const sentence = `DATABASE_URL is "${shownDatabase(settings)}", which cannot be restored: ${reasonOf(cause)}`;
    throw cause instanceof ServedError ? new UsageError(sentence, { cause }) : new Error(sentence, { cause });
  }
}
