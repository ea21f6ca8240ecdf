/** State of a server's parts, as its metrics show it. A part of the composition root. */

import type { Bus } from './bus/bus.ts';
import { RedisBus } from './bus/redis.ts';
import type { Conversations } from './conversation/conversations.ts';
import type { Presence, Who } from './hub/presence.ts';
import type { Eraser } from './journal/eraser.ts';
import type { Expiry } from './journal/expiry.ts';
import type { Journal } from './journal/journal.ts';
import type { Membership } from './journal/membership.ts';
import type { Metrics } from './metrics.ts';
import type { Due } from './store/due.ts';
import type { Upkeep } from './store/upkeep.ts';

interface Parts {
  readonly version: string;
  readonly store: Upkeep;
  readonly bus: Bus;
  readonly journal: Journal;
  readonly presence: Presence;
  readonly conversations: Conversations;
}

/** Shows what is there from the beginning. */
export function showParts(metrics: Metrics, parts: Parts): void {
  const { version, store, bus, journal, presence, conversations } = parts;
  metrics.showBuild(version);
  metrics.showJournal({ waiting: () => journal.waiting, locked: () => journal.locked });
  metrics.showPresence(() => countByRole(presence.here()));
  metrics.showMemory(() => conversations.unsent);
  if (store.walBytes) metrics.showWal(store.walBytes);
  if (store.pools) metrics.showPools(store.pools);
  if (bus instanceof RedisBus) metrics.showUnpublished(() => bus.unpublished);
}

interface Upkeeping {
  readonly eraser: Pick<Eraser, 'isRunning'>;
  readonly expiry: Pick<Expiry, 'isRunning'>;
  readonly membership: Pick<Membership, 'isBurying'>;
}

/** Shows the work of the background. */
export const showWork = (metrics: Metrics, { eraser, expiry, membership }: Upkeeping): void =>
  metrics.showWork(() => ({
    erasing: eraser.isRunning,
    retention: expiry.isRunning,
    burial: membership.isBurying,
  }));

/** Asks the database again and again what is due, and shows it: a scrape asks nobody. @returns what ends it */
export function watchDue(metrics: Metrics, store: Pick<Upkeep, 'due'>, interval: number): () => void {
  let last: Due = { erasures: 0, removals: 0, oldestLetterAt: null };
  const look = async () => {
    last = await store.due();
  };
  // Where the database is away, that is told where it is asked by others.
  const timer = setInterval(() => look().catch(() => {}), interval).unref();
  look().catch(() => {});
  metrics.showDue(() => ({
    work: { erasure: last.erasures, removal: last.removals },
    letterAge: last.oldestLetterAt === null ? 0 : Math.max(0, (Date.now() - last.oldestLetterAt) / 1000),
  }));
  return () => clearInterval(timer);
}

/** Counts people by role; a server is none. */
function countByRole(people: readonly Who[]): Record<string, number> {
  const counts: Record<string, number> = { customer: 0, admin: 0 };
  for (const { role } of people) if (role !== 'server') counts[role] = (counts[role] ?? 0) + 1;
  return counts;
}
