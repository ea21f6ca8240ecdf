/** Tokens [P-4], good and bad, as a dealer's backend would make them. */
import { createHmac } from 'node:crypto';
import { isObject } from './frame.ts';

export interface Claims {
  readonly role: 'customer' | 'admin' | 'server';
  readonly dealer: string;
  readonly sub: string;
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');

/** In seconds since 1970. */
export const secondsFromNow = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

/** A token with any header and claims. */
export function signed(secret: string, claims: object, header = { alg: 'HS256', typ: 'JWT' }): string {
  const said = `${encoded(header)}.${encoded(claims)}`;
  if (header.alg === 'none') return `${said}.`;
  return `${said}.${createHmac(header.alg.replace('HS', 'sha'), secret).update(said).digest('base64url')}`;
}

/** A good token. It says when it was signed: where earlier tokens were taken back, it is not one of them. */
export const minted = (secret: string, claims: Claims, ttl = 600): string =>
  signed(secret, { ...claims, iat: secondsFromNow(0), exp: secondsFromNow(ttl) });

/** The subject of a token, unverified; undefined where it does not say. */
export function subOf(token: string): string | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return isObject(claims) && typeof claims.sub === 'string' ? claims.sub : undefined;
  } catch {
    return undefined;
  }
}
