/** [P-3.1 – P-3.4] Admission: who joins, and whether that one may, by a token or a claim, from its origin, under the name that it has now. */
import { randomUUID } from 'node:crypto';
import { CLOSE, refused } from '../../schemas/errors.ts';
import type { Since } from '../../schemas/frames.ts';
import { ALL_DEALERS, type JoinChannel } from '../../schemas/table.ts';
import type { Claims } from '../../schemas/tokens.ts';
import { keyOf } from '../auth/group-key.ts';
import { isOriginAllowed } from '../auth/origins.ts';
import type { Session } from '../auth/session.ts';
import { secondsFromNow, type Verified } from '../auth/tokens.ts';
import { credentialOf, nameHeld, renamed } from '../commands/identity.ts';
import type { Entry } from '../domain/state.ts';
import type { Credential, Seat } from '../hub/hub.ts';
import type { Cause } from '../journal/journal.ts';
import type { decodeJoin } from '../protocol/decode.ts';
import type { CredentialStore } from '../store/credentials.ts';
import type { DealerStore, Doorway } from '../store/dealers.ts';
import type { GroupStore } from '../store/groups.ts';
import type { Visitor } from './guard.ts';
import type { House } from './house.ts';

/** Life of a customer's token, in seconds: 30 days from its last join. */
const CUSTOMER_TOKEN_TTL = 30 * 24 * 60 * 60;

/** A door's knowledge of a socket before it says anything. */
export interface Entrance {
  readonly origin: string | undefined;
  /** The id of its connection, for the log. */
  readonly cause: Cause;
  /** The bearer token of its `Authorization` header [P-3.4]. */
  readonly bearer: string | undefined;
  readonly address: string | null;
  /** The route by which it came, as the audit names it. */
  readonly route: string;
  /** The address that it comes from, and what that one may still do. */
  readonly visitor: Visitor;
}

/** Parts that admit somebody, and to hand out the token that is kept. */
export interface Admitting extends Pick<House, 'clock' | 'presence' | 'tokens' | 'audit'> {
  readonly store: CredentialStore & DealerStore & GroupStore;
}

/** Joining person, as a good token says, or claiming a group that nobody has. */
export interface Identified {
  readonly session: Session;
  readonly credential: Credential;
  /** By what a customer comes in. */
  readonly entry: Entry | null;
  /** The token that its dealer minted, which is handed back as it is. */
  readonly minted?: string;
  readonly since: Since;
  /** [P-21.1] The epoch that it is of, where it says one. */
  readonly sinceEpoch: string | undefined;
}

type JoinRequest = ReturnType<(typeof decodeJoin)[JoinChannel]>;

/** [P-3.1 – P-3.4, P-4] Finds out who joins: as its token says, or for a customer a group that it claims. */
export async function identify(
  { presence, tokens, clock }: Pick<Admitting, 'presence' | 'tokens' | 'clock'>,
  entrance: Entrance,
  asked: JoinRequest,
  role: Session['role'],
  id: string | undefined,
): Promise<Identified> {
  if ('user' in asked && asked.user !== undefined && asked.user !== role) {
    throw refused('forbidden', `user is not ${role}`);
  }
  const { since = {}, epoch: sinceEpoch } = asked;
  const token = asked.token ?? entrance.bearer;
  if (token === undefined) {
    if (asked.type !== 'CLIENT_JOIN') throw refused('unauthorized', `a token is needed to join as ${role}`);
    entrance.visitor.claim(asked.dealerId);
    const groupId = asked.groupId ?? randomUUID();
    const claims: Claims = { role: 'customer', dealer: asked.dealerId, sub: groupId, exp: 0 };
    // There is no token yet that could be taken back.
    const credential: Credential = { claims, gen: Number.POSITIVE_INFINITY, tokenId: undefined, minted: false };
    const session: Session = { role: 'customer', dealerId: asked.dealerId, groupId, minted: false };
    const isHere = presence.sockets(session) > 0;
    return { session, credential, entry: { by: 'claim', id, at: clock.now(), isHere }, since, sinceEpoch };
  }
  entrance.visitor.mustNotBeBarred();
  const verified = await tokens.verify(token);
  const identified = { session: sessionFor(asked, verified), credential: credentialOf(verified), since, sinceEpoch };
  if (verified.claims.role !== 'customer') return { ...identified, entry: null };
  if (verified.ours) return { ...identified, entry: { by: 'kept' } };
  return { ...identified, entry: { by: 'minted', spare: randomUUID() }, minted: token };
}

/** The session that a join asks for, if the token is for just that. */
function sessionFor(asked: JoinRequest, { claims: { role, dealer, sub }, ours }: Verified): Session {
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

/** [P-6.2] A dealer that a server makes: it has no pages yet. */
const NEW = { origins: [] };

/** A page, or a program, that asks for a dealer. */
interface Page {
  readonly dealerId: string;
  /** Null: there is no such dealer. */
  readonly dealer: Pick<Doorway, 'origins'> | null;
  /** Undefined: it is no page. */
  readonly origin: string | undefined;
}

/** [P-11.5] @throws RefusedError where there is no such dealer, or it has no such page; the operator is told, who can mend it */
export function mustBeTakenIn(audit: House['audit'], { dealerId, dealer, origin }: Page): void {
  const code = dealer === null ? 'unknown_dealer' : isOriginAllowed(origin, dealer.origins) ? null : 'forbidden';
  if (code === null) return;
  if (origin !== undefined) audit.turnedAway({ origin, dealerId, code });
  if (code === 'unknown_dealer') throw refused(code, 'there is no such dealer');
  throw refused(code, 'clients of this origin may not join this dealer', { close: CLOSE.forbidden });
}

/**
 * Lets in a client where there is such a dealer, and clients from this origin may join it [P-11.5], and without a token [P-3.1]. A server may
 * make its dealer [P-6.2].
 * @returns who it is, by the name that its conversation has now
 */
export async function admit(
  { store, clock, audit }: Pick<Admitting, 'store' | 'clock' | 'audit'>,
  { origin }: Entrance,
  asked: JoinRequest,
  identified: Identified,
): Promise<Identified> {
  const { session, credential, entry } = identified;
  const { role, dealerId } = session;
  const { dealer } = await store.standing(dealerId);
  mustBeTakenIn(audit, { dealerId, dealer: dealer ?? (role === 'server' ? NEW : null), origin });
  if (entry?.by === 'claim' && role === 'customer') {
    const key = keyOf(dealer ?? {}, session.groupId, clock.now());
    const isKnown = key === 'id' && (await store.standing(dealerId, session.groupId)).group !== null;
    if (!isKnown) mustBeClaimable(dealer?.claims, 'groupId' in asked && asked.groupId !== undefined);
    return { ...identified, entry: { ...entry, key } };
  }
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
  store: GroupStore,
  { dealerId, groupId }: { dealerId: string; groupId: string },
  now: string,
  asked: JoinRequest,
): Promise<string | undefined> {
  const named = 'groupId' in asked ? asked.groupId : undefined;
  if (named === undefined || named === groupId) return groupId === now ? undefined : groupId;
  if ((await store.setAside(dealerId, named)) === now) return named;
  throw otherToken();
}

export const otherToken = () => refused('unauthorized', 'the token is for another role, dealer or name');

/** @throws RefusedError `unauthorized` where the dealer lets nobody claim a group, or none of a chosen name */
function mustBeClaimable(claims: Doorway['claims'] | undefined, isChosen: boolean): void {
  if (claims === 'off') throw refused('unauthorized', 'customers of this dealer join with a token');
  if (claims === 'made' && isChosen) {
    throw refused('unauthorized', 'customers of this dealer join with a token, or without a groupId');
  }
}

/** The token that a customer keeps [P-3.1]: the one that its dealer minted, or a new one of Telle's; undefined for others. */
export async function tokenToKeep(
  { store, tokens }: Pick<Admitting, 'store' | 'tokens'>,
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
