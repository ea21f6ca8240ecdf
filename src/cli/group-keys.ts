/** Warnings of dealers whose groups are joined by whoever knows their names [P-19.3]. */
import { areNamesKeys } from '../auth/group-key.ts';
import type { DealerStore } from '../store/dealers.ts';
import type { Warning } from './warning.ts';

/** Dealers that are named; of more, that there are more is said. */
const NAMED = 3;
/** Dealers that are looked at. */
const MOST = 1000;

export async function warningsOfGroupKeys(store: DealerStore): Promise<Warning[]> {
  const now = Date.now();
  const open = (await store.dealersByName(MOST)).filter((dealer) => areNamesKeys(dealer, now));
  if (open.length === 0) return [];
  const named = open.slice(0, NAMED).map(({ dealerId, groupKeyUntil }) => `${dealerId} (until ${groupKeyUntil})`);
  const more = open.length > NAMED ? ', and others' : '';
  return [
    {
      found: `whoever knows a groupId joins its conversation (groupKey id) at ${named.join(', ')}${more}`,
      advice: 'docs/security.md says what that gives up; telle dealer add <dealerId> --group-key token ends it',
    },
  ];
}
