/** [P-11.7] One-time codes: what a link to the desk carries, for a token would stay on the disk. */
import { randomUUID } from 'node:crypto';
import { secondsFromNow, type Tokens } from './tokens.ts';

/** For how long a code can be exchanged, in seconds: as long as it takes to send a link on and click it. */
const CODE_TTL = 60;

/** Which admin a code signs in, and of which generation the token will be. */
interface Subject {
  readonly dealer: string;
  readonly sub: string;
  readonly gen: number;
}

/**
 * A code that is exchanged for an admin's token.
 * @param ttl for how many seconds that token holds
 * @returns it, and until when it can be exchanged, in ms since 1970
 */
export function makeCode(tokens: Tokens, subject: Subject, ttl: number): { code: string; expiresAt: number } {
  const exp = secondsFromNow(CODE_TTL);
  const code = tokens.sign({ role: 'admin', ...subject, exp }, { isCode: true, tokenId: randomUUID(), ttl });
  return { code, expiresAt: exp * 1000 };
}

/** A link to the desk that signs in once. What follows `#` is in no request. */
export const deskLink = (url: string, code: string): string => `${url.replace(/\/+$/, '')}/desk#code=${code}`;
