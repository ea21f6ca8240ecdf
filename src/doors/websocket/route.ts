/** [P-2.1] `GET /ws`: the one WebSocket endpoint. */

import type { IncomingMessage } from 'node:http';
import websocket from '@fastify/websocket';
import { Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { CLOSE, refused } from '../../../schemas/errors.ts';
import { bearerOf } from '../../auth/tokens.ts';
import type { Core } from '../core.ts';
import { Connection } from './connection.ts';

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

export async function websocketDoor(app: FastifyInstance, core: Core): Promise<void> {
  const { settings, timing } = core;
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
  app.route({
    method: 'GET',
    url: '/ws',
    schema: {
      tags: ['websocket'],
      summary: 'Opens a WebSocket',
      description: `What is said over it is in the AsyncAPI document. The subprotocol is \`${SUBPROTOCOL}\`, or none.`,
      response: { 101: Type.Null({ description: 'The socket is open: the first frame is a join.' }) },
    },
    config: { errors: ['invalid_payload', 'upgrade_required'] },
    preValidation: async (request, reply) => {
      if (request.ws) mustUpgrade(request.raw, reply);
      const names = offered(request.headers['sec-websocket-protocol']);
      if (names.length > 0 && !names.includes(SUBPROTOCOL)) {
        throw refused('invalid_payload', `the subprotocol is ${SUBPROTOCOL}`);
      }
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
      new Connection(core, socket, { origin, bearer: bearerOf(authorization) });
    },
  });
}
