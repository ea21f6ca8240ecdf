/** JSON Web Tokens [P-4]: HS256, four claims, nothing else is taken. */
import { createHmac, type webcrypto } from 'node:crypto';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { refused } from '../../schemas/errors.ts';
import { Claims } from '../../schemas/tokens.ts';

const ALGORITHM = 'HS256';
/** Marks the tokens that Telle itself gave to a customer: only these it renews. */
const ISSUER = 'telle';

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const HEADER = encoded({ alg: ALGORITHM });

const claims = TypeCompiler.Compile(Claims);

const keyOf = (secret: string): Promise<webcrypto.CryptoKey> =>
  crypto.subtle.importKey('raw', Buffer.from(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);

export interface Verified {
  readonly claims: Claims;
  /** Whether Telle gave it out itself, as a customer's to keep [P-3.5]. */
  readonly ours: boolean;
}

export class Tokens {
  readonly #secrets: readonly string[];
  /** Made once: `jose` would import a bare secret anew for each token. */
  #keys: Promise<webcrypto.CryptoKey[]> | undefined;

  /** @param secrets at least one: the first signs, all verify, so that they can be rotated */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  /**
   * At once: a join waits for it. What is signed is all ours, so that nothing of it has to be looked at.
   * @param ours whether it is a customer's to keep, that Telle renews by itself
   */
  sign({ role, dealer, sub, exp }: Claims, ours = false): string {
    const [secret] = this.#secrets;
    if (secret === undefined) throw new Error('there is no secret to sign with');
    const said = `${HEADER}.${encoded({ role, dealer, ...(ours && { iss: ISSUER }), sub, exp })}`;
    return `${said}.${createHmac('sha256', secret).update(said).digest('base64url')}`;
  }

  /** @throws RefusedError `token_expired` for a good one whose time is over, `unauthorized` for any other fault */
  async verify(token: string): Promise<Verified> {
    const payload: unknown = await this.#open(token);
    if (!claims.Check(payload)) {
      throw refused('unauthorized', 'the token does not say role, dealer, sub and exp as it must');
    }
    const { dealer, sub } = payload;
    return {
      claims: { ...payload, dealer: String(dealer), sub: String(sub) },
      ours: 'iss' in payload && payload.iss === ISSUER,
    };
  }

  async #open(token: string): Promise<JWTPayload> {
    this.#keys ??= Promise.all(this.#secrets.map(keyOf));
    for (const key of await this.#keys) {
      try {
        return (await jwtVerify(token, key, { algorithms: [ALGORITHM], requiredClaims: ['exp', 'sub'] })).payload;
      } catch (error) {
        if (error instanceof errors.JWTExpired) throw refused('token_expired', 'the token has expired');
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) break;
      }
    }
    throw refused('unauthorized', 'the token is not valid here');
  }
}

/** The token of an HTTP `Authorization` header [P-3.4]; undefined where it bears none. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1];
}

/** A time of so many seconds from now, in seconds since 1970, as `exp` has it. */
export const secondsFromNow = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;
