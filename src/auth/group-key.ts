/** [P-19.3] Names that are keys: whether to know the name of a group is enough to join it, as its dealer has it for a time. */
/** The least length of a name that can be a key. It says nothing of how hard it is to guess: that is for who makes the names. */
const LEAST = 16;
const DAY = 24 * 60 * 60 * 1000;

/** Key of a group that exists: its token, or its name, too (`id`). `short` and `over`: it would be, but for its length, or the date. */
export type GroupKey = 'token' | 'id' | 'short' | 'over';

/** Settings of a dealer about it. */
interface Keeping {
  readonly groupKey?: string | null | undefined;
  readonly groupKeyUntil?: string | null | undefined;
}

/** Moment from which names are keys no longer, in ms since 1970. A day holds to its end. */
const endOf = (until: string): number => Date.parse(until) + (until.includes('T') ? 0 : DAY);

/** Tells whether names are keys at a moment, in ms since 1970. */
export const areNamesKeys = ({ groupKey, groupKeyUntil }: Keeping, now: number): boolean =>
  groupKey === 'id' && typeof groupKeyUntil === 'string' && now < endOf(groupKeyUntil);

/** The key of a group of this name, where there is one. @param now ms since 1970 */
export function keyOf(dealer: Keeping, groupId: string, now: number): GroupKey {
  if (dealer.groupKey !== 'id') return 'token';
  if (!areNamesKeys(dealer, now)) return 'over';
  return groupId.length < LEAST ? 'short' : 'id';
}
