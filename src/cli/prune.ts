import type { Settings } from '../../schemas/settings.ts';
import { openJournal } from '../app.ts';
import { eraseMarked } from '../journal/eraser.ts';
import { type Pruned, prune } from '../journal/retention.ts';
import { rootOf } from '../log.ts';
import { openDatabase } from './database.ts';
import { mustExist } from './must-exist.ts';
import { readSecrets } from './secrets.ts';

/** `telle prune`: forgets what dealers' `retentionDays` no longer keep, as a server does every day. */
export async function pruneDatabase(settings: Settings): Promise<void> {
  mustExist(settings);
  // Without the server's secret the receipts wait for the server to key them: another's key would hide them from it.
  const secrets = settings.AUTH_SECRET === undefined ? [] : readSecrets(settings);
  const store = openDatabase(settings, { secrets });
  const journal = openJournal(settings, store, (fault) =>
    process.stderr.write(`telle: ${fault instanceof Error ? rootOf(fault).message : 'a fault'}\n`),
  );
  const isWatched = process.stderr.isTTY;
  let pruned: Pruned = { dealers: 0, groups: 0, failed: 0 };
  try {
    for await (pruned of prune(store, journal, Date.now())) {
      if (isWatched) process.stderr.write(`\r${pruned.groups} conversations erased`);
    }
    await eraseMarked(store);
  } finally {
    if (isWatched) process.stderr.write('\n');
    await journal.close();
    await store.close();
  }
  process.stdout.write(`${pruned.groups} conversations of ${pruned.dealers} dealers with retentionDays were erased\n`);
  if (pruned.failed > 0) throw new Error(`${pruned.failed} conversations that are too old could not be erased`);
}
