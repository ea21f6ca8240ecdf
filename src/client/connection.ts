/** One client, over as many sockets as it takes. */
import type { JoinChannel } from '../../schemas/table.ts';
import { askedPause, pauseAfter } from './backoff.ts';
import { Emitter } from './emitter.ts';
import { TelleError } from './error.ts';
import type { EventFrame, Frame } from './frame.ts';
import { Keeper } from './keeper.ts';
import { Outbox } from './outbox.ts';
import { newId, platform } from './platform.ts';
import { Pulse } from './pulse.ts';
import { Seen } from './seen.ts';
import type {
  AckPayload,
  AnyOptions,
  Closed,
  ErrorPayload,
  Events,
  Role,
  SendOptions,
  SessionPayload,
  Socket,
  State,
} from './types.ts';
import { type StreamLoader, Ways } from './ways.ts';

const SUBPROTOCOL = 'telle.v1';
const JOINS = {
  customer: 'client_join',
  admin: 'admin_join',
  server: 'server_join',
} as const satisfies Record<Role, JoinChannel>;

/** [P-9] Close codes with which a client does not come back unchanged. */
const isFinal = (code: number) => code >= 4400 && code < 4500;
const UNAUTHORIZED = 4401;
/** Close code that browsers give a connection that broke. */
const BROKEN = 1006;
const NORMAL = 1000;
const NO_ANSWER = 'no answer';

export class Connection {
  state: State = 'connecting';
  session: SessionPayload | undefined;
  readonly #options: AnyOptions;
  readonly #ways: Ways;
  readonly #timeout: number;
  readonly #events = new Emitter();
  readonly #outbox: Outbox;
  readonly #seen: Seen;
  readonly #keeper: Keeper;
  readonly #pulse: Pulse;
  readonly #joinId = newId();
  #socket: Socket | undefined;
  /** Counts the tries to connect: what belongs to an earlier one is no longer listened to. */
  #attempt = 0;
  #failures = 0;
  #joinedAt = Number.POSITIVE_INFINITY;
  /** Ends what is waited for: the pause before a try, or the answer to a join. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Reason for which the join was refused, where the server leaves it to this client to go. */
  #refusal: string | undefined;
  /** The token that was refused since the last session, and how. */
  #refused: { readonly token: string | undefined; readonly closed: Closed } | undefined;

  /** @param loadStream gives the class of sockets for where WebSockets are blocked */
  constructor(options: AnyOptions, loadStream: StreamLoader) {
    const { role, dealerId, since = {}, epoch, maxQueue = 256, pace = true, timeout = 10_000 } = options;
    const socketClass = options.WebSocket ?? platform.WebSocket;
    if (!socketClass) throw new Error('no WebSocket here: give the class of the package ws as the option WebSocket');
    this.#options = options;
    this.#ways = new Ways(options.url, socketClass, loadStream);
    this.#timeout = timeout;
    this.#outbox = new Outbox({
      max: maxQueue,
      isPaced: pace && role !== 'server',
      pause: (refusals) => pauseAfter(refusals, options.backoff),
    });
    // A customer's updates are acked with a scope that it may not see; a server of all dealers has no scopes [P-3.6].
    this.#seen = new Seen(since, epoch, (scope) => dealerId !== '*' && (role !== 'customer' || scope !== '@desk'));
    this.#keeper = new Keeper(options);
    this.#pulse = new Pulse(
      timeout,
      () => this.#put('ping', {}),
      () => this.#lose({ code: BROKEN, reason: 'no sign of life' }),
    );
    platform.addEventListener?.('online', this.#online);
    platform.addEventListener?.('offline', this.#offline);
    queueMicrotask(() => this.#open());
  }

  get seqs(): Record<string, number> {
    return this.#seen.seqs;
  }

  on<Name extends keyof Events>(name: Name, listener: (...heard: Events[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  send(channel: string, payload: object, { id = newId() }: SendOptions = {}): Promise<AckPayload> {
    return this.#outbox.add(channel, payload, id);
  }

  close(): void {
    if (this.state !== 'closed') this.#end({ code: NORMAL, reason: 'closed' });
  }

  readonly #online = () => {
    if (this.state !== 'offline') return;
    this.#failures = 0;
    this.#open();
  };

  readonly #offline = () => {
    if (this.state !== 'offline') this.#lose({ code: BROKEN, reason: 'offline' });
  };

  /** Makes a socket that joins. */
  async #open(): Promise<void> {
    if (this.state === 'closed') return;
    clearTimeout(this.#timer);
    this.state = 'connecting';
    this.#refusal = undefined;
    const attempt = ++this.#attempt;
    const isCurrent = () => attempt === this.#attempt;
    this.#events.emit('connecting');
    try {
      const token = await this.#keeper.get();
      if (!isCurrent()) return;
      if (this.#refused && this.#refused.token === token) {
        this.#end(this.#refused.closed);
        return;
      }
      const Way = await this.#ways.next();
      if (isCurrent()) this.#dial(new Way(this.#options.url, SUBPROTOCOL), token, isCurrent);
    } catch (error) {
      if (isCurrent()) this.#lose({ code: BROKEN, reason: String(error) });
    }
  }

  #dial(socket: Socket, token: string | undefined, isCurrent: () => boolean): void {
    this.#socket = socket;
    // The server's own time for a join begins later and is no shorter: no 4408 comes of a slow network.
    this.#timer = setTimeout(() => this.#lose({ code: BROKEN, reason: NO_ANSWER }), this.#timeout);
    socket.onopen = () => isCurrent() && this.#join(token);
    socket.onmessage = ({ data }: { data: string }) => isCurrent() && this.#receive(JSON.parse(data));
    socket.onclose = ({ code, reason }: Closed) => isCurrent() && this.#closed({ code, reason });
    socket.onerror = () => {}; // the close that follows says more
  }

  #put(channel: string, payload: object, id?: string): void {
    this.#socket?.send(JSON.stringify({ channel, payload, id }));
  }

  /** [P-3] */
  #join(token: string | undefined): void {
    const { role, dealerId, adminId } = this.#options;
    const channel = JOINS[role];
    // A token that is fetched anew may be another customer's, whose conversation this is not: the server refuses it.
    const own = this.#keeper.canAsk ? this.session?.groupId : undefined;
    const groupId = own ?? this.#options.groupId;
    const { epoch } = this.#seen;
    const asked = { type: channel.toUpperCase(), dealerId, groupId, adminId, token, since: this.#seen.since(), epoch };
    this.#put(channel, asked, this.#joinId);
  }

  #receive(frame: Frame): void {
    this.#ways.worked();
    if (this.state === 'joined' && this.session) this.#pulse.heard(this.session.pingInterval);
    switch (frame.channel) {
      case 'session':
        this.#seated(frame.payload);
        break;
      case 'ack':
        this.#acked(frame.payload);
        break;
      case 'error':
        if (frame.payload.id === this.#joinId) this.#unseated(frame.payload);
        else this.#outbox.refuse(frame.payload);
        break;
      case 'pong':
        break;
      default:
        this.#happened(frame);
    }
  }

  /** [P-3.5] */
  #seated(session: SessionPayload): void {
    const attempt = this.#attempt;
    clearTimeout(this.#timer);
    this.state = 'joined';
    this.session = session;
    this.#joinedAt = Date.now();
    this.#refused = undefined;
    this.#pulse.heard(session.pingInterval);
    this.#keeper.keep(session.token);
    this.#keeper.renew(Date.parse(session.expiresAt ?? ''), (token) => {
      if (token === undefined) this.#lose({ code: NORMAL, reason: 'renewing the token' }, 0);
      else this.#put('refresh', { token });
    });
    const gaps = this.#seen.join(session);
    this.#events.emit('session', session);
    for (const gap of gaps) this.#events.emit('gap', gap);
    if (attempt !== this.#attempt) return; // a listener has closed it
    this.#outbox.open((text) => {
      this.#pulse.sent();
      this.#socket?.send(text);
    });
  }

  /** The join was refused: for a moment, or for good. Where there is a close code for that, the server closes first. */
  #unseated({ code, retryable }: ErrorPayload): void {
    if (retryable) {
      this.#lose({ code: BROKEN, reason: code });
    } else {
      this.#refusal = code;
      this.#socket?.close();
    }
  }

  /** [P-7] An ack stands for its event. */
  #acked(ack: AckPayload): void {
    if (ack.scope !== undefined && ack.seq !== undefined) this.#seen.see(ack.scope, ack.seq);
    this.#outbox.ack(ack);
  }

  /** Gives an event once. One that was sent from here, and whose ack was lost, stands for its ack. */
  #happened({ channel, payload, id, scope, seq, at }: EventFrame): void {
    if (id === undefined || scope === undefined || seq === undefined || at === undefined) {
      this.#events.emit(channel, payload);
    } else if (this.#seen.see(scope, seq) && !this.#outbox.ack({ id, scope, seq, at, duplicate: false })) {
      this.#events.emit(channel, payload, { id, scope, seq, at });
    }
  }

  /** The server, or the network, has closed the socket. */
  #closed(closed: Closed): void {
    if (closed.code === UNAUTHORIZED) this.#unauthorized(closed);
    else if (isFinal(closed.code)) this.#end(closed);
    else if (this.#refusal !== undefined) this.#end({ ...closed, reason: this.#refusal });
    else this.#lose(closed);
  }

  /** [P-4] Once more, where another token can be had. */
  #unauthorized(closed: Closed): void {
    const token = this.#keeper.forget();
    if (this.#refused || !this.#keeper.canAsk) {
      this.#end(closed);
    } else {
      this.#refused = { token, closed };
      this.#lose(closed, 0);
    }
  }

  /** Leaves the socket, whatever has become of it. */
  #leave(): void {
    this.#attempt += 1;
    clearTimeout(this.#timer);
    this.#keeper.rest();
    this.#pulse.stop();
    this.#socket?.close();
    this.#socket = undefined;
  }

  #lose(lost: Closed, pause?: number): void {
    this.#leave();
    if (lost.code === BROKEN) this.#ways.broke(lost.reason === NO_ANSWER);
    this.#outbox.shut(lost.code);
    // A connection that did not last counts as one more that failed.
    if (Date.now() - this.#joinedAt > this.#timeout) this.#failures = 0;
    this.#joinedAt = Number.POSITIVE_INFINITY;
    const { backoff } = this.#options;
    const retryIn = pause ?? askedPause(lost, backoff) ?? pauseAfter(this.#failures++, backoff);
    this.state = 'offline';
    this.#timer = setTimeout(() => this.#open(), retryIn);
    this.#events.emit('offline', { ...lost, retryIn });
  }

  #end(closed: Closed): void {
    this.#leave();
    platform.removeEventListener?.('online', this.#online);
    platform.removeEventListener?.('offline', this.#offline);
    this.state = 'closed';
    this.#outbox.end(new TelleError('closed', `closed: ${closed.code} ${closed.reason}`, false));
    this.#events.emit('closed', closed);
  }
}
