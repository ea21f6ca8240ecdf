/** Bound on the bytes of bodies that are held at a time: from their first byte until they are answered. */
import type { FastifyRequest } from 'fastify';
import { type RefusedError, refused } from '../../../schemas/errors.ts';
import { MAX_EVENTS } from '../../../schemas/http.ts';
import type { Settings } from '../../../schemas/settings.ts';
import { senderOf } from '../../auth/session.ts';
import { knownSession } from './authenticate.ts';
import type { App } from './http.ts';
import { bareAddress, holderOf } from './proxies.ts';

/** Number of the largest bodies at a time: of one token, or of one address without one, and of all. */
const BODIES_OF_ONE = 2;
const BODIES_OF_ALL = 8;

/** Seconds after which some of them will have been answered. */
const RETRY_AFTER = 2;

/** Refuses a body before it is read, where too much is being read already. To be called before routes are made. */
export function boundBodies(app: App, { MAX_FRAME_BYTES }: Settings): void {
  const largest = MAX_EVENTS * MAX_FRAME_BYTES;
  const held = new Map<string, number>();
  let all = 0;
  app.addHook('preParsing', async (request, reply) => {
    const bytes = bytesOf(request);
    if (bytes === 0) return;
    const holder = holderIn(request);
    const own = held.get(holder) ?? 0;
    const isOwnFull = own + bytes > BODIES_OF_ONE * largest;
    if (isOwnFull || all + bytes > BODIES_OF_ALL * largest) {
      reply.header('connection', 'close'); // the rest of it is not read, either
      throw isOwnFull
        ? tooMuch('rate_limited', 'of yours are', BODIES_OF_ONE * largest)
        : tooMuch('unavailable', 'are', BODIES_OF_ALL * largest);
    }
    held.set(holder, own + bytes);
    all += bytes;
    reply.raw.once('close', () => {
      all -= bytes;
      const left = (held.get(holder) ?? 0) - bytes;
      if (left > 0) held.set(holder, left);
      else held.delete(holder);
    });
  });
}

/** Size that a body declares, at most the route's limit; the limit where it declares none. */
function bytesOf({ headers, routeOptions: { bodyLimit } }: FastifyRequest): number {
  const said = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : bodyLimit;
  return Math.min(said, bodyLimit);
}

function holderIn(request: FastifyRequest): string {
  const session = knownSession(request);
  return session ? `${session.dealerId}/${senderOf(session)}` : holderOf(bareAddress(request.ip));
}

function tooMuch(code: 'rate_limited' | 'unavailable', whose: string, most: number): RefusedError {
  return refused(
    code,
    `bodies ${whose} being taken that make ${most} bytes with this one: try again when they are answered`,
    {
      retryAfter: RETRY_AFTER,
    },
  );
}
