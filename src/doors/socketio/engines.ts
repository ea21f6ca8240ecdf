/** [P-19.1] Engine.IO, which carries Socket.IO: its third revision for clients of version 2, its fourth for all later ones. */
import type { IncomingMessage } from 'node:http';
import { Server, type ServerOptions, type Socket as Session } from 'engine.io';
import { type ServerOptions as WebSocketOptions, WebSocketServer } from 'ws';
import { refused } from '../../../schemas/errors.ts';
import type { Settings } from '../../../schemas/settings.ts';
import type { Timing } from '../../timing.ts';
import { REQUEST_ID, requestIdOf } from '../http/headers.ts';
import { BOUNDS } from '../websocket/route.ts';

/** Bytes of what one poll may bring: clients of version 2 send all that they have at once. */
const MAX_POLL = 64 * 1024;
/** Time that a client of version 2 may be silent beyond its interval, in ms: it pings by itself, and a page in the background late. */
const SILENCE = 60_000;

/** A request's query, as Engine.IO reads it. */
export type Query = Readonly<Record<string, string | undefined>>;

interface Queried extends IncomingMessage {
  _query?: Query;
}

/** Reads a request's query, once: what was judged here is what Engine.IO acts on. */
export function queryOf(request: Queried): Query {
  request._query ??= Object.fromEntries(new URLSearchParams((request.url ?? '').split('?').slice(1).join('?')));
  return request._query;
}

/** The door, as Engine.IO asks it, and tells it what happened. */
interface Handlers {
  /** The name of the session that a request opens. */
  nameFor(request: IncomingMessage): string;
  opened(engine: Server, session: Session): void;
  /** A request was refused, and has been answered so. */
  refused(request: IncomingMessage): void;
}

export class Engines {
  /** Bytes of what one poll may bring. */
  readonly maxPoll: number;
  readonly #byRevision: Readonly<Record<string, Server>>;

  constructor(settings: Settings, timing: Timing, { nameFor, opened, refused }: Handlers) {
    this.maxPoll = Math.max(MAX_POLL, settings.MAX_FRAME_BYTES);
    const common: ServerOptions = {
      transports: ['polling', 'websocket'],
      pingInterval: timing.pingInterval,
      upgradeTimeout: settings.JOIN_TIMEOUT * 1000,
      maxHttpBufferSize: this.maxPoll,
      httpCompression: false,
      perMessageDeflate: false,
      wsEngine: boundedBy({ ...BOUNDS, closeTimeout: timing.closeTimeout }),
    };
    this.#byRevision = {
      3: new Server({ ...common, allowEIO3: true, pingTimeout: SILENCE }),
      4: new Server({ ...common, pingTimeout: timing.pongTimeout }),
    };
    for (const engine of this.all) {
      engine.generateId = nameFor;
      engine.on('connection', (session: Session) => opened(engine, session));
      engine.on('initial_headers', (headers: Record<string, string>, request: IncomingMessage) => {
        headers[REQUEST_ID] = requestIdOf(request);
      });
      engine.on('connection_error', ({ req }: { req: IncomingMessage }) => refused(req));
    }
  }

  get all(): Server[] {
    return Object.values(this.#byRevision);
  }

  /** The one that a request asks for. @throws RefusedError where there is none, or it asks for what is not served */
  for({ EIO = '', j }: Query): Server {
    const server = Object.hasOwn(this.#byRevision, EIO) ? this.#byRevision[EIO] : undefined;
    if (!server)
      throw refused('invalid_payload', 'EIO: expected 3 or 4, which Socket.IO speaks from version 2 and 3 on');
    // It has no Origin by which it could be judged [P-11.5].
    if (j !== undefined)
      throw refused('invalid_payload', 'j: JSONP is not served: poll by XMLHttpRequest, or use WebSocket');
    return server;
  }
}

/** The class of WebSocket servers that Engine.IO is to make: with bounds of ours. */
const boundedBy = (bounds: object) =>
  class extends WebSocketServer {
    constructor(options: WebSocketOptions) {
      super({ ...options, ...bounds });
    }
  };
