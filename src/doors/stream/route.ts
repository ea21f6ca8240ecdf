/**
 * [P-22] `/stream`: conversations where WebSockets are blocked. `GET` opens one, whose answer does not end: what the server says are
 * its events. What the client says is posted to the name that the first of them tells.
 */
import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Type } from '@sinclair/typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CLOSE, refused } from '../../../schemas/errors.ts';
import type { Conversation } from '../../conversation/conversation.ts';
import { type Conversations, comeBack } from '../../conversation/conversations.ts';
import type { Core } from '../core.ts';
import type { Gate } from '../entrance.ts';
import { REQUEST_ID, readableAnywhere } from '../http/headers.ts';
import type { App } from '../http/http.ts';
import { endless } from '../http/pipelining.ts';
import { Heartbeat } from '../websocket/heartbeat.ts';
import { StreamSocket } from './socket.ts';

const ENDPOINT = '/stream';
/** Bytes of a stream's name: who knows it speaks for whoever has joined there. */
const NAME_BYTES = 24;
/** Code of an end that says none: a stream has no way to leave but to hang up. */
const NO_CODE = 1005;

const HEAD = {
  'content-type': 'text/event-stream',
  // What comes at once is to be read at once, whatever is on the way.
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
};

const params = Type.Object({ id: Type.String() });
const querystring = Type.Object({ pong: Type.Optional(Type.String({ maxLength: 64 })) });

type Parts = Pick<Core, 'settings' | 'timing' | 'limits'>;

/** A stream that is open. */
interface Open {
  readonly answer: ServerResponse;
  readonly socket: StreamSocket;
  readonly conversation: Conversation;
}

interface StreamDoor {
  /** Closes every stream that is left [P-9]. Resolves when all have gone, or have had the time for it. */
  close(): Promise<void>;
}

export async function streamDoor(app: App, core: Parts, conversations: Conversations, gate: Gate): Promise<StreamDoor> {
  const door = new Door(core, conversations, gate);
  await app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
    scope.addHook('onRequest', async ({ headers: { origin } }, reply) => {
      if (origin !== undefined) reply.headers(readableAnywhere(origin));
    });
    // A line in the log for each post would be most of it; PROTOCOL.md has what is said here.
    const common = { logLevel: 'warn', schema: { hide: true } } as const;
    scope.get(ENDPOINT, { ...common, exposeHeadRoute: false }, (request, reply) => door.open(request, reply));
    scope.post(
      `${ENDPOINT}/:id`,
      {
        ...common,
        schema: { ...common.schema, params, querystring },
        bodyLimit: core.settings.MAX_FRAME_BYTES, // [P-2.5]
        onRequest: (request, reply) => door.begin(request, request.params.id, reply),
        errorHandler: (error, { params: { id } }) => {
          if (error.statusCode === 413) door.find(id)?.conversation.close(CLOSE.tooLarge, 'too large');
          throw error;
        },
      },
      ({ params: { id }, query: { pong }, body }, reply) => {
        door.take(id, body, pong);
        return reply.code(204).send();
      },
    );
    scope.options(`${ENDPOINT}*`, common, (_, reply) => reply.code(204).send());
  });
  return door;
}

class Door implements StreamDoor {
  readonly #core: Parts;
  readonly #conversations: Conversations;
  readonly #gate: Gate;
  readonly #heartbeat: Heartbeat<StreamSocket>;
  readonly #open = new Map<string, Open>();

  constructor(core: Parts, conversations: Conversations, gate: Gate) {
    this.#core = core;
    this.#conversations = conversations;
    this.#gate = gate;
    this.#heartbeat = new Heartbeat(core.timing);
  }

  open({ raw, id: requestId }: FastifyRequest, reply: FastifyReply): FastifyReply {
    // Its connection is the stream's alone, and counts as one as long as it is open.
    reply.header('connection', 'close');
    raw.headers[REQUEST_ID] = requestId; // that of the connection, too
    const entrance = this.#gate.admit({ request: raw, stream: raw.socket, route: ENDPOINT });
    const { raw: answer } = reply.headers(HEAD).hijack();
    answer.writeHead(200, Object.fromEntries(Object.entries(reply.getHeaders())));
    endless(answer);
    const socket = new StreamSocket(answer, this.#core.timing.closeTimeout);
    const conversation = this.#conversations.begin(socket, entrance);
    if (conversation) this.#keep({ answer, socket, conversation });
    return reply;
  }

  #keep(open: Open): void {
    const { answer, socket, conversation } = open;
    const id = randomBytes(NAME_BYTES).toString('base64url');
    this.#open.set(id, open);
    this.#heartbeat.start(socket);
    answer.once('close', () => {
      this.#open.delete(id);
      this.#heartbeat.stop(socket);
      conversation.end(NO_CODE);
    });
    socket.open(id);
  }

  find(id: string): Open | undefined {
    return this.#open.get(id);
  }

  /** @throws RefusedError where this node has no such stream: a client begins anew then */
  #named(id: string): Open {
    const open = this.find(id);
    if (open?.socket.isOpen) return open;
    throw refused('unknown_route', 'this node has no such stream: open another, and post to the same node');
  }

  /** A post is about to be read: what the client has said before comes first. */
  async begin(request: FastifyRequest, id: string, reply: FastifyReply): Promise<void> {
    if (!this.find(id)?.socket.isFree) {
      reply.header('connection', 'close'); // what it brings is not read
      await this.#core.limits.byAddress(request);
    }
    await this.#named(id).socket.begin(reply.raw);
  }

  /** Hears the frames of a post, each on a line of its own. @param pong answer to a ping */
  take(id: string, body: unknown, pong: string | undefined): void {
    const { socket, conversation } = this.#named(id);
    if (pong !== undefined) this.#heartbeat.lives(socket, pong);
    if (!Buffer.isBuffer(body) || body.length === 0) {
      conversation.hearControl();
      return;
    }
    if (!isUtf8(body)) {
      const error = refused('bad_frame', 'this is not UTF-8');
      conversation.refuse(undefined, error);
      throw error;
    }
    for (const frame of body.toString().split('\n')) if (socket.isOpen) conversation.hear(frame);
  }

  async close(): Promise<void> {
    const { returnWithin } = this.#core.timing;
    const all = [...this.#open.values()];
    const gone = all.map(({ answer }) => once(answer, 'close'));
    for (const { socket } of all) socket.close(CLOSE.restart, comeBack(returnWithin));
    await Promise.all(gone);
  }
}
