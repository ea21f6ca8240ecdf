/** One batch, one transaction. */
import Database from 'better-sqlite3';
import { type CommitStore, NONE_LOCKED } from '../commits.ts';
import { revokingCustomers } from '../credentials.ts';
import type { Digests } from '../digests.ts';
import type { Changes, Needs, Rows } from '../rows.ts';
import { beginningAfter, settingAside } from '../setting-aside.ts';
import type { Batches } from './batch.ts';
import type { Checkpoints } from './checkpoints.ts';
import { carryOut, run } from './database.ts';
import { NOW, table } from './dialect.ts';
import { erasing } from './erasing.ts';
import { EVENTS_WHERE } from './log.ts';

interface Options {
  readonly client: Database.Database;
  readonly digests: Digests;
  readonly checkpoints: Checkpoints | null;
  readonly prepared: () => Batches;
}

/** Tells whether an event was not written because its sender's key is taken. */
const isRepeat = (fault: unknown): boolean =>
  fault instanceof Database.SqliteError &&
  fault.code === 'SQLITE_CONSTRAINT_UNIQUE' &&
  fault.message.includes('events.id');

export function commitsIn({ client, digests, checkpoints, prepared }: Options): CommitStore['commit'] {
  function transact(needs: Needs, work: (rows: Rows) => Changes, withPriors: boolean): void {
    const { cache, load, write } = prepared();
    const transaction = client.transaction(() => {
      const changes = work(load(needs, withPriors));
      for (const statement of settingAside(changes, EVENTS_WHERE, digests)) run(client, statement);
      if (changes.setAside.length > 0) cache.clear();
      write(changes);
      const consequences = [...beginningAfter(changes), ...revokingCustomers(changes, digests, { clock: NOW, table })];
      for (const statement of consequences) run(client, statement);
      carryOut(client, erasing(changes, digests));
      return changes;
    });
    try {
      const changes = transaction.immediate();
      cache.wrote(changes);
      checkpoints?.wrote(changes.events.length);
    } catch (fault) {
      cache.clear(); // what a commit that failed has done, the file knows
      throw fault;
    }
  }

  return async (needs, work) => {
    try {
      transact(needs, work, false);
    } catch (fault) {
      if (!isRepeat(fault)) throw fault;
      transact(needs, work, true); // [P-8.4]
    }
    return NONE_LOCKED;
  };
}
