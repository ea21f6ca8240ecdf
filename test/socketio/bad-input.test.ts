/** [P-19.1] What is no Socket.IO, or too much of it: refused in words, counted, and nobody else notices. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { Reading } from '../support/metrics.ts';
import { Polling } from '../support/polling.ts';
import { DEALER, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let at: string;
let bystanders = 0;

before(async () => {
  server = await startServer({ settings: { SOCKET_IO: 'on' }, timing: { closeTimeout: 3000 } });
  at = await server.listen();
});
after(() => server.close());

const count = async (name: string, labels: Record<string, string>) =>
  new Reading(String((await server.http('GET', '/metrics')).body)).sum(name, labels);

/** Something bad happens: what is counted of it grows, and a message that comes meanwhile is stored and told. */
async function counted(name: string, labels: Record<string, string>, happens: () => Promise<void>): Promise<void> {
  const before = await count(name, labels);
  await happens();
  assert.ok((await count(name, labels)) > before, `${name} of ${JSON.stringify(labels)} did not grow`);
  // Another each time: one alone would reach the rate of a customer where the machine is quick.
  bystanders += 1;
  const customer = await server.customer(`bystander-${bystanders}`);
  const ack = await customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'still here' });
  assert.equal(ack.seq, 1);
}

async function overWebSocket(query = 'EIO=4&transport=websocket'): Promise<{ socket: WebSocket; texts: string[] }> {
  const socket = new WebSocket(`ws://${at}/socket.io/?${query}`);
  const texts: string[] = [];
  socket.on('message', (data) => texts.push(String(data)));
  await once(socket, 'open');
  return { socket, texts };
}

/** All that the server says until it closes. */
async function untilClosed(socket: WebSocket, texts: readonly string[]): Promise<string> {
  await once(socket, 'close', { signal: AbortSignal.timeout(5000) });
  return texts.join('\n');
}

const REQUESTS: readonly (readonly [what: string, query: string, status: number, detail: RegExp])[] = [
  ['EIO 2', 'EIO=2&transport=polling', 400, /^EIO: expected 3 or 4/],
  ['no EIO', 'transport=polling', 400, /^EIO: expected 3 or 4/],
  ['EIO twice', 'EIO=4&EIO=2&transport=polling', 400, /^EIO: expected 3 or 4/],
  ['a sid that there is not', 'EIO=4&transport=polling&sid=nobody', 400, /^sid: this node has no such session/],
  ['a sid of JavaScript’s', 'EIO=4&transport=polling&sid=__proto__', 400, /^sid: this node has no such session/],
  ['JSONP', 'EIO=3&transport=polling&j=0', 400, /^j: JSONP is not served/],
  ['another transport', 'EIO=4&transport=carrier-pigeon', 400, /^transport: expected polling/],
  ['a poll that says that it is a WebSocket', 'EIO=4&transport=websocket', 400, /^transport: expected polling/],
];

describe('[P-19.1] a request with', () => {
  for (const [what, query, status, detail] of REQUESTS) {
    test(`${what} is refused in words`, () =>
      counted('telle_refusals_total', { code: 'invalid_payload' }, async () => {
        const response = await fetch(`http://${at}/socket.io/?${query}`);
        const problem = Object(await response.json());
        assert.deepEqual([response.status, problem.code], [status, 'invalid_payload']);
        assert.match(problem.detail, detail);
      }));
  }

  for (const query of ['EIO=2&transport=websocket', 'EIO=4&transport=websocket&sid=nobody']) {
    test(`an upgrade, of ${query}, is refused in words`, () =>
      counted('telle_refusals_total', { code: 'invalid_payload' }, async () => {
        const socket = new WebSocket(`ws://${at}/socket.io/?${query}`);
        const [error] = await once(socket, 'error');
        assert.match(String(error), /400/);
      }));
  }

  test('another method is refused', () =>
    counted('telle_refusals_total', { code: 'invalid_payload' }, async () => {
      const response = await fetch(`http://${at}/socket.io/?EIO=4&transport=polling`, { method: 'POST', body: '40' });
      assert.equal(Object(await response.json()).detail, 'a session begins with GET');
    }));
});

describe('[P-19.1] a poll of 10 MB', () => {
  const body = 'x'.repeat(10 * 1024 * 1024);

  test('is refused before it is read, where it says how long it is', () =>
    counted('telle_refusals_total', { code: 'too_large' }, async () => {
      const polling = await Polling.open(at);
      // Whether its client is still writing when the answer comes is chance.
      const status = await polling.post(body).then(
        (response) => response.status,
        () => 413,
      );
      assert.equal(status, 413);
    }));

  test('is refused as soon as it is too long, where it does not say', () =>
    counted('telle_refusals_total', { code: 'too_large' }, async () => {
      const polling = await Polling.open(at);
      const status = await polling.post(new Blob([body]).stream()).then(
        (response) => response.status,
        () => 413,
      );
      assert.equal(status, 413);
    }));
});

const ENDS: readonly (readonly [what: string, packet: string | Buffer, code: number])[] = [
  ['no packet of Engine.IO: a frame of Telle’s own', '{"channel":"ping","payload":{}}', 4400],
  ['a binary packet', Buffer.from([1, 2, 3]), 1003],
  ['an event that announces a binary packet', '451-["customer_message",{"_placeholder":true,"num":0}]', 1003],
  ['a message of more than MAX_FRAME_BYTES', `42["customer_message",${JSON.stringify('x'.repeat(16_384))}]`, 1009],
];

describe('[P-19.1] a session is closed, and told why, by', () => {
  for (const [what, packet, code] of ENDS) {
    test(what, () =>
      counted('telle_closes_total', { code: String(code) }, async () => {
        const { socket, texts } = await overWebSocket();
        socket.send('40');
        socket.send(packet);
        assert.match(await untilClosed(socket, texts), new RegExp(`"telle_close",\\{"code":${code}`));
      }),
    );
  }

  test('a flood of namespaces, each of which is refused', () =>
    counted('telle_refusals_total', { code: 'unknown_channel' }, async () => {
      const { socket, texts } = await overWebSocket();
      for (let index = 0; index < 1000; index += 1) socket.send(`40/n${index},`);
      const all = await untilClosed(socket, texts);
      assert.match(all, /^44\/n0,\{"message":"there is the default namespace alone"\}$/m);
      assert.match(all, /"telle_close",\{"code":4400,"reason":"too many bad frames"\}/);
      assert.ok(texts.length < 50, `${texts.length} answers`);
    }));

  test('a flood of its transport’s own packets', () =>
    counted('telle_closes_total', { code: '4429' }, async () => {
      const { socket, texts } = await overWebSocket('EIO=3&transport=websocket');
      for (let index = 0; index < 1000; index += 1) socket.send('2');
      assert.match(await untilClosed(socket, texts), /"telle_close",\{"code":4429/);
    }));
});

const WRONG = [
  '42{',
  '42',
  '42[]',
  '42["customer_message"',
  '4',
  '49',
  '44{"message":"no"}',
  '42[7,{}]',
  '42["disconnect"]',
];

describe('[P-19.1] a packet that is none of Socket.IO', () => {
  for (const packet of WRONG) {
    test(`is bad_frame, and the session goes on: ${packet}`, () =>
      counted('telle_refusals_total', { code: 'bad_frame' }, async () => {
        const polling = await Polling.open(at);
        await polling.post(`40\x1e${packet}\x1e42["telle_ping",{}]`);
        assert.match(await polling.until(/telle_pong/), /"telle_error",\{"code":"bad_frame"/);
      }));
  }

  test('in another namespace is refused', () =>
    counted('telle_refusals_total', { code: 'unknown_channel' }, async () => {
      const polling = await Polling.open(at, 3);
      const packets = ['40/other', `42/other,["client_join",{"type":"CLIENT_JOIN","dealerId":"${DEALER}"}]`];
      for (const packet of packets) await polling.post(`${packet.length}:${packet}`);
      assert.match(await polling.until(/telle_error.*telle_error/), /44\/other,"there is the default namespace alone"/);
    }));
});
