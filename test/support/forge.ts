/** Tokens that nobody should believe, made by hand as a forger makes them. */
import { createHmac } from 'node:crypto';
import { EncryptJWT, exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import type { Claims } from '../../schemas/tokens.ts';
import { SECRET } from './server.ts';

const HS256 = { alg: 'HS256', typ: 'JWT' };
/** What once signed, and was taken out of the list. */
const REVOKED = 'a secret that was revoked, long enough to be one';

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Signs any text as claims, under any header. */
export function sign(
  header: object,
  claims: unknown,
  { secret = SECRET, hash = 'sha256' }: { secret?: string | Buffer; hash?: string } = {},
): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}

export interface Forgery {
  readonly what: string;
  readonly token: string;
  /** Whether it is rightly signed, and wrong in what it says. */
  readonly signed?: boolean;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** A token with one character of it another one: never one of the two bits that end its signature and say nothing. */
function damaged(token: string, draw: () => number): string {
  const at = Math.floor(draw() * (token.length - 1));
  const others = [...ALPHABET].filter((letter) => letter !== token[at]);
  return token.slice(0, at) + others[Math.floor(draw() * others.length)] + token.slice(at + 1);
}

/** Made once: it takes long. */
let pair: ReturnType<typeof makePair> | undefined;

/** A forger's own key pair, and its public key in the forms in which one is handed about. */
async function makePair() {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { privateKey, jwk: await exportJWK(publicKey), pem: await exportSPKI(publicKey) };
}

/** Tokens whose signature is worth nothing, or whose header asks for what must not be done. */
async function forgedSignatures(claims: Claims, trap: string, draw: () => number): Promise<Forgery[]> {
  const good = sign(HS256, claims);
  const [head = '', body = '', signature = ''] = good.split('.');
  pair ??= makePair();
  const { privateKey, jwk, pem } = await pair;
  const other = sign(HS256, { ...claims, jti: 'another' }).split('.')[2];
  const asked = (header: object, secret: string | Buffer = SECRET) => sign({ ...HS256, ...header }, claims, { secret });
  const key = Buffer.alloc(32, SECRET);
  return [
    ...['none', 'None', 'NONE', 'nOnE', '', 'HS1', 'hs256', ' HS256', null, 0, ['HS256'], { alg: 'HS256' }].map(
      (alg) => ({ what: `alg ${JSON.stringify(alg)}`, token: `${encode({ alg, typ: 'JWT' })}.${body}.${signature}` }),
    ),
    ...['none', 'None', 'NONE'].map((alg) => ({ what: `alg ${alg}, unsigned`, token: `${encode({ alg })}.${body}.` })),
    { what: 'no alg', token: sign({ typ: 'JWT' }, claims) },
    { what: 'HS384', token: sign({ alg: 'HS384' }, claims, { hash: 'sha384' }) },
    { what: 'HS512', token: sign({ alg: 'HS512' }, claims, { hash: 'sha512' }) },
    {
      what: 'RS256, rightly signed',
      token: await new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256' }).sign(privateKey),
    },
    { what: 'RS256 as HS256: the public key in PEM', token: sign(HS256, claims, { secret: pem }) },
    { what: 'RS256 as HS256: the public key as JWK', token: asked({ jwk }, JSON.stringify(jwk)) },
    { what: 'RS256 in the header, HS256 in truth', token: asked({ alg: 'RS256' }) },
    { what: 'a revoked secret', token: sign(HS256, claims, { secret: REVOKED }) },
    { what: 'an empty secret', token: sign(HS256, claims, { secret: '' }) },
    { what: 'the secret, cut off', token: sign(HS256, claims, { secret: SECRET.slice(0, -1) }) },
    { what: 'the secret in base64', token: sign(HS256, claims, { secret: Buffer.from(SECRET).toString('base64') }) },
    { what: 'the signature of another token', token: `${head}.${body}.${other}` },
    { what: 'the claims of another token', token: `${head}.${encode({ ...claims, jti: 'another' })}.${signature}` },
    { what: 'the signature twice', token: `${good}.${signature}` },
    { what: 'the signature in hex', token: `${head}.${body}.${Buffer.from(signature, 'base64url').toString('hex')}` },
    { what: 'a signature of zeros', token: `${head}.${body}.${Buffer.alloc(32).toString('base64url')}` },
    { what: 'no signature', token: `${head}.${body}.` },
    { what: 'crit: an extension that nobody knows', token: asked({ crit: ['x-any'], 'x-any': 1 }) },
    { what: 'crit: an empty list', token: asked({ crit: [] }) },
    { what: 'crit: no list', token: asked({ crit: 'exp' }) },
    ...[null, '', 0, false].map((crit) => ({ what: `crit: ${JSON.stringify(crit)}`, token: asked({ crit }) })),
    { what: 'crit: b64, claims not encoded', token: asked({ crit: ['b64'], b64: false }) },
    { what: 'a nested JWT', token: sign({ ...HS256, cty: 'JWT' }, good) },
    {
      what: 'a JWT that is encrypted',
      token: await new EncryptJWT({ ...claims }).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).encrypt(key),
    },
    { what: 'a JWS in JSON', token: JSON.stringify({ protected: head, payload: body, signature }) },
    ...['/dev/null', '../../../../dev/null', 'file:///dev/null', ''].map((kid) => ({
      what: `kid ${JSON.stringify(kid)}, signed with what is there`,
      token: asked({ kid }, ''),
    })),
    { what: 'kid: SQL that gives the key', token: asked({ kid: "x' UNION SELECT 'k' --" }, 'k') },
    { what: 'kid: a shell command', token: asked({ kid: '$(touch /tmp/x)|id' }, 'id') },
    ...['jku', 'x5u'].map((name) => ({ what: `${name}: the forger's own keys`, token: asked({ [name]: trap }, 'k') })),
    { what: 'x5c: its own certificate', token: asked({ x5c: [Buffer.from(pem).toString('base64')] }, pem) },
    { what: '1 MB', token: `${head}.${encode({ ...claims, fill: 'x'.repeat(750_000) })}.${signature}` },
    ...[0, 1, 2, 3, 4].map((parts) => ({ what: `${parts} dots alone`, token: `.${'.'.repeat(parts)}` })),
    ...Array.from({ length: 20 }, () => Math.floor(draw() * good.length)).map((length) => ({
      what: `the first ${length} characters`,
      token: good.slice(0, length),
    })),
    ...Array.from({ length: 40 }, () => damaged(good, draw)).map((token) => ({ what: `damaged ${token}`, token })),
  ];
}

/** Tokens that are rightly signed, and say what no token may. `claims` are what would be believed. */
function forgedClaims(claims: Claims): Forgery[] {
  const { role, dealer, sub, exp } = claims;
  const said: readonly (readonly [what: string, claims: unknown])[] = [
    ['no exp', { role, dealer, sub }],
    ...[String(exp), null, true, [exp], {}, exp * 1000, 1e300].map(
      (wrong) => [`exp ${JSON.stringify(wrong)}`, { ...claims, exp: wrong }] as const,
    ),
    ['exp beyond every number', JSON.stringify(claims).replace(String(exp), '1e999')],
    ['nbf to come', { ...claims, nbf: exp - 1 }],
    ['nbf that is text', { ...claims, nbf: '0' }],
    ...['0', null, [0]].map((iat) => [`iat ${JSON.stringify(iat)}`, { ...claims, iat }] as const),
    ...[undefined, null, 'root', 'Admin', `${role} `, [role], { role }, 0, true, ''].map(
      (wrong) => [`role ${JSON.stringify(wrong)}`, { ...claims, role: wrong }] as const,
    ),
    ...[undefined, null, [dealer], { dealer }, true, '', '**', `${dealer} `, `${dealer},x`, -1, 0.5].map(
      (wrong) => [`dealer ${JSON.stringify(wrong)}`, { ...claims, dealer: wrong }] as const,
    ),
    ...[undefined, null, [sub], { sub }, true, '', `${sub}\0`, `${sub}\n`, 'x'.repeat(65), -1].map(
      (wrong) => [`sub ${JSON.stringify(wrong)?.slice(0, 20)}`, { ...claims, sub: wrong }] as const,
    ),
    ['claims in a list', [claims]],
    ['claims that are text', 'admin'],
    ['claims that are null', null],
    ['claims in __proto__', `{"__proto__":${JSON.stringify(claims)}}`],
  ];
  return said.map(([what, value]) => ({ what, token: sign(HS256, value), signed: true }));
}

/**
 * Every token that must be refused as `unauthorized`, though but for its fault it would be believed.
 * @param claims what would be believed
 * @param trap a URL that nobody may ask for
 */
export async function forgeries(claims: Claims, trap: string, draw: () => number): Promise<Forgery[]> {
  return [...(await forgedSignatures(claims, trap, draw)), ...forgedClaims(claims)];
}

/** A token whose one fault is that its time is over, by so many seconds. */
export const expired = (claims: Claims, seconds = 1): string =>
  sign(HS256, { ...claims, exp: Math.floor(Date.now() / 1000) - seconds });

/** A token that is believed. */
export const genuine = (claims: Claims): string => sign(HS256, claims);

/** A token signed with a secret of one's own. */
export const signedWith = (secret: string, claims: Claims): string => sign(HS256, claims, { secret });
