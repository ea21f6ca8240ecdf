/** [P-22] What harms nobody else: posts to no stream, too large, too many or at once, streams that nobody reads, and very many of them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { clientJoin } from '../support/joins.ts';
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

const joined = (groupId: string, on = at) => joinedStream(groupId, on);

async function answer(response: Response) {
  const { status, headers } = response;
  return { status, headers: Object.fromEntries(headers), body: JSON.parse(await response.text()) };
}

/** A stream by a bare connection, which is read only when it is asked to. */
async function bare(where: string): Promise<{ socket: Socket; id: string }> {
  const [host, port] = where.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => {});
  socket.write(`GET /stream HTTP/1.1\r\nhost: ${where}\r\n\r\n`);
  let text = '';
  while (!/"id":"[^"]+"/.test(text)) text += String((await once(socket, 'data'))[0]);
  return { socket: socket.pause(), id: /"id":"([^"]+)"/.exec(text)?.[1] ?? '' };
}

/** Begins a post of a ping, named `first`, which ends when it is told to. Resolves when it is under way. */
async function slowly(stream: Stream): Promise<{ end: () => void; answered: Promise<Response> }> {
  let end = () => {};
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(frame('ping', {}, 'first')));
      end = () => controller.close();
    },
  });
  const answered = stream.post(body);
  await until('it is under way', async () => (await stream.post('')).status === 409);
  return { end, answered };
}

const post = (where: string, id: string, body: string) =>
  fetch(`http://${where}/stream/${id}`, { method: 'POST', body });

describe('[P-22.2] a post', () => {
  for (const id of ['nobody', '__proto__', '%00', 'a'.repeat(200)]) {
    test(`to ${id.slice(0, 10)}, which is no stream, is refused before it is read`, async () => {
      const response = await answer(await post(at, id, 'x'.repeat(1000)));
      assertProblem(response, 404, 'unknown_route');
      assert.equal(response.headers.connection, 'close');
    });
  }

  test('to no stream may be tried 300 times in ten seconds', async () => {
    await withServer({}, async (own) => {
      const where = await own.listen();
      const statuses = new Map<number, number>();
      for (let tried = 0; tried < 310; tried += 1) {
        const { status } = await post(where, `guess-${tried}`, '');
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
      assert.deepEqual([...statuses.keys()], [404, 429]);
    });
  });

  test('of 10 MB is refused by its length, and closes the stream as a frame of that size does', async () => {
    const stream = await joined('large');
    assertProblem(await answer(await stream.post('x'.repeat(10_000_000))), 413, 'too_large');
    assert.deepEqual(await stream.closed, { code: 1009, reason: 'too large' });
  });

  test('of 10 MB whose length is not told is read no further than a frame may be', async () => {
    const stream = await joined('endless');
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(120));
        if (sent >= 10_000_000) controller.close();
      },
    });
    await stream.post(body).catch(() => {}); // it is cut while it is sent
    assert.deepEqual(await stream.closed, { code: 1009, reason: 'too large' });
  });

  test('that is no frame is answered so, and too many of them close the stream', async () => {
    const stream = await joined('bad');
    assert.equal((await stream.post('{"channel":')).status, 204);
    assert.equal((await stream.next('error')).payload.code, 'bad_frame');
    assertProblem(await answer(await stream.post(new Uint8Array([0x7b, 0xff, 0xfe]))), 400, 'bad_frame');
    await stream.post('\n'.repeat(5000));
    assert.deepEqual(await stream.closed, { code: 4400, reason: 'too many bad frames' });
    assert.equal(stream.frames('error').length, 20);
  });

  test('while another is under way is refused: nobody knew which came first', async () => {
    const stream = await joined('at-once');
    const { end, answered } = await slowly(stream);
    assertProblem(await answer(await stream.post(frame('ping', {}, 'second'))), 409, 'conflict');
    end();
    assert.equal((await answered).status, 204);
    assert.equal((await stream.next('ack')).payload.id, 'first');
    assert.equal((await stream.post(frame('ping', {}, 'third'))).status, 204);
    stream.hangUp();
  });

  test('that is refused counts towards its address: 300 times in ten seconds', async () => {
    await withServer({}, async (own) => {
      const stream = await joined('busy', await own.listen());
      const { end, answered } = await slowly(stream);
      const statuses = new Set<number>();
      for (let tried = 0; tried < 310; tried += 1) statuses.add((await stream.post('')).status);
      assert.deepEqual([...statuses], [409, 429]);
      end();
      await answered;
      stream.hangUp();
    });
  });

  test('speaks as whoever has joined there, and for nobody else', async () => {
    await server.store.putDealer('d2', { origins: ['*'] });
    const stream = await joined('mine');
    const other = await Stream.open(at);
    other.send('client_join', clientJoin({ dealerId: 'd2', groupId: 'theirs' }));
    await other.next('session');
    const payload = { type: 'UPDATE_MSG', message: 'hello', dealerId: 'd2', groupId: 'theirs' };
    await stream.post(frame('customer_message', payload, 'm1'));
    assert.equal((await stream.next('error')).payload.code, 'forbidden');
    assert.deepEqual(other.frames('CHAT_MESSAGE'), []);
    for (const each of [stream, other]) each.hangUp();
  });
});

describe('[P-9] over a stream', () => {
  test('frames count as they do over a WebSocket: too many are refused, and close it', async () => {
    const stream = await joined('fast');
    const pings = (count: number) => Array.from({ length: count }, () => frame('ping', {})).join('\n');
    await stream.post(pings(150));
    assert.deepEqual(await stream.closed, { code: 4429, reason: 'too many frames' });
    assert.ok(stream.frames('pong').length < 30, `${stream.frames('pong').length} were answered`);
  });

  test('pongs count, too', async () => {
    const stream = await joined('pongs');
    for (let asked = 0; asked < 140; asked += 1) stream.say('', '?pong=nothing');
    assert.equal((await stream.closed)?.code, 4429);
  });

  test('a group has as many sockets as it may, whatever they are', async () => {
    await withServer({ settings: { MAX_SOCKETS_PER_GROUP: '2' } }, async (own) => {
      const where = await own.listen();
      const token = own.token('customer', 'g1');
      await own.customer('g1', { token });
      const [second, third] = [await Stream.open(where), await Stream.open(where)];
      second.send('client_join', clientJoin({ groupId: 'g1', token }));
      await second.next('session');
      third.send('client_join', clientJoin({ groupId: 'g1', token }), 'j1');
      assert.equal((await third.next('error')).payload.code, 'rate_limited');
      for (const stream of [second, third]) stream.hangUp();
    });
  });

  test('an address that opens ever more of them gets as many as it may, and those are closed where nobody joins', async () => {
    const settings = { MAX_HANDSHAKES_PER_ADDRESS: '30', JOIN_TIMEOUT: '1s' };
    await withServer({ settings }, async (own) => {
      const where = await own.listen();
      const streams = await Promise.all(Array.from({ length: 30 }, () => Stream.open(where)));
      assertProblem(await answer(await fetch(`http://${where}/stream`)), 429, 'rate_limited');
      const codes = await Promise.all(streams.map(async ({ closed }) => (await closed)?.code));
      assert.deepEqual([...new Set(codes)], [4408]);
    });
  });

  test('behind a proxy, where one connection is many people’s, each stream counts as a connection of its address', async () => {
    const settings = { MAX_CONNECTIONS_PER_ADDRESS: '2', TRUST_PROXY: 'loopback' };
    await withServer({ settings }, async (own) => {
      const where = await own.listen();
      const headers = { 'x-forwarded-for': '203.0.113.7' };
      const [first, second] = [await Stream.open(where, headers), await Stream.open(where, headers)];
      assertProblem(await answer(await fetch(`http://${where}/stream`, { headers })), 429, 'rate_limited');
      const other = await Stream.open(where, { 'x-forwarded-for': '203.0.113.8' });
      first.hangUp();
      let third: Stream | undefined;
      await until('there is room again', async () => {
        third = await Stream.open(where, headers).catch(() => undefined);
        return third !== undefined;
      });
      for (const stream of [second, other, third]) stream?.hangUp();
    });
  });

  test('who does not read is closed as a slow consumer, and what it would not read is not kept', async () => {
    await withServer({ settings: { MAX_BOT_MESSAGES: '2000' } }, async (own) => {
      const where = await own.listen();
      const token = own.token('customer', 'g1');
      const { socket, id } = await bare(where);
      await post(where, id, frame('client_join', clientJoin({ groupId: 'g1', token })));
      const [neighbour, bot] = [await own.customer('g1', { token }), await own.server()];
      const total = 600;
      for (let n = 1; n <= total; n += 1) {
        const said = { type: 'UPDATE_MSG', message: '\u{1F697}'.repeat(4000), groupId: 'g1', user: 'bot' };
        bot.send('event', { ...said, dealerId: DEALER });
        if (n % 8 === 0) await neighbour.next(({ seq, scope }) => scope === 'g1' && seq === n);
      }
      await until('it has gone', async () => (await post(where, id, '')).status === 404);
      const { body } = await own.http('GET', '/metrics');
      assert.match(String(body), /telle_closes_total\{code="4508"\} 1/);
      socket.destroy();
    });
  });
});
