/** [P-4] Checks whether a token is of a generation that is still taken. */
import type { Verified } from './tokens.ts';

/** By how much a backend's clock may be ahead of this server's, in ms: what claims to be signed later is not believed. */
const SKEW = 60_000;

/**
 * The generation of a token, in ms since 1970: the one that it says; else that of the time at which it says that it was
 * signed; else 0.
 * @param now ms since 1970
 */
export function generationOf({ claims, issuedAt = 0 }: Pick<Verified, 'claims' | 'issuedAt'>, now: number): number {
  return claims.gen ?? (issuedAt <= now + SKEW ? issuedAt : 0);
}
