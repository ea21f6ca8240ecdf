/** [P-3] Joining, as the steps that it takes: who is it, may it, tell the others, catch up, go live. */
import { RefusedError, refused } from '../../../schemas/errors.ts';
import type { Envelope, SessionPayload, Since } from '../../../schemas/frames.ts';
import { ALL_DEALERS, DEALER_SCOPE, DESK_SCOPE, JOINS, type JoinChannel } from '../../../schemas/table.ts';
import type { Claims } from '../../../schemas/tokens.ts';
import { maySee } from '../../auth/permit.ts';
import type { Session } from '../../auth/session.ts';
import type { Entry } from '../../domain/state.ts';
import type { Seat } from '../../hub/hub.ts';
import type { Peer } from '../../hub/peer.ts';
import type { Who } from '../../hub/presence.ts';
import { decodeJoin } from '../../protocol/decode.ts';
import { ackFrame, instant, sessionFrame } from '../../protocol/encode.ts';
import { presenceCommand } from '../command.ts';
import type { Core } from '../core.ts';
import { credentialOf, mustBeTaken } from '../identity.ts';
import { inTurn } from '../turns.ts';
import { admit, type Entrance, identify, otherToken, tokenToKeep } from './admission.ts';
import { replay } from './replay.ts';

/** [P-3.6] The most events of a scope that are replayed. */
const MAX_REPLAY = 500;

export interface Joined {
  readonly session: Session;
  readonly seat: Seat;
  readonly who: Who | null;
}

/**
 * Joins a socket: sends its `session`, its `ack` and what it missed, and seats it in the hub.
 * @throws RefusedError where it may not; nothing is left behind
 */
export async function join(
  core: Core,
  entrance: Entrance,
  { channel, payload, id }: Envelope & { channel: JoinChannel },
  peer: Peer,
): Promise<Joined> {
  const asked = decodeJoin[channel](payload);
  const identified = await admit(core, entrance, asked, await identify(core, entrance, asked, JOINS[channel], id));
  const { session, credential, entry } = identified;
  for (const scope of Object.keys(identified.since)) mayRecover(session, scope);
  const seat = core.hub.enter(session, peer, credential);
  const joined: Joined = { session, seat, who: whoOf(session) };
  let isHere = false;
  try {
    // Once it has its seat: what is taken back from now on closes it.
    await Promise.all([core.feed.open(session), entry?.by === 'claim' ? null : mustBeTaken(core.store, credential)]);
    isHere = await arrive(core, joined.who, entry);
    await inTurn(); // hundreds arrive in one transaction
    let { tails, recovered } = await recover(core, session, identified.since);
    // Once is enough: where a scope's cursor stood before the reading began, nothing can have been skipped since.
    if (!core.feed.know(session.dealerId, tails))
      ({ tails, recovered } = await recover(core, session, identified.since));
    for (const [scope, whole] of Object.entries(recovered)) {
      if (maySee(session, scope)) core.metrics.recovered(whole ? 'whole' : 'not whole');
    }
    const token = await tokenToKeep(core, identified, seat);
    peer.send(sessionFrame(await describe(core, seat, token, session, tails, recovered)));
    if (id !== undefined) peer.send(ackFrame(id, null));
    await replay(core, session.dealerId, identified.since, { tails, recovered }, peer);
    core.hub.open(seat, tails);
  } catch (error) {
    leave(core, isHere ? joined : { ...joined, who: null });
    throw error;
  }
  return joined;
}

/**
 * [P-4] Lets a new token of the same role, dealer and sub take the old one's place.
 * @throws RefusedError `unauthorized`, `token_expired`, or `unknown_dealer` where it was removed
 */
export async function refresh(core: Core, joined: Joined, token: string): Promise<Joined> {
  const { seat, session } = joined;
  const credential = credentialOf(await core.tokens.verify(token));
  if (!areSame(credential.claims, seat.credential.claims)) throw otherToken();
  await mustBeTaken(core.store, credential);
  const isAdopting = session.role === 'customer' && session.minted !== credential.minted;
  if (isAdopting && session.minted) throw otherToken();
  if (isAdopting) await adopt(core, session);
  seat.credential = credential;
  return isAdopting ? { ...joined, session: { ...session, minted: true } } : joined;
}

const areSame = (one: Claims, other: Claims): boolean =>
  one.role === other.role && one.dealer === other.dealer && one.sub === other.sub;

/** [P-3.1] Makes a claimed conversation that of the customer whose minted token is shown by who claimed it. */
async function adopt({ journal, nodeId }: Core, who: Who): Promise<void> {
  const outcome = await journal.append(presenceCommand(who, nodeId, true, { by: 'adopted' }));
  if ('refusal' in outcome) throw new RefusedError(outcome.refusal);
}

/** Takes a socket out again. */
export function leave(core: Core, { seat, who }: Joined): void {
  if (core.hub.leave(seat)) core.feed.close(seat.place.dealerId);
  if (who) core.presence.left(who);
}

function whoOf(session: Session): Who | null {
  return session.role === 'server' ? null : session;
}

/** [P-7.5] Tells that somebody is here, and makes a customer's group. */
async function arrive(core: Core, who: Who | null, entry: Entry | null): Promise<boolean> {
  const { journal, presence, nodeId } = core;
  if (!who) return false;
  mustHaveRoom(core, who);
  const claim = entry?.by === 'claim';
  // Counted first, so that no grace can end between; but a claim is nobody's presence until it is won.
  if (!claim) presence.came(who);
  const outcome = await journal.append(presenceCommand(who, nodeId, true, entry));
  if ('refusal' in outcome) {
    if (!claim) presence.left(who);
    throw new RefusedError(outcome.refusal);
  }
  if (claim) presence.came(who);
  return true;
}

/** What one socket of a group sends, all others get: so many of them can do that. */
function mustHaveRoom({ presence, settings }: Core, who: Who): void {
  const most = settings.MAX_SOCKETS_PER_GROUP;
  if (who.role === 'customer' && presence.sockets(who) >= most)
    throw refused('rate_limited', `this chat has ${most} sockets open: close one of them`);
}

/** [P-3.6] How far each scope goes, and which of those that `since` names can be replayed whole. */
async function recover({ store }: Core, session: Session, since: Since) {
  const named = Object.keys(since).filter((scope) => mayRecover(session, scope));
  const tails = await store.tails(session.dealerId, [...new Set([...ownScopes(session), ...named])]);
  const missed = (scope: string, seen: number) => (tails.get(scope) ?? -1) - seen;
  const within = Object.entries(since).filter(
    ([scope, seen]) => missed(scope, seen) >= 0 && missed(scope, seen) <= MAX_REPLAY,
  );
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
function ownScopes(session: Session): string[] {
  if (session.role === 'customer') return [session.groupId, DEALER_SCOPE];
  return session.dealerId === ALL_DEALERS ? [] : [DEALER_SCOPE, DESK_SCOPE];
}

/**
 * Whether a scope of `since` is this session's to see. A customer may name `@desk`, whose seqs it knows from the acks of
 * its own updates, but is never shown it.
 * @throws RefusedError `forbidden` for any other scope that is not
 */
function mayRecover(session: Session, scope: string): boolean {
  if (session.dealerId === ALL_DEALERS) {
    throw refused('invalid_payload', 'since: a server of all dealers has none', {
      details: [{ path: '/since', message: 'expected none where dealerId is *' }],
    });
  }
  if (maySee(session, scope)) return true;
  if (session.role === 'customer' && (scope === DESK_SCOPE || scope === session.formerly)) return false;
  throw refused('forbidden', 'since names a scope that this session may not see');
}

/** [P-3.5] */
async function describe(
  { store, timing }: Core,
  { credential: { claims } }: Seat,
  token: string | undefined,
  session: Session,
  tails: ReadonlyMap<string, number>,
  recovered: Record<string, boolean>,
): Promise<SessionPayload> {
  const { role, dealerId } = session;
  const seqs = Object.fromEntries(ownScopes(session).map((scope) => [scope, tails.get(scope) ?? 0]));
  const common = { expiresAt: instant(claims.exp * 1000), seqs, recovered, pingInterval: timing.pingInterval };
  if (role === 'admin') return { role, dealerId, adminId: session.adminId, ...common };
  if (role === 'server') return { role, dealerId, ...common };
  const { group, adminOnline } = await store.standing(dealerId, session.groupId);
  return {
    role,
    dealerId,
    groupId: session.groupId,
    ...(token !== undefined && { token }),
    ...common,
    muted: group !== null && group.mutedBy !== null,
    closed: group?.closed ?? false,
    online: adminOnline,
    unread: group?.unread ?? 0,
  };
}
