/** One batch, one transaction, in two writes. */
import { performance } from 'node:perf_hooks';
import { type CommitStore, type Locked, NONE_LOCKED } from '../commits.ts';
import { revokingCustomers } from '../credentials.ts';
import type { Digests } from '../digests.ts';
import type { Changes, Needs, Rows } from '../rows.ts';
import { beginningAfter, settingAside } from '../setting-aside.ts';
import { freeKeys, load, lockedDealers, writing } from './batch.ts';
import { NOW, table } from './dialect.ts';
import { erasing } from './erasing.ts';
import { EVENTS_WHERE } from './log.ts';
import {
  askPrepared,
  inOneWrite,
  isDatabases,
  isLocked,
  isLostRace,
  type PostgresPool,
  queryOf,
  withClient,
} from './pool.ts';

/** Tries of a batch that made the same new row as another node's, and of one that waited for a lock in vain. */
const MAX_TRIES = 5;
const MAX_WAITS = 2;
/** Time for which a batch waits where a whole table is locked, which none can go without, in ms. */
const PATIENCE = 3_000;

export function commitsIn(pool: PostgresPool, digests: Digests): CommitStore['commit'] {
  const transact = (needs: Needs, work: (rows: Rows) => Changes, isAgain: boolean): Promise<void> =>
    withClient(pool, async (client) => {
      try {
        const [, rows] = await inOneWrite(client, () =>
          Promise.all([pool.begin(client), load(pool, client, digests, needs)]),
        );
        const known = { dealers: new Set(rows.dealers.keys()), groups: new Set(rows.groups.keys()) };
        const changes = work(rows);
        for (const { dealerId, to } of changes.setAside) known.groups.add(`${dealerId}/${to}`);
        // Where one of them fails, those behind it do, and to commit then is to roll back.
        const statements = [
          ...(isAgain ? [freeKeys(needs)] : []),
          ...settingAside(changes, EVENTS_WHERE, digests).map(queryOf),
          ...writing(changes, known),
          ...beginningAfter(changes).map(queryOf),
          ...revokingCustomers(changes, digests, { clock: NOW, table }).map(queryOf),
          ...erasing(changes, digests).map(queryOf),
          { text: 'commit' },
        ];
        await inOneWrite(client, () => Promise.all(statements.map((statement) => askPrepared(client, statement))));
      } catch (error) {
        if (isDatabases(error)) await client.query('rollback').catch(() => {});
        throw error;
      }
    });

  const lockedOf = (needs: Needs): Promise<Locked> => withClient(pool, (client) => lockedDealers(client, needs));

  return async (needs, work) => {
    const began = performance.now();
    for (let races = 0, waits = 0; ; ) {
      try {
        await transact(needs, work, races > 0);
        return NONE_LOCKED;
      } catch (error) {
        if (isLocked(error)) {
          const locked = await lockedOf(needs).catch((fault: unknown) => {
            if (isLocked(fault) && performance.now() - began < PATIENCE) return null;
            throw fault;
          });
          if (locked === null) continue;
          if (locked.size > 0) return locked;
          waits += 1;
          // Some locks cannot be seen: that of a row which is not there yet.
          if (waits === MAX_WAITS) return new Set(needs.dealers.keys());
        } else {
          races += 1;
          if (!isLostRace(error) || races === MAX_TRIES) throw error;
        }
      }
    }
  };
}
