/** [P-4] Tokens: which are believed, for how long, and how a socket outlives one by another. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { secondsFromNow } from '../../src/auth/tokens.ts';
import { adminJoin, clientJoin, serverJoin } from '../support/joins.ts';
import { DEALER, SECRET, startServer, type TestServer, withServer } from '../support/server.ts';

const timing = { closeTimeout: 50 };
const server = await startServer({ timing, settings: { JOIN_TIMEOUT: '1s' } });
after(() => server.close());

/** How much earlier than the clock a timer may go off, in ms. */
const TIMER_SLACK = 5;
const CLAIMS = { role: 'admin', dealer: DEALER, sub: 'a1', exp: secondsFromNow(3600) };
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signs claims by hand, under any header, as a backend in another language does, or a forger. */
function sign(header: object, claims: object, { secret = SECRET, hash = 'sha256' } = {}): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}
/** The next whole second but a moment: time enough to join. */
const soon = () => Math.ceil((Date.now() + 300) / 1000);
const HS256 = { alg: 'HS256', typ: 'JWT' };
const good = sign(HS256, CLAIMS);
const [head = '', body = '', signature = ''] = good.split('.');

/** Joins as the admin `a1`: the code of the refusal and of the close that follows; none where it is let in. */
async function joinWith(token: string, on: TestServer = server) {
  const client = await on.connect();
  const { code, retryable, channel } = await client.ask('admin_join', adminJoin({ token }));
  if (channel === 'ack') await client.settled();
  return channel === 'ack' ? 'joined' : { code, retryable, close: await client.closed };
}

const unauthorized = { code: 'unauthorized', retryable: false, close: 4401 };
const expired = { code: 'token_expired', retryable: false, close: 4401 };

describe('[P-4] signatures', async () => {
  test('a token that any language signs with HS256 is believed, whatever else it says', async () => {
    for (const token of [
      good,
      sign({ alg: 'HS256' }, CLAIMS),
      sign({ ...HS256, kid: 'k1' }, { ...CLAIMS, iat: secondsFromNow(0), name: 'Ann', nested: { any: [1] } }),
    ]) {
      assert.equal(await joinWith(token), 'joined');
    }
  });

  const rsa = await generateKeyPair('RS256', { extractable: true });
  const jwk = await exportJWK(rsa.publicKey);
  const pair = { ...jwk, alg: 'RS256' };
  for (const { what, token } of [
    { what: 'no algorithm', token: `${encode({ alg: 'none' })}.${body}.` },
    { what: 'no algorithm, and a signature', token: `${encode({ alg: 'none' })}.${body}.${signature}` },
    { what: 'no algorithm, in capitals', token: `${encode({ alg: 'NONE' })}.${body}.` },
    { what: 'HS512', token: sign({ alg: 'HS512' }, CLAIMS, { hash: 'sha512' }) },
    { what: 'HS384', token: sign({ alg: 'HS384' }, CLAIMS, { hash: 'sha384' }) },
    { what: 'HS256 in small letters', token: sign({ alg: 'hs256' }, CLAIMS) },
    { what: 'no word of its algorithm', token: sign({ typ: 'JWT' }, CLAIMS) },
    { what: 'RS256 in its header, signed with HS256', token: sign({ alg: 'RS256' }, CLAIMS) },
    { what: 'its own public key', token: sign({ ...HS256, jwk: pair }, CLAIMS, { secret: JSON.stringify(jwk) }) },
    { what: 'RS256', token: await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'RS256', jwk }).sign(rsa.privateKey) },
    { what: 'an extension that must be understood', token: sign({ ...HS256, crit: ['x'], x: 1 }, CLAIMS) },
    { what: 'another secret', token: sign(HS256, CLAIMS, { secret: `${SECRET} ` }) },
    { what: 'an empty secret', token: sign(HS256, CLAIMS, { secret: '' }) },
    { what: 'the signature of other claims', token: `${head}.${encode({ ...CLAIMS, sub: 'a2' })}.${signature}` },
    { what: 'the signature of another header', token: `${encode({ alg: 'HS256' })}.${body}.${signature}` },
    { what: 'no signature', token: `${head}.${body}.` },
    { what: 'two parts', token: `${head}.${body}` },
    { what: 'an end cut off', token: good.slice(0, -1) },
    { what: 'something behind it', token: `${good}.${signature}` },
    { what: 'claims that are no object', token: sign(HS256, ['admin']) },
    { what: 'nothing', token: '' },
    { what: 'no form at all', token: 'let me in' },
  ]) {
    test(`a token with ${what} is refused`, async () => assert.deepEqual(await joinWith(token), unauthorized));
  }
});

describe('[P-4] claims', () => {
  const { exp: _, ...endless } = CLAIMS;
  for (const { what, claims } of [
    { what: 'no exp', claims: endless },
    { what: 'an exp that is text', claims: { ...CLAIMS, exp: String(CLAIMS.exp) } },
    { what: 'an exp of null', claims: { ...CLAIMS, exp: null } },
    { what: 'an exp that no date can say', claims: { ...CLAIMS, exp: 1e13 } },
    { what: 'an exp in milliseconds', claims: { ...CLAIMS, exp: CLAIMS.exp * 1000 } },
    { what: 'a beginning still to come', claims: { ...CLAIMS, nbf: secondsFromNow(60) } },
    { what: 'another dealer', claims: { ...CLAIMS, dealer: 'd2' } },
    { what: 'all dealers', claims: { ...CLAIMS, dealer: '*' } },
    { what: 'no dealer', claims: { ...CLAIMS, dealer: undefined } },
    { what: 'a list of dealers', claims: { ...CLAIMS, dealer: [DEALER] } },
    { what: 'another sub', claims: { ...CLAIMS, sub: 'a2' } },
    { what: 'no sub', claims: { ...CLAIMS, sub: undefined } },
    { what: 'another role', claims: { ...CLAIMS, role: 'customer' } },
    { what: 'the role of a server', claims: { ...CLAIMS, role: 'server' } },
    { what: 'a role that is none', claims: { ...CLAIMS, role: 'root' } },
    { what: 'two roles', claims: { ...CLAIMS, role: ['admin', 'server'] } },
    { what: 'no role', claims: { ...CLAIMS, role: undefined } },
  ]) {
    test(`a token with ${what} is refused`, async () => {
      assert.deepEqual(await joinWith(sign(HS256, claims)), unauthorized);
    });
  }

  test('a number is read as its decimal string', async () => {
    await server.store.putDealer('7', {});
    const client = await server.connect();
    const token = sign(HS256, { ...CLAIMS, dealer: 7, sub: 42 });
    assert.equal((await client.ask('admin_join', adminJoin({ dealerId: '7', adminId: '42', token }))).channel, 'ack');
  });
});

describe('[P-4] rotation of the secret', () => {
  test('every secret of the list verifies, the first signs, and no other counts', async () => {
    const secrets = ['the secret of tomorrow, long enough', SECRET, 'the secret of yesterday, long enough'];
    await withServer({ timing, secrets }, async (rotating) => {
      for (const secret of secrets) {
        assert.equal(await joinWith(sign(HS256, CLAIMS, { secret }), rotating), 'joined');
        const late = sign(HS256, { ...CLAIMS, exp: secondsFromNow(-10) }, { secret });
        assert.deepEqual(await joinWith(late, rotating), expired);
      }
      for (const secret of [secrets.join(','), 'another']) {
        assert.deepEqual(await joinWith(sign(HS256, CLAIMS, { secret }), rotating), unauthorized);
      }
      const { session } = await rotating.customer('g1');
      const { sub, exp, ...claims } = decodeJwt(session.token);
      const again = sign(decodeProtectedHeader(session.token), { ...claims, sub, exp }, { secret: secrets[0] ?? '' });
      assert.equal(again, session.token);
    });
  });
});

describe('[P-4] expiry', { concurrency: true }, () => {
  for (const { role, sub, channel, join } of [
    { role: 'customer', sub: 'late', channel: 'client_join', join: clientJoin({ groupId: 'late' }) },
    { role: 'admin', sub: 'a1', channel: 'admin_join', join: adminJoin() },
    { role: 'server', sub: 'crm', channel: 'server_join', join: serverJoin() },
  ]) {
    test(`an expired token lets nobody join as ${role}: token_expired, and 4401`, async () => {
      const client = await server.connect();
      const token = sign(HS256, { role, dealer: DEALER, sub, exp: secondsFromNow(0) });
      const { code, retryable } = await client.ask(channel, { ...join, token });
      assert.deepEqual({ code, retryable, close: await client.closed }, expired);
    });

    test(`a socket that joined as ${role} is closed when its token ends, and not before`, async () => {
      const client = await server.connect();
      const exp = soon();
      const token = sign(HS256, { role, dealer: DEALER, sub, exp });
      assert.equal((await client.ask(channel, { ...join, token })).channel, 'ack');
      const { id, code, retryable } = (await client.next('error')).payload;
      assert.ok(Date.now() >= exp * 1000 - TIMER_SLACK);
      assert.deepEqual({ id, code, retryable, close: await client.closed }, { id: undefined, ...expired });
    });
  }

  test('a new token takes the place of the old one, which may then end', async () => {
    const exp = soon();
    const client = await server.admin('a1', { token: sign(HS256, { ...CLAIMS, exp }) });
    const other = await server.admin('a1', { token: sign(HS256, { ...CLAIMS, exp }) });
    assert.deepEqual(await client.ask('refresh', { token: good }, 'r1'), { channel: 'ack', id: 'r1' });
    assert.equal(await other.closed, 4401);
    await client.settled();
    const errors = client.frames.filter(({ channel }) => channel === 'error');
    assert.deepEqual(errors, []);
  });

  test('a new token that ends sooner ends the socket sooner', async () => {
    const client = await server.admin('a1');
    await client.ask('refresh', { token: sign(HS256, { ...CLAIMS, exp: soon() }) });
    assert.equal((await client.next('error')).payload.code, 'token_expired');
    assert.equal(await client.closed, 4401);
  });

  test("a customer whose token is a dealer's is closed at its end, however long Telle's own would hold", async () => {
    const claims = { role: 'customer', dealer: DEALER, sub: 'ends', exp: soon() };
    const client = await server.customer(undefined, { token: sign(HS256, claims) });
    assert.equal(client.session.expiresAt, new Date(claims.exp * 1000).toISOString());
    assert.equal(await client.closed, 4401);
  });
});

describe('[P-4] refresh', () => {
  test('the others may refresh as well', async () => {
    const customer = await server.customer('refreshed');
    const token = await server.token('customer', 'refreshed');
    assert.equal((await customer.ask('refresh', { token })).channel, 'ack');
    const all = await server.server('*');
    const renewed = await server.token('server', 'crm', { dealer: '*' });
    assert.equal((await all.ask('refresh', { token: renewed })).channel, 'ack');
  });

  for (const { what, token, code } of [
    { what: 'another sub', token: server.token('admin', 'a2'), code: 'unauthorized' },
    { what: 'another dealer', token: server.token('admin', 'a1', { dealer: 'd2' }), code: 'unauthorized' },
    { what: 'another role', token: server.token('customer', 'a1'), code: 'unauthorized' },
    { what: 'a wider role', token: server.token('server', 'a1', { dealer: '*' }), code: 'unauthorized' },
    { what: 'a bad signature', token: Promise.resolve(`${head}.${body}.AAAA`), code: 'unauthorized' },
    { what: 'an end that is over', token: server.token('admin', 'a1', { ttl: -1 }), code: 'token_expired' },
  ]) {
    test(`a token of ${what} closes the socket with 4401`, async () => {
      const client = await server.admin('a1');
      const answer = await client.ask('refresh', { token: await token }, 'r1');
      assert.deepEqual([answer.id, answer.code, answer.retryable], ['r1', code, false]);
      assert.equal(await client.closed, 4401);
    });
  }

  test('a refresh without a token is invalid, and changes nothing', async () => {
    const client = await server.admin('a1');
    for (const payload of [{}, { token: 7 }, { token: null }]) {
      const { code, details } = await client.ask('refresh', payload);
      assert.deepEqual([code, details[0].path], ['invalid_payload', '/token']);
    }
    await client.settled();
  });
});

describe("[P-4] a customer's tokens", () => {
  test("Telle's own is renewed at each join, for its group alone", async () => {
    const exp = secondsFromNow(60);
    const old = await server.tokens.sign({ role: 'customer', dealer: DEALER, sub: 'kept', exp }, { ours: true });
    const { session } = await server.customer(undefined, { token: old });
    const renewed = decodeJwt(session.token);
    assert.deepEqual([renewed.role, renewed.dealer, renewed.sub], ['customer', DEALER, 'kept']);
    assert.ok(Number(renewed.exp) > exp + 29 * 24 * 3600);
    assert.equal(session.expiresAt, new Date(Number(renewed.exp) * 1000).toISOString());
    assert.equal((await server.customer('kept', { token: session.token })).session.groupId, 'kept');
  });

  test("a dealer's is handed back as it is, and binds the socket to its group", async () => {
    const token = await server.token('customer', 'bound');
    const client = await server.customer(undefined, { token });
    assert.deepEqual([client.session.groupId, client.session.token], ['bound', token]);
    const message = { type: 'UPDATE_MSG', message: 'hello' };
    assert.equal((await client.ask('customer_message', { ...message, groupId: 'kept' })).code, 'forbidden');
    assert.equal((await client.ask('customer_message', message)).scope, 'bound');
  });
});
