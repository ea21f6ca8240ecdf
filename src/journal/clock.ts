/**
 * Clocks by which events have their times. Where several nodes share a database it is the database's: their own may differ, and be set
 * while they run. It is not asked for each event, but compared with this machine's steady clock at each heartbeat.
 */
import { performance } from 'node:perf_hooks';
import type { CredentialStore } from '../store/credentials.ts';

export interface Clock {
  /** The time, in ms since 1970. */
  readonly now: () => number;
  /** Asks the database for its time, in ms since 1970. */
  readonly ask: (time: () => Promise<number>) => Promise<number>;
}

/** The clock of an embedded database, which is this machine's. */
export const OWN: Clock = { now: () => Date.now(), ask: (time) => time() };

/** The clock of a database that nodes share. @param steady one that nobody sets, in ms */
export function sharedClock(steady: () => number = () => performance.now()): Clock {
  /** Lead of the database's, in ms. */
  let ahead = Date.now() - steady();
  let isKnown = false;
  return {
    now: () => Math.round(steady() + ahead),
    async ask(time) {
      const asked = steady();
      const told = await time();
      // It was this time there at some moment between two of here: what was believed changes no more than it must.
      const [least, most] = [told - steady(), told - asked];
      ahead = isKnown ? Math.min(Math.max(ahead, least), most) : (least + most) / 2;
      isKnown = true;
      return told;
    },
  };
}

/** The clock of a database. One that is away now is asked at the first heartbeat. */
export async function clockOf(store: Pick<CredentialStore, 'now'> & { readonly isCertain: boolean }): Promise<Clock> {
  const clock = store.isCertain ? OWN : sharedClock();
  await clock.ask(() => store.now()).catch(() => {});
  return clock;
}
