/** [P-11.6] What every HTTP answer is like: how it refuses, what it is called, and who may read it from where. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { type Answer, type Asked, ask, varyOf } from '../support/ask.ts';
import { DATABASES, openDatabase } from '../support/database.ts';
import { overriding } from '../support/faulty-store.ts';
import { LogSink } from '../support/log.ts';
import { makeDatabase } from '../support/postgres.ts';
import { assertProblem } from '../support/problem.ts';
import { DEALER, startServer, type TestServer, withServer } from '../support/server.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

const HOME = 'https://shop.example';
const ELSEWHERE = 'https://other.example';
const JSON_TYPE = { 'content-type': 'application/json' };

/** Paths in which somebody, or something, is called NUL. */
const NAMED = [
  '/v1/dealers/%00',
  ...['groups', 'users', 'leads', 'lead-intents', 'pageviews', 'erasures', 'export'].map(
    (list) => `/v1/dealers/%00/${list}`,
  ),
  `/v1/dealers/${DEALER}/groups/%00`,
  `/v1/dealers/${DEALER}/groups/a%00b`,
  `/v1/dealers/${DEALER}/groups/%00/transcript`,
  `/v1/dealers/${DEALER}/groups/%00/export`,
  `/v1/dealers/${DEALER}/scopes/%00/events`,
  `/v1/dealers/${DEALER}/users/%00`,
  `/v1/dealers/${DEALER}/leads/%00`,
  '/v1/dead-letters/%00',
  '/v1/dead-letters/%00/replay',
];

const log = new LogSink();
let server: TestServer;
/** `host:port` */
let listening: Promise<string>;
let tokens: Readonly<Record<'admin' | 'operator' | 'customer' | 'server', string>>;

before(async () => {
  server = await startServer({ logTo: log });
  listening = server.listen();
  tokens = {
    admin: await server.token('admin', 'a1', { dealer: 'shop' }),
    operator: await server.token('server', 'ops', { dealer: '*' }),
    customer: await server.token('customer', 'g1', { dealer: 'shop' }),
    server: await server.token('server', 'crm', { dealer: 'shop' }),
  };
  await server.store.putDealer('shop', { origins: [HOME, 'https://Second.example:8443'] });
  await server.store.putDealer('other', { origins: [ELSEWHERE] });
  await server.customer('g1', { dealerId: 'shop' });
});
after(() => server.close());

/** Nothing of how the server is made may be in an answer. */
function assertTellsNothing({ text }: Answer): void {
  assert.doesNotMatch(text, /FST_|\.ts|\.js|node_modules|\bat .*:\d+|Error:/, text);
}

describe('[P-11.6] whatever is refused is a problem, and tells nothing of how the server is made', () => {
  const events = { method: 'POST', headers: JSON_TYPE } as const;
  const refusals: readonly (readonly [what: string, url: string, asked: Asked, status: number, code: string])[] = [
    ['a path under a dealer that there is not', '/v1/dealers/shop/nothing', {}, 404, 'unknown_route'],
    ['a method that a path does not have', '/health', { method: 'DELETE' }, 404, 'unknown_route'],
    ['a POST to a list', '/v1/dealers/shop/leads', { method: 'POST', body: {} }, 404, 'unknown_route'],
    ['a PATCH of a list', '/v1/dealers/shop/leads', { method: 'PATCH', body: {} }, 404, 'unknown_route'],
    ['OPTIONS of nobody', '/v1/dealers/shop/leads', { method: 'OPTIONS' }, 404, 'unknown_route'],
    ['malformed JSON', '/v1/events', { ...events, body: '[{"type":' }, 400, 'invalid_payload'],
    ['JSON that ends too late', '/v1/events', { ...events, body: '{} {}' }, 400, 'invalid_payload'],
    ['an empty body', '/v1/events', { ...events, body: '' }, 400, 'invalid_payload'],
    ['a form', '/v1/events', form('application/x-www-form-urlencoded', 'a=b'), 415, 'unsupported_media_type'],
    ['a form of parts', '/v1/events', form('multipart/form-data; boundary=b', '--b--'), 415, 'unsupported_media_type'],
    ['XML', '/v1/events', form('application/xml', '<a/>'), 415, 'unsupported_media_type'],
    ['plain text, though it be JSON', '/v1/events', form('text/plain', '{}'), 415, 'unsupported_media_type'],
    ['a body of no type at all', '/v1/events', form('nonsense', '{}'), 415, 'unsupported_media_type'],
    [
      'a body that is too large',
      '/v1/dealers/big',
      { method: 'PUT', body: { name: 'x'.repeat(65_536) } },
      413,
      'too_large',
    ],
    ['bad percent-encoding in the path', '/v1/dealers/%zz/groups', {}, 400, 'invalid_payload'],
    ['half a character in the path', '/v1/dealers/%c3/groups', {}, 400, 'invalid_payload'],
    ['a part of the path that is too long', `/v1/dealers/shop/groups/${'x'.repeat(300)}`, {}, 400, 'invalid_payload'],
  ];
  for (const [what, url, asked, status, code] of refusals) {
    test(`${what} is ${status} ${code}`, async () => {
      const answer = await ask(server, url, { token: tokens.operator, ...asked });
      const { detail } = assertProblem(answer, status, code);
      assertTellsNothing(answer);
      assert.ok(!detail.includes(url), 'the path is not repeated: its parts are a customer’s');
      assert.equal(typeof answer.headers['x-request-id'], 'string');
    });
  }

  function form(type: string, body: string): Asked {
    return { method: 'POST', headers: { 'content-type': type }, body };
  }

  const unreadable = {
    'no HTTP at all': 'hello\r\n\r\n',
    'a WebSocket frame without a handshake': '\x81\x85\x01\x02\x03\x04\x05\x06\x07\x08\x09\r\n\r\n',
    'HTTP of no version': 'GET /health HTTP/9.9\r\nHost: x\r\n\r\n',
    'a header that is none': 'GET /health HTTP/1.1\r\nHost: x\r\nNo colon at all\r\n\r\n',
    'two lengths': 'POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n',
    'a length below nothing': 'POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    'a length, and pieces':
      'POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
  };
  for (const [what, bytes] of Object.entries(unreadable)) {
    test(`${what} is a problem too, and the end of the connection`, async () => {
      const [host = '', port] = (await listening).split(':');
      const socket = connect({ host, port: Number(port) });
      socket.write(bytes, 'latin1');
      const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
      assert.match(head, /^HTTP\/1\.1 400 [^\r]+\r\ncontent-type: application\/problem\+json\r\n/);
      const { status, code, detail } = JSON.parse(body);
      assert.deepEqual([status, code, detail], [400, 'invalid_payload', 'this is not an HTTP request']);
    });
  }

  for (const database of DATABASES) {
    test(`a name with U+0000 in it, on ${database}, is no fault whoever asks`, async () => {
      const db = await openDatabase(database);
      try {
        await withServer({ settings: { DATABASE_URL: db.url } }, async (own) => {
          const token = await own.token('server', 'ops', { dealer: '*' });
          for (const url of NAMED) {
            for (const method of ['GET', 'PUT', 'POST', 'DELETE'] as const) {
              const { status, text } = await ask(own, url, { method, token, ...(method !== 'GET' && { body: {} }) });
              assert.ok(status >= 400 && status < 500, `${method} ${url}: ${status} ${text}`);
            }
          }
        });
      } finally {
        await db.close();
      }
    });
  }

  test('a fault of the server’s own is 500 internal, and what it was is in the log alone', async () => {
    const faults = new LogSink();
    const wrapStore = (store: TestServer['store']) =>
      overriding(store, {
        group: async (dealerId, groupId) => {
          const group = await store.group(dealerId, groupId);
          return group && { ...group, lastMessage: { seq: 1, at: 0, payload: 'torn' } };
        },
      });
    await withServer({ wrapStore, logTo: faults }, async (torn) => {
      await torn.customer('g1');
      const answer = await ask(torn, `/v1/dealers/${DEALER}/groups/g1`, { token: await torn.token('admin', 'a1') });
      assertProblem(answer, 500, 'internal');
      assertTellsNothing(answer);
      assert.doesNotMatch(answer.text, /torn|JSON/);
      assert.match(faults.text, /SyntaxError/);
    });
  });
});

describe('x-request-id', () => {
  const idOf = ({ headers }: Answer) => String(headers['x-request-id']);
  const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

  test('is the caller’s, in the answer and in the log line of the request, whatever becomes of it', async () => {
    for (const [name, url, token, status] of [
      ['taken', '/v1/dealers/shop/groups', tokens.admin, 200],
      ['unknown:1', '/nowhere', undefined, 404],
      ['Refused.2_a-b', '/v1/dealers/shop/groups', undefined, 401],
      ['x'.repeat(64), '/v1/dealers/shop/leads?limit=0', tokens.admin, 400],
    ] as const) {
      const answer = await ask(server, url, { token, headers: { 'x-request-id': name } });
      assert.deepEqual([answer.status, idOf(answer)], [status, name]);
      const lines = log.records().filter(({ reqId, msg }) => reqId === name && msg === 'request');
      assert.deepEqual(
        lines.map((line) => line.status),
        [status],
      );
    }
  });

  test('is made where there is none, another one for each request', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, async () => idOf(await ask(server, '/health'))));
    assert.equal(new Set(ids).size, 20);
    for (const id of ids) {
      assert.match(id, UUID);
      assert.equal(log.records().filter(({ reqId }) => reqId === id).length, 1);
    }
  });

  for (const bad of ['', ' ', 'a b', 'a, b', 'x'.repeat(65), 'é', '<script>', 'a"b', 'a\tb', '{"level":60}', '%0a']) {
    test(`is made anew where the caller’s is ${JSON.stringify(bad.slice(0, 12))}`, async () => {
      assert.match(idOf(await ask(server, '/health', { headers: { 'x-request-id': bad } })), UUID);
    });
  }

  test('stands in a line that names the route, and neither path nor token', async () => {
    const url = '/v1/dealers/shop/groups/a-customer-of-mine';
    const id = idOf(await ask(server, `${url}?cursor=a-secret-word`, { token: tokens.admin }));
    const [line] = log.records().filter(({ reqId }) => reqId === id);
    assert.equal(line?.route, '/v1/dealers/:dealerId/groups/:groupId');
    for (const word of ['a-customer-of-mine', 'a-secret-word', tokens.admin]) assert.ok(!log.text.includes(word), word);
  });
});

describe('headers that a browser obeys', () => {
  test('are on every answer: data is not shown as a page, guessed at, framed, or named elsewhere', async () => {
    const preflight = { origin: HOME, 'access-control-request-method': 'GET' };
    const answers = [
      await ask(server, '/health'),
      await ask(server, '/metrics'),
      await ask(server, '/nowhere'),
      await ask(server, '/v1/dealers/shop/groups'),
      await ask(server, '/v1/dealers/shop/groups', { token: tokens.admin }),
      await ask(server, '/v1/dealers/shop/leads', { token: tokens.admin, headers: { accept: 'text/csv' } }),
      await ask(server, '/v1/dealers/shop/export', { token: tokens.admin }),
      await ask(server, '/v1/dealers/shop/groups', { method: 'OPTIONS', headers: preflight }),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 404, 401, 200, 200, 200, 204],
    );
    for (const { headers } of answers) {
      assert.equal(headers['content-security-policy'], "default-src 'none';frame-ancestors 'none'");
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
      for (const name of ['strict-transport-security', 'x-powered-by', 'server'])
        assert.equal(headers[name], undefined);
    }
  });
});

describe('[P-11.5] CORS: pages of a dealer’s origins may read what is under that dealer', () => {
  const ROUTES = [
    '',
    '/groups',
    '/groups/g1',
    '/groups/g1/transcript',
    '/scopes/g1/events',
    '/users',
    '/leads',
    '/lead-intents',
    '/pageviews',
    '/erasures',
    '/export',
  ];
  const allowed = ({ headers }: Answer) => headers['access-control-allow-origin'];
  const names = (header: unknown) =>
    String(header)
      .toLowerCase()
      .split(/\s*,\s*/);
  const asking = (origin: string, more: Readonly<Record<string, string>> = {}) => ({
    headers: { origin, ...more },
    token: tokens.operator,
  });

  for (const route of ROUTES) {
    test(`GET /v1/dealers/{dealerId}${route} is for them alone, and says that it depends on the origin`, async () => {
      const url = `/v1/dealers/shop${route}`;
      const answer = await ask(server, url, asking(HOME));
      assert.deepEqual([answer.status, allowed(answer)], [200, HOME]);
      assert.equal(answer.headers['access-control-allow-credentials'], undefined);
      assert.deepEqual(names(answer.headers['access-control-expose-headers']), ['link', 'retry-after', 'x-request-id']);
      const others = await Promise.all(
        [ELSEWHERE, 'null', `${HOME}.evil.example`, 'http://shop.example', `${HOME}:444`, 'https://shop'].map(
          (origin) => ask(server, url, asking(origin)),
        ),
      );
      const none = await ask(server, url, { token: tokens.operator });
      for (const each of [...others, none]) assert.deepEqual([each.status, allowed(each)], [200, undefined]);
      for (const each of [answer, ...others, none])
        assert.ok(varyOf(each).includes('origin'), String(each.headers.vary));
    });
  }

  test('origins are compared without regard to case, and with their port', async () => {
    const second = 'https://second.example:8443';
    assert.equal(allowed(await ask(server, '/v1/dealers/shop/groups', asking(second))), second);
  });

  test('where * is listed, every origin is one, that of a sandboxed page too', async () => {
    for (const origin of [HOME, ELSEWHERE, 'null', 'http://localhost:5173']) {
      const answer = await ask(server, `/v1/dealers/${DEALER}/groups`, asking(origin));
      assert.deepEqual([answer.status, allowed(answer)], [200, origin]);
    }
  });

  test('an empty Origin is that of no page, and no fault', async () => {
    for (const dealerId of [DEALER, 'shop']) {
      const answer = await ask(server, `/v1/dealers/${dealerId}/groups`, asking(''));
      assert.deepEqual([answer.status, allowed(answer)], [200, undefined]);
    }
  });

  test('what is refused can be read by them, too', async () => {
    const customer = { ...asking(HOME), token: tokens.customer };
    const refusals = [
      [await ask(server, '/v1/dealers/shop/groups', { headers: { origin: HOME } }), 401, 'unauthorized'],
      [await ask(server, '/v1/dealers/shop/groups', customer), 403, 'forbidden'],
      [await ask(server, '/v1/dealers/shop/groups/nobody', asking(HOME)), 404, 'unknown_group'],
      [await ask(server, '/v1/dealers/shop/nothing', asking(HOME)), 404, 'unknown_route'],
      [await ask(server, '/v1/dealers/shop/leads?limit=201', asking(HOME)), 400, 'invalid_payload'],
      [await ask(server, '/v1/dealers/shop/leads', asking(HOME, { accept: 'image/png' })), 406, 'not_acceptable'],
    ] as const;
    for (const [answer, status, code] of refusals) {
      assertProblem(answer, status, code);
      assert.equal(allowed(answer), HOME, code);
    }
  });

  test('what is under no dealer, or under one that there is not, is for no page', async () => {
    const urls = [
      '/health',
      '/ready',
      '/metrics',
      '/nowhere',
      '/v1/dealers',
      `/v1/dealers?cursor=/v1/dealers/${DEALER}`,
      '/v1/dealers/',
      '/v1/dealers/nobody/groups',
      '/v1/dead-letters',
      `/v1/events?/v1/dealers/${DEALER}`,
    ];
    for (const url of urls) {
      for (const method of ['GET', 'OPTIONS'] as const) {
        const answer = await ask(server, url, { ...asking(HOME, { 'access-control-request-method': 'GET' }), method });
        const cors = Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'));
        assert.deepEqual(cors, [], `${method} ${url}`);
      }
    }
    const post = await ask(server, '/v1/events', { ...asking(HOME), method: 'POST', body: [] });
    assert.deepEqual([post.status, allowed(post)], [200, undefined]);
  });

  test('a preflight is answered without a token: which methods and headers they may use, and for how long', async () => {
    for (const route of [...ROUTES, '/groups/g1?x=%20']) {
      for (const method of ['GET', 'PUT', 'POST', 'DELETE']) {
        const answer = await ask(server, `/v1/dealers/shop${route}`, {
          method: 'OPTIONS',
          headers: {
            origin: HOME,
            'access-control-request-method': method,
            'access-control-request-headers': 'authorization,content-type,x-request-id',
          },
        });
        const { headers } = answer;
        assert.deepEqual([answer.status, allowed(answer), answer.text], [204, HOME, '']);
        assert.ok(names(headers['access-control-allow-methods']).includes(method.toLowerCase()), method);
        for (const name of ['authorization', 'content-type', 'accept', 'x-request-id']) {
          assert.ok(names(headers['access-control-allow-headers']).includes(name), name);
        }
        assert.match(String(headers['access-control-max-age']), /^[1-9]\d*$/);
        assert.ok(varyOf(answer).includes('origin'), String(headers.vary));
      }
    }
  });

  test('a preflight of any other page is told nothing', async () => {
    for (const origin of [ELSEWHERE, 'null']) {
      const headers = { origin, 'access-control-request-method': 'GET' };
      const answer = await ask(server, '/v1/dealers/shop/groups', { method: 'OPTIONS', headers });
      assertProblem(answer, 404, 'unknown_route');
      assert.deepEqual(
        Object.keys(answer.headers).filter((name) => name.startsWith('access-control-')),
        [],
      );
    }
  });

  test('a preflight that asks for no method is no other kind of answer', async () => {
    const answer = await ask(server, '/v1/dealers/shop/groups', { method: 'OPTIONS', headers: { origin: HOME } });
    if (answer.status >= 400) assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
  });

  test('an origin is listed, and taken away, from one request to the next', async () => {
    const now = async () => allowed(await ask(server, '/v1/dealers/moving/groups', asking(ELSEWHERE)));
    const put = (origins: string[]) =>
      ask(server, '/v1/dealers/moving', { method: 'PUT', token: tokens.operator, body: { origins } });
    assert.equal(await now(), undefined);
    await put([ELSEWHERE]);
    assert.equal(await now(), ELSEWHERE);
    await put([]);
    assert.equal(await now(), undefined);
  });

  test('a dealer’s name that Postgres cannot hold is nobody’s: who asks from a page is told what all are', async () => {
    await withServer({ settings: { DATABASE_URL: await makeDatabase(postgres) } }, async (own) => {
      for (const headers of [{}, { origin: HOME }]) {
        assertProblem(await ask(own, '/v1/dealers/%00/groups', { headers }), 401, 'unauthorized');
      }
    });
  });
});
