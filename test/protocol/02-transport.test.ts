/** [P-2] Transport: the endpoint, the subprotocol, sizes and pings. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, test } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import type { Client } from '../support/client.ts';
import { gate, overriding } from '../support/faulty-store.ts';
import { adminJoin, clientJoin } from '../support/joins.ts';
import { assertProblem } from '../support/problem.ts';
import { rawHttp } from '../support/raw-http.ts';
import { DEALER, startServer, withServer } from '../support/server.ts';

const CAR = '\u{1F697}';
const timing = { closeTimeout: 50 };
/** A heartbeat that a test can wait for, and that a busy machine keeps. */
const heartbeat = { ...timing, pingInterval: 40, pongTimeout: 250, presenceGrace: 0 };
const quiet = { RATE_LIMIT: 'off' };
const server = await startServer({ timing, settings: quiet });
const at = await server.listen();
after(() => server.close());

/** Waits for so many of the server's WebSocket pings, or for the socket's end. */
async function pings({ socket, closed }: Client, count: number): Promise<void> {
  let left = count;
  const enough = new Promise<void>((resolve) => {
    socket.on('ping', () => {
      left -= 1;
      if (left === 0) resolve();
    });
  });
  await Promise.race([enough, closed]);
}

const send = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });

/** What the log of a group holds, over HTTP. */
async function logOf(groupId: string) {
  const token = await server.token('admin', 'reader');
  return (await server.http('GET', `/v1/dealers/${DEALER}/scopes/${groupId}/events`, { token })).body.items;
}

describe('[P-2.1] endpoint', () => {
  test('frames are text at /ws, and there is no socket elsewhere', async () => {
    const client = await server.dial(at);
    client.send('ping', {});
    const [data, isBinary] = await once(client.socket, 'message');
    assert.deepEqual([String(data), isBinary], ['{"channel":"pong","payload":{}}', false]);
    for (const elsewhere of ['/', '/health', '/nowhere']) {
      await assert.rejects(server.connect({ path: elsewhere }), /404/, elsewhere);
    }
  });

  for (const joins of [false, true]) {
    test(`a binary frame ${joins ? 'after' : 'before'} the join is closed with 1003`, async () => {
      const client = await server.dial(at);
      if (joins) await client.ask('client_join', clientJoin());
      client.socket.send(Buffer.from('{"channel":"ping","payload":{}}'));
      assert.equal(await client.closed, 1003);
      assert.equal(client.frames.filter(({ channel }) => channel === 'pong').length, 0);
    });
  }
});

describe('[P-2.1, P-11.6] a handshake that is none', () => {
  const opening = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  const broken: Readonly<Record<string, object>> = {
    'without a key': { 'sec-websocket-key': '' },
    'with a key of other bytes': { 'sec-websocket-key': 'c2hvcnQ=' },
    'to something else': { upgrade: 'h2c' },
    'whose subprotocols are no list': { 'sec-websocket-protocol': 'telle.v1,,' },
  };
  for (const [which, headers] of Object.entries(broken)) {
    test(`${which} is answered by a problem, and cut`, async () => {
      const sent = { ...opening, ...headers, 'x-request-id': 'r-1' };
      const { status, headers: got, body } = await rawHttp(at, { path: '/ws', headers: sent });
      assertProblem({ status, headers: got, body: JSON.parse(body) }, 400, 'invalid_payload');
      assert.deepEqual([got['x-request-id'], got.connection], ['r-1', 'close']);
    });
  }
});

describe('[P-2.2] subprotocol', () => {
  for (const { protocols, chosen } of [
    { protocols: [], chosen: '' },
    { protocols: ['telle.v1'], chosen: 'telle.v1' },
    { protocols: ['chat', 'telle.v1', 'telle.v2'], chosen: 'telle.v1' },
  ]) {
    test(`a client that offers ${protocols.join(', ') || 'none'} is served`, async () => {
      const client = await server.dial(at, { protocols });
      assert.equal(client.socket.protocol, chosen);
      assert.equal((await client.ask('client_join', clientJoin())).channel, 'ack');
    });
  }

  for (const protocols of [['chat'], ['telle.v2', 'TELLE.V1'], ['telle.v1.1']]) {
    test(`a client that offers only ${protocols.join(', ')} gets HTTP 400`, async () => {
      await assert.rejects(server.dial(at, { protocols }), /Unexpected server response: 400/);
    });
  }
});

describe('[P-2.5] sizes', () => {
  test('a frame of MAX_FRAME_BYTES is read, and one byte more is closed with 1009', async () => {
    const client = await server.dial(at);
    const frame = '{"channel":"ping","payload":{}}';
    client.socket.send(frame + ' '.repeat(16_384 - frame.length));
    await client.next('pong');
    client.socket.send(frame + ' '.repeat(16_385 - frame.length));
    assert.equal(await client.closed, 1009);
  });

  test('what counts is bytes, and the setting says how many', async () => {
    await withServer({ timing, settings: { MAX_FRAME_BYTES: '1024' } }, async (small) => {
      const client = await small.dial(await small.listen());
      await client.ask('ping', { text: 'é'.repeat(400) });
      client.send('ping', { text: 'é'.repeat(600) });
      assert.equal(await client.closed, 1009);
    });
  });

  const texts = [
    { text: 'a', of: 'one character', answer: 'ack' },
    { text: 'a'.repeat(4000), of: '4000 characters', answer: 'ack' },
    { text: CAR.repeat(4000), of: '4000 characters outside the basic plane', answer: 'ack' },
    { text: '', of: 'no characters', answer: 'error' },
    { text: 'a'.repeat(4001), of: '4001 characters', answer: 'error' },
    { text: CAR.repeat(4001), of: '4001 characters outside the basic plane', answer: 'error' },
  ];
  for (const { text, of, answer } of texts) {
    test(`a message of ${of} is ${answer === 'ack' ? 'delivered whole' : 'refused'}`, async () => {
      const client = await server.customer();
      const { groupId } = client.session;
      const { channel, code } = await client.ask('customer_message', send(text));
      assert.deepEqual([channel, code], [answer, answer === 'ack' ? undefined : 'invalid_payload']);
      const log = await logOf(groupId);
      assert.deepEqual(
        log.map(({ payload }: { payload: { message: string } }) => payload.message),
        answer === 'ack' ? [text] : [],
      );
    });
  }
});

describe('[P-2.6] pings', () => {
  for (const joins of [false, true]) {
    test(`channel ping is answered by pong ${joins ? 'after' : 'before'} joining, and acked where it has an id`, async () => {
      const client = await server.connect();
      if (joins) await client.ask('client_join', clientJoin());
      const from = client.frames.length;
      client.send('ping', {});
      client.send('ping', {}, 'p1');
      await client.next('ack');
      await client.settled();
      const pong = { channel: 'pong', payload: {} };
      const ack = { channel: 'ack', payload: { id: 'p1' } };
      const frames = client.frames.slice(from).filter(({ channel }) => channel === 'pong' || channel === 'ack');
      assert.deepEqual(frames, [pong, pong, ack, pong]);
    });
  }

  test('the server pings again and again, and keeps a socket that answers', async () => {
    await withServer({ timing: heartbeat }, async (fast) => {
      const client = await fast.dial(await fast.listen());
      await client.ask('client_join', clientJoin());
      await pings(client, 10);
      assert.deepEqual(await client.ask('ping', {}, 'p1'), { channel: 'ack', id: 'p1' });
    });
  });

  test('a half-open socket, which does not answer, is dropped', async () => {
    await withServer({ timing: heartbeat }, async (fast) => {
      const port = await fast.listen();
      const [admin, client] = [await fast.dial(port), await fast.dial(port)];
      await admin.ask('admin_join', adminJoin({ token: await fast.token('admin', 'a1') }));
      await client.ask('client_join', clientJoin({ groupId: 'half' }));
      client.socket.pause();
      await admin.next(({ payload }) => payload.groupId === 'half' && payload.online === false);
      client.socket.resume();
      assert.equal(await client.closed, 1006);
    });
  });

  test('a pong that answers no ping of its own keeps nothing open: a socket that does not read is dropped', async () => {
    await withServer({ timing: heartbeat, settings: quiet }, async (fast) => {
      const port = await fast.listen();
      const [admin, client] = [await fast.dial(port), await fast.dial(port)];
      await admin.ask('admin_join', adminJoin({ token: await fast.token('admin', 'a1') }));
      await client.ask('client_join', clientJoin({ groupId: 'talks' }));
      client.socket.pause();
      const talk = setInterval(() => client.socket.pong(), 20).unref();
      admin.socket.on('ping', (payload) => client.socket.pong(payload));
      await admin.next(({ payload }) => payload.groupId === 'talks' && payload.online === false);
      clearInterval(talk);
      client.socket.resume();
      assert.equal(await client.closed, 1006);
    });
  });

  test('a socket that answers is kept while its join takes longer than the pong timeout', async () => {
    const { opened, open } = gate();
    const wrapStore = (store: Store) => overriding(store, { tails: (...of) => opened.then(() => store.tails(...of)) });
    await withServer({ timing: heartbeat, wrapStore }, async (fast) => {
      const client = await fast.dial(await fast.listen());
      client.send('client_join', clientJoin(), 'j1');
      await pings(client, 12);
      open();
      assert.equal((await client.next('ack')).payload.id, 'j1');
    });
  });
});
