/** [P-11.1, P-11.5, P-11.6] HTTP: whether the server is well, who its dealers are, and how it refuses. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { overriding } from '../support/faulty-store.ts';
import { assertProblem } from '../support/problem.ts';
import { DEALER, startServer, type TestServer, withServer } from '../support/server.ts';

let server: TestServer;
/** The token of a server of all dealers. */
let operator: string;
const start = async () => {
  server = await startServer({ timing: { closeTimeout: 5 } });
  operator = await server.token('server', 'ops', { dealer: '*' });
};
const stop = () => server.close();
const put = (dealerId: string, body: unknown) =>
  server.http('PUT', `/v1/dealers/${dealerId}`, { token: operator, body });
const patch = (dealerId: string, body: unknown) =>
  server.http('PATCH', `/v1/dealers/${dealerId}`, { token: operator, body });
const get = (dealerId: string) => server.http('GET', `/v1/dealers/${dealerId}`, { token: operator });
const remove = (dealerId: string) => server.http('DELETE', `/v1/dealers/${dealerId}`, { token: operator });

describe('[P-11.1] health', () => {
  test('GET /health and /ready answer 200 to anybody, with what runs', () =>
    withServer({}, async (own) => {
      const health = await own.http('GET', '/health');
      const { uptime, ...body } = health.body;
      assert.deepEqual([health.status, body], [200, { status: 'ok', version: '0.0.0' }]);
      assert.ok(Number.isInteger(uptime) && uptime >= 0);
      const ready = await own.http('GET', '/ready');
      assert.deepEqual([ready.status, ready.body.status, ready.body.database], [200, 'ready', 'ok']);
    }));

  test('GET /ready answers 503 while the database is away, and /health 200 all the same', () =>
    withServer(
      { wrapStore: (store) => overriding(store, { check: () => Promise.reject(new Error('disk I/O error')) }) },
      async (own) => {
        const { detail } = assertProblem(await own.http('GET', '/ready'), 503, 'unavailable');
        assert.ok(!detail.includes('disk'));
        assert.equal((await own.http('GET', '/health')).status, 200);
      },
    ));
});

describe('[P-11.5] dealers', () => {
  before(start);
  after(stop);

  test('PUT makes a dealer with 201, and replaces all its settings with 200', async () => {
    const settings = { name: 'Autohaus Müller', origins: ['https://a.example', '*'], retentionDays: 30 };
    const made = await put('made', settings);
    assert.deepEqual([made.status, made.body], [201, { dealerId: 'made', ...settings }]);
    assert.deepEqual((await get('made')).body, { dealerId: 'made', ...settings });
    const replaced = await put('made', { name: 'B' });
    assert.deepEqual([replaced.status, replaced.body], [200, { dealerId: 'made', name: 'B', origins: [] }]);
    const { status, body } = await get('made');
    assert.deepEqual([status, body], [200, { dealerId: 'made', name: 'B', origins: [] }]);
  });

  test('PUT keeps the settings of version 1.1, and gives them back', async () => {
    const settings = {
      origins: [],
      timezone: 'America/New_York',
      hours: [{ days: ['fri', 'sat'], open: '18:00', close: '02:00' }],
      holidays: ['2026-12-25'],
      bot: true,
      answerWithin: { bot: 10, admin: 60 },
      handBackAfter: { seconds: null, alone: 30 },
    };
    assert.deepEqual((await put('hours', settings)).body, { dealerId: 'hours', ...settings });
    assert.deepEqual((await get('hours')).body, { dealerId: 'hours', ...settings });
  });

  test('a name may hold a character beyond the basic plane', async () => {
    assert.equal((await put('emoji', { name: 'Autohaus 🚗' })).status, 201);
    assert.equal((await get('emoji')).body.name, 'Autohaus 🚗');
  });

  test('PUT keeps what the dealer has: its log goes on', async () => {
    const crm = await server.server('*');
    const say = { type: 'SYS_MSG', dealerId: 'kept', adminId: 'a1', message: 'hello' };
    assert.equal((await crm.ask('event', say)).seq, 1);
    assert.equal((await put('kept', { name: 'Kept' })).status, 200);
    assert.equal((await crm.ask('event', say)).seq, 2);
  });

  test('a dealer that does not exist is 404 unknown_dealer to GET and DELETE', async () => {
    assertProblem(await get('nobody'), 404, 'unknown_dealer');
    assertProblem(await remove('nobody'), 404, 'unknown_dealer');
  });

  test('GET /v1/dealers lists all of them in pages, each once, while others come and go', async () => {
    for (const name of ['l1', 'l2', 'l3', 'l4', 'l5']) await put(name, {});
    const names: string[] = [];
    let cursor = '';
    do {
      const url = `/v1/dealers?limit=2${cursor}`;
      const { status, body } = await server.http('GET', url, { token: operator });
      assert.equal(status, 200);
      assert.ok(body.items.length <= 2);
      names.push(...body.items.map(({ dealerId }: { dealerId: string }) => dealerId));
      if (names.length === 2) await put('a-late-one', {});
      cursor = body.next === null ? '' : `&cursor=${encodeURIComponent(body.next)}`;
    } while (cursor !== '');
    assert.deepEqual(names, [...new Set(names)].sort());
    for (const name of [DEALER, 'l1', 'l2', 'l3', 'l4', 'l5']) assert.ok(names.includes(name), name);
    const { body } = await server.http('GET', '/v1/dealers', { token: operator });
    assert.deepEqual([body.next, body.items.length], [null, names.length + 1]);
    assert.deepEqual(body.items.at(0), { dealerId: 'a-late-one', origins: [] });
  });

  const faults: readonly (readonly [unknown, string])[] = [
    [{ origins: 'https://a.example' }, '/origins'],
    [{ origins: ['https://a.example/'] }, '/origins/0'],
    [{ origins: ['*', 'https://a.example/path'] }, '/origins/1'],
    [{ origins: ['a.example'] }, '/origins/0'],
    [{ origins: ['ftp://a.example'] }, '/origins/0'],
    [{ origins: ['https://'] }, '/origins/0'],
    [{ origins: ['https://*'] }, '/origins/0'],
    [{ origins: ['javascript:alert(1)'] }, '/origins/0'],
    [{ origins: [5] }, '/origins/0'],
    [{ name: 5 }, '/name'],
    [{ name: '' }, '/name'],
    [{ retentionDays: 0 }, '/retentionDays'],
    [{ retentionDays: 1.5 }, '/retentionDays'],
    [{ retentionDays: '30' }, '/retentionDays'],
    [{ timezone: 'Mars/Olympus' }, '/timezone'],
    [{ timezone: '+01:00' }, '/timezone'],
    [{ hours: [{ days: ['mon'], open: '24:00', close: '24:00' }] }, '/hours/0/open'],
    [{ hours: [{ days: ['mon'], open: '9:00', close: '18:00' }] }, '/hours/0/open'],
    [{ hours: [{ days: [], open: '09:00', close: '18:00' }] }, '/hours/0/days'],
    [{ hours: [{ days: ['someday'], open: '09:00', close: '18:00' }] }, '/hours/0/days/0'],
    [{ holidays: ['2026-02-30'] }, '/holidays/0'],
    [{ holidays: ['25.12.2026'] }, '/holidays/0'],
    [{ bot: 'yes' }, '/bot'],
    [{ answerWithin: { bot: 0 } }, '/answerWithin/bot'],
    [{ answerWithin: { robot: 5 } }, '/answerWithin/robot'],
    [{ handBackAfter: { seconds: 'never' } }, '/handBackAfter/seconds'],
    [[], ''],
  ];
  for (const [index, [body, path]] of faults.entries()) {
    test(`PUT refuses ${JSON.stringify(body)} with 400 and the path ${path}, and makes nobody`, async () => {
      const { details } = assertProblem(await put(`faulty-${index}`, body), 400, 'invalid_payload');
      assert.deepEqual(
        details.map((detail: { path: string }) => detail.path),
        [path],
      );
      assertProblem(await get(`faulty-${index}`), 404, 'unknown_dealer');
    });
  }

  test('PATCH changes what it names, unsets what it says is null, and leaves the rest', async () => {
    await put('patched', { name: 'A', origins: ['*'], timezone: 'UTC', answerWithin: { bot: 5, admin: 60 } });
    const changed = await patch('patched', { name: null, answerWithin: { bot: null }, bot: false, unheard: 'of' });
    const after = { dealerId: 'patched', origins: ['*'], timezone: 'UTC', answerWithin: { admin: 60 }, bot: false };
    assert.deepEqual([changed.status, changed.body], [200, after]);
    assert.deepEqual((await get('patched')).body, after);
    assert.deepEqual((await patch('patched', {})).body, after);
    const never = await patch('patched', { handBackAfter: { seconds: null } });
    assert.deepEqual(never.body, { ...after, handBackAfter: { seconds: null } }, 'null is a value here');
    assert.deepEqual((await patch('patched', { handBackAfter: null })).body, after);
    assert.deepEqual((await patch('patched', { hours: [] })).body, { ...after, hours: [] });
    const acts = await server.store.acts('patched', '', 10);
    assert.deepEqual(
      acts.map(({ detail }) => detail),
      ['name origins timezone answerWithin', 'name answerWithin bot', '', 'handBackAfter', 'handBackAfter', 'hours'],
    );
  });

  test('PATCH is taken as application/merge-patch+json, too', async () => {
    await put('merged', {});
    const headers = { authorization: `Bearer ${operator}`, 'content-type': 'application/merge-patch+json' };
    const url = '/v1/dealers/merged';
    const { statusCode, body } = await server.app.inject({ method: 'PATCH', url, headers, payload: '{"name":"M"}' });
    assert.deepEqual([statusCode, JSON.parse(body)], [200, { dealerId: 'merged', name: 'M', origins: [] }]);
    const broken = await server.app.inject({ method: 'PATCH', url, headers, payload: '{"name":' });
    assert.equal(broken.statusCode, 400);
  });

  test('PATCH refuses what PUT refuses, in the same words, and changes nothing', async () => {
    await put('faultless', { name: 'A', handBackAfter: { alone: 60 } });
    for (const [body, path] of faults) {
      const { details } = assertProblem(await patch('faultless', body), 400, 'invalid_payload');
      assert.deepEqual(
        details.map((detail: { path: string }) => detail.path),
        [path],
      );
    }
    assert.deepEqual((await get('faultless')).body, {
      dealerId: 'faultless',
      name: 'A',
      origins: [],
      handBackAfter: { alone: 60 },
    });
    assertProblem(await patch('nobody', { name: 'A' }), 404, 'unknown_dealer');
    assertProblem(await get('nobody'), 404, 'unknown_dealer');
  });

  test('a time zone and a day that there are not are refused in words', async () => {
    const zone = assertProblem(await put('faulty', { timezone: 'Mars' }), 400, 'invalid_payload');
    assert.match(zone.detail, /^timezone: expected the name of a time zone such as Europe\/Berlin, got a string/);
    const day = assertProblem(await put('faulty', { holidays: ['2026-02-30'] }), 400, 'invalid_payload');
    assert.match(day.detail, /^holidays\/0: expected a day such as 2026-12-25, got a string/);
  });

  test('an origin with a slash at its end is refused in words, and so is an email address that is none', async () => {
    const origin = assertProblem(await put('faulty', { origins: ['https://a.example/'] }), 400, 'invalid_payload');
    assert.match(
      origin.detail,
      /^origins\/0: expected \*, or scheme and host .*, without a path or a slash at the end, got/,
    );
    const email = assertProblem(await put('faulty', { email: 'nobody' }), 400, 'invalid_payload');
    assert.match(email.detail, /^email: expected an email address such as /);
  });

  test('a name that no dealer can have is 400 in a path', async () => {
    for (const name of ['*', 'a%20b', 'a%2Fb', 'x'.repeat(65)]) {
      const { details } = assertProblem(await put(name, {}), 400, 'invalid_payload');
      assert.equal(details[0].path, '/dealerId');
    }
  });

  test('clients join from the origins listed, and none from a browser where none is', async () => {
    await put('shop', { origins: ['https://a.example'] });
    const from = async (dealerId: string, headers: { origin?: string }) => {
      const client = await server.connect({ headers });
      client.send('client_join', { type: 'CLIENT_JOIN', dealerId });
      const { channel, payload } = await client.next(({ channel }) => ['session', 'error'].includes(channel));
      return channel === 'session' ? channel : `${payload.code} ${await client.closed}`;
    };
    assert.equal(await from('shop', { origin: 'https://a.example' }), 'session');
    assert.equal(await from('shop', { origin: 'https://b.example' }), 'forbidden 4403');
    assert.equal(await from('shop', {}), 'session');
    await put('shop', {});
    assert.equal(await from('shop', { origin: 'https://a.example' }), 'forbidden 4403');
    assert.equal(await from('shop', {}), 'session');
  });

  test('DELETE closes the sockets of the dealer with 4404, and leaves nothing of it', async () => {
    await put('leaving', { origins: ['*'] });
    const at = { dealerId: 'leaving' };
    const token = await server.token('admin', 'a1', { dealer: 'leaving' });
    const guest = await server.customer('g1', at);
    await guest.ask('customer_message', { type: 'UPDATE_MSG', message: 'hello' });
    const people = [guest, await server.admin('a1', { ...at, token }), await server.server('leaving')];
    const others = [await server.customer('g1'), await server.admin('a1'), await server.server('*')];
    const removed = await remove('leaving');
    assert.deepEqual([removed.status, removed.body], [204, '']);
    assert.deepEqual(await Promise.all(people.map(({ closed }) => closed)), [4404, 4404, 4404]);
    for (const other of others) await other.settled();
    assertProblem(await get('leaving'), 404, 'unknown_dealer');
    await put('leaving', { origins: ['*'] });
    const again = await server.customer('g1', at);
    assert.deepEqual(again.session.seqs, { g1: 0, '@dealer': 0 });
  });
});

describe('[P-11.6] refusals', () => {
  before(start);
  after(stop);

  const routes = [
    ['GET', '/v1/dealers', undefined],
    ['GET', `/v1/dealers/${DEALER}`, undefined],
    ['GET', '/v1/dealers/nobody', undefined],
    ['PUT', `/v1/dealers/${DEALER}`, { name: 'Mine' }],
    ['PUT', '/v1/dealers/nobody', { name: 5 }],
    ['PATCH', `/v1/dealers/${DEALER}`, { name: 'Mine' }],
    ['DELETE', `/v1/dealers/${DEALER}`, undefined],
    ['DELETE', '/v1/dealers/nobody', undefined],
  ] as const;
  for (const [method, url, body] of routes) {
    test(`${method} ${url} is 401 without a good token, and 403 for anybody but a server of all dealers`, async () => {
      assertProblem(await server.http(method, url, { body }), 401, 'unauthorized');
      assertProblem(await server.http(method, url, { body, token: 'not.a.token' }), 401, 'unauthorized');
      const expired = await server.token('server', 'ops', { dealer: '*', ttl: -10 });
      assertProblem(await server.http(method, url, { body, token: expired }), 401, 'token_expired');
      for (const [role, sub] of [
        ['customer', 'g1'],
        ['admin', 'a1'],
        ['server', 'crm'],
      ] as const) {
        assertProblem(await server.http(method, url, { body, token: await server.token(role, sub) }), 403, 'forbidden');
      }
      assert.deepEqual((await get(DEALER)).body, { dealerId: DEALER, origins: ['*'] });
    });
  }

  test('what is not there is a problem too', async () => {
    for (const url of ['/nowhere', '/v1', '/v1/dealers/a/b/c', '/healthy']) {
      const { code } = assertProblem(await server.http('GET', url), 404, 'unknown_route');
      assert.match(code, /^unknown_/);
    }
  });

  test('a body that is no JSON, or of another type, is a problem', async () => {
    for (const [type, status, code] of [
      ['application/json', 400, 'invalid_payload'],
      ['text/csv', 415, 'unsupported_media_type'],
    ] as const) {
      const headers = { authorization: `Bearer ${operator}`, 'content-type': type };
      const response = await server.app.inject({ method: 'PUT', url: '/v1/dealers/x', headers, payload: '{"name":' });
      assertProblem({ status: response.statusCode, headers: response.headers, body: response.json() }, status, code);
    }
  });

  test('while the database is away, what asks it is 503 with Retry-After', () =>
    withServer(
      {
        wrapStore: (store) =>
          overriding(store, {
            dealer: () => Promise.reject(new Error('disk I/O error')),
            dealers: () => Promise.reject(new Error('disk I/O error')),
            putDealer: () => Promise.reject(new Error('disk I/O error')),
            deleteDealer: () => Promise.reject(new Error('disk I/O error')),
          }),
      },
      async (own) => {
        for (const [method, url, body] of routes.filter(([, , body]) => body?.name !== 5)) {
          const { detail } = assertProblem(await own.http(method, url, { token: operator, body }), 503, 'unavailable');
          assert.ok(!detail.includes('disk'));
        }
      },
    ));
});
