/** [P-3.1] By what a customer holds the name of its group, and who gives way to whom. */
import { customerPresence } from './chat.ts';
import { type Accepted, changed, type Entry, type Group, type Holder, NEW_GROUP, type State } from './state.ts';

/** For how long a claim that nobody acknowledged may be made again, in ms. */
const AGAIN = 60_000;

type Claim = Extract<Entry, { by: 'claim' }>;

/** When an unacknowledged claim was made, and by which join; null for any other holder. */
function openClaim(holder: Holder): { at: number; id: string } | null {
  if (!holder?.startsWith('claimed ')) return null; // every command of a customer asks
  const [, at, id] = /^claimed (\d+) (.+)$/.exec(holder) ?? [];
  return at === undefined || id === undefined ? null : { at: Number(at), id };
}

/** Tells whether a group's name is held by a claim. */
export const isClaimed = (group: Group | null): group is Group => group?.holder?.startsWith('claimed') ?? false;

/**
 * Tells whether a claim is one of before, made again: by the same join, whose socket went before its `session` was acknowledged.
 * Nobody else knows the id, and nothing was said yet.
 */
export function isSameClaim({ group, nodes }: State, { id, at, isHere }: Claim, node: string): boolean {
  const before = openClaim(group?.holder ?? null);
  const isElsewhere = [...nodes].some((each) => each !== node);
  return before !== null && before.id === id && at - before.at <= AGAIN && !isHere && !isElsewhere;
}

/** Words for who only knows the name of a group, by what opens it [P-19.3]. */
const TAKEN: Readonly<Record<NonNullable<Claim['key']>, string>> = {
  token: 'this group exists: join it with its token',
  id: 'this group exists: join it with its token',
  short: 'this group exists: join it with its token: groupKey id is for names of at least 16 characters',
  over: 'this group exists: join it with its token: groupKeyUntil is over',
};

/**
 * The reason why a claim is not let in; null: it is. The name is nobody's, or is joined by knowing it. That of an erased one is neither: whoever has a
 * token for it would be let into a stranger's conversation.
 */
export function faultOfClaim({ group, erased }: State, { key = 'token' }: Claim): string | null {
  if (group === null) return erased === null ? null : TAKEN.token;
  if (key !== 'id') return TAKEN[key];
  return group.holder === 'minted' ? 'this name is held by a token that its dealer minted' : null;
}

/** By what the name is held once a customer has come in. */
export function holderAfter(group: Group | null, entry: Entry | null): Holder {
  const holder = group?.holder ?? null;
  switch (entry?.by) {
    case 'claim':
      if (group !== null && entry.key === 'id') return acknowledged(holder);
      return entry.id === undefined ? 'claimed' : `claimed ${entry.at} ${entry.id}`;
    case 'kept':
      return group === null ? 'claimed' : acknowledged(holder);
    case 'minted':
    case 'adopted':
      return 'minted';
    case undefined:
      return holder;
  }
}

/** A claim whose token is in use holds for good. */
export const acknowledged = (holder: Holder): Holder => (openClaim(holder) ? 'claimed' : holder);

/**
 * A minted token meets a claimed name: the conversation that was there goes on under another name, and the name begins anew.
 * What is new counts on from where the old one ended [P-8.2], and its first event tells every node, in its turn, that who is
 * here by a claim is here no more.
 */
export function setAside(
  state: State,
  before: Group,
  { dealerId, groupId, node, spare }: { dealerId: string; groupId: string; node: string; spare: string },
): Accepted {
  const gone = before.online ? [customerPresence(dealerId, spare, false)] : [];
  return {
    events: [
      { type: 'SET_ASIDE', dealerId, groupId, user: 'customer', setAside: spare },
      ...gone,
      customerPresence(dealerId, groupId, true),
    ],
    state: {
      ...state,
      group: changed(NEW_GROUP, { online: true, lastSeq: before.lastSeq, holder: 'minted' }),
      nodes: new Set([node]),
    },
    setAside: spare,
  };
}
