/**
 * [P-19.1] `/socket.io/`: the door for clients of Socket.IO. Polls come as HTTP requests, handshakes as upgrades that the WebSocket door
 * hands on: Engine.IO listens to nothing by itself.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Server, Socket as Session } from 'engine.io';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CLOSE, refused } from '../../../schemas/errors.ts';
import type { Entrance } from '../../conversation/admission.ts';
import { type Conversations, comeBack } from '../../conversation/conversations.ts';
import type { Core } from '../core.ts';
import type { Gate } from '../entrance.ts';
import { REQUEST_ID, readableAnywhere } from '../http/headers.ts';
import type { App } from '../http/http.ts';
import { mustBeHandshake } from '../websocket/handshake.ts';
import type { UpgradeDoor } from '../websocket/route.ts';
import { connect } from './connection.ts';
import { Engines, type Query, queryOf } from './engines.ts';
import type { EngineSocket } from './socket.ts';

const ENDPOINT = '/socket.io/';
/** Bytes of a session's name, by which it is polled: nobody is to guess it. */
const SID_BYTES = 15;

/** A session that is about to be opened. */
interface Opening {
  readonly sid: string;
  readonly entrance: Entrance;
  /** It is over, or has come to nothing. */
  readonly leave: () => void;
}

/** A session that is open. */
interface Open {
  readonly engine: Server;
  readonly session: Session;
  readonly socket: EngineSocket;
}

type Parts = Pick<Core, 'settings' | 'timing' | 'metrics' | 'limits' | 'dialect'>;

export interface SocketIoDoor extends UpgradeDoor {
  /** Closes every session that is left [P-9]. Resolves when all have gone, or have had the time for it. */
  close(): Promise<void>;
}

export async function socketIoDoor(
  app: App,
  core: Parts,
  conversations: Conversations,
  gate: Gate,
): Promise<SocketIoDoor> {
  const door = new Door(core, conversations, gate);
  await app.register(async (scope: App) => {
    // What is polled is Engine.IO's to read.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_, __, done) => done(null));
    scope.addHook('onRequest', async ({ headers: { origin } }, reply) => {
      if (origin !== undefined) reply.headers(readableFrom(origin));
    });
    scope.route({
      method: ['GET', 'POST', 'OPTIONS'],
      url: ENDPOINT,
      exposeHeadRoute: false,
      logLevel: 'warn', // a line for each poll would be most of the log
      schema: { hide: true }, // whoever speaks it has a library for it
      handler: (request, reply) => (request.method === 'OPTIONS' ? reply.code(204).send() : door.poll(request, reply)),
    });
  });
  return door;
}

/** [P-19.1] Any page may poll. Clients of version 2 send cookies, which nobody here reads. */
const readableFrom = (origin: string) => ({
  ...readableAnywhere(origin),
  'access-control-allow-credentials': 'true',
});

class Door implements SocketIoDoor {
  readonly #core: Parts;
  readonly #conversations: Conversations;
  readonly #gate: Gate;
  readonly #engines: Engines;
  readonly #openings = new WeakMap<IncomingMessage, Opening>();
  readonly #open = new Map<string, Open>();

  constructor(core: Parts, conversations: Conversations, gate: Gate) {
    this.#core = core;
    this.#conversations = conversations;
    this.#gate = gate;
    this.#engines = new Engines(core.settings, core.timing, {
      nameFor: (request) => this.#openings.get(request)?.sid ?? '',
      opened: (engine, session) => this.#opened(engine, session),
      refused: (request) => {
        core.metrics.refused('invalid_payload');
        this.#openings.get(request)?.leave();
      },
    });
  }

  isAt(url: string): boolean {
    return url.startsWith(`${ENDPOINT}?`) || url === ENDPOINT;
  }

  /** A handshake: of a session that begins with it, or that was polled until now. */
  open(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const query = queryOf(request);
    const mustBeOne = () => {
      mustBeHandshake(request);
      mustSay(query, 'websocket');
    };
    if (query.sid) {
      mustBeOne();
      this.#named(query.sid).engine.handleUpgrade(request, stream, head);
      return;
    }
    const engine = this.#engines.for(query);
    const entrance = this.#gate.admit({ request, stream, route: ENDPOINT, mustBeOne });
    this.#openings.set(request, { sid: newSid(), entrance, leave: () => {} });
    engine.handleUpgrade(request, stream, head);
  }

  /** A poll: the first of a session, or one of many. */
  async poll(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { raw } = request;
    raw.headers[REQUEST_ID] = request.id; // that of the connection, too, where it opens one
    const query = queryOf(raw);
    const engine = query.sid ? await this.#polled(request, reply, query.sid) : this.#begun(raw, query);
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value);
    reply.hijack();
    engine.handleRequest(raw, reply.raw);
    return reply;
  }

  #begun(request: IncomingMessage, query: Query): Server {
    const { socket: stream, method } = request;
    const engine = this.#engines.for(query);
    const mustBeOne = () => {
      if (method !== 'GET') throw refused('invalid_payload', 'a session begins with GET');
      mustSay(query, 'polling');
    };
    const entrance = this.#gate.admit({ request, stream, route: ENDPOINT, isPoll: true, mustBeOne });
    this.#openings.set(request, { sid: newSid(), entrance, leave: this.#gate.hold(request, stream) });
    return engine;
  }

  async #polled(request: FastifyRequest, reply: FastifyReply, sid: string): Promise<Server> {
    const { metrics, limits } = this.#core;
    if (!this.#open.has(sid)) await limits.byAddress(request);
    const { engine, socket } = this.#named(sid);
    if (request.method !== 'POST') return engine;
    if (Number(request.headers['content-length'] ?? 0) > this.#engines.maxPoll) {
      reply.header('connection', 'close'); // the rest of it is not read, either
      throw refused('too_large', `a poll brings at most ${this.#engines.maxPoll} bytes`);
    }
    reply.raw.once('finish', () => {
      if (reply.raw.statusCode === 413) metrics.refused('too_large'); // found out while it was read
    });
    await socket.brought(reply.raw);
    return engine;
  }

  /** @throws RefusedError where this node has no such session: a client begins anew then */
  #named(sid: string): Open {
    const open = this.#open.get(sid);
    if (open) return open;
    throw refused('invalid_payload', 'sid: this node has no such session: begin anew, and poll the same node');
  }

  #opened(engine: Server, session: Session): void {
    const opening = this.#openings.get(session.request);
    if (!opening) {
      session.close(true); // nobody let it in
      return;
    }
    const { sid, entrance, leave } = opening;
    // The first request would stay in memory for as long as the session.
    Object.assign(session, { request: null });
    session.once('close', () => {
      this.#open.delete(sid);
      leave();
    });
    const { settings, timing, dialect } = this.#core;
    const shared = { conversations: this.#conversations, settings, timing, dialect };
    const socket = connect(shared, sid, session, entrance);
    this.#open.set(sid, { engine, socket, session });
  }

  async close(): Promise<void> {
    const { returnWithin } = this.#core.timing;
    const all = [...this.#open.values()];
    const gone = all.map(({ session }) => once(session, 'close'));
    for (const { socket } of all) socket.close(CLOSE.restart, comeBack(returnWithin));
    await Promise.all(gone);
    for (const engine of this.#engines.all) engine.close();
  }
}

const newSid = () => randomBytes(SID_BYTES).toString('base64url');

/** @throws RefusedError where a request does not say by which transport it comes */
function mustSay({ transport }: Query, expected: string): void {
  if (transport !== expected) throw refused('invalid_payload', `transport: expected ${expected}`);
}
