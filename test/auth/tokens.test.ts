/** [P-4] Tokens as they are signed and read, without a server. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import type { Claims } from '../../schemas/tokens.ts';
import { deskLink, makeCode } from '../../src/auth/codes.ts';
import { generationOf } from '../../src/auth/generations.ts';
import { isOriginAllowed } from '../../src/auth/origins.ts';
import { bearerOf, secondsFromNow, Tokens } from '../../src/auth/tokens.ts';

const [FIRST, SECOND, OTHER] = [
  'the first secret, long enough to sign',
  'the second secret, long enough',
  'nobody knows this one at all',
];
const tokens = new Tokens([FIRST]);
const claims: Claims = { role: 'customer', dealer: 'd1', sub: 'g1', exp: secondsFromNow(60) };

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signs whatever it is told. */
function signed(payload: unknown, header: unknown = { alg: 'HS256' }): string {
  const said = `${part(header)}.${part(payload)}`;
  return `${said}.${createHmac('sha256', FIRST).update(said).digest('base64url')}`;
}

const readOf = (token: string, index: number) =>
  JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString());

/** That it is refused with this code and these words, as a token or as a code. */
const refuses = (reading: () => unknown, code: string, message: string) =>
  assert.throws(reading, { message, refusal: { code, message } });

describe('a token', () => {
  it('says who it is for, and nothing that need not be said', () => {
    const token = tokens.sign(claims);
    assert.deepEqual(readOf(token, 0), { alg: 'HS256', typ: 'JWT' });
    assert.deepEqual(readOf(token, 1), claims);
    const marked = tokens.sign({ ...claims, gen: 5 }, { ours: true, tokenId: 't1', ttl: 9 });
    assert.deepEqual(readOf(marked, 1), { ...claims, gen: 5, iss: 'telle', jti: 't1', ttl: 9 });
  });

  it('is read as it was signed', async () => {
    const plain = { claims, ours: false, issuedAt: undefined, tokenId: undefined, ttl: undefined };
    assert.deepEqual(tokens.verify(tokens.sign(claims)), plain);
    const { claims: read, ...marks } = tokens.verify(
      tokens.sign({ ...claims, gen: 5 }, { ours: true, tokenId: 't1', ttl: 9 }),
    );
    assert.deepEqual([read.gen, marks], [5, { ours: true, issuedAt: undefined, tokenId: 't1', ttl: 9 }]);
    assert.equal(tokens.verify(signed({ ...claims, iat: 5 })).issuedAt, 5000);
    assert.equal(tokens.verify(signed({ ...claims, iss: 'another' })).ours, false);
    for (const jti of ['', 'a b', 'x'.repeat(65)])
      assert.equal(tokens.verify(signed({ ...claims, jti })).tokenId, undefined);
    assert.equal(tokens.verify(signed({ ...claims, ttl: '9' })).ttl, undefined);
  });

  it('is of any of the secrets, of which the first signs', async () => {
    const rotated = new Tokens([SECOND, FIRST]);
    for (const by of [tokens, new Tokens([SECOND]), rotated])
      assert.equal(rotated.verify(by.sign(claims)).claims.sub, 'g1');
    refuses(() => tokens.verify(rotated.sign(claims)), 'unauthorized', 'the token is not valid here');
    refuses(() => rotated.verify(new Tokens([OTHER]).sign(claims)), 'unauthorized', 'the token is not valid here');
    assert.throws(() => new Tokens([]).sign(claims), { message: 'there is no secret to sign with' });
  });

  it('is refused when its time is over, whichever secret signed it', async () => {
    const over = { ...claims, exp: secondsFromNow(-1) };
    for (const by of [[FIRST], [SECOND, FIRST]])
      refuses(() => new Tokens(by).verify(tokens.sign(over)), 'token_expired', 'the token has expired');
  });

  it('is refused where it is none, or does not say what it must', async () => {
    const { exp: _, ...endless } = claims;
    const { sub: __, ...nobody } = claims;
    for (const token of [
      '',
      'a.b.c',
      signed(claims, { alg: 'none' }),
      signed(claims, { alg: 'HS512' }),
      signed(endless),
      signed(nobody),
    ])
      refuses(() => tokens.verify(token), 'unauthorized', 'the token is not valid here');
    for (const more of [
      { role: 'owner' },
      { dealer: undefined },
      { sub: 'a b' },
      { exp: claims.exp + 0.5 },
      { gen: 'x' },
    ])
      refuses(
        () => tokens.verify(signed({ ...claims, ...more })),
        'unauthorized',
        'the token does not say role, dealer, sub and exp as it must',
      );
  });

  it('is no code, and a code no token', async () => {
    const code = tokens.sign(claims, { isCode: true });
    assert.deepEqual(readOf(code, 0), { alg: 'HS256', typ: 'telle-code+jwt' });
    refuses(() => tokens.verify(code), 'unauthorized', 'a code is no token');
    refuses(() => tokens.verifyCode(tokens.sign(claims)), 'unauthorized', 'this is no code');
    assert.equal(tokens.verifyCode(code).claims.sub, 'g1');
  });
});

describe('a code [P-11.7]', () => {
  it('is an admin’s for a minute, has a name of its own, and says how long the token will hold', async (t: TestContext) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000_000_500 });
    const { code, expiresAt } = makeCode(tokens, { dealer: 'd1', sub: 'a1', gen: 3 }, 600);
    assert.equal(expiresAt, 1_000_000_060_000);
    const read = tokens.verifyCode(code);
    assert.deepEqual(read.claims, {
      ...read.claims,
      role: 'admin',
      dealer: 'd1',
      sub: 'a1',
      gen: 3,
      exp: 1_000_000_060,
    });
    assert.equal(read.ttl, 600);
    assert.match(read.tokenId ?? '', /^[0-9a-f-]{36}$/);
  });

  it('is behind the # of a link, whether or not the address ends with slashes', () => {
    for (const url of ['https://chat.example', 'https://chat.example/', 'https://chat.example//'])
      assert.equal(deskLink(url, 'c'), 'https://chat.example/desk#code=c');
    assert.equal(deskLink('https://chat.example/a/', 'c'), 'https://chat.example/a/desk#code=c');
  });
});

describe('a generation', () => {
  it('is what the token says, else when it was signed, else 0; a minute ahead is the most that is believed', () => {
    const now = 1_000_000;
    const generation = (gen: number | undefined, issuedAt?: number) =>
      generationOf({ claims: { ...claims, ...(gen !== undefined && { gen }) }, issuedAt }, now);
    assert.equal(generation(0, 5), 0);
    assert.equal(generation(7, 5), 7);
    assert.equal(generation(undefined, 5), 5);
    assert.equal(generation(undefined), 0);
    assert.equal(generation(undefined, now + 60_000), now + 60_000);
    assert.equal(generation(undefined, now + 60_001), 0);
  });
});

describe('an origin [P-11.5]', () => {
  it('may join where it, or any, is listed; and who has none is no browser', () => {
    const origin = 'https://A.example';
    assert.equal(isOriginAllowed(undefined, []), true);
    assert.equal(isOriginAllowed(origin, []), false);
    assert.equal(isOriginAllowed(origin, ['https://b.example']), false);
    assert.equal(isOriginAllowed(origin, ['https://b.example', '*']), true);
    assert.equal(isOriginAllowed(origin, ['https://b.example', 'https://a.EXAMPLE']), true);
  });
});

describe('an Authorization header', () => {
  it('bears what follows the word, and nothing where it is anything else', () => {
    for (const header of ['Bearer t', 'bearer t', 'BEARER   t']) assert.equal(bearerOf(header), 't');
    for (const header of [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      'Bearert',
      'Basic t',
      'x Bearer t',
      'Bearer t u',
      'Bearer t ',
    ])
      assert.equal(bearerOf(header), undefined);
  });
});
