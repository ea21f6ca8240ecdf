/** What one connection, one token and one address may have the server hold: answers that nobody takes, bodies that do not end. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { MAX_PAGE_BYTES } from '../../schemas/lists.ts';
import { DEALER, startServer, type TestServer, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const STALL = 300;
const settings = { RATE_LIMIT: 'off' };
const timing = { closeTimeout: 5, stallTimeout: STALL };

const seen = (holds: () => boolean) => until('what the connection shows', async () => holds());

/** Resolves when a connection that reads nothing was cut: it hears of it when it says something. */
async function isCut({ socket, ended }: Line): Promise<void> {
  const talking = setInterval(() => socket.write('GET '), STALL / 10);
  await seen(ended);
  clearInterval(talking);
}

interface Line {
  readonly socket: Socket;
  /** All that came, as text. */
  readonly said: () => string;
  readonly ended: () => boolean;
}

/** A connection that says something, and reads the answers or none. */
function dial(at: string, text: string, { reads = true } = {}): Line {
  const [host = '', port] = at.split(':');
  const socket = connect(Number(port), host);
  let said = '';
  let ended = false;
  socket.on('error', () => {});
  socket.on('close', () => {
    ended = true;
  });
  if (reads)
    socket.on('data', (data) => {
      said += data.toString('latin1');
    });
  else socket.pause();
  socket.write(text);
  return { socket, said: () => said, ended: () => ended };
}

const get = (path: string, headers: readonly string[] = []) =>
  [`GET ${path} HTTP/1.1`, 'host: telle.test', ...headers, '', ''].join('\r\n');
const statuses = (said: string) => [...said.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

/** The longest message that there may be, in 16 KiB. */
const LONG = '🚗'.repeat(3900);

async function converse(server: TestServer, groupId: string, count: number): Promise<string> {
  const customer = await server.customer(groupId);
  for (let n = 0; n < count; n += 1) {
    await customer.ask('customer_message', { type: 'UPDATE_MSG', message: LONG });
  }
  customer.socket.terminate();
  return String(customer.session.token);
}

describe('a connection', () => {
  let server: TestServer;
  let at: string;
  let token: string;
  before(async () => {
    server = await startServer({ settings, timing });
    at = await server.listen();
    token = await converse(server, 'long', 100);
  });
  after(() => server.close());

  const events = (query: string) =>
    get(`/v1/dealers/${DEALER}/scopes/long/events?${query}`, [`authorization: Bearer ${token}`]);

  test('is answered one request at a time, in order, whatever was sent behind it', async () => {
    const paths = Array.from({ length: 30 }, (_, n) => `/schemas/none-${n}.json`);
    const body = '{"origins":["*"]}';
    const put = [
      `PUT /v1/dealers/${DEALER} HTTP/1.1`,
      'host: telle.test',
      `authorization: Bearer ${await server.token('server', 'x', { dealer: '*' })}`,
      'content-type: application/json',
      `content-length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
    const line = dial(at, paths.map((path) => get(path)).join('') + put + get('/health') + put);
    await seen(() => statuses(line.said()).length === 33);
    assert.deepEqual(statuses(line.said()), [...paths.map(() => 404), 200, 200, 200]);
    line.socket.destroy();
  });

  test('on which more wait than anybody needs is cut, and the server goes on', async () => {
    await isCut(dial(at, events('limit=200').repeat(290), { reads: false }));
    assert.equal((await fetch(`http://${at}/health`)).status, 200);
  });

  test('that takes nothing of its answers for a while is cut, whatever it says meanwhile', async () => {
    await isCut(dial(at, events('limit=200').repeat(45), { reads: false }));
  });

  test('that takes its answers slowly is not', async () => {
    const line = dial(at, events('limit=200').repeat(45), { reads: false });
    let bytes = 0;
    const taste = () => line.socket.pause();
    line.socket.on('data', (data) => {
      bytes += data.length;
    });
    line.socket.pause();
    line.socket.on('data', taste);
    for (const from = performance.now(); performance.now() - from < 3 * STALL; await pause(STALL / 20))
      line.socket.resume();
    assert.equal(line.ended(), false);
    line.socket.off('data', taste);
    line.socket.resume();
    await seen(() => bytes > 40 * MAX_PAGE_BYTES * 0.9);
    line.socket.destroy();
  });

  for (const [direction, query] of [
    ['forwards', 'after=0'],
    ['backwards', `before=${Number.MAX_SAFE_INTEGER}`],
  ] as const) {
    test(`is handed a log ${direction} in pages of so many bytes, each event once`, async () => {
      const seqs: number[] = [];
      let pages = 0;
      for (let more: string | null = query; more !== null; pages += 1) {
        const path = `/v1/dealers/${DEALER}/scopes/long/events?limit=200&${more}`;
        const { status, body } = await server.http('GET', path, { token });
        assert.equal(status, 200);
        const size = Buffer.byteLength(JSON.stringify(body));
        assert.ok(size < MAX_PAGE_BYTES * 1.1, `a page of ${size} bytes`);
        const page = body.items.map((event: { seq: number }) => event.seq);
        if (direction === 'forwards') seqs.push(...page);
        else seqs.unshift(...page);
        more = body.next === null ? null : `cursor=${body.next}`;
      }
      assert.deepEqual(
        seqs,
        Array.from({ length: seqs.length }, (_, n) => n + 1),
      );
      assert.ok(seqs.length >= 100 && pages >= 6, `${seqs.length} events in ${pages} pages`);
    });
  }
});

describe('[RFC 9110, 7.8] an upgrade to what is not spoken here', () => {
  const ask = (path: string, protocol: string) => get(path, ['connection: Upgrade', `upgrade: ${protocol}`]);

  test('is ignored: the request is answered as any other, again and again on one connection', () =>
    withServer({ settings, timing }, async (server) => {
      const at = await server.listen();
      const warnings: Error[] = [];
      const note = (warning: Error) => warnings.push(warning);
      process.on('warning', note);
      const line = dial(at, '');
      for (let n = 1; n <= 20; n += 1) {
        line.socket.write(ask('/health', n % 2 ? 'h2c' : 'TLS/1.0, foo'));
        await seen(() => statuses(line.said()).length === n);
      }
      assert.deepEqual(new Set(statuses(line.said())), new Set([200]));
      process.off('warning', note);
      assert.deepEqual(warnings, []);
      line.socket.destroy();
    }));

  test('is ignored where requests are sent behind it and before it', () =>
    withServer({ settings, timing }, async (server) => {
      const at = await server.listen();
      const line = dial(at, get('/health') + ask('/nowhere', 'h2c') + ask('/ready', 'h2c') + get('/schemas/none.json'));
      await seen(() => statuses(line.said()).length === 4);
      assert.deepEqual(statuses(line.said()), [200, 404, 200, 404]);
      line.socket.destroy();
    }));

  test('is ignored where the request has a body, however long', () =>
    withServer({ settings, timing }, async (server) => {
      const at = await server.listen();
      const events = Array.from({ length: 40 }, (_, n) => ({
        type: 'UPDATE_MSG',
        dealerId: DEALER,
        groupId: 'g1',
        user: 'bot',
        message: LONG,
        id: `b${n}`,
      }));
      const body = Buffer.from(JSON.stringify(events));
      const head = [
        'POST /v1/events HTTP/1.1',
        'host: telle.test',
        `authorization: Bearer ${await server.token('server', 'crm')}`,
        'content-type: application/json',
        `content-length: ${body.length}`,
        'connection: Upgrade, HTTP2-Settings',
        'upgrade: h2c',
        'http2-settings: AAMAAABkAAQAAP__',
        '',
        '',
      ].join('\r\n');
      const line = dial(at, head);
      line.socket.write(body);
      line.socket.write(get('/health'));
      await seen(() => statuses(line.said()).length === 2);
      assert.deepEqual(statuses(line.said()), [200, 200]);
      assert.equal((await server.store.tails(DEALER, ['g1'])).get('g1'), 40);
      line.socket.destroy();
    }));

  test('does not keep a socket from being opened, on a connection that has asked before', () =>
    withServer({ settings, timing }, async (server) => {
      const at = await server.listen();
      const line = dial(at, ask('/health', 'h2c'));
      await seen(() => statuses(line.said()).length === 1);
      const handshake = ['connection: Upgrade', 'upgrade: WebSocket', 'sec-websocket-version: 13'];
      line.socket.write(get('/ws', [...handshake, 'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==']));
      await seen(() => statuses(line.said()).length === 2);
      assert.deepEqual(statuses(line.said()), [200, 101]);
      line.socket.destroy();
    }));
});

describe('bodies that do not end', () => {
  const half = async (server: TestServer, at: string, name: string, bytes = 16_000_000) =>
    dial(
      at,
      [
        'POST /v1/events HTTP/1.1',
        'host: telle.test',
        `authorization: Bearer ${await server.token('server', name)}`,
        'content-type: application/json',
        `content-length: ${bytes}`,
        '',
        '[',
      ].join('\r\n'),
    );

  test('are refused, before they are read, beyond two of the largest of one token and eight of all', () =>
    withServer({ settings, timing }, async (server) => {
      const at = await server.listen();
      const lines: Line[] = [];
      const open = async (name: string) => {
        const line = await half(server, at, name);
        lines.push(line);
        return line;
      };
      await open('a');
      await open('a');
      const third = await open('a');
      await seen(() => third.said() !== '');
      assert.match(third.said(), /^HTTP\/1\.1 429 [\s\S]*retry-after: 2[\s\S]*bodies of yours are being taken/);
      for (const name of ['b', 'b', 'c', 'c', 'd', 'd']) await open(name);
      const last = await open('e');
      await seen(() => last.said() !== '');
      assert.match(last.said(), /^HTTP\/1\.1 503 [\s\S]*retry-after: 2[\s\S]*bodies are being taken/);
      assert.equal(statuses(lines.flatMap((line) => line.said()).join('')).length, 2);
      // What is small is taken all the same, but of who has too many.
      const small = async (name: string) => {
        const response = await fetch(`http://${at}/v1/events`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${await server.token('server', name)}`,
            'content-type': 'application/json',
          },
          body: '[]',
        });
        return response.status;
      };
      assert.equal(await small('e'), 200);
      for (const { socket } of lines) socket.destroy();
      await until('what was held is given back', async () => (await small('a')) === 200);
    }));

  test('of strangers count for their address, on paths that there are and that there are not', () =>
    withServer({ settings, timing }, async (server) => {
      const at = await server.listen();
      const most = (2 * 1000 * 16_384) / (64 * 1024);
      const lines = Array.from({ length: 600 }, () =>
        dial(
          at,
          `POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${64 * 1024}\r\n\r\n[`,
        ),
      );
      await seen(() => lines.filter((line) => line.said().startsWith('HTTP/1.1 429')).length === 600 - most);
      for (const { socket } of lines) socket.destroy();
    }));
});

describe('[P-11.6] what is under /v1', () => {
  test('is kept by nobody: every answer says so, errors too', () =>
    withServer({ settings, timing }, async (server) => {
      const token = await server.token('admin', 'a1');
      const operator = await server.token('server', 'x', { dealer: '*' });
      const of = `/v1/dealers/${DEALER}`;
      const asked = [
        ['GET', `${of}/groups`, token, 200],
        ['GET', `${of}/export`, token, 200],
        ['GET', `${of}/groups`, undefined, 401],
        ['GET', '/v1/dealers', token, 403],
        ['GET', '/v1/nowhere', token, 404],
        ['GET', '/v1', token, 404],
        ['GET', '/%761/dealers', operator, 200],
        ['POST', '/v1/events', operator, 400],
        ['GET', '/v1/%zz', token, 400],
      ] as const;
      for (const [method, url, bearer, status] of asked) {
        const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
        const response = await server.app.inject({ method, url, headers });
        assert.deepEqual([url, response.statusCode, response.headers['cache-control']], [url, status, 'no-store']);
      }
    }));
});
