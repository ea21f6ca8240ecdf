/** [P-11.5] What a dealer's `retentionDays` asks for: conversations that have been quiet for so long are forgotten. */
import { randomUUID } from 'node:crypto';
import type { Journal } from './journal.ts';
import type { Store } from './store.ts';

const DAY = 24 * 60 * 60 * 1000;
/** Dealers, and groups of one, that are looked at at a time. */
const AT_ONCE = 100;

/** How far it has come. */
export interface Pruned {
  readonly dealers: number;
  readonly groups: number;
}

/**
 * Erases what is too old, dealer by dealer, telling after each part how far it has come. A customer who is here is never
 * forgotten. Throws where the database fails: what was erased until then is.
 * @param now ms since 1970
 */
export async function* prune(store: Store, journal: Journal, now: number): AsyncGenerator<Pruned> {
  let dealers = 0;
  let groups = 0;
  for await (const { dealerId, retentionDays } of dealersOf(store)) {
    if (retentionDays === undefined) continue;
    dealers += 1;
    yield { dealers, groups };
    for (;;) {
      const idle = await store.idleGroups(dealerId, now - retentionDays * DAY, AT_ONCE);
      const erased = await Promise.all(idle.map((group) => forget(journal, dealerId, group)));
      groups += erased.filter(Boolean).length;
      yield { dealers, groups };
      // Those that were refused would be found again.
      if (idle.length < AT_ONCE || !erased.some(Boolean)) break;
    }
  }
}

async function forget(
  journal: Journal,
  dealerId: string,
  group: { groupId: string; lastSeq: number },
): Promise<boolean> {
  const body = { type: 'ERASE_GROUP', dealerId, ...group, erasureId: randomUUID(), reason: 'retention' } as const;
  const outcome = await journal.append({ role: 'server', sender: 'server:retention', key: null, body });
  if (!('refusal' in outcome)) return true;
  if (outcome.refusal.code === 'unavailable') throw new Error(outcome.refusal.message);
  return false;
}

async function* dealersOf(store: Store) {
  for (let after = ''; ; ) {
    const dealers = await store.dealers(after, AT_ONCE);
    yield* dealers;
    const last = dealers.at(-1);
    if (!last || dealers.length < AT_ONCE) return;
    after = last.dealerId;
  }
}
