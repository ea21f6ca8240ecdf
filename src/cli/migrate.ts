import { type Settings, shownDatabase } from '../../schemas/settings.ts';
import { openStore } from '../app.ts';

/** Says that tables are brought up to date, before that is begun. */
export const tellOfUpgrade = (settings: Settings, to: NodeJS.WritableStream) => (migrations: number) => {
  const many = migrations === 1 ? 'a migration' : `${migrations} migrations`;
  to.write(`${shownDatabase(settings)} is given ${many}, which takes minutes where its log is large\n`);
};

/** `telle migrate`: brings the database's tables up to date, and ends. */
export async function migrateDatabase(settings: Settings): Promise<void> {
  const store = openStore(settings);
  await store.migrate(tellOfUpgrade(settings, process.stdout));
  await store.close();
  process.stdout.write(`${shownDatabase(settings)} is up to date\n`);
}
