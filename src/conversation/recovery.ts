/** [P-3.6] Recovery: the part of a `since` that a session may be told, and what of that can be told whole. */
import { refused } from '../../schemas/errors.ts';
import type { Since } from '../../schemas/frames.ts';
import { ALL_DEALERS, DEALER_SCOPE, DESK_SCOPE } from '../../schemas/table.ts';
import { maySee } from '../auth/permit.ts';
import type { Session } from '../auth/session.ts';
import type { LogStore } from '../store/log.ts';
import type { House } from './house.ts';

/** The most events of a scope that are replayed. */
const MAX_REPLAY = 500;

/** Parts that know what a session missed. */
export interface Recovering extends Pick<House, 'feed' | 'metrics'> {
  readonly store: LogStore;
}

/** End of each scope, and those of them that `since` names can be told whole. */
export interface Missed {
  readonly tails: ReadonlyMap<string, number>;
  readonly recovered: Readonly<Record<string, boolean>>;
}

/**
 * Reads what a session missed, so that nothing which happens meanwhile is passed over.
 * @param isOther true where `since` is of another log [P-21.1]: nothing of it can be told whole
 */
export async function recover(
  { store, feed, metrics }: Recovering,
  session: Session,
  since: Since,
  isOther: boolean,
): Promise<Missed> {
  let missed = await missedBy(store, session, since, isOther);
  // Once is enough: where a scope's cursor stood before the reading began, nothing can have been skipped since.
  if (!feed.know(session.dealerId, missed.tails)) missed = await missedBy(store, session, since, isOther);
  for (const [scope, whole] of Object.entries(missed.recovered)) {
    if (maySee(session, scope)) metrics.recovered(whole ? 'whole' : 'not whole');
  }
  return missed;
}

async function missedBy(store: LogStore, session: Session, since: Since, isOther: boolean): Promise<Missed> {
  const named = Object.keys(since).filter((scope) => mayRecover(session, scope));
  const tails = await store.tails(session.dealerId, [...new Set([...ownScopes(session), ...named])]);
  const missed = (scope: string, seen: number) => (tails.get(scope) ?? -1) - seen;
  const within = isOther
    ? []
    : Object.entries(since).filter(([scope, seen]) => missed(scope, seen) >= 0 && missed(scope, seen) <= MAX_REPLAY);
  // Only a group's log can have been erased from its beginning on [P-11.4].
  const behind = within.filter(([scope, seen]) => !scope.startsWith('@') && missed(scope, seen) > 0);
  const firsts = await store.firstAfter(session.dealerId, new Map(behind));
  const whole = new Set(
    within.filter(([scope, seen]) => (firsts.get(scope) ?? seen + 1) === seen + 1).map(([scope]) => scope),
  );
  const recovered = Object.keys(since).map((scope) => [scope, whole.has(scope)] as const);
  // Made from entries: a group may be called `__proto__`.
  return { tails, recovered: Object.fromEntries(recovered) };
}

/** [P-3.5] The scopes that `seqs` names. */
export function ownScopes(session: Session): string[] {
  if (session.role === 'customer') return [session.groupId, DEALER_SCOPE];
  return session.dealerId === ALL_DEALERS ? [] : [DEALER_SCOPE, DESK_SCOPE];
}

/**
 * Tells whether a scope of `since` is this session's to see. A customer may name `@desk`, whose seqs it knows from the acks of
 * its own updates, but is never shown it.
 * @throws RefusedError `forbidden` for any other scope that is not
 */
export function mayRecover(session: Session, scope: string): boolean {
  if (session.dealerId === ALL_DEALERS) {
    throw refused('invalid_payload', 'since: a server of all dealers has none', {
      details: [{ path: '/since', message: 'expected none where dealerId is *' }],
    });
  }
  if (maySee(session, scope)) return true;
  if (session.role === 'customer' && (scope === DESK_SCOPE || scope === session.formerly)) return false;
  throw refused('forbidden', 'since names a scope that this session may not see');
}
