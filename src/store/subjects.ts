/** By what names credentials are kept of those whom tokens are for. */
import type { Role } from '../../schemas/kinds.ts';
import type { Digests } from './digests.ts';

/** Whom a token is for, as its claims say. `dealer` is `*` for servers of all dealers. */
export interface Subject {
  readonly role: Role;
  readonly dealer: string;
  readonly sub: string;
}

/** What stands for all of a dealer. */
export const WHOLE_DEALER = '';

export const customerAs = (digest: string): string => `customer:${digest}`;

/** What a subject may be kept as: an admin or server by its name; a customer, whose name is erased with it, by digests of it. */
export const keptAs = (digests: Digests, { role, dealer, sub }: Subject): readonly string[] =>
  role === 'customer' ? digests.all(dealer, sub).map(customerAs) : [`${role}:${sub}`];

/** What a subject is kept as from now on. */
export const writtenAs = (digests: Digests, { role, dealer, sub }: Subject): string =>
  role === 'customer' ? customerAs(digests.of(dealer, sub)) : `${role}:${sub}`;
