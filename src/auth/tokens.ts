/** JSON Web Tokens [P-4]: HS256, and the claims that say who somebody is; others are ignored. */
import { createHmac, type webcrypto } from 'node:crypto';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { refused } from '../../schemas/errors.ts';
import { isId } from '../../schemas/kinds.ts';
import { Claims } from '../../schemas/tokens.ts';

const ALGORITHM = 'HS256';
/** Marks the tokens that Telle itself gave to a customer: only these it renews. */
const ISSUER = 'telle';
/** Says of a token that it is a code [RFC 8725, 3.11]: good for being exchanged once, and for nothing else. */
const CODE = 'telle-code+jwt';

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const HEADER = encoded({ alg: ALGORITHM });
const CODE_HEADER = encoded({ alg: ALGORITHM, typ: CODE });

const claims = TypeCompiler.Compile(Claims);

const keyOf = (secret: string): Promise<webcrypto.CryptoKey> =>
  crypto.subtle.importKey('raw', Buffer.from(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);

export interface Verified {
  readonly claims: Claims;
  /** True where Telle gave it out itself, as a customer's to keep [P-3.5]. */
  readonly ours: boolean;
  /** When it was signed, in ms since 1970, where it says so. */
  readonly issuedAt: number | undefined;
  /** Its own name, where it has one by which it can be revoked alone. */
  readonly tokenId: string | undefined;
  /** Of a code: for how many seconds the token holds that it is exchanged for. */
  readonly ttl: number | undefined;
}

interface Marks {
  /** True where it is a customer's to keep, that Telle renews by itself. */
  readonly ours?: boolean;
  /** The name by which it can be revoked alone. */
  readonly tokenId?: string;
  /** True where it is a code. */
  readonly isCode?: boolean;
  /** Of a code: for how many seconds the token holds that it is exchanged for. */
  readonly ttl?: number;
}

export class Tokens {
  readonly #secrets: readonly string[];
  /** Made once: `jose` would import a bare secret anew for each token. */
  #keys: Promise<webcrypto.CryptoKey[]> | undefined;

  /** @param secrets at least one: the first signs, all verify, so that they can be rotated */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  /** Signs at once: a join waits for it. What is signed is all ours, so that nothing of it has to be looked at. */
  sign(
    { role, dealer, sub, exp, gen = 0 }: Claims,
    { ours = false, tokenId, isCode = false, ttl }: Marks = {},
  ): string {
    const [secret] = this.#secrets;
    if (secret === undefined) throw new Error('there is no secret to sign with');
    const marks = { ...(ours && { iss: ISSUER }), ...(tokenId !== undefined && { jti: tokenId }), ttl };
    const body = encoded({ role, dealer, ...marks, sub, exp, ...(gen > 0 && { gen }) });
    const said = `${isCode ? CODE_HEADER : HEADER}.${body}`;
    return `${said}.${createHmac('sha256', secret).update(said).digest('base64url')}`;
  }

  /**
   * Whether it is a token, of whichever generation.
   * @throws RefusedError `token_expired` for a good one whose time is over, `unauthorized` for any other fault
   */
  async verify(token: string): Promise<Verified> {
    return this.#verify(token, false);
  }

  /** @throws RefusedError as {@link verify} does, for what is no code */
  async verifyCode(code: string): Promise<Verified> {
    return this.#verify(code, true);
  }

  async #verify(token: string, isCode: boolean): Promise<Verified> {
    const { payload, typ } = await this.#open(token);
    if ((typ === CODE) !== isCode) throw refused('unauthorized', isCode ? 'this is no code' : 'a code is no token');
    const { iss, iat, jti, ttl } = payload;
    if (!claims.Check(payload)) {
      throw refused('unauthorized', 'the token does not say role, dealer, sub and exp as it must');
    }
    const { dealer, sub } = payload;
    return {
      claims: { ...payload, dealer: String(dealer), sub: String(sub) },
      ours: iss === ISSUER,
      issuedAt: iat === undefined ? undefined : iat * 1000,
      tokenId: isId(jti) ? String(jti) : undefined,
      ttl: typeof ttl === 'number' ? ttl : undefined,
    };
  }

  async #open(token: string): Promise<{ payload: JWTPayload; typ: string | undefined }> {
    this.#keys ??= Promise.all(this.#secrets.map(keyOf));
    for (const key of await this.#keys) {
      try {
        const options = { algorithms: [ALGORITHM], requiredClaims: ['exp', 'sub'] };
        const { payload, protectedHeader } = await jwtVerify(token, key, options);
        return { payload, typ: protectedHeader.typ };
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
