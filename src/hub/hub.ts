/** The sockets that are here: dealer → scope → sockets. Everything that reaches a socket after its `session` goes through here. */
import type { CloseCode } from '../../schemas/errors.ts';
import type { Role } from '../../schemas/kinds.ts';
import { ALL_DEALERS, DEALER_SCOPE, DESK_SCOPE } from '../../schemas/table.ts';
import type { Claims } from '../../schemas/tokens.ts';
import { dropAsSlow, type Peer } from './peer.ts';
import type { Publication } from './publication.ts';

/** The audience that a socket belongs to: the dealer and the role, and for a customer the group, that its session says. */
export interface Audience {
  readonly role: Role;
  readonly dealerId: string;
  readonly groupId?: string | undefined;
}

/** By what somebody sits there: it may be taken back. */
export interface Credential {
  readonly claims: Claims;
  /** The generation of the token, in ms since 1970 [P-4]. */
  readonly gen: number;
  readonly tokenId: string | undefined;
  /** Of a customer: whether its dealer minted it [P-3.1]. */
  readonly minted: boolean;
}

/** A socket in its audience. */
export interface Seat {
  readonly audience: Audience;
  readonly peer: Peer;
  /** Another one after a refresh. */
  credential: Credential;
}

class Seated implements Seat {
  readonly audience: Audience;
  readonly peer: Peer;
  credential: Credential;
  /** Publications from before the socket was opened, in order; null once it is. */
  #held: Publication[] | null = [];
  #heldBytes = 0;
  /** The seq up to which the socket has been told of a scope by other means; null: of none. */
  #floors: ReadonlyMap<string, number> | null = null;
  readonly #maxBacklog: number;

  constructor(audience: Audience, peer: Peer, credential: Credential, maxBacklog: number) {
    this.audience = audience;
    this.peer = peer;
    this.credential = credential;
    this.#maxBacklog = maxBacklog;
  }

  get isOpen(): boolean {
    return this.#held === null;
  }

  take(publication: Publication): void {
    const { scope, seq, frame } = publication;
    if (this.#held) this.#hold(this.#held, publication);
    else if (seq === null || seq > (this.#floors?.get(scope) ?? 0)) this.peer.send(frame);
  }

  /** Hands over what was held, and from then on sends as it comes. */
  open(floors: ReadonlyMap<string, number>): void {
    const held = this.#held ?? [];
    this.#held = null;
    // Most who come are new, of a dealer that has announced nothing: tens of thousands of empty floors add up.
    if ([...floors.values()].some((seq) => seq > 0)) this.#floors = floors;
    for (const publication of held) this.take(publication);
  }

  #hold(held: Publication[], publication: Publication): void {
    held.push(publication);
    this.#heldBytes += Buffer.byteLength(publication.frame);
    if (this.#heldBytes + this.peer.unsent <= this.#maxBacklog) return;
    this.#held = null;
    dropAsSlow(this.peer);
  }
}

/** Everybody gets it but the socket that it came from. */
function hand(publication: Publication, seats: Iterable<Seated> = []): void {
  for (const seat of seats) if (seat.peer !== publication.answer?.peer) seat.take(publication);
}

interface Room {
  readonly desk: Set<Seated>;
  readonly groups: Map<string, Set<Seated>>;
}

export class Hub {
  readonly #rooms = new Map<string, Room>();
  readonly #everywhere = new Set<Seated>();
  readonly #maxBacklog: number;

  /** @param maxBacklog bytes that are held for a socket, with what it has unsent, before it is a slow consumer */
  constructor(maxBacklog: number) {
    this.#maxBacklog = maxBacklog;
  }

  /**
   * Seats a socket. What is delivered from now on is held for it until {@link open}, so that nothing is lost between
   * reading the log and going live [P-3.6].
   */
  enter(audience: Audience, peer: Peer, credential: Credential): Seat {
    const seat = new Seated(audience, peer, credential, this.#maxBacklog);
    this.#setOf(audience).add(seat);
    return seat;
  }

  /** Hands over what was held, and then everything as it comes, but nothing at or below the floor of its scope. */
  open(seat: Seat, floors: ReadonlyMap<string, number>): void {
    if (seat instanceof Seated) seat.open(floors);
  }

  /** Takes a seat away. @returns whether it was the dealer's last here */
  leave(seat: Seat): boolean {
    if (!(seat instanceof Seated)) return false;
    const { role, dealerId, groupId } = seat.audience;
    this.#setOf(seat.audience).delete(seat);
    if (dealerId === ALL_DEALERS) return this.#everywhere.size === 0;
    const room = this.#rooms.get(dealerId);
    if (!room) return false;
    if (role === 'customer' && groupId !== undefined && room.groups.get(groupId)?.size === 0)
      room.groups.delete(groupId);
    if (room.desk.size > 0 || room.groups.size > 0) return false;
    return this.#rooms.delete(dealerId);
  }

  /** [P-7] One event, one frame, to everyone who may see it; to its sender the ack instead. */
  deliver(publication: Publication): void {
    const { dealerId, scope } = publication;
    hand(publication, this.#everywhere);
    const room = this.#rooms.get(dealerId);
    if (room) {
      hand(publication, room.desk);
      if (scope === DEALER_SCOPE) for (const seats of room.groups.values()) hand(publication, seats);
      else if (scope !== DESK_SCOPE) hand(publication, room.groups.get(scope));
    }
    this.acknowledge(publication);
  }

  /** Sends the ack alone, where one is owed: also in place of an event that was delivered before. */
  acknowledge({ answer }: Publication): void {
    if (answer?.frame) answer.peer.send(answer.frame);
  }

  /** The seats of a dealer, or of all. */
  *seats(dealerId?: string): Generator<Seat> {
    const rooms = dealerId === undefined ? [...this.#rooms.values()] : [this.#rooms.get(dealerId)];
    for (const room of rooms) {
      for (const seats of room ? [room.desk, ...room.groups.values()] : []) yield* seats;
    }
    if (dealerId === undefined) yield* this.#everywhere;
  }

  /** Closes every socket of a dealer, or of all. */
  close(code: CloseCode, reason: string, dealerId?: string): void {
    for (const { peer } of this.seats(dealerId)) peer.close(code, reason);
  }

  /** The groups of a dealer that have a socket which is {@link open}. */
  openGroups(dealerId: string): string[] {
    const groups = this.#rooms.get(dealerId)?.groups ?? [];
    return [...groups].filter(([, seats]) => [...seats].some(({ isOpen }) => isOpen)).map(([groupId]) => groupId);
  }

  /** Closes the sockets of one group. */
  closeGroup(code: CloseCode, reason: string, dealerId: string, groupId: string): void {
    for (const { peer } of this.#rooms.get(dealerId)?.groups.get(groupId) ?? []) peer.close(code, reason);
  }

  /** [P-3.1] Closes the sockets of a group that came by a claim. */
  closeClaimed(code: CloseCode, reason: string, dealerId: string, groupId: string): void {
    for (const { peer, credential } of this.#rooms.get(dealerId)?.groups.get(groupId) ?? []) {
      if (!credential.minted) peer.close(code, reason);
    }
  }

  #setOf({ role, dealerId, groupId }: Audience): Set<Seated> {
    if (dealerId === ALL_DEALERS) return this.#everywhere;
    let room = this.#rooms.get(dealerId);
    if (!room) {
      room = { desk: new Set(), groups: new Map() };
      this.#rooms.set(dealerId, room);
    }
    if (role !== 'customer' || groupId === undefined) return room.desk;
    let group = room.groups.get(groupId);
    if (!group) {
      group = new Set();
      room.groups.set(groupId, group);
    }
    return group;
  }
}
