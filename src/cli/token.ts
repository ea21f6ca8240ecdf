import { Value } from '@sinclair/typebox/value';
import type { Settings } from '../../schemas/settings.ts';
import { Claims } from '../../schemas/tokens.ts';
import { deskLink, makeCode } from '../auth/codes.ts';
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
  /** True where a link to the desk is printed in its place. */
  readonly link?: boolean;
  /** Where the desk is: the server's address. */
  readonly url: string;
  /** True where a secret is made if there is none. */
  readonly init?: boolean;
}

/**
 * The longest time that a token may hold: a year, though it be a leap year, so that one is made anew every year. Who has
 * it is let in until then, and nobody remembers a token that was made for longer.
 */
const LONGEST = '366d';

/** `telle token`: prints a token, or a link that signs in once, and nothing else to stdout. */
export async function printToken(settings: Settings, request: TokenRequest): Promise<void> {
  const { role, dealer, sub, ttl, link = false, url, init = false } = request;
  const seconds = Math.floor(secondsOf(ttl));
  if (!(seconds > 0)) throw new UsageError(`--ttl is "${ttl}": it must be a time such as 30m, 12h or 30d`);
  if (seconds > secondsOf(LONGEST)) throw new UsageError(`--ttl is "${ttl}": a token holds at most ${LONGEST}`);
  const claims = { role, dealer, sub, exp: secondsFromNow(seconds) };
  if (!Value.Check(Claims, claims)) throw new UsageError(fault(claims));
  if (link && role !== 'admin') throw new UsageError(`--link is for --role admin: nobody else has a desk`);
  const gen = await generationFor(settings, claims);
  const tokens = new Tokens(readSecrets(settings, { make: init, otherwise: ', or say --init to make a new one' }));
  if (!link) {
    process.stdout.write(`${tokens.sign({ ...claims, gen })}\n`);
    return;
  }
  const { code } = makeCode(tokens, { dealer, sub, gen }, seconds);
  process.stderr.write('-- this link opens the desk once, within a minute\n');
  process.stdout.write(`${deskLink(url, code)}\n`);
}

function fault({ role, dealer, sub }: { role: string; dealer: string; sub: string }): string {
  if (!['customer', 'admin', 'server'].includes(role))
    return `--role is "${role}": it must be customer, admin or server`;
  const name = '1 to 64 of A-Z a-z 0-9 . _ : @ -';
  if (dealer === '*') return `--dealer is "*": only a server may speak to all dealers`;
  if (!Value.Check(Claims.anyOf[1].properties.dealer, dealer)) return `--dealer is "${dealer}": it must be ${name}`;
  return `--sub is "${sub}": it must be ${name}${role === 'customer' ? ', not beginning with @' : ''}`;
}
