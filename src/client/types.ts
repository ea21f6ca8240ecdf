/**
 * Types of everything that may be sent and heard, derived from the protocol's table: a type here is never written a
 * second time.
 */
import type { ErrorCode, Refusal } from '../../schemas/errors.ts';
import type { AckPayload, SessionPayload } from '../../schemas/frames.ts';
import type { Role } from '../../schemas/kinds.ts';
import type { DELIVERIES, Sends } from '../../schemas/table.ts';

export type { AckPayload, ErrorCode, Role, SessionPayload };

/** [P-9] Payload of an `error` frame; without an `id` it is about no send. */
export type ErrorPayload = Omit<Refusal, 'close'> & { readonly id?: string; readonly retryable: boolean };

/** The channels on which a role sends. */
export type Channel<R extends Role> = keyof Sends[R] & string;

/**
 * [P-5] Fields that the server fills in from the session: they need not be given. A customer's `adminId` is no identity
 * at all.
 */
interface Identity {
  readonly customer: { dealerId?: string; groupId?: string; user?: 'customer'; adminId?: never };
  readonly admin: { dealerId?: string; adminId?: string; user?: 'admin' };
  readonly server: { dealerId?: string };
}

type BodyOf<Schemas> = Schemas extends readonly (infer Schema)[]
  ? Schema extends { static: infer Body }
    ? Body
    : never
  : never;

/** [P-6.4] A record keeps fields that are not well known, too. */
type Open<Body> = Body extends { message: object }
  ? Omit<Body, 'message'> & { message: Body['message'] & Record<string, unknown> }
  : Body;

type Sent<Body, R extends Role> = Body extends unknown ? Omit<Open<Body>, keyof Identity[R]> & Identity[R] : never;

/** Payload that a role sends on one of its channels. */
export type Payload<R extends Role, C extends Channel<R>> = Sent<BodyOf<Sends[R][C]>, R>;

/** [P-2.3] Identity of a stored event, beside its payload. */
export interface Stamp {
  readonly id: string;
  readonly scope: string;
  readonly seq: number;
  readonly at: string;
}

type Deliveries = typeof DELIVERIES;

/** Arguments of a listener on each channel: the payload, and for a stored event its frame's stamp. */
export type Delivered = {
  [Type in keyof Deliveries as Deliveries[Type]['channel']]: Deliveries[Type]['stored'] extends true
    ? [payload: Deliveries[Type]['payload']['static'], stamp: Stamp]
    : [payload: Deliveries[Type]['payload']['static'], stamp?: Stamp];
};

/** Why a connection ended: a WebSocket close code [P-9], and what the server (or this client) said. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/**
 * A scope whose events after `after` were not all delivered: its history is to be read anew [P-3.6, P-11.3]; with 0, from the
 * beginning, for the log may be another [P-21.1].
 */
export interface Gap {
  readonly scope: string;
  readonly after: number;
}

/** Events to listen to: every delivered channel, and changes of the connection. */
export interface Events extends Delivered {
  /** A connection is being made. */
  connecting: [];
  /** Joined, for the first time or again [P-3.5]. */
  session: [session: SessionPayload];
  /** The connection is lost, or could not be made; the next try comes in `retryIn` milliseconds. */
  offline: [lost: Closed & { readonly retryIn: number }];
  /** It is over: the server does not want this client back, or `close` was called. */
  closed: [closed: Closed];
  gap: [gap: Gap];
}

export type State = 'connecting' | 'joined' | 'offline' | 'closed';

/** A token, or what fetches one: it is called for the first join, before the token expires, and after a refusal [P-4]. */
export type Token = string | (() => string | Promise<string>);

/** Where a customer's token is kept: `localStorage`, or anything like it. */
export interface TokenStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** As much of a WebSocket as is needed. Handlers are written, never read: `unknown` takes those of `ws` and of the DOM. */
export interface Socket {
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  send(text: string): void;
  close(code?: number): void;
}
export type SocketClass = new (url: string, protocol: string) => Socket;

/** Identity of a join [P-3]. */
interface Who {
  readonly customer: {
    /** A group that this customer asks for; without it, the remembered one, or a new one. */
    readonly groupId?: string;
    /** From the dealer's backend, for a customer who is logged in; without it, the token that Telle gives is remembered. */
    readonly token?: Token;
    /** Where that is remembered: `localStorage` in a browser; elsewhere nowhere. */
    readonly storage?: TokenStorage;
  };
  readonly admin: { readonly adminId: string; readonly token: Token };
  readonly server: { readonly token: Token };
}

interface Common {
  /** The server's endpoint, such as `wss://chat.example/ws`. */
  readonly url: string;
  readonly dealerId: string;
  /** The last seq seen of scopes that are to be caught up with at the first join [P-3.6]. */
  readonly since?: Readonly<Record<string, number>>;
  /** The epoch of the session in which they were seen [P-21.1]. */
  readonly epoch?: string;
  /** Number of sends that may wait for their acks, offline or not (256). */
  readonly maxQueue?: number;
  /** Keeps within the server's rate limit (true); `false` where the server has none. A server role is never limited. */
  readonly pace?: boolean;
  /** The longest wait for an answer to a join or a ping, in milliseconds (10,000). */
  readonly timeout?: number;
  /** The pause before a new try: at random up to `first` milliseconds, then up to twice as many, up to `most` (1000, 30,000). */
  readonly backoff?: { readonly first: number; readonly most: number };
  /** The class of sockets, where the platform has none: that of the package `ws`. */
  readonly WebSocket?: SocketClass;
}

export type Options<R extends Role> = Common & { readonly role: R } & Who[R];

/** The options of any role, as the client itself reads them. */
export type AnyOptions = Common & {
  readonly role: Role;
  readonly groupId?: string;
  readonly adminId?: string;
  readonly token?: Token;
  readonly storage?: TokenStorage;
};

/** Names an event for the server to know it again [P-8.4]: a UUID's worth of chance, unless it is given. */
export interface SendOptions {
  readonly id?: string;
}

export interface Client<R extends Role> {
  readonly state: State;
  /** Payload of the last `session`. */
  readonly session: SessionPayload | undefined;
  /** The greatest seq seen of each scope. */
  readonly seqs: Readonly<Record<string, number>>;
  /**
   * Sends a payload, now or when there is a connection, as often as it takes.
   * @returns what the server acked; own sends come by this alone, not as events
   * @throws TelleError where it was refused, or will not be sent
   */
  send<C extends Channel<R>>(channel: C, payload: Payload<R, C>, options?: SendOptions): Promise<AckPayload>;
  /** @returns what unsubscribes */
  on<Name extends keyof Events>(name: Name, listener: (...heard: Events[Name]) => void): () => void;
  /** Ends it. What was not acked is rejected with `closed`. */
  close(): void;
}
