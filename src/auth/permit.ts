/** Permissions of a session: what it may send and see. */
import { refused } from '../../schemas/errors.ts';
import { ALL_DEALERS, DEALER_SCOPE, DESK_SCOPE } from '../../schemas/table.ts';
import { IDENTITY_FIELDS, identityOf, type Session } from './session.ts';

/**
 * [P-5] Makes a payload's identity fields those of the session: absent is filled in, different is refused. A value of a
 * kind that no identity has is left for the payload's own check to name. It is done in place, for every message: a copy
 * to which fields are added costs more than all its checks.
 * @throws RefusedError `forbidden`
 */
export function identify(session: Session, payload: Record<string, unknown>): void {
  // The seeds' customers send the admin's id along: it says nothing of them.
  // One that names nobody is as good as absent.
  if (payload.adminId === null || payload.adminId === '') payload.adminId = undefined;
  if (session.role === 'customer' && payload.adminId !== undefined) payload.adminId = undefined;
  const identity = identityOf(session);
  for (const field of IDENTITY_FIELDS[session.role]) {
    const own = identity[field];
    const given = payload[field];
    if (own === undefined) continue;
    if (given === undefined) payload[field] = own;
    else if ((typeof given === 'string' || typeof given === 'number') && String(given) !== own) {
      throw refused('forbidden', `${field} is not this session's`);
    }
  }
}

/** Tells whether a session is of this dealer, or a server of all of them. */
export const isOfDealer = (session: Session, dealerId: string): boolean =>
  session.dealerId === dealerId || (session.role === 'server' && session.dealerId === ALL_DEALERS);

/** [P-1] Tells whether a session may see a scope of its dealer: a customer only its group's and `@dealer`. */
export function maySee(session: Session, scope: string): boolean {
  if (session.role === 'customer') return scope === session.groupId || scope === DEALER_SCOPE;
  return scope === DEALER_SCOPE || scope === DESK_SCOPE || !scope.startsWith('@');
}
