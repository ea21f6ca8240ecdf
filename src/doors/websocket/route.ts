/** [P-2.1] `GET /ws`: the one WebSocket endpoint. */

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import websocket from '@fastify/websocket';
import { Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { CLOSE, refused } from '../../../schemas/errors.ts';
import type { Settings } from '../../../schemas/settings.ts';
import { bearerOf } from '../../auth/tokens.ts';
import type { Core } from '../core.ts';
import { refuseHandshake } from '../http/problem.ts';
import { Connection } from './connection.ts';
import { Guard } from './guard.ts';

/** [P-2.1] */
const ENDPOINT = '/ws';
/** [P-2.2] */
const SUBPROTOCOL = 'telle.v1';
/** A frame that comes in more pieces than these is an attack on memory, not a message. */
const MAX_FRAGMENTS = 1024;
const MAX_BUFFERED_CHUNKS = 4096;

const VERSION = '13';

/**
 * [RFC 6455, 4.2.1] What `ws` lets pass: an older HTTP, no host, or an older version of the protocol, which tells its
 * origin under another name.
 */
function mustUpgrade({ httpVersion, headers }: IncomingMessage, reply: FastifyReply): void {
  if (Number(httpVersion) < 1.1 || headers.host === undefined) {
    throw refused('invalid_payload', 'a WebSocket handshake needs HTTP/1.1 and a Host');
  }
  if (String(headers['sec-websocket-version']) === VERSION) return;
  reply.header('sec-websocket-version', VERSION);
  throw refused('upgrade_required', `the version of WebSocket is ${VERSION}`);
}

const offered = (header: string | undefined): string[] => header?.split(',').map((name) => name.trim()) ?? [];

/**
 * Counts the connections of each address: those that come directly as soon as they are there, whether they say anything
 * or not; where there are proxies in front, whose connections are many people's, those that become sockets.
 */
function countConnections(app: FastifyInstance, guard: Guard, { TRUST_PROXY }: Settings): void {
  if (TRUST_PROXY === 'off') {
    warnOfUnknownProxy(app);
    app.server.on('connection', (socket) => {
      const leave = guard.enter(socket.remoteAddress ?? '');
      if (leave) socket.once('close', leave);
      else socket.destroy();
    });
    return;
  }
  app.addHook('onRequest', async (request) => {
    if (!request.ws) return;
    const leave = guard.enter(request.ip);
    if (!leave) throw refused('rate_limited', 'too many connections of this address');
    request.socket.once('close', leave);
  });
}

/** Told once: behind a proxy that is not named, everybody has one address, and its bounds. */
function warnOfUnknownProxy(app: FastifyInstance): void {
  let isTold = false;
  app.addHook('onRequest', async ({ headers, log }) => {
    if (isTold || headers['x-forwarded-for'] === undefined) return;
    isTold = true;
    log.warn('requests are forwarded by a proxy that TRUST_PROXY does not name: they all count as one address');
  });
}

export async function websocketDoor(app: FastifyInstance, core: Core): Promise<void> {
  const { settings, timing } = core;
  const guard = new Guard(settings);
  const streams = new WeakMap<IncomingMessage, Duplex>();
  // What a socket is made of: a test's, through memory, is no network socket.
  app.server.prependListener('upgrade', (request, stream) => streams.set(request, stream));
  const options = {
    maxPayload: settings.MAX_FRAME_BYTES, // [P-2.5]
    perMessageDeflate: false,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_BUFFERED_CHUNKS,
    closeTimeout: timing.closeTimeout,
    handleProtocols: (names: Set<string>) => names.has(SUBPROTOCOL) && SUBPROTOCOL,
  };
  await app.register(websocket, {
    options,
    // `ws` itself closes a socket that breaks the WebSocket protocol, with the code for how.
    errorHandler: (error) => core.log.debug({ err: error }, 'socket error'),
    preClose: () => {}, // the app closes its sockets itself, with the code of a restart
  });
  app.websocketServer.on('wsClientError', (_, socket, request) => refuseHandshake(socket, request));
  app.addHook('onRequest', async (request) => {
    if (request.ws && request.routeOptions.url !== ENDPOINT)
      throw refused('unknown_route', `the WebSocket endpoint is ${ENDPOINT}`);
  });
  countConnections(app, guard, settings);
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
    preValidation: async (request, reply) => {
      const visitor = guard.visitor(request.ip);
      if (request.ws) {
        visitor.knock();
        mustUpgrade(request.raw, reply);
      }
      const names = offered(request.headers['sec-websocket-protocol']);
      if (names.length > 0 && !names.includes(SUBPROTOCOL)) {
        throw refused('invalid_payload', `the subprotocol is ${SUBPROTOCOL}`);
      }
      visitor.mustNotBeBarred();
    },
    handler: async (_, reply) => {
      reply.header('upgrade', 'websocket');
      throw refused('upgrade_required', 'this is a WebSocket endpoint');
    },
    wsHandler: (socket, request) => {
      if (app.websocketServer.clients.size > settings.MAX_CONNECTIONS) {
        socket.close(CLOSE.full, 'this node is full');
        return;
      }
      const { origin, authorization } = request.headers;
      const visitor = guard.visitor(request.ip);
      new Connection(core, socket, streams.get(request.raw) ?? request.raw.socket, {
        origin,
        bearer: bearerOf(authorization),
        visitor,
      });
    },
  });
}
