import type { Settings } from '../../schemas/settings.ts';
import { openJournal, openStore } from '../app.ts';
import { type Pruned, prune } from '../journal/retention.ts';
import { rootOf } from '../log.ts';
import { mustExist } from './must-exist.ts';

/** `telle prune`: forgets what dealers' `retentionDays` no longer keep, as a server does every day. */
export async function pruneDatabase(settings: Settings): Promise<void> {
  mustExist(settings);
  const store = openStore(settings);
  const journal = openJournal(settings, store, (fault) =>
    process.stderr.write(`telle: ${fault instanceof Error ? rootOf(fault).message : 'a fault'}\n`),
  );
  const isWatched = process.stderr.isTTY;
  let pruned: Pruned = { dealers: 0, groups: 0 };
  try {
    for await (pruned of prune(store, journal, Date.now())) {
      if (isWatched) process.stderr.write(`\r${pruned.groups} conversations erased`);
    }
  } finally {
    if (isWatched) process.stderr.write('\n');
    await journal.close();
    await store.close();
  }
  process.stdout.write(`${pruned.groups} conversations of ${pruned.dealers} dealers with retentionDays were erased\n`);
}
