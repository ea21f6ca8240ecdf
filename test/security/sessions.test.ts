/** [P-11.7] Signing in and out: a code is good once and shortly, a token ends with its session, and nobody makes either for another. */
import assert from 'node:assert/strict';
import { after, before, describe, mock, test } from 'node:test';
import { makeCode } from '../../src/auth/codes.ts';
import { secondsFromNow } from '../../src/auth/tokens.ts';
import { assertProblem } from '../support/problem.ts';
import { rawHttp } from '../support/raw-http.ts';
import { startServer, type TestServer, withServer } from '../support/server.ts';

let server: TestServer;
let at = '';
before(async () => {
  server = await startServer();
  at = await server.listen();
  await server.store.putDealer('d2', { origins: ['*'] });
});
after(() => server.close());

const make = (body: object, dealer = 'd1') =>
  server.http('POST', '/v1/sessions/codes', { token: server.token('server', 'crm', { dealer }), body });
const exchange = (code: unknown) => server.http('POST', '/v1/sessions', { body: { code } });
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
const codeOf = async (adminId: string): Promise<string> => (await make({ adminId })).body.code;
const signedIn = async (adminId: string): Promise<string> => (await exchange(await codeOf(adminId))).body.token;

describe('[P-11.7] a code', () => {
  test('is exchanged for a token of its own, which holds as long as was asked', async () => {
    const { status, body } = await make({ adminId: 'alice', ttl: 3600 });
    assert.equal(status, 200);
    assert.ok(Date.parse(body.expiresAt) - Date.now() <= 60_000);
    const answer = await exchange(body.code);
    assert.equal(answer.status, 200);
    const { role, dealer, sub, jti, exp } = claimsOf(answer.body.token);
    assert.deepEqual([role, dealer, sub], ['admin', 'd1', 'alice']);
    assert.notEqual(jti, claimsOf(body.code).jti);
    assert.ok(Math.abs(exp - secondsFromNow(3600)) <= 2);
    assert.equal(Date.parse(answer.body.expiresAt), exp * 1000);
    const alice = await server.admin('alice', { token: answer.body.token });
    assert.equal(alice.session.adminId, 'alice');
  });

  test('is exchanged once, however many try at the same time', async () => {
    const code = await codeOf('alice');
    const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(code)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 401, 401, 401, 401, 401, 401, 401]);
    assertProblem(await exchange(code), 401, 'unauthorized');
  });

  test('is over after a minute', async () => {
    const code = await codeOf('alice');
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 });
    try {
      assertProblem(await exchange(code), 401, 'token_expired');
    } finally {
      mock.timers.reset();
    }
  });

  test('is no token, and a token is no code', async () => {
    const code = await codeOf('alice');
    assertProblem(await server.http('GET', '/v1/dealers/d1/groups', { token: code }), 401, 'unauthorized');
    const client = await server.connect();
    const refusal = await client.ask('admin_join', {
      type: 'ADMIN_JOIN',
      dealerId: 'd1',
      adminId: 'alice',
      token: code,
    });
    assert.equal(refusal.code, 'unauthorized');
    assertProblem(await exchange(server.token('admin', 'alice')), 401, 'unauthorized');
    assertProblem(await exchange(await signedIn('alice')), 401, 'unauthorized');
  });

  test('is worth nothing once who it is for was revoked, and neither is its token', async () => {
    const [code, token] = [await codeOf('bob'), await signedIn('bob')];
    const operator = server.token('server', 'crm');
    const body = { role: 'admin', sub: 'bob' };
    await server.http('POST', '/v1/dealers/d1/revocations', { token: operator, body });
    assertProblem(await exchange(code), 401, 'unauthorized');
    assertProblem(await server.http('GET', '/v1/dealers/d1/groups', { token }), 401, 'unauthorized');
  });

  test('is worth nothing once its dealer was removed, though another has the name now', async () => {
    await server.store.putDealer('d3', { origins: ['*'] });
    const { body } = await make({ adminId: 'alice' }, 'd3');
    await server.http('DELETE', '/v1/dealers/d3', { token: server.token('server', 'op', { dealer: '*' }) });
    assertProblem(await exchange(body.code), 404, 'unknown_dealer');
    await server.store.putDealer('d3', { origins: ['*'] });
    assertProblem(await exchange(body.code), 401, 'unauthorized');
  });

  test('is made by a server for admins of its own dealer alone', async () => {
    assertProblem(await make({ dealerId: 'd2', adminId: 'alice' }), 404, 'unknown_dealer');
    for (const role of ['customer', 'admin'] as const) {
      const token = server.token(role, 'mallory');
      const asked = { token, body: { adminId: 'alice' } };
      assertProblem(await server.http('POST', '/v1/sessions/codes', asked), 403, 'forbidden');
    }
    assertProblem(await make({ adminId: 'alice' }, '*'), 400, 'invalid_payload');
    assertProblem(await make({ dealerId: 'nobody', adminId: 'alice' }, '*'), 404, 'unknown_dealer');
    assert.equal((await make({ dealerId: 'd2', adminId: 'alice' }, '*')).status, 200);
    for (const wrong of [{}, { adminId: 'a b' }, { adminId: 'alice', ttl: 59 }, { adminId: 'alice', ttl: 2_592_001 }]) {
      assertProblem(await make(wrong), 400, 'invalid_payload');
    }
  });

  test('cannot be guessed at any rate: tries count towards their address', () =>
    withServer({}, async (other) => {
      const { code } = makeCode(other.tokens, { dealer: 'd1', sub: 'alice', gen: 0 }, 60);
      const body = { code: `${code.slice(0, -4)}AAAA` };
      const statuses: number[] = [];
      for (let count = 0; count < 310; count += 1)
        statuses.push((await other.http('POST', '/v1/sessions', { body })).status);
      assert.deepEqual([...new Set(statuses)], [401, 429]);
      assert.equal(statuses.indexOf(429), 300);
    }));
});

describe('[P-11.7] signing out', () => {
  test('ends the token and the sockets that joined with it, and nobody else’s', async () => {
    const [mine, other] = [await signedIn('alice'), await signedIn('alice')];
    const [here, there] = [await server.admin('alice', { token: mine }), await server.admin('alice', { token: other })];
    assert.equal((await server.http('DELETE', '/v1/sessions', { token: mine })).status, 204);
    assert.equal(await here.closed, 4401);
    assertProblem(await server.http('DELETE', '/v1/sessions', { token: mine }), 401, 'unauthorized');
    assertProblem(await server.http('GET', '/v1/dealers/d1/groups', { token: mine }), 401, 'unauthorized');
    assert.equal((await server.http('GET', '/v1/dealers/d1/groups', { token: other })).status, 200);
    assert.equal((await there.ask('ping', {})).channel, 'ack');
  });

  test('is refused in words to a token that has no name of its own', async () => {
    const problem = await server.http('DELETE', '/v1/sessions', { token: server.token('admin', 'carl') });
    assert.match(assertProblem(problem, 400, 'invalid_payload').detail, /no jti/);
  });
});

describe('the button of the newcomer’s page', () => {
  const press = (headers: Record<string, string>) => rawHttp(at, { method: 'POST', path: '/desk/demo', headers });
  const own = () => ({ host: at, origin: `http://${at}` });

  test('needs the dealer demo', async () => {
    assert.equal((await press(own())).status, 404);
  });

  test('gives a code to this machine’s own page, and to nobody who comes another way', async () => {
    await server.store.putDealer('demo', { origins: ['*'] });
    const { status, body } = await press({ ...own(), 'sec-fetch-site': 'same-origin' });
    assert.equal(status, 200, body);
    const { sub, dealer } = claimsOf(JSON.parse(body).code);
    assert.deepEqual([dealer, sub], ['demo', 'alice']);
    const port = at.split(':')[1];
    for (const headers of [
      { host: at },
      { host: at, origin: 'null' },
      { host: at, origin: 'https://evil.example' },
      { host: at, origin: `http://localhost:${port}` },
      { host: at, origin: `https://${at}` },
      { ...own(), 'sec-fetch-site': 'cross-site' },
      { ...own(), 'sec-fetch-site': 'same-site' },
      { host: `rebound.example:${port}`, origin: `http://rebound.example:${port}` },
      { host: `127.0.0.1.evil.example`, origin: 'http://127.0.0.1.evil.example' },
      { ...own(), 'x-forwarded-for': '203.0.113.7' },
      { ...own(), via: '1.1 proxy' },
    ]) {
      const refusal = await press(headers);
      assert.equal(refusal.status, 404, JSON.stringify(headers));
      assert.equal(JSON.parse(refusal.body).code, 'unknown_route');
    }
    await server.store.deleteDealer('demo');
  });
});
