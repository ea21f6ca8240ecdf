/** [P-11.5] Retention, as a dealer's `retentionDays` asks: conversations that have been quiet for so long are forgotten. */
import { randomUUID } from 'node:crypto';
import type { ErrorCode } from '../../schemas/errors.ts';
import type { DealerStore } from '../store/dealers.ts';
import type { GroupStore } from '../store/groups.ts';
import type { Outcome } from './batch.ts';
import type { Journal } from './journal.ts';
import { paced } from './paced.ts';

const DAY = 24 * 60 * 60 * 1000;
/** Dealers, and groups of one, that are looked at at a time. */
const AT_ONCE = 100;
/** Groups that are erased in one transaction: what they have beside their logs goes at once. */
const TOGETHER = 25;

/** Progress of a pruning. */
export interface Pruned {
  readonly dealers: number;
  readonly groups: number;
  /** Conversations that were due, and could not be erased now. */
  readonly failed: number;
}

/**
 * Erases what is too old, dealer by dealer, part by part behind whoever speaks, telling after each part how far it has come. A customer
 * who is here is never forgotten. One that cannot be erased hinders no other. Throws where the database fails to tell what is too old.
 * @param now ms since 1970
 */
export async function* prune(store: DealerStore & GroupStore, journal: Journal, now: number): AsyncGenerator<Pruned> {
  let pruned: Pruned = { dealers: 0, groups: 0, failed: 0 };
  for await (const { dealerId, retentionDays } of dealersOf(store)) {
    if (retentionDays === undefined) continue;
    pruned = { ...pruned, dealers: pruned.dealers + 1 };
    yield pruned;
    for (let left = 0, isMore = true; isMore; ) {
      const idle = await store.idleGroups(dealerId, now - retentionDays * DAY, { after: left, limit: AT_ONCE });
      isMore = idle.length === AT_ONCE;
      for (let at = 0; at < idle.length; at += TOGETHER) {
        const part = idle.slice(at, at + TOGETHER);
        const fates = await paced(() => expire(journal, dealerId, part));
        const count = (fate: Fate) => fates.filter((each) => each === fate).length;
        pruned = { ...pruned, groups: pruned.groups + count('erased'), failed: pruned.failed + count('failed') };
        left += count('failed') + count('stays'); // they are found again, before all others
        yield pruned;
      }
    }
  }
}

/** The fate of a conversation: one that goes on after all stays, and one that somebody else has erased is gone. */
type Fate = 'erased' | 'failed' | 'stays' | 'gone';

type Idle = Awaited<ReturnType<GroupStore['idleGroups']>>[number];

/** Erases groups together; where that fails, each by itself: one of them may be what it failed for. */
async function expire(journal: Journal, dealerId: string, groups: readonly Idle[]): Promise<Fate[]> {
  const commands = groups.map((group) => {
    const body = { type: 'ERASE_GROUP', dealerId, ...group, erasureId: randomUUID(), reason: 'retention' } as const;
    return { role: 'server', sender: 'server:retention', key: null, body } as const;
  });
  const fates = (await journal.appendTogether(commands)).map(fateOf);
  if (groups.length === 1 || fates.some((fate) => fate !== 'failed')) return fates;
  const singly: Fate[] = [];
  for (const group of groups) singly.push(...(await expire(journal, dealerId, [group])));
  return singly;
}

function fateOf(outcome: Outcome): Fate {
  if (!('refusal' in outcome)) return 'erased';
  return FATES[outcome.refusal.code] ?? 'stays';
}

/** Fates by the code of a refusal. */
const FATES: Partial<Record<ErrorCode, Fate>> = {
  unavailable: 'failed',
  unknown_group: 'gone',
  unknown_dealer: 'gone',
};

async function* dealersOf(store: DealerStore) {
  for (let after = ''; ; ) {
    const dealers = await store.dealers(after, AT_ONCE);
    yield* dealers;
    const last = dealers.at(-1);
    if (!last || dealers.length < AT_ONCE) return;
    after = last.dealerId;
  }
}
