/** The conversation over one socket, from its first frame to its last: translated and answered. It holds no rules of chats. */
import { CLOSE, type CloseCode, errorKind, RefusedError, refused } from '../../schemas/errors.ts';
import type { Envelope } from '../../schemas/frames.ts';
import type { Role } from '../../schemas/kinds.ts';
import { JOINS, type JoinChannel } from '../../schemas/table.ts';
import { senderOf } from '../auth/session.ts';
import { commandOf, submit } from '../commands/command.ts';
import type { Cause } from '../journal/journal.ts';
import { LEAST } from '../journal/weights.ts';
import { BadFrame, decodeEnvelope, decodeRefresh, isKnownChannel } from '../protocol/decode.ts';
import type { Entrance } from './admission.ts';
import { Answers } from './answers.ts';
import type { Arrivals, Frame, Reader } from './arrivals.ts';
import type { Deadlines } from './deadlines.ts';
import type { Expiries } from './expiries.ts';
import type { House } from './house.ts';
import { type Joined, join, leave } from './join.ts';
import { Outlet } from './outlet.ts';
import { refresh } from './refresh.ts';
import type { Socket } from './socket.ts';

/** The parts that all conversations share. */
export interface Shared {
  readonly house: House;
  readonly arrivals: Arrivals;
  /** Those that have sent no join yet that succeeds. */
  readonly joins: Deadlines<Conversation>;
  readonly expiries: Expiries;
  /** One of them is over. */
  ended(conversation: Conversation): void;
}

const isJoin = (envelope: Envelope): envelope is Envelope & { channel: JoinChannel } =>
  Object.hasOwn(JOINS, envelope.channel);

/** Tens of thousands of these say nothing most of the time: what only some need is made when they need it. */
export class Conversation implements Reader {
  readonly #shared: Shared;
  readonly #house: House;
  readonly #socket: Socket;
  readonly #outlet: Outlet;
  readonly #answers: Answers;
  readonly #cause: Cause;
  /** Its means of joining; null once it has joined. */
  #entrance: Entrance | null;
  /** The holder that its address counts as, beyond its join. */
  readonly #holder: string | null;
  #joined: Joined | null = null;
  /** Frames that came while a join was under way, to be read after it; null while none is. */
  #behindJoin: string[] | null = null;
  #behindBytes = 0;
  #hasTried = false;
  /** The last refresh that was asked for; null where none was. */
  #refreshed: Promise<void> | null = null;
  /** True where it should have joined by now; a join under way has all the time that it needs. */
  #isLate = false;
  /** Frames that came, and what was begun for them, that is not done yet. */
  #underWay = 0;
  /** Reason for which it is closed once nothing is under way; null where it stays. */
  #departure: string | null = null;

  constructor(shared: Shared, socket: Socket, entrance: Entrance) {
    const { metrics, settings } = shared.house;
    this.#shared = shared;
    this.#house = shared.house;
    this.#socket = socket;
    this.#outlet = new Outlet(socket, settings.MAX_SOCKET_BACKLOG, () => metrics.sent(this.#role));
    this.#cause = entrance.cause;
    this.#answers = new Answers(shared.house, socket, this.#outlet, entrance.cause, () => this.#role);
    this.#entrance = entrance;
    this.#holder = entrance.visitor.holder;
    shared.joins.add(this);
    metrics.connected('none', 1);
  }

  /** A frame of text came. */
  hear(frame: Frame): void {
    this.#underWay += 1;
    this.#shared.arrivals.arrive(this, frame);
  }

  /** A frame of the transport's own came, such as a ping: it counts like any. It has been answered, which may wait to be read. */
  hearControl(): void {
    this.#outlet.checkBacklog();
    if (this.#isOver()) this.#answers.strike('rate_limited');
  }

  /** Something came of which no frame can be made: it is answered as a frame that is refused. @param id of what asked for an answer */
  refuse(id: string | undefined, error: RefusedError): void {
    if (!this.#isGone) this.#answers.refuse(id, error);
  }

  close(code: CloseCode, reason: string): void {
    this.#outlet.close(code, reason);
  }

  /** [P-9] Takes nothing more, and closes when what it took is answered. */
  depart(reason: string): void {
    this.#departure = reason;
    this.#socket.pause();
    this.#closeWhereDone();
  }

  /** One thing that was under way is done. */
  #done(): void {
    this.#underWay -= 1;
    this.#closeWhereDone();
  }

  #closeWhereDone(): void {
    if (this.#departure === null || this.#underWay > 0) return;
    this.close(CLOSE.restart, this.#departure);
    if (!this.#answers.isExpelled) this.#socket.resume(); // its own close is still to be read
  }

  /** The socket is no more. @param code with which the other side closed it, if this one did not */
  end(code: number): void {
    const { joins, expiries, ended } = this.#shared;
    const { metrics, log } = this.#house;
    joins.delete(this);
    expiries.forget(this);
    ended(this);
    metrics.connected(this.#role, -1);
    metrics.closed(String(this.#outlet.closedWith ?? code));
    if (this.#joined) leave(this.#house, this.#joined);
    log.debug({ code, role: this.#joined?.session.role, ...this.#cause }, 'socket closed');
  }

  /** [P-3] The time in which it must have joined is over. */
  mustHaveJoined(): void {
    if (this.#behindJoin) this.#isLate = true;
    else this.close(CLOSE.joinTimeout, 'no join in time');
  }

  get unsent(): number {
    return this.#outlet.unsent;
  }

  get dealerId(): string {
    return this.#joined?.session.dealerId ?? '';
  }

  /** As in the journal: all customers behind an address are one. */
  get sender(): string {
    const session = this.#joined?.session;
    if (session && session.role !== 'customer') return senderOf(session);
    return this.#holder ?? (session ? senderOf(session) : '');
  }

  read(frame: Frame): void {
    this.#readOrWait(frame.toString());
    this.#done();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#answers.isExpelled && this.#departure === null) this.#socket.resume();
  }

  /** [P-4] When its token ends. */
  get expiresAt(): number {
    return (this.#joined?.seat.credential.claims.exp ?? 0) * 1000;
  }

  expire(): void {
    this.#answers.refuse(undefined, refused('token_expired', 'the token has expired'));
  }

  get #role(): Role | 'none' {
    return this.#joined?.session.role ?? 'none';
  }

  /** True where it is read no more: this side has closed it, or the other left before it had joined. */
  get #isGone(): boolean {
    return this.#outlet.closedWith !== null || (!this.#joined && !this.#socket.isOpen);
  }

  #readOrWait(text: string): void {
    if (this.#behindJoin) this.#wait(this.#behindJoin, text);
    else this.#take(text);
  }

  #take(text: string): void {
    if (this.#isGone) return;
    let id: string | undefined;
    try {
      const envelope = decodeEnvelope(text);
      id = envelope.id;
      this.#house.metrics.received(isKnownChannel(envelope.channel) ? envelope.channel : 'unknown');
      if (this.#isLimited(envelope)) throw refused('rate_limited', 'too many frames: wait a second');
      if (isJoin(envelope)) this.#join(envelope);
      else this.#handle(envelope);
    } catch (error) {
      this.#answers.refuse(error instanceof BadFrame ? error.id : id, error);
    }
  }

  #handle(envelope: Envelope): void {
    const { channel, payload, id } = envelope;
    if (channel === 'ping') {
      this.#answers.pong(id);
    } else if (!this.#joined) {
      if (!isKnownChannel(channel)) throw refused('unknown_channel', 'there is no such channel');
      throw refused('not_joined', 'the first frame must be a join');
    } else if (channel === 'refresh') {
      this.#refresh(this.#joined, payload, id);
    } else {
      this.#submit(this.#joined, envelope);
    }
  }

  /** [P-3] Joins; frames behind a join wait for it. */
  #join(envelope: Envelope & { channel: JoinChannel }): void {
    const entrance = this.#entrance;
    if (!entrance) throw refused('already_joined', 'this socket has joined');
    this.#hasTried = true;
    this.#underWay += 1;
    this.#behindJoin = [];
    join(this.#house, entrance, envelope, this.#outlet)
      .then((joined) => this.#seated(joined))
      .catch((error: unknown) => this.#refuseJoin(entrance, envelope.id, error))
      .finally(() => {
        this.#readBehindJoin();
        this.#done();
      });
  }

  #seated(joined: Joined): void {
    if (!this.#socket.isOpen) {
      leave(this.#house, joined);
      return;
    }
    const { metrics } = this.#house;
    const { role } = joined.session;
    this.#joined = joined;
    this.#entrance = null;
    this.#shared.joins.delete(this);
    this.#shared.expiries.watch(this);
    metrics.connected('none', -1);
    metrics.connected(role, 1);
    metrics.joined(role);
  }

  #refuseJoin({ visitor, address, route, cause }: Entrance, id: string | undefined, error: unknown): void {
    const code = error instanceof RefusedError ? error.refusal.code : 'internal';
    const { status } = errorKind(code);
    visitor.wasRefused(status === 401);
    if (status === 401 || status === 403) this.#house.audit.refused({ code, route, address, cause });
    this.#answers.refuse(id, error);
  }

  #wait(behind: string[], text: string): void {
    behind.push(text);
    this.#behindBytes += Math.max(LEAST, Buffer.byteLength(text));
    if (this.#behindBytes > this.#house.settings.MAX_SOCKET_BACKLOG) {
      this.#answers.expel(CLOSE.rateLimited, 'too much behind a join');
    }
  }

  #readBehindJoin(): void {
    const waiting = this.#behindJoin ?? [];
    this.#behindJoin = null;
    this.#behindBytes = 0;
    if (!this.#joined && this.#isLate && this.#socket.isOpen) this.mustHaveJoined();
    for (const text of waiting) this.#readOrWait(text);
  }

  /** [P-4] A new token of the same role, dealer and sub takes the old one's place. */
  #refresh(joined: Joined, payload: unknown, id: string | undefined): void {
    const { token } = decodeRefresh(payload);
    this.#underWay += 1;
    // One after the other: the last that was sent is the one that holds.
    this.#refreshed = (this.#refreshed ?? Promise.resolve())
      .then(() => refresh(this.#house, this.#joined ?? joined, token))
      .then((refreshed) => {
        this.#joined = refreshed;
        if (this.#socket.isOpen) this.#shared.expiries.watch(this);
        this.#answers.ack(id);
      })
      .catch((error: unknown) => this.#answers.refuse(id, error))
      .finally(() => this.#done());
  }

  #submit({ session }: Joined, { channel, payload, id }: Envelope): void {
    const command = commandOf(session, channel, payload, id);
    const address = session.role === 'customer' ? this.#holder : null;
    const origin = { peer: this.#outlet, id, address, cause: this.#cause };
    submit(this.#house, { session, holder: this.#holder }, command, origin, (outcome) => {
      this.#answers.charge(outcome.weight ?? 0); // [P-9]
      if ('refusal' in outcome) this.#answers.refuse(id, new RefusedError(outcome.refusal));
      else if (outcome.ack?.duplicate) this.#answers.ack(id, outcome.ack);
      this.#done();
    });
    this.#underWay += 1; // it was taken: what throws is not
  }

  /** The first join is free; any other frame counts. */
  #isLimited(envelope: Envelope): boolean {
    return !(isJoin(envelope) && !this.#hasTried) && this.#isOver();
  }

  /** Other servers are exempt. */
  #isOver(): boolean {
    return this.#role !== 'server' && this.#answers.isOver();
  }
}
