/** [P-4] Identity that a token stands for, where it is still taken. */
import { refused } from '../../schemas/errors.ts';
import { ALL_DEALERS } from '../../schemas/table.ts';
import { generationOf } from '../auth/generations.ts';
import { type Session, sessionOf } from '../auth/session.ts';
import type { Tokens, Verified } from '../auth/tokens.ts';
import type { Credential } from '../hub/hub.ts';
import type { CredentialStore } from '../store/credentials.ts';
import type { DealerStore } from '../store/dealers.ts';
import type { GroupStore } from '../store/groups.ts';

/** Parts that know whom a token names now. */
export interface Identification {
  readonly tokens: Pick<Tokens, 'verify'>;
  readonly store: CredentialStore & DealerStore & GroupStore;
}

/** Credential of a verified token: good for, as long as nobody takes it back. */
export const credentialOf = (verified: Verified): Credential => ({
  claims: verified.claims,
  gen: generationOf(verified, Date.now()),
  tokenId: verified.tokenId,
  minted: !verified.ours,
});

/** @throws RefusedError as `Tokens.verify` does; `unauthorized` or `unknown_dealer` as {@link mustBeTaken} does */
export async function identify({ tokens, store }: Identification, token: string): Promise<Session> {
  const verified = await tokens.verify(token);
  const session = sessionOf(verified.claims, verified.ours);
  const credential = credentialOf(verified);
  if (session.role !== 'customer') {
    await mustBeTaken(store, credential);
    return session;
  }
  const groupId = session.minted ? session.groupId : await nameHeld(store, session);
  await mustBeTaken(store, renamed(credential, groupId));
  return { ...session, groupId };
}

/** The same credential, for the name under which the conversation goes on. */
export const renamed = (credential: Credential, sub: string): Credential =>
  credential.claims.sub === sub ? credential : { ...credential, claims: { ...credential.claims, sub } };

/**
 * [P-3.1] Under which name the conversation of a customer goes on who claimed it: where a minted token came for the name,
 * under the one that it was given then.
 * @throws RefusedError `unauthorized` where it was erased since
 */
export async function nameHeld(
  store: DealerStore & GroupStore,
  { dealerId, groupId }: { dealerId: string; groupId: string },
): Promise<string> {
  const { group } = await store.standing(dealerId, groupId);
  if (group !== null && group.holder !== 'minted') return groupId;
  const setAside = await store.setAside(dealerId, groupId);
  if (setAside !== null) return setAside;
  if (group === null) return groupId;
  throw refused('unauthorized', 'this name is held by a token that its dealer minted');
}

/**
 * Refuses a token that was taken back.
 * @throws RefusedError `unauthorized`; `unknown_dealer` where that is because the dealer was removed
 */
export async function mustBeTaken(
  store: CredentialStore & DealerStore,
  { claims, gen, tokenId }: Credential,
): Promise<void> {
  const { least, isSpent } = await store.generation(claims, tokenId);
  if (gen >= least && !isSpent) return;
  const { dealer } = claims;
  if (dealer !== ALL_DEALERS && !(await store.dealer(dealer))) {
    throw refused('unknown_dealer', 'there is no such dealer');
  }
  if (isSpent) throw refused('unauthorized', 'the token was revoked');
  throw refused('unauthorized', `the token was revoked: one that is minted now says "gen": ${least} or more`);
}
