/** [P-11.5] Retention, as a dealer's `retentionDays` asks: conversations that have been quiet for so long are forgotten. */
import { randomUUID } from 'node:crypto';
import type { DealerStore } from '../store/dealers.ts';
import type { GroupStore } from '../store/groups.ts';
import type { Journal } from './journal.ts';

const DAY = 24 * 60 * 60 * 1000;
/** Dealers, and groups of one, that are looked at at a time. */
const AT_ONCE = 100;

/** Progress of a pruning. */
export interface Pruned {
  readonly dealers: number;
  readonly groups: number;
  /** Conversations that were due, and could not be erased now. */
  readonly failed: number;
}

/**
 * Erases what is too old, dealer by dealer, telling after each part how far it has come. A customer who is here is never
 * forgotten. One that cannot be erased hinders no other. Throws where the database fails to tell what is too old.
 * @param now ms since 1970
 */
export async function* prune(store: DealerStore & GroupStore, journal: Journal, now: number): AsyncGenerator<Pruned> {
  let pruned: Pruned = { dealers: 0, groups: 0, failed: 0 };
  for await (const { dealerId, retentionDays } of dealersOf(store)) {
    if (retentionDays === undefined) continue;
    pruned = { ...pruned, dealers: pruned.dealers + 1 };
    yield pruned;
    for (let left = 0; ; ) {
      const idle = await store.idleGroups(dealerId, now - retentionDays * DAY, { after: left, limit: AT_ONCE });
      const fates = await Promise.all(idle.map((group) => expire(journal, dealerId, group)));
      const count = (fate: Fate) => fates.filter((each) => each === fate).length;
      const erased = count('erased');
      pruned = { ...pruned, groups: pruned.groups + erased, failed: pruned.failed + count('failed') };
      yield pruned;
      if (idle.length < AT_ONCE) break;
      left += idle.length - erased; // they are found again, before all others
    }
  }
}

/** The fate of a conversation: one that goes on after all is refused. */
type Fate = 'erased' | 'refused' | 'failed';

async function expire(journal: Journal, dealerId: string, group: { groupId: string; lastSeq: number }): Promise<Fate> {
  const body = { type: 'ERASE_GROUP', dealerId, ...group, erasureId: randomUUID(), reason: 'retention' } as const;
  const outcome = await journal.append({ role: 'server', sender: 'server:retention', key: null, body });
  if (!('refusal' in outcome)) return 'erased';
  return outcome.refusal.code === 'unavailable' ? 'failed' : 'refused';
}

async function* dealersOf(store: DealerStore) {
  for (let after = ''; ; ) {
    const dealers = await store.dealers(after, AT_ONCE);
    yield* dealers;
    const last = dealers.at(-1);
    if (!last || dealers.length < AT_ONCE) return;
    after = last.dealerId;
  }
}
