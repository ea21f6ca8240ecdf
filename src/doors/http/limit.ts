/** [P-11.6] Rate of requests: by token where there is a good one, else by address. */
import rateLimit from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import { RefusedError } from '../../../schemas/errors.ts';
import type { Settings } from '../../../schemas/settings.ts';
import type { Session } from '../../auth/session.ts';
import type { App } from './http.ts';
import { addressOf, holderOf, proxiesOf } from './proxies.ts';

/** Requests in a time (ms): far more than a page or a person asks, far less than a scan or a guess needs. */
const MAX_REQUESTS = 300;
const WINDOW = 10_000;

/** Each rejects with a RefusedError `rate_limited` where it is too much. */
export interface RequestLimits {
  /** Counts a request of nobody known towards its address. */
  byAddress(request: FastifyRequest): Promise<void>;
  /** Counts a request of somebody known; other servers are exempt, as their frames are. */
  bySession(request: FastifyRequest, session: Session): Promise<void>;
}

export async function limitRequests(app: App, settings: Settings): Promise<RequestLimits> {
  if (settings.RATE_LIMIT === 'off') return { byAddress: async () => {}, bySession: async () => {} };
  await app.register(rateLimit, { global: false, max: MAX_REQUESTS, timeWindow: WINDOW });
  const sessions = new WeakMap<FastifyRequest, string>();
  const isProxy = proxiesOf(settings) ?? (() => false);
  const holderIn = ({ raw: { socket, headers } }: FastifyRequest): string =>
    holderOf(addressOf(socket.remoteAddress, headers['x-forwarded-for'], isProxy) ?? '');
  const ofAddress = app.createRateLimit({ keyGenerator: holderIn });
  const ofSession = app.createRateLimit({ keyGenerator: (request) => sessions.get(request) ?? holderIn(request) });
  const mustBeWithin = (limit: Awaited<ReturnType<typeof ofAddress>>): void => {
    if (limit.isAllowed || !limit.isExceeded) return;
    const retryAfter = limit.ttlInSeconds;
    throw new RefusedError({ code: 'rate_limited', message: 'too many requests: wait a little', retryAfter });
  };
  return {
    byAddress: async (request) => mustBeWithin(await ofAddress(request)),
    bySession: async (request, session) => {
      if (session.role === 'server') return;
      const name = session.role === 'customer' ? session.groupId : session.adminId;
      sessions.set(request, `${session.role}/${session.dealerId}/${name}`);
      mustBeWithin(await ofSession(request));
    },
  };
}
