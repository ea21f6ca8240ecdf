/** [P-3] Joining, as the steps that it takes: who is it, may it, tell the others, catch up, go live. */
import { randomUUID } from 'node:crypto';
import { CLOSE, RefusedError, refused } from '../../../schemas/errors.ts';
import type { Envelope, SessionPayload, Since } from '../../../schemas/frames.ts';
import { ALL_DEALERS, DEALER_SCOPE, DESK_SCOPE, JOINS, type JoinChannel } from '../../../schemas/table.ts';
import type { Claims } from '../../../schemas/tokens.ts';
import { isOriginAllowed } from '../../auth/origins.ts';
import { maySee } from '../../auth/permit.ts';
import type { Session } from '../../auth/session.ts';
import { secondsFromNow, type Verified } from '../../auth/tokens.ts';
import type { Entry } from '../../domain/state.ts';
import type { Credential, Seat } from '../../hub/hub.ts';
import type { Peer } from '../../hub/peer.ts';
import type { Who } from '../../hub/presence.ts';
import type { Doorway, Store } from '../../journal/store.ts';
import { decodeJoin } from '../../protocol/decode.ts';
import { ackFrame, instant, sessionFrame } from '../../protocol/encode.ts';
import { presenceCommand } from '../command.ts';
import type { Core } from '../core.ts';
import { credentialOf, mustBeTaken, nameHeld, renamed } from '../identity.ts';
import { inTurn } from '../turns.ts';
import type { Visitor } from './guard.ts';
import { replay } from './replay.ts';

/** How long a customer's token holds, in seconds: 30 days from its last join. */
const CUSTOMER_TOKEN_TTL = 30 * 24 * 60 * 60;
/** [P-3.6] The most events of a scope that are replayed. */
const MAX_REPLAY = 500;

/** What the upgrade request says. */
export interface Entrance {
  readonly origin: string | undefined;
  /** The bearer token of its `Authorization` header [P-3.4]. */
  readonly bearer: string | undefined;
  readonly address: string | null;
  /** Whom it comes from, and what that one may still do. */
  readonly visitor: Visitor;
}

export interface Joined {
  readonly session: Session;
  readonly seat: Seat;
  readonly who: Who | null;
}

/** Who joins, as a good token says, or claiming a group that nobody has. */
interface Identified {
  readonly session: Session;
  readonly credential: Credential;
  /** By what a customer comes in. */
  readonly entry: Entry | null;
  /** The token that its dealer minted, which is handed back as it is. */
  readonly minted?: string;
  readonly since: Since;
}

type Asked = ReturnType<(typeof decodeJoin)[JoinChannel]>;

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

/** [P-3.1 – P-3.4, P-4] Who it is: as its token says, or for a customer a group that it claims. */
async function identify(
  core: Core,
  entrance: Entrance,
  asked: Asked,
  role: Session['role'],
  id: string | undefined,
): Promise<Identified> {
  if ('user' in asked && asked.user !== undefined && asked.user !== role) {
    throw refused('forbidden', `user is not ${role}`);
  }
  const since = asked.since ?? {};
  const token = asked.token ?? entrance.bearer;
  if (token === undefined) {
    if (asked.type !== 'CLIENT_JOIN') throw refused('unauthorized', `a token is needed to join as ${role}`);
    entrance.visitor.claim(asked.dealerId);
    const groupId = asked.groupId ?? randomUUID();
    const claims: Claims = { role: 'customer', dealer: asked.dealerId, sub: groupId, exp: 0 };
    // There is no token yet that could be taken back.
    const credential: Credential = { claims, gen: Number.POSITIVE_INFINITY, tokenId: undefined, minted: false };
    const session: Session = { role: 'customer', dealerId: asked.dealerId, groupId, minted: false };
    const isHere = core.presence.sockets(session) > 0;
    return { session, credential, entry: { by: 'claim', id, at: Date.now(), isHere }, since };
  }
  entrance.visitor.mustNotBeBarred();
  const verified = await core.tokens.verify(token);
  const identified = { session: sessionFor(asked, verified), credential: credentialOf(verified), since };
  if (verified.claims.role !== 'customer') return { ...identified, entry: null };
  if (verified.ours) return { ...identified, entry: { by: 'kept' } };
  return { ...identified, entry: { by: 'minted', spare: randomUUID() }, minted: token };
}

/** The session that a join asks for, if the token is for just that. */
function sessionFor(asked: Asked, { claims: { role, dealer, sub }, ours }: Verified): Session {
  const { dealerId } = asked;
  if (asked.type === 'SERVER_JOIN') {
    if (role === 'server' && (dealer === ALL_DEALERS || dealer === dealerId)) return { role, dealerId, name: sub };
  } else if (asked.type === 'ADMIN_JOIN') {
    if (role === 'admin' && dealer === dealerId && sub === asked.adminId) return { role, dealerId, adminId: sub };
  } else if (role === 'customer' && dealer === dealerId && (ours || sub === (asked.groupId ?? sub))) {
    return { role, dealerId, groupId: sub, minted: !ours };
  }
  throw otherToken();
}

/**
 * Whether there is such a dealer, and clients from this origin may join it [P-11.5], and without a token [P-3.1]. A server may
 * make its dealer [P-6.2].
 * @returns who it is, by the name that its conversation has now
 */
async function admit({ store }: Core, { origin }: Entrance, asked: Asked, identified: Identified): Promise<Identified> {
  const { session, credential, entry } = identified;
  const { role, dealerId } = session;
  const { dealer } = await store.standing(dealerId);
  if (dealer === null && role !== 'server') throw refused('unknown_dealer', 'there is no such dealer');
  if (!isOriginAllowed(origin, dealer?.origins ?? [])) {
    throw refused('forbidden', 'clients of this origin may not join this dealer', { close: CLOSE.forbidden });
  }
  if (entry?.by === 'claim') mustBeClaimable(dealer?.claims, 'groupId' in asked && asked.groupId !== undefined);
  if (entry?.by !== 'kept' || role !== 'customer') return identified;
  const groupId = await nameHeld(store, session);
  const formerly = await formerName(store, session, groupId, asked);
  return { ...identified, session: { ...session, groupId, formerly }, credential: renamed(credential, groupId) };
}

/**
 * [P-3.1] The name by which a client still calls a conversation that has another now: its token's, or the one that it chose.
 * @throws RefusedError `unauthorized` where it names a group that its token is not for
 */
async function formerName(
  store: Store,
  { dealerId, groupId }: { dealerId: string; groupId: string },
  now: string,
  asked: Asked,
): Promise<string | undefined> {
  const named = 'groupId' in asked ? asked.groupId : undefined;
  if (named === undefined || named === groupId) return groupId === now ? undefined : groupId;
  if ((await store.setAside(dealerId, named)) === now) return named;
  throw otherToken();
}

const otherToken = () => refused('unauthorized', 'the token is for another role, dealer or name');

/** @throws RefusedError `unauthorized` where the dealer lets nobody claim a group, or none of a chosen name */
function mustBeClaimable(claims: Doorway['claims'] | undefined, isChosen: boolean): void {
  if (claims === 'off') throw refused('unauthorized', 'customers of this dealer join with a token');
  if (claims === 'made' && isChosen) {
    throw refused('unauthorized', 'customers of this dealer join with a token, or without a groupId');
  }
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

/** The token that a customer keeps [P-3.1]: the one that its dealer minted, or a new one of Telle's; undefined for others. */
async function tokenToKeep(
  { store, tokens }: Core,
  { session, minted }: Identified,
  seat: Seat,
): Promise<string | undefined> {
  if (session.role !== 'customer' || minted !== undefined) return minted;
  const { dealerId: dealer, groupId: sub } = session;
  const exp = secondsFromNow(CUSTOMER_TOKEN_TTL);
  const { current: gen } = await store.generation({ role: 'customer', dealer, sub });
  const claims: Claims = { role: 'customer', dealer, sub, exp, gen };
  seat.credential = { claims, gen, tokenId: undefined, minted: false };
  return tokens.sign(claims, { ours: true });
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
