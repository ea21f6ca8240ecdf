import type { FastifyRequest } from 'fastify';
import { refused } from '../../../schemas/errors.ts';
import { isId } from '../../../schemas/kinds.ts';
import { ALL_DEALERS } from '../../../schemas/table.ts';
import { isOfDealer } from '../../auth/permit.ts';
import type { Session } from '../../auth/session.ts';
import { bearerOf } from '../../auth/tokens.ts';
import { type Identification, identify } from '../../commands/identity.ts';
import type { Asker } from '../../documents/route.ts';
import { isJsonObject } from '../../protocol/checker.ts';
import type { RequestLimits } from './limit.ts';

/** Parts that know who asks, and whether that one asks too often. */
export interface Access extends Identification {
  readonly limits: RequestLimits;
}

/** A hook that knows who asks before anything of the request's body is read, and says whose tokens it lets in. */
interface Authenticate {
  (request: FastifyRequest): Promise<void>;
  readonly askers: readonly Asker[];
}

const guard = (askers: readonly Asker[], check: (request: FastifyRequest) => Promise<void>): Authenticate =>
  Object.assign(check, { askers });

export const isGuard = (hook: object): hook is Authenticate => 'askers' in hook;

const sessions = new WeakMap<FastifyRequest, Session>();

/**
 * Finds out whose request it is, as the bearer token says.
 * @throws RefusedError `unauthorized`, `token_expired` or `rate_limited`
 */
export const authenticate = (access: Access): Authenticate =>
  guard(['customer', 'admin', 'server'], async (request) => {
    const { limits } = access;
    const session = await sessionFrom(access, request.headers.authorization).catch(async (error: unknown) => {
      await limits.byAddress(request);
      throw error;
    });
    sessions.set(request, session);
    await limits.bySession(request, session);
  });

async function sessionFrom(access: Identification, authorization: string | undefined): Promise<Session> {
  const token = bearerOf(authorization);
  if (token === undefined) throw refused('unauthorized', 'a bearer token is needed');
  return identify(access, token);
}

/** Finds out anew whose request it is: what its token stands for may have changed while the request waited. */
export const sessionNow = (access: Identification, request: FastifyRequest): Promise<Session> =>
  sessionFrom(access, request.headers.authorization);

/**
 * [P-11.3] Lets in those who may read what a dealer has: its admins, and servers.
 * @throws RefusedError `unknown_dealer` where the dealer is another's or nobody's, `forbidden` to a customer
 */
export const authenticateReader = (access: Access): Authenticate =>
  guard(['admin', 'server'], async (request) => {
    await authenticate(access)(request);
    const dealerId = isJsonObject(request.params) ? String(request.params.dealerId) : '';
    const session = sessionAt(request, dealerId);
    if (session.role === 'customer') throw refused('forbidden', 'a customer reads its own events alone');
    // What cannot be a name is not asked for: Postgres takes no U+0000.
    if (!isId(dealerId) || !(await access.store.dealer(dealerId)))
      throw refused('unknown_dealer', 'there is no such dealer');
  });

/** @throws RefusedError where the token is not a server's [P-11.2] */
export const authenticateServer = (access: Access): Authenticate =>
  guard(['server'], async (request) => {
    await authenticate(access)(request);
    if (sessionOfRequest(request).role !== 'server') throw refused('forbidden', 'a server token is needed');
  });

/** @throws RefusedError where the token is not that of a server of the dealer that the path names, or of all */
export const authenticateServerOf = (access: Access): Authenticate =>
  guard(['server'], async (request) => {
    await authenticateServer(access)(request);
    sessionAt(request, isJsonObject(request.params) ? String(request.params.dealerId) : '');
  });

/** @throws RefusedError where the token is not that of a server of all dealers [P-11.5] */
export const authenticateOperator = (access: Access): Authenticate =>
  guard(['server:*'], async (request) => {
    await authenticate(access)(request);
    const { role, dealerId } = sessionOfRequest(request);
    if (role === 'server' && dealerId === ALL_DEALERS) return;
    throw refused('forbidden', 'a token of a server of all dealers is needed');
  });

/** Session of a request, where its token was good. */
export const knownSession = (request: FastifyRequest): Session | undefined => sessions.get(request);

/** Session of a request, on a route that authenticates. */
export function sessionOfRequest(request: FastifyRequest): Session {
  const session = knownSession(request);
  if (!session) throw refused('unauthorized', 'a bearer token is needed');
  return session;
}

/** @throws RefusedError `unknown_dealer` where the dealer is another's: as if there were none [P-11.6] */
export function sessionAt(request: FastifyRequest, dealerId: string): Session {
  const session = sessionOfRequest(request);
  if (isOfDealer(session, dealerId)) return session;
  throw refused('unknown_dealer', 'there is no such dealer');
}
