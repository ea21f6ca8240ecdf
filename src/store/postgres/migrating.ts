/** Brings the tables of a database that is in use up to date, without having everybody else wait for who holds one of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { assetFolder } from '../../assets.ts';
import { ServedError } from '../store.ts';

export const MIGRATIONS = 'drizzle/postgres/migrations';

/** The longest wait for a table that somebody has, in seconds: whoever comes for it meanwhile waits behind. */
const PATIENCE = 2;
/** Number of tries, and the pause between two, in seconds. */
const TRIES = 10;
const PAUSE = 5;

/** @throws ServedError where somebody has a table each time; all is as it was then */
export async function migrateInTries(client: pg.Client, onBusy: (sentence: string) => void): Promise<void> {
  await client.query(`set lock_timeout = '${PATIENCE}s'`);
  for (let tried = 1; ; tried += 1) {
    try {
      await migrate(drizzle(client), { migrationsFolder: assetFolder(MIGRATIONS) });
      return;
    } catch (fault) {
      if (!isLocked(fault)) throw fault;
      if (tried === TRIES) throw new ServedError(`${IN_USE}, ${TRIES} times: ${ADVICE}`, { cause: fault });
      onBusy(`${IN_USE}: tried again in ${PAUSE} s (${tried} of ${TRIES})`);
      await sleep(PAUSE * 1000);
    }
  }
}

const IN_USE = `a table is in use, and was not to be had in ${PATIENCE} s`;
const ADVICE =
  'end the long transactions that select pid, query from pg_stat_activity shows, or migrate in a quiet hour';

/** lock_not_available */
const isLocked = (fault: unknown): boolean =>
  fault instanceof pg.DatabaseError
    ? fault.code === '55P03'
    : fault instanceof Error && fault.cause !== undefined && isLocked(fault.cause);
