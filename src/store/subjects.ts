/** By what names credentials are kept of those whom tokens are for. */
import type { Role } from '../../schemas/kinds.ts';
import type { Digests } from './digests.ts';

/** The subject of a token, as its claims say. `dealer` is `*` for servers of all dealers. */
export interface Subject {
  readonly role: Role;
  readonly dealer: string;
  readonly sub: string;
}

/** The name that stands for all of a dealer. */
export const WHOLE_DEALER = '';

export const customerAs = (digest: string): string => `customer:${digest}`;

/** Names under which a subject may be kept: of an admin or server its name; of a customer, whose name is erased with it, digests of it. */
export const keptAs = (digests: Digests, { role, dealer, sub }: Subject): readonly string[] =>
  role === 'customer' ? digests.all(dealer, sub).map(customerAs) : [`${role}:${sub}`];

/** The name under which a subject is kept from now on. */
export const writtenAs = (digests: Digests, { role, dealer, sub }: Subject): string =>
  role === 'customer' ? customerAs(digests.of(dealer, sub)) : `${role}:${sub}`;
