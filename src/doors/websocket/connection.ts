/** One WebSocket, from its first frame to its last: a door, so it translates and answers, and holds no rules. */
import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import {
  CLOSE,
  type CloseCode,
  type ErrorCode,
  errorKind,
  type Refusal,
  RefusedError,
  refused,
} from '../../../schemas/errors.ts';
import type { Envelope } from '../../../schemas/frames.ts';
import type { Role } from '../../../schemas/kinds.ts';
import { JOINS, type JoinChannel } from '../../../schemas/table.ts';
import { senderOf } from '../../auth/session.ts';
import { dropAsSlow, sendWithin } from '../../hub/peer.ts';
import { BadFrame, decodeEnvelope, decodeRefresh, isKnownChannel } from '../../protocol/decode.ts';
import { ackFrame, errorFrame, PONG } from '../../protocol/encode.ts';
import { commandOf, submit } from '../command.ts';
import type { Core } from '../core.ts';
import { Strikes, TokenBucket } from '../limits.ts';
import type { Entrance } from './admission.ts';
import type { Arrivals, Reader } from './arrivals.ts';
import type { Deadlines } from './deadlines.ts';
import type { Heartbeat } from './heartbeat.ts';
import { type Joined, join, leave, refresh } from './join.ts';
import { WebSocketPeer } from './peer.ts';

/** [P-9] What is counted towards 4400. */
const BAD_CODES: ReadonlySet<ErrorCode> = new Set(['bad_frame', 'unknown_channel', 'invalid_payload']);
/** Frames at once, and a second after that; other servers are exempt. */
const RATE = { burst: 20, perSecond: 10 };

const isJoin = (envelope: Envelope): envelope is Envelope & { channel: JoinChannel } =>
  Object.hasOwn(JOINS, envelope.channel);

/** What all connections of a door share. */
export interface Shared {
  readonly core: Core;
  readonly arrivals: Arrivals;
  readonly heartbeat: Heartbeat<Connection>;
  /** Those that have sent no join yet that succeeds. */
  readonly joins: Deadlines<Connection>;
}

/** Tens of thousands of these say nothing most of the time: what only some need is made when they need it. */
export class Connection implements Reader {
  readonly #shared: Shared;
  readonly #core: Core;
  readonly #socket: WebSocket;
  readonly #peer: WebSocketPeer;
  /** What it may join with; null once it has joined. */
  #entrance: Entrance | null;
  /** Whom its address counts as, beyond its join. */
  readonly #holder: string | null;
  #joined: Joined | null = null;
  #bucket: TokenBucket | null = null;
  /** [P-9] 4400 and 4429. */
  #bad: Strikes | null = null;
  #limited: Strikes | null = null;
  /** Frames that came while a join was under way, to be read after it; null while none is. */
  #behindJoin: string[] | null = null;
  #behindBytes = 0;
  #hasTried = false;
  #isExpelled = false;
  /** Whether it should have joined by now; a join under way has all the time that it needs. */
  #isLate = false;
  /** Set where its token ends soon. */
  #expiry: NodeJS.Timeout | null = null;

  constructor(shared: Shared, socket: WebSocket, stream: Duplex, entrance: Entrance) {
    const { core, heartbeat, joins } = shared;
    this.#shared = shared;
    this.#core = core;
    this.#socket = socket;
    this.#peer = new WebSocketPeer(socket, stream, () => core.metrics.sent(this.#role));
    this.#entrance = entrance;
    this.#holder = entrance.visitor.holder;
    heartbeat.start(this);
    joins.add(this);
    core.metrics.connected('none', 1);
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('ping', () => this.#control());
    socket.on('pong', (payload) => {
      heartbeat.lives(this, payload.toString('latin1'));
      this.#control();
    });
    socket.on('close', (code) => this.#end(code));
  }

  /** [P-2.6] */
  ping(payload: string): void {
    this.#socket.ping(payload);
    this.#watchExpiry();
  }

  cut(): void {
    this.#socket.terminate();
  }

  /** [P-3] The time in which it must have joined is over. */
  mustHaveJoined(): void {
    if (this.#behindJoin) this.#isLate = true;
    else this.#peer.close(CLOSE.joinTimeout, 'no join in time');
  }

  get #role(): Role | 'none' {
    return this.#joined?.session.role ?? 'none';
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (isBinary || !Buffer.isBuffer(data))
      this.#peer.close(CLOSE.binary, 'binary frame'); // [P-2.1]
    else this.#shared.arrivals.arrive(this, data);
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

  read(frame: Buffer): void {
    this.#take(frame.toString());
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isExpelled) this.#socket.resume();
  }

  #take(text: string): void {
    if (this.#behindJoin) this.#wait(this.#behindJoin, text);
    else this.#read(text);
  }

  #wait(behind: string[], text: string): void {
    behind.push(text);
    this.#behindBytes += text.length;
    if (this.#behindBytes > this.#core.settings.MAX_SOCKET_BACKLOG) {
      this.#expel(CLOSE.rateLimited, 'too much behind a join');
    }
  }

  /** Whom this side has closed is not read; who has left is, as far as it had joined. */
  get #isGone(): boolean {
    return this.#peer.closedWith !== null || (!this.#joined && this.#socket.readyState !== this.#socket.OPEN);
  }

  #read(text: string): void {
    if (this.#isGone) return;
    let id: string | undefined;
    try {
      const envelope = decodeEnvelope(text);
      id = envelope.id;
      this.#core.metrics.received(isKnownChannel(envelope.channel) ? envelope.channel : 'unknown');
      if (this.#isLimited(envelope)) throw refused('rate_limited', 'too many frames: wait a second');
      if (isJoin(envelope)) this.#join(envelope);
      else this.#handle(envelope);
    } catch (error) {
      this.#refuse(error instanceof BadFrame ? error.id : id, error);
    }
  }

  #send(frame: string): void {
    sendWithin(this.#peer, frame, this.#core.settings.MAX_SOCKET_BACKLOG);
  }

  /** The first join is free; any other frame takes from the bucket. */
  #isLimited(envelope: Envelope): boolean {
    return !(isJoin(envelope) && !this.#hasTried) && this.#isOver();
  }

  /** Takes one from the bucket. @returns whether there was none */
  #isOver(): boolean {
    if (this.#core.settings.RATE_LIMIT === 'off' || this.#role === 'server') return false;
    const now = performance.now();
    this.#bucket ??= new TokenBucket(RATE.burst, RATE.perSecond, now);
    return !this.#bucket.take(now);
  }

  /** A ping or pong of WebSocket's own counts like any frame. `ws` has answered it: its pong may wait to be read. */
  #control(): void {
    if (this.#peer.unsent > this.#core.settings.MAX_SOCKET_BACKLOG) dropAsSlow(this.#peer);
    else if (this.#isOver()) this.#strikeLimited();
  }

  /** Closes, and reads no more: what a flood goes on sending until it has gone costs nothing. */
  #expel(code: CloseCode, reason: string): void {
    this.#isExpelled = true;
    this.#peer.close(code, reason);
    this.#socket.pause();
  }

  #handle(envelope: Envelope): void {
    const { channel, payload, id } = envelope;
    if (channel === 'ping') {
      this.#send(PONG); // [P-2.6]
      if (id !== undefined) this.#send(ackFrame(id, null));
    } else if (!this.#joined) {
      if (!isKnownChannel(channel)) throw refused('unknown_channel', 'there is no such channel');
      throw refused('not_joined', 'the first frame must be a join');
    } else if (channel === 'refresh') {
      this.#refresh(this.#joined, payload, id);
    } else {
      this.#submit(this.#joined, envelope);
    }
  }

  /** [P-3] What comes behind a join waits for it. */
  #join(envelope: Envelope & { channel: JoinChannel }): void {
    const entrance = this.#entrance;
    if (!entrance) throw refused('already_joined', 'this socket has joined');
    this.#hasTried = true;
    this.#behindJoin = [];
    join(this.#core, entrance, envelope, this.#peer)
      .then((joined) => this.#seated(joined))
      .catch((error: unknown) => this.#refuseJoin(entrance, envelope.id, error))
      .finally(() => this.#readBehindJoin());
  }

  #refuseJoin({ visitor, address }: Entrance, id: string | undefined, error: unknown): void {
    const code = error instanceof RefusedError ? error.refusal.code : 'internal';
    const { status } = errorKind(code);
    visitor.wasRefused(status === 401);
    if (status === 401 || status === 403) this.#core.audit.refused({ code, route: '/ws', address });
    this.#refuse(id, error);
  }

  #seated(joined: Joined): void {
    if (this.#socket.readyState !== this.#socket.OPEN) {
      leave(this.#core, joined);
      return;
    }
    const { metrics } = this.#core;
    const { role } = joined.session;
    this.#joined = joined;
    this.#entrance = null;
    this.#shared.joins.delete(this);
    metrics.connected('none', -1);
    metrics.connected(role, 1);
    metrics.joined(role);
    this.#watchExpiry();
  }

  #readBehindJoin(): void {
    const waiting = this.#behindJoin ?? [];
    this.#behindJoin = null;
    this.#behindBytes = 0;
    if (!this.#joined && this.#isLate && this.#socket.readyState === this.#socket.OPEN) this.mustHaveJoined();
    for (const text of waiting) this.#take(text);
  }

  /** [P-4] A socket outlives its token by nothing. Nearly every token ends later than its socket: each ping looks anew. */
  #watchExpiry(): void {
    if (this.#expiry) clearTimeout(this.#expiry);
    this.#expiry = null;
    if (!this.#joined || this.#socket.readyState !== this.#socket.OPEN) return;
    const left = this.#joined.seat.credential.claims.exp * 1000 - Date.now();
    if (left > 2 * this.#core.timing.pingInterval) return;
    const expire = () => this.#refuse(undefined, refused('token_expired', 'the token has expired'));
    this.#expiry = setTimeout(expire, Math.max(0, left));
  }

  /** [P-4] A new token of the same role, dealer and sub takes the old one's place. */
  #refresh(joined: Joined, payload: unknown, id: string | undefined): void {
    refresh(this.#core, joined, decodeRefresh(payload).token)
      .then((refreshed) => {
        this.#joined = refreshed;
        this.#watchExpiry();
        if (id !== undefined) this.#send(ackFrame(id, null));
      })
      .catch((error: unknown) => this.#refuse(id, error));
  }

  #submit({ session }: Joined, { channel, payload, id }: Envelope): void {
    const command = commandOf(session, channel, payload, id);
    const origin = { peer: this.#peer, id, address: session.role === 'customer' ? this.#holder : null };
    submit(this.#core, { session, holder: this.#holder }, command, origin, (outcome) => {
      this.#bucket?.charge(outcome.weight ?? 0); // [P-9]
      if ('refusal' in outcome) this.#refuse(id, new RefusedError(outcome.refusal));
      else if (outcome.receipt?.duplicate && id !== undefined) this.#send(ackFrame(id, outcome.receipt));
    });
  }

  /** [P-9] Answers with the error, and closes where the error or its repetition asks for that. */
  #refuse(id: string | undefined, error: unknown): void {
    const refusal = error instanceof RefusedError ? error.refusal : this.#fault(error);
    this.#core.metrics.refused(refusal.code);
    this.#send(errorFrame(id, refusal));
    const close = refusal.close ?? errorKind(refusal.code).close;
    if (close !== undefined) this.#peer.close(close, refusal.code);
    else if (BAD_CODES.has(refusal.code)) this.#strikeBad();
    else if (refusal.code === 'rate_limited') this.#strikeLimited();
  }

  #strikeBad(): void {
    this.#bad ??= new Strikes(20, 60_000);
    if (this.#bad.add(performance.now())) this.#expel(CLOSE.badFrames, 'too many bad frames');
  }

  #strikeLimited(): void {
    this.#limited ??= new Strikes(100, 10_000);
    if (this.#limited.add(performance.now())) this.#expel(CLOSE.rateLimited, 'too many frames');
  }

  #fault(error: unknown): Refusal {
    this.#core.log.error({ err: error }, 'a frame could not be handled');
    return { code: 'internal', message: 'this could not be handled' };
  }

  #end(code: number): void {
    if (this.#expiry) clearTimeout(this.#expiry);
    this.#shared.heartbeat.stop(this);
    this.#shared.joins.delete(this);
    this.#core.metrics.connected(this.#role, -1);
    this.#core.metrics.closed(String(this.#peer.closedWith ?? code));
    if (this.#joined) leave(this.#core, this.#joined);
    this.#core.log.debug({ code, role: this.#joined?.session.role }, 'socket closed');
  }
}
