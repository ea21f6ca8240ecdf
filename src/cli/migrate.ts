import { type Settings, shownDatabase } from '../../schemas/settings.ts';
import { openStore } from '../app.ts';

/** `telle migrate`: brings the database's tables up to date, and ends. */
export async function migrateDatabase(settings: Settings): Promise<void> {
  const store = openStore(settings);
  await store.migrate();
  await store.close();
  process.stdout.write(`${shownDatabase(settings)} is up to date\n`);
}
