import { type Settings, shownDatabase } from '../../schemas/settings.ts';
import { bringUpToDate, openDatabase } from './database.ts';

/** `telle migrate`: brings the database's tables up to date, and ends. */
export async function migrateDatabase(settings: Settings): Promise<void> {
  const store = openDatabase(settings);
  try {
    const isNew = await bringUpToDate(settings, store, process.stdout);
    process.stdout.write(`${shownDatabase(settings)} ${isNew ? 'was made, and ' : ''}is up to date\n`);
  } finally {
    await store.close();
  }
}
