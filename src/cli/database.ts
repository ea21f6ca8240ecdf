/** Opening of the database by commands: what hinders them is told with the setting's name and the remedy. */
import { type Settings, shownDatabase, sqliteFile } from '../../schemas/settings.ts';
import { type OpenOptions, openStore } from '../app.ts';
import type { Planned } from '../store/planning.ts';
import { DriverError, MisusedError, ServedError, type Store, UnfitError } from '../store/store.ts';
import type { Upkeep } from '../store/upkeep.ts';
import { reasonOf } from './reason.ts';
import { UsageError } from './usage-error.ts';

/** @throws UsageError where another server has it, or the setting asks for what there is not; any other error in a sentence */
export function openDatabase(settings: Settings, options: OpenOptions = {}): Store {
  try {
    return openStore(settings, options);
  } catch (cause) {
    if (cause instanceof DriverError) throw cause;
    const sentence = `DATABASE_URL is "${shownDatabase(settings)}", which cannot be opened: ${reasonOf(cause)}`;
    const isUsage = cause instanceof ServedError || cause instanceof MisusedError;
    throw isUsage ? new UsageError(sentence, { cause }) : new Error(sentence, { cause });
  }
}

/**
 * Brings its tables up to date, and says so before that is begun.
 * @returns whether it was new
 * @throws UsageError where this program cannot use it; any other error in a sentence
 */
export async function bringUpToDate(settings: Settings, store: Upkeep, to: NodeJS.WritableStream): Promise<boolean> {
  const tell = (migrations: number) => {
    const many = migrations === 1 ? 'a migration' : `${migrations} migrations`;
    to.write(`${shownDatabase(settings)} is given ${many}, which takes minutes where its log is large\n`);
  };
  return told(settings, () => store.migrate(tell, (sentence) => to.write(`${sentence}\n`)));
}

/** The migrations that it is to have, and what each does. @throws as `bringUpToDate` */
export const plannedFor = (settings: Settings, store: Upkeep): Promise<readonly Planned[]> =>
  told(settings, () => store.plan());

/** Has what is wrong with a database told in a sentence that names the setting. */
async function told<T>(settings: Settings, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof UnfitError)
      throw new UsageError(`DATABASE_URL is "${shownDatabase(settings)}", which ${cause.message}`, { cause });
    const isAway = sqliteFile(settings) === null && !(cause instanceof ServedError);
    const fault = isAway ? 'does not answer' : 'cannot be brought up to date';
    throw new Error(`DATABASE_URL is "${shownDatabase(settings)}", which ${fault}: ${reasonOf(cause)}`, { cause });
  }
}
