/** Headers of every answer: who may read it from where, and the request's id. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import cors, { type FastifyCorsOptions } from '@fastify/cors';
import helmet from '@fastify/helmet';
import { Value } from '@sinclair/typebox/value';
import type { FastifyRequest } from 'fastify';
import { Id } from '../../../schemas/kinds.ts';
import { isOriginAllowed } from '../../auth/origins.ts';
import type { Origin } from '../../journal/journal.ts';
import type { DealerStore } from '../../store/dealers.ts';
import type { App } from './http.ts';

export const REQUEST_ID = 'x-request-id';
/** [P-11.6] Forbids caches: who may read an answer is asked each time. */
export const NOT_KEPT = 'no-store';
/** Time for which a browser may remember that it may ask, in seconds. */
const PREFLIGHT_AGE = 600;

/** The caller's own id for a request, where it is one, else a new one. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers[REQUEST_ID];
  return typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID();
}

/** Headers of what a page of any origin may ask: that is judged when it joins [P-11.5], as a WebSocket's is. */
export const readableAnywhere = (origin: string) => ({
  'access-control-allow-origin': origin,
  'access-control-allow-methods': 'GET, POST',
  'access-control-allow-headers': 'authorization, content-type',
  'cross-origin-resource-policy': 'cross-origin',
  vary: 'Origin',
});

/** Where a request's commands come from: nobody waits for their acks but the request. */
export const originOf = ({ id }: FastifyRequest): Origin => ({ peer: null, id: undefined, cause: { reqId: id } });

export async function setHeaders(app: App, { store }: { readonly store: DealerStore }): Promise<void> {
  app.addHook('onRequest', async ({ id, url, routeOptions }, reply) => {
    reply.header(REQUEST_ID, id);
    if (/^\/v1([/?]|$)/.test(routeOptions.url ?? url)) reply.header('cache-control', NOT_KEPT);
  });
  await app.register(helmet, {
    // TLS ends at whatever stands before this server, and that decides for its whole domain.
    strictTransportSecurity: false,
    // An answer is data: whatever is in it, a browser that shows it runs and fetches nothing.
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  });
  await app.register(cors, () => (request: FastifyRequest) => corsFor(store, request));
}

/** [P-11.5] A browser's page may read a dealer's answers where it comes from one of that dealer's origins. */
async function corsFor(store: DealerStore, { headers, url }: FastifyRequest): Promise<FastifyCorsOptions> {
  const dealerId = dealerOf(url);
  if (!headers.origin || dealerId === null) return { origin: false };
  if (isReception(url)) return { origin: '*', methods: ['GET'] };
  const { dealer } = await store.standing(dealerId);
  if (!isOriginAllowed(headers.origin, dealer?.origins ?? [])) return { origin: false };
  return {
    origin: headers.origin,
    methods: ['GET', 'PUT', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'accept', REQUEST_ID],
    exposedHeaders: ['link', 'retry-after', REQUEST_ID],
    maxAge: PREFLIGHT_AGE,
    strictPreflight: false,
  };
}

/** [P-11.8] Any page may read why it is turned away, and nothing of it is anybody's secret. */
const isReception = (url: string): boolean => /^\/v1\/dealers\/[^/?#]+\/reception(?:[?#]|$)/.test(url);

/** The dealer that a path is about; null for any other path. */
function dealerOf(url: string): string | null {
  const [, dealerId] = /^\/v1\/dealers\/([^/?#]+)/.exec(url) ?? [];
  try {
    const named = decodeURIComponent(dealerId ?? '');
    return Value.Check(Id, named) ? named : null;
  } catch {
    return null;
  }
}
