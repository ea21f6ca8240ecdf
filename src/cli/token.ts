import { Value } from '@sinclair/typebox/value';
import type { Settings } from '../../schemas/settings.ts';
import { Claims } from '../../schemas/tokens.ts';
import { secondsFromNow, Tokens } from '../auth/tokens.ts';
import { generationFor } from './generation.ts';
import { readSecrets } from './secrets.ts';
import { secondsOf } from './settings.ts';
import { UsageError } from './usage-error.ts';

export interface TokenRequest {
  readonly role: string;
  readonly dealer: string;
  readonly sub: string;
  readonly ttl: string;
  /** Whether it is printed as a link to the desk. */
  readonly link?: boolean;
  /** Where the desk is: the server's address. */
  readonly url: string;
}

/** A link to the desk that signs in: what follows `#` stays in the browser, and is in no request. */
export const deskLink = (url: string, token: string): string => `${url.replace(/\/+$/, '')}/desk#token=${token}`;

/**
 * The longest time that a token may hold: a year, though it be a leap year, so that one is made anew every year. Who has
 * it is let in until then, and nobody remembers a token that was made for longer.
 */
const LONGEST = '366d';

/** `telle token`: prints a token, or a link with it, and nothing else. */
export async function printToken(settings: Settings, request: TokenRequest): Promise<void> {
  const { role, dealer, sub, ttl, link = false, url } = request;
  const seconds = Math.floor(secondsOf(ttl));
  if (!(seconds > 0)) throw new UsageError(`--ttl is "${ttl}": it must be a time such as 30m, 12h or 30d`);
  if (seconds > secondsOf(LONGEST)) throw new UsageError(`--ttl is "${ttl}": a token holds at most ${LONGEST}`);
  const claims = { role, dealer, sub, exp: secondsFromNow(seconds) };
  if (!Value.Check(Claims, claims)) throw new UsageError(fault(claims));
  if (link && role !== 'admin') throw new UsageError(`--link is for --role admin: nobody else has a desk`);
  const gen = await generationFor(settings, claims);
  const token = new Tokens(readSecrets(settings)).sign({ ...claims, gen });
  process.stdout.write(`${link ? deskLink(url, token) : token}\n`);
}

function fault({ role, dealer, sub }: { role: string; dealer: string; sub: string }): string {
  if (!['customer', 'admin', 'server'].includes(role))
    return `--role is "${role}": it must be customer, admin or server`;
  const name = '1 to 64 of A-Z a-z 0-9 . _ : @ -';
  if (dealer === '*') return `--dealer is "*": only a server may speak to all dealers`;
  if (!Value.Check(Claims.anyOf[1].properties.dealer, dealer)) return `--dealer is "${dealer}": it must be ${name}`;
  return `--sub is "${sub}": it must be ${name}${role === 'customer' ? ', not beginning with @' : ''}`;
}
