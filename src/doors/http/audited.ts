import type { FastifyRequest } from 'fastify';
import { errorKind, type Refusal } from '../../../schemas/errors.ts';
import { type Session, senderOf } from '../../auth/session.ts';
import type { Act, Audit } from '../../journal/audit.ts';
import { knownSession, sessionOfRequest } from './authenticate.ts';
import { bareAddress } from './proxies.ts';

/** The account of what is done, in which a request's act or refusal is kept. */
export interface Auditing {
  readonly audit: Audit;
}

/** Keeps an account of what a request does: by whom, over which route and from where, as the request says. */
export const recordAct = (
  { audit }: Auditing,
  request: FastifyRequest,
  act: Pick<Act, 'dealerId' | 'action' | 'detail'>,
): Promise<void> =>
  audit.record(
    {
      ...act,
      by: senderOf(sessionOfRequest(request)),
      route: request.routeOptions.url ?? '',
      address: bareAddress(request.ip),
    },
    { reqId: request.id },
  );

/** A customer's name is its conversation's, and stands in no log. */
const nameOf = (session: Session): string => (session.role === 'customer' ? session.role : senderOf(session));

/** Tells of a request that was refused for who asks: without a good token, or with one that does not reach so far. */
export function tellRefusal({ audit }: Auditing, request: FastifyRequest, { code }: Refusal): void {
  const session = knownSession(request);
  const { status } = errorKind(code);
  const isForeign = code === 'unknown_dealer' && session !== undefined;
  if (status !== 401 && status !== 403 && !isForeign) return;
  audit.refused({
    code,
    ...(session && { dealerId: session.dealerId, by: nameOf(session) }),
    route: request.routeOptions.url ?? null,
    address: bareAddress(request.ip),
    cause: { reqId: request.id },
  });
}
