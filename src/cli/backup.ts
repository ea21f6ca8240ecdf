import { existsSync, statSync } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { type Settings, sqliteFile } from '../../schemas/settings.ts';
import { PRIVATE } from '../private-file.ts';
import { openDatabase } from './database.ts';
import { mustExist } from './must-exist.ts';
import { UsageError } from './usage-error.ts';

/** `telle backup`: a consistent copy of the embedded database, while the server runs. */
export async function backUp(settings: Settings, file: string): Promise<void> {
  mustExist(settings);
  if (existsSync(file)) throw new UsageError(`${file} exists: name a file that does not`);
  const part = `${file}.part`;
  const store = openDatabase(settings);
  try {
    if (store.copyTo === null) {
      throw new UsageError('only an embedded database is copied so: for Postgres, use pg_dump');
    }
    await rm(part, { force: true });
    await writeFile(part, '', { mode: PRIVATE, flag: 'wx' }); // else others could read it while it is written
    await store.copyTo(part);
    await flush(part);
    await rename(part, file);
  } finally {
    await store.close();
  }
  process.stdout.write(`${file} is a copy of ${sqliteFile(settings)}, ${statSync(file).size} bytes\n`);
}

/** A copy that the disk does not have yet is none. */
async function flush(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.sync();
  await handle.close();
}
