/** [P-3] Joining, as the steps that it takes: who is it, may it, tell the others, catch up, go live. */
import { RefusedError, refused } from '../../schemas/errors.ts';
import type { Envelope, SessionPayload } from '../../schemas/frames.ts';
import { ALL_DEALERS, JOINS, type JoinChannel } from '../../schemas/table.ts';
import { waitingOf } from '../../schemas/waiting.ts';
import type { Session } from '../auth/session.ts';
import { presenceCommand } from '../commands/command.ts';
import { mustBeTaken } from '../commands/identity.ts';
import { inTurn } from '../commands/turns.ts';
import { availabilityAt } from '../domain/availability.ts';
import type { Entry } from '../domain/state.ts';
import { answerWithin } from '../domain/waiting.ts';
import type { Seat } from '../hub/hub.ts';
import type { Peer } from '../hub/peer.ts';
import type { Who } from '../hub/presence.ts';
import type { Cause } from '../journal/journal.ts';
import { decodeJoin } from '../protocol/decode.ts';
import { ackFrame, instant, sessionFrame } from '../protocol/encode.ts';
import type { DealerStore } from '../store/dealers.ts';
import { type Admitting, admit, type Entrance, type Identified, identify, tokenToKeep } from './admission.ts';
import type { House } from './house.ts';
import { type Missed, mayRecover, ownScopes, type Recovering, recover } from './recovery.ts';
import { type Replaying, replay } from './replay.ts';

/** Where a group is named, it is also said whether an admin is here; this is no group's name. */
const NO_GROUP = '';

type Welcoming = Pick<House, 'epoch'>;
type Arriving = Pick<House, 'nodeId' | 'journal' | 'presence' | 'settings'>;
type Leaving = Pick<House, 'hub' | 'feed' | 'presence'>;
type Joining = Admitting & Arriving & Welcoming & Recovering & Replaying & Leaving;

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
  house: Joining,
  entrance: Entrance,
  { channel, payload, id }: Envelope & { channel: JoinChannel },
  peer: Peer,
): Promise<Joined> {
  const asked = decodeJoin[channel](payload);
  const identified = await admit(house, entrance, asked, await identify(house, entrance, asked, JOINS[channel], id));
  const { session, credential, entry } = identified;
  for (const scope of Object.keys(identified.since)) mayRecover(session, scope);
  const seat = house.hub.enter(session, peer, credential);
  const joined: Joined = { session, seat, who: whoOf(session) };
  let isHere = false;
  try {
    // Once it has its seat: what is taken back from now on closes it.
    await Promise.all([house.feed.open(session), entry?.by === 'claim' ? null : mustBeTaken(house.store, credential)]);
    isHere = await arrive(house, joined.who, entry, entrance.cause);
    await inTurn(); // hundreds arrive in one transaction
    await welcome(house, identified, seat, id);
  } catch (error) {
    leave(house, isHere ? joined : { ...joined, who: null });
    throw error;
  }
  return joined;
}

/** Answers who has arrived, tells it what it missed, and opens its seat. */
async function welcome(house: Joining, identified: Identified, seat: Seat, id: string | undefined): Promise<void> {
  const { session, since, sinceEpoch } = identified;
  const { peer } = seat;
  // [P-21.1] Before anything is read, and once it is seated: if the log becomes another meanwhile, it is closed.
  const epoch = house.epoch.now;
  const isOther = sinceEpoch !== undefined && sinceEpoch !== epoch;
  const missed = await recover(house, session, since, isOther);
  const token = await tokenToKeep(house, identified, seat);
  peer.send(sessionFrame(await describe(house, seat, token, session, missed, epoch)));
  if (id !== undefined) peer.send(ackFrame(id, null));
  await replay(house, session.dealerId, since, missed, peer);
  house.hub.open(seat, missed.tails);
}

/** Takes a socket out again. */
export function leave({ hub, feed, presence }: Leaving, { seat, who }: Joined): void {
  feed.close(seat.audience, hub.leave(seat));
  if (who) presence.left(who);
}

/** Everybody is somebody's of a dealer, but for servers of all of them. */
function whoOf(session: Session): Who | null {
  return session.role === 'server' && session.dealerId === ALL_DEALERS ? null : session;
}

/** [P-7.5] Tells that somebody is here, and makes a customer's group. */
async function arrive(house: Arriving, who: Who | null, entry: Entry | null, cause: Cause): Promise<boolean> {
  const { journal, presence, nodeId } = house;
  if (!who) return false;
  mustHaveRoom(house, who);
  const claim = entry?.by === 'claim';
  // Counted first, so that no grace can end between; but a claim is nobody's presence until it is won.
  if (!claim) presence.came(who);
  const command = presenceCommand(who, nodeId, true, entry);
  const outcome = await journal.append(command, { peer: null, id: undefined, cause });
  if ('refusal' in outcome) {
    if (!claim) presence.left(who);
    throw new RefusedError(outcome.refusal);
  }
  if (claim) presence.came(who);
  return true;
}

/** Refuses one socket too many of a group: what one sends, all others get: so many of them can do that. */
function mustHaveRoom({ presence, settings }: Arriving, who: Who): void {
  const most = settings.MAX_SOCKETS_PER_GROUP;
  if (who.role === 'customer' && presence.sockets(who) >= most)
    throw refused('rate_limited', `this chat has ${most} sockets open: close one of them`);
}

/** [P-12.3] Admins of whom an admin is told that they are here. */
const MAX_ADMINS = 200;

/** [P-3.5] */
async function describe(
  { store, timing, clock }: Pick<House, 'timing' | 'clock'> & { readonly store: DealerStore },
  { credential: { claims } }: Seat,
  token: string | undefined,
  session: Session,
  { tails, recovered }: Missed,
  epoch: string,
): Promise<SessionPayload> {
  const { role, dealerId } = session;
  const seqs = Object.fromEntries(ownScopes(session).map((scope) => [scope, tails.get(scope) ?? 0]));
  const { pingInterval } = timing;
  const common = { expiresAt: instant(claims.exp * 1000), seqs, recovered, epoch, pingInterval };
  if (dealerId === ALL_DEALERS) return { role, dealerId, ...common };
  const groupId = role === 'customer' ? session.groupId : NO_GROUP;
  const { group, adminOnline, rules } = await store.standing(dealerId, groupId);
  const availability = availabilityAt(rules, clock.now(), adminOnline);
  if (role === 'server') return { role, dealerId, ...common, availability };
  if (role === 'admin') {
    const admins = await store.adminsHere(dealerId, MAX_ADMINS);
    const { adminId } = session;
    const within = { bot: answerWithin(rules, 'bot'), admin: answerWithin(rules, 'admin') };
    return { role, dealerId, adminId, ...common, availability, answerWithin: within, admins };
  }
  return {
    role,
    dealerId,
    groupId,
    ...(token !== undefined && { token }),
    ...common,
    muted: group !== null && group.mutedBy !== null,
    closed: group?.closed ?? false,
    online: adminOnline,
    unread: group?.unread ?? 0,
    waiting: group && waitingOf(group),
    availability,
  };
}
