import type { Settings } from '../../schemas/settings.ts';
import type { Claims } from '../../schemas/tokens.ts';
import { secondsFromNow, Tokens } from '../auth/tokens.ts';
import { generationFor } from './generation.ts';
import { readSecrets } from './secrets.ts';

/** Lifetime of a token that a command makes for itself, in seconds. */
const TTL = 24 * 60 * 60;

/** The token that was given, or one made with the secret that this machine has. */
export async function tokenFor(
  settings: Settings,
  given: string | undefined,
  who: { role: Claims['role']; dealer: string; sub: string },
): Promise<string> {
  if (given !== undefined) return given;
  const gen = await generationFor(settings, who);
  return new Tokens(readSecrets(settings, { otherwise: ', or say --token' })).sign({
    ...who,
    exp: secondsFromNow(TTL),
    gen,
  });
}
