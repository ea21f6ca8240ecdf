/**
 * [P-2.1] `GET /ws`: the one WebSocket endpoint. A handshake that is as it must be opens a socket at once, past the HTTP
 * routes, of which every open socket would keep something. One that is refused is answered by them, as any request.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import websocket from '@fastify/websocket';
import { Type } from '@sinclair/typebox';
import type { WebSocket, WebSocketServer } from 'ws';
import { CLOSE, RefusedError, refused } from '../../../schemas/errors.ts';
import { type Conversations, comeBack } from '../../conversation/conversations.ts';
import type { Cause } from '../../journal/journal.ts';
import type { Core } from '../core.ts';
import type { Gate } from '../entrance.ts';
import { REQUEST_ID, requestIdOf } from '../http/headers.ts';
import type { App } from '../http/http.ts';
import { refusalOf, refuseHandshake } from '../http/problem.ts';
import { onWebSocket } from '../http/upgrades.ts';
import { connect } from './connection.ts';
import { ENDPOINT, mustUpgrade, SUBPROTOCOL, VERSION } from './handshake.ts';
import { Heartbeat } from './heartbeat.ts';
import type { FramedSocket } from './socket.ts';

/** A frame that comes in more pieces than these is an attack on memory, not a message. */
export const BOUNDS = { maxFragments: 1024, maxBufferedChunks: 4096 };

/** A door whose sockets begin as a handshake of WebSocket. */
export interface UpgradeDoor {
  /** Tells whether a handshake is at its endpoint. */
  isAt(url: string): boolean;
  /** Opens a socket. @throws RefusedError for which it does not */
  open(request: IncomingMessage, stream: Duplex, head: Buffer): void;
}

interface WebSocketDoor {
  /** Closes every socket that is left [P-9]. Resolves when all have gone, which `ws` sees to within its close timeout. */
  close(): Promise<void>;
}

/** @param others doors whose handshakes are at an endpoint of their own */
export async function websocketDoor(
  app: App,
  core: Pick<Core, 'settings' | 'timing' | 'log'>,
  conversations: Conversations,
  gate: Gate,
  others: readonly UpgradeDoor[] = [],
): Promise<WebSocketDoor> {
  const { timing, log } = core;
  // What it hears of goes through the routes: it hears of the handshakes that are refused.
  const refusals = createServer();
  const server = await webSockets(app, core, refusals);
  const shared = { conversations, heartbeat: new Heartbeat<FramedSocket>(timing) };
  const faults = throwFaults(app);
  const own: UpgradeDoor = {
    isAt: () => true,
    open(request, stream, head) {
      const entrance = gate.admit({ request, stream, route: ENDPOINT, mustBeOne: () => mustUpgrade(request) });
      server.handleUpgrade(request, stream, head, (socket) => {
        socket.on('error', tellerOf(log, entrance.cause));
        connect(shared, socket, stream, entrance);
      });
    },
  };
  onWebSocket(app, (request, stream, head) => {
    // One id, wherever it is asked for: in the answer, in the log of the request, and as that of the connection.
    request.headers[REQUEST_ID] = requestIdOf(request);
    const door = others.find(({ isAt }) => isAt(request.url ?? '')) ?? own;
    try {
      door.open(request, stream, head);
    } catch (fault) {
      faults.set(request, fault);
      // Nobody hears of them once the app is being closed: then they are answered here.
      if (!refusals.emit('upgrade', request, stream, head))
        refuseHandshake(stream, request, refusalOf(fault, log.child({ reqId: requestIdOf(request) })));
    }
  });
  describeEndpoint(app);
  return { close: () => closeAll([...server.clients], timing.returnWithin) };
}

/**
 * `ws` itself closes a socket that breaks the WebSocket protocol, with the code for how. Made here, that nothing else of a handshake
 * is kept as long as its socket.
 */
const tellerOf = (log: Core['log'], cause: Cause) => (err: Error) => log.debug({ err, ...cause }, 'socket error');

/** Makes WebSockets of handshakes. @param refusals a server whose upgrades go through the routes */
async function webSockets(
  app: App,
  { settings, timing }: Pick<Core, 'settings' | 'timing'>,
  refusals: Server,
): Promise<WebSocketServer> {
  const options = {
    server: refusals,
    maxPayload: settings.MAX_FRAME_BYTES, // [P-2.5]
    perMessageDeflate: false,
    ...BOUNDS,
    closeTimeout: timing.closeTimeout,
    handleProtocols: (names: Set<string>) => names.has(SUBPROTOCOL) && SUBPROTOCOL,
  };
  // The app closes its sockets itself, with the code of a restart.
  await app.register(websocket, { options, preClose: () => {} });
  app.websocketServer.on('headers', (lines, request) => lines.push(`${REQUEST_ID}: ${requestIdOf(request)}`));
  app.websocketServer.on('wsClientError', (_, stream, request) => refuseHandshake(stream, request));
  return app.websocketServer;
}

/** @returns why handshakes were refused: what a request is answered that is one of them */
function throwFaults(app: App): WeakMap<IncomingMessage, unknown> {
  const faults = new WeakMap<IncomingMessage, unknown>();
  app.addHook('onRequest', async ({ raw }, reply) => {
    if (!faults.has(raw)) return;
    const fault = faults.get(raw);
    reply.header('connection', 'close');
    // [RFC 6455, 4.4]
    if (fault instanceof RefusedError && fault.refusal.code === 'upgrade_required')
      reply.header('sec-websocket-version', VERSION);
    throw fault;
  });
  return faults;
}

/** [P-9] 1012: come back with `since`. */
async function closeAll(sockets: readonly WebSocket[], returnWithin: number): Promise<void> {
  const gone = sockets.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())));
  for (const socket of sockets) socket.close(CLOSE.restart, comeBack(returnWithin));
  await Promise.all(gone);
}

/** Describes the endpoint, also for a request without a handshake. */
function describeEndpoint(app: App): void {
  app.route({
    method: 'GET',
    url: ENDPOINT,
    schema: {
      tags: ['websocket'],
      summary: 'Opens a WebSocket',
      description: `What is said over it is in the AsyncAPI document. The subprotocol is \`${SUBPROTOCOL}\`, or none.`,
      response: { 101: Type.Null({ description: 'The socket is open: the first frame is a join.' }) },
    },
    config: { errors: ['invalid_payload', 'upgrade_required'] },
    handler: async (_, reply) => {
      reply.header('upgrade', 'websocket');
      throw refused('upgrade_required', 'this is a WebSocket endpoint');
    },
  });
}
