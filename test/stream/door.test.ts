/** [P-22] The door for streams: how one is opened, posted to and closed, and what it has in common with every door. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { clientJoin } from '../support/joins.ts';
import { Reading } from '../support/metrics.ts';
import { assertProblem } from '../support/problem.ts';
import { DEALER, startServer, type TestServer, withServer } from '../support/server.ts';
import { frame, joinedStream, Stream } from '../support/stream.ts';
import { until } from '../support/until.ts';

let server: TestServer;
let at: string;
before(async () => {
  server = await startServer({ timing: { closeTimeout: 3000 } });
  at = await server.listen();
});
after(() => server.close());

const message = (text: string) => ({ type: 'UPDATE_MSG', message: text });

const joined = (groupId: string, on = at) => joinedStream(groupId, on);

const connections = async (of: TestServer, role: string) =>
  new Reading(String((await of.http('GET', '/metrics')).body)).sum('telle_connections', { role });

describe('[P-22.1] a stream', () => {
  test('is an answer that nobody keeps or holds back, and any page may read it', async () => {
    const stream = await Stream.open(at, { origin: 'https://cars.example' });
    const { headers } = stream.response;
    assert.equal(headers.get('content-type'), 'text/event-stream');
    assert.equal(headers.get('cache-control'), 'no-store, no-transform');
    assert.equal(headers.get('x-accel-buffering'), 'no');
    assert.equal(headers.get('access-control-allow-origin'), 'https://cars.example');
    assert.equal(headers.get('cross-origin-resource-policy'), 'cross-origin');
    stream.hangUp();
  });

  test('has a name that nobody guesses, and that is in no log', async () => {
    const log = new PassThrough();
    await withServer({ logTo: log }, async (telling) => {
      const where = await telling.listen();
      const streams = [await joined('g1', where), await joined('g2', where)];
      const names = await Promise.all(streams.map((stream) => stream.id()));
      for (const name of names) assert.match(name, /^[\w-]{32}$/);
      assert.notEqual(...(names as [string, string]));
      await fetch(`http://${where}/stream/${names[0]}`, { method: 'POST', body: 'nothing' });
      for (const stream of streams) stream.hangUp();
      await until('they have gone', async () => (await connections(telling, 'customer')) === 0);
      const lines = String(log.read());
      assert.match(lines, /socket closed/);
      for (const name of names) assert.ok(!lines.includes(name));
    });
  });

  test('counts as no request that took as long as it was open', async () => {
    const stream = await Stream.open(at);
    stream.send('admin_join', { type: 'ADMIN_JOIN', dealerId: DEALER, adminId: 'a1', token: 'bad' });
    assert.equal((await stream.closed)?.code, 4401);
    const counted = async (route: string) =>
      new Reading(String((await server.http('GET', '/metrics')).body)).sum('telle_http_request_seconds_count', {
        route,
      });
    await until('its post is counted', async () => (await counted('/stream/:id')) > 0);
    assert.equal(await counted('/stream'), 0);
  });

  test('takes several frames of one post, a line each, in their order', async () => {
    const stream = await joined('lines');
    const texts = ['one', 'two', 'three'];
    const lines = texts.map((text) => frame('customer_message', message(text), text));
    assert.equal((await stream.post(lines.join('\n'))).status, 204);
    const acks = await Promise.all(texts.map((_, index) => stream.next('ack', index)));
    assert.deepEqual(
      acks.map(({ payload }) => [payload.id, payload.seq]),
      texts.map((text, index) => [text, index + 1]),
    );
    stream.hangUp();
  });

  test('is told what others send', async () => {
    const stream = await joined('told');
    const admin = await server.admin('a7');
    await admin.ask('admin_message', { ...message('hello'), groupId: 'told' });
    assert.equal((await stream.next('CHAT_MESSAGE')).payload.message, 'hello');
    stream.hangUp();
  });

  test('may be asked for by a page with a header of its own', async () => {
    for (const path of ['/stream', '/stream/any']) {
      const headers = { origin: 'https://cars.example', 'access-control-request-method': 'POST' };
      const { status, headers: answered } = await fetch(`http://${at}${path}`, { method: 'OPTIONS', headers });
      assert.deepEqual([status, answered.get('access-control-allow-headers')], [204, 'authorization, content-type']);
    }
  });

  test('ends with the one who reads it', async () => {
    await withServer({}, async (own) => {
      const where = await own.listen();
      const stream = await joined('gone', where);
      assert.equal(await connections(own, 'customer'), 1);
      stream.hangUp();
      await until('it has gone', async () => (await connections(own, 'customer')) === 0);
      assertProblem(await answer(await stream.post(frame('ping', {}))), 404, 'unknown_route');
    });
  });
});

/** What a fetched answer says, as that of a request through memory. */
async function answer(response: Response) {
  const { status, headers } = response;
  return { status, headers: Object.fromEntries(headers), body: JSON.parse(await response.text()) };
}

describe('[P-22.2] a stream is closed as a WebSocket is, and says so in its last event', () => {
  test('4401: a join with a bad token', async () => {
    const stream = await Stream.open(at);
    stream.send('admin_join', { type: 'ADMIN_JOIN', dealerId: DEALER, adminId: 'a1', token: 'bad' });
    assert.deepEqual(await stream.closed, { code: 4401, reason: 'unauthorized' });
    assert.equal(stream.frames('error')[0]?.payload.code, 'unauthorized');
  });

  test('4403: the page’s origin is not the dealer’s, which is judged when it joins', async () => {
    await server.store.putDealer('strict', { origins: ['https://cars.example'] });
    const stream = await Stream.open(at, { origin: 'https://evil.example' });
    stream.send('client_join', clientJoin({ dealerId: 'strict' }));
    assert.equal((await stream.closed)?.code, 4403);
    const own = await Stream.open(at, { origin: 'https://cars.example' });
    own.send('client_join', clientJoin({ dealerId: 'strict' }));
    await own.next('session');
    own.hangUp();
  });

  test('4408: no join in time', async () => {
    await withServer({ settings: { JOIN_TIMEOUT: '1s' } }, async (own) => {
      const stream = await Stream.open(await own.listen());
      assert.equal((await stream.closed)?.code, 4408);
    });
  });

  test('1012: the server ends, and says when to come back', async () => {
    const own = await startServer({ timing: { closeTimeout: 3000 } });
    const stream = await joined('restart', await own.listen());
    await own.close();
    const { code, reason } = Object(await stream.closed);
    assert.equal(code, 1012);
    assert.match(reason, /^service restart, come back in \d+ ms$/);
  });

  test('1013: the node is full', async () => {
    await withServer({ settings: { MAX_CONNECTIONS: '1' } }, async (own) => {
      const where = await own.listen();
      const first = await joined('first', where);
      const second = await Stream.open(where);
      assert.equal((await second.closed)?.code, 1013);
      first.hangUp();
    });
  });
});

describe('[P-2.6, P-22.2] a stream is pinged', () => {
  const timing = { pingInterval: 50, pongTimeout: 100 };

  test('who answers what was asked stays', async () => {
    await withServer({ timing }, async (own) => {
      const stream = (await joined('alive', await own.listen())).live();
      await stream.events.first(4, ({ name }) => name === 'ping');
      stream.send('ping', {}, 'p1');
      await stream.next('ack');
      assert.deepEqual(stream.frames('error'), []);
      stream.hangUp();
    });
  });

  test('who does not, or with something else, is cut without a word', async () => {
    await withServer({ timing }, async (own) => {
      const where = await own.listen();
      const [silent, guessing] = [await joined('silent', where), await joined('guessing', where)];
      guessing.events.listen(({ name }) => name === 'ping' && guessing.say('', '?pong=guessed'));
      assert.deepEqual([await silent.closed, await guessing.closed], [null, null]);
    });
  });
});
