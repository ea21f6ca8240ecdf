import { RefusedError } from '../../schemas/errors.ts';
import type { Claims } from '../../schemas/tokens.ts';
import { presenceCommand } from '../commands/command.ts';
import { credentialOf, mustBeTaken } from '../commands/identity.ts';
import type { Who } from '../hub/presence.ts';
import type { CredentialStore } from '../store/credentials.ts';
import type { DealerStore } from '../store/dealers.ts';
import { otherToken } from './admission.ts';
import type { House } from './house.ts';
import type { Joined } from './join.ts';

/** Parts that look at a new token. */
interface Refreshing extends Pick<House, 'journal' | 'nodeId' | 'tokens'> {
  readonly store: CredentialStore & DealerStore;
}

/**
 * [P-4] Lets a new token of the same role, dealer and sub take the old one's place.
 * @throws RefusedError `unauthorized`, `token_expired`, or `unknown_dealer` where it was removed
 */
export async function refresh(house: Refreshing, joined: Joined, token: string): Promise<Joined> {
  const { seat, session } = joined;
  const credential = credentialOf(house.tokens.verify(token));
  if (!areSame(credential.claims, seat.credential.claims)) throw otherToken();
  await mustBeTaken(house.store, credential);
  const isAdopting = session.role === 'customer' && session.minted !== credential.minted;
  if (isAdopting && session.minted) throw otherToken();
  if (isAdopting) await adopt(house, session);
  seat.credential = credential;
  return isAdopting ? { ...joined, session: { ...session, minted: true } } : joined;
}

const areSame = (one: Claims, other: Claims): boolean =>
  one.role === other.role && one.dealer === other.dealer && one.sub === other.sub;

/** [P-3.1] Makes a claimed conversation that of the customer whose minted token is shown by who claimed it. */
async function adopt({ journal, nodeId }: Pick<Refreshing, 'journal' | 'nodeId'>, who: Who): Promise<void> {
  const outcome = await journal.append(presenceCommand(who, nodeId, true, { by: 'adopted' }));
  if ('refusal' in outcome) throw new RefusedError(outcome.refusal);
}
