/** JSON Web Tokens [P-4]: HS256, and the claims that say who somebody is; others are ignored. */
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { createSigner, createVerifier, TokenError } from 'fast-jwt';
import { refused } from '../../schemas/errors.ts';
import { isId } from '../../schemas/kinds.ts';
import { Claims } from '../../schemas/tokens.ts';

const ALGORITHM = 'HS256';
/** Marks the tokens that Telle itself gave to a customer: only these it renews. */
const ISSUER = 'telle';
/** Says of a token that it is a code [RFC 8725, 3.11]: good for being exchanged once, and for nothing else. */
const CODE = 'telle-code+jwt';

const claims = TypeCompiler.Compile(Claims);

const signerOf = (key: string, typ = 'JWT') =>
  createSigner({ key, algorithm: ALGORITHM, noTimestamp: true, header: { alg: ALGORITHM, typ } });

/** Keeps no token that it has read: what is remembered can be mistaken for another. */
const verifierOf = (key: string) =>
  createVerifier({ key, algorithms: [ALGORITHM], requiredClaims: ['exp', 'sub'], complete: true, cache: false });

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
  readonly #sign: ReturnType<typeof signerOf>;
  readonly #signCode: ReturnType<typeof signerOf>;
  readonly #verifiers: readonly ReturnType<typeof verifierOf>[];

  /** @param secrets at least one: the first signs, all verify, so that they can be rotated */
  constructor(secrets: readonly string[]) {
    const [first] = secrets;
    if (first === undefined) throw new Error('there is no secret to sign with');
    this.#sign = signerOf(first);
    this.#signCode = signerOf(first, CODE);
    this.#verifiers = secrets.map(verifierOf);
  }

  /** Signs claims of our own, of which nothing has to be checked. */
  sign(
    { role, dealer, sub, exp, gen = 0 }: Claims,
    { ours = false, tokenId, isCode = false, ttl }: Marks = {},
  ): string {
    const marks = { ...(ours && { iss: ISSUER }), ...(tokenId !== undefined && { jti: tokenId }), ttl };
    const said = { role, dealer, ...marks, sub, exp, ...(gen > 0 && { gen }) };
    return isCode ? this.#signCode(said) : this.#sign(said);
  }

  /**
   * Reads a token, of whichever generation.
   * @throws RefusedError `token_expired` for a good one whose time is over, `unauthorized` for any other fault
   */
  verify(token: string): Verified {
    return this.#verify(token, false);
  }

  /** @throws RefusedError as {@link verify} does, for what is no code */
  verifyCode(code: string): Verified {
    return this.#verify(code, true);
  }

  #verify(token: string, isCode: boolean): Verified {
    const { payload, typ } = this.#open(token);
    if ((typ === CODE) !== isCode) throw refused('unauthorized', isCode ? 'this is no code' : 'a code is no token');
    const { iss, iat, jti, ttl } = payload;
    if (!claims.Check(payload)) {
      throw refused('unauthorized', 'the token does not say role, dealer, sub and exp as it must');
    }
    const { dealer, sub } = payload;
    return {
      claims: { ...payload, dealer: String(dealer), sub: String(sub) },
      ours: iss === ISSUER,
      issuedAt: typeof iat === 'number' ? iat * 1000 : undefined,
      tokenId: isId(jti) ? String(jti) : undefined,
      ttl: typeof ttl === 'number' ? ttl : undefined,
    };
  }

  #open(token: string): { payload: Readonly<Record<string, unknown>>; typ: unknown } {
    for (const verify of this.#verifiers) {
      try {
        const { header, payload } = verify(token);
        // The library lets pass a `crit` that is empty or null, and an `iat` that is no number.
        if ('crit' in header || ('iat' in payload && typeof payload.iat !== 'number')) break;
        return { payload, typ: header.typ };
      } catch (error) {
        if (!(error instanceof TokenError)) break;
        if (error.code === TokenError.codes.expired) throw refused('token_expired', 'the token has expired');
        if (error.code !== TokenError.codes.invalidSignature) break;
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
