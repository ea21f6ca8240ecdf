/** [P-19.1] The door for Socket.IO: its own names for things, and what it has in common with every door. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, afterEach, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Reading } from '../support/metrics.ts';
import { Polling } from '../support/polling.ts';
import { DEALER, startServer, type TestServer, withServer } from '../support/server.ts';
import { asked, closeClients, connected, type IoSocket, ioClient, told, VERSIONS } from '../support/socketio.ts';

let server: TestServer;
let at: string;
before(async () => {
  // Whoever polls fetches the farewell of a session that is closed by its next poll.
  server = await startServer({ settings: { SOCKET_IO: 'on' }, timing: { closeTimeout: 3000 } });
  at = await server.listen();
});
after(() => server.close());
afterEach(closeClients);

const join = (groupId: string, more: object = {}) => ({ type: 'CLIENT_JOIN', dealerId: DEALER, groupId, ...more });
const say = (message: string) => ({ type: 'UPDATE_MSG', message });

async function joined(client: IoSocket, groupId: string): Promise<IoSocket> {
  await connected(client);
  const session = told(client, 'session');
  client.emit('client_join', join(groupId));
  await session;
  return client;
}

for (const version of VERSIONS) {
  describe(`[P-19.1] a client of version ${version}`, () => {
    test('has the ack in its callback, and what others send as an event with its place', async () => {
      const client = await joined(ioClient(version, at), `ack-${version}`);
      const admin = await server.admin();
      const ack = await asked(client, 'customer_message', say('hello'));
      assert.deepEqual(Object.keys(Object(ack)), ['id', 'scope', 'seq', 'at', 'duplicate']);
      const event = told(client, 'CHAT_MESSAGE');
      admin.send('admin_message', { ...say('hi'), groupId: `ack-${version}` }, 'a1');
      const [payload, place] = await event;
      assert.deepEqual([Object(payload).message, Object.keys(Object(place))], ['hi', ['id', 'scope', 'seq', 'at']]);
    });

    test('has the refusal in its callback', async () => {
      const client = await joined(ioClient(version, at), `refused-${version}`);
      const { error } = Object(await asked(client, 'customer_message', { type: 'UPDATE_MSG' }));
      assert.deepEqual([error.code, error.retryable], ['invalid_payload', false]);
    });

    test('names its frame by the second argument: repeated, it is stored once', async () => {
      const client = await joined(ioClient(version, at), `twice-${version}`);
      const once = Object(await asked(client, 'customer_message', say('once'), { id: 'm1' }));
      const again = Object(await asked(client, 'customer_message', say('once'), { id: 'm1' }));
      assert.deepEqual([once.id, once.duplicate, again.duplicate, again.seq], ['m1', false, true, once.seq]);
      const { error } = Object(await asked(client, 'customer_message', say('other'), { id: 'no id' }));
      assert.deepEqual([error.code, error.message], ['bad_frame', 'id: expected 1 to 64 of A-Z a-z 0-9 . _ : -']);
    });

    test('is answered in text where it says JSON as text', async () => {
      const client = ioClient(version, at);
      await connected(client);
      const session = told(client, 'session');
      client.emit('client_join', JSON.stringify(join(`text-${version}`)));
      assert.equal(JSON.parse(String((await session)[0])).groupId, `text-${version}`);
      assert.equal(JSON.parse(String(await asked(client, 'customer_message', JSON.stringify(say('text'))))).seq, 1);
      const { error } = JSON.parse(String(await asked(client, 'customer_message', '{"type":')));
      assert.deepEqual([error.code, error.message], ['bad_frame', 'the payload is text that is not JSON']);
    });

    test('is told why it is closed, and does not come back by itself where it may not', async () => {
      const client = ioClient(version, at, { reconnection: true, reconnectionDelay: 1 });
      await connected(client);
      const [close, reason] = [told(client, 'telle_close'), told(client, 'disconnect')];
      client.emit('admin_join', { type: 'ADMIN_JOIN', dealerId: DEALER, adminId: 'a1', token: 'bad' });
      assert.deepEqual(await close, [{ code: 4401, reason: 'unauthorized' }]);
      assert.equal((await reason)[0], 'io server disconnect');
    });
  });
}

describe('[P-19.1] a session', () => {
  test('of version 2 may be silent for a minute, a later one for as long as a WebSocket', async () => {
    const [second, fourth] = [await Polling.open(at, 3), await Polling.open(at, 4)];
    assert.deepEqual([second.opened.pingInterval, second.opened.pingTimeout], [25_000, 60_000]);
    assert.deepEqual([fourth.opened.pingInterval, fourth.opened.pingTimeout], [25_000, 10_000]);
  });

  test('may be polled by any page; its origin is judged when it joins', async () => {
    const origin = 'https://elsewhere.example';
    const url = `http://${at}/socket.io/?EIO=4&transport=polling`;
    for (const method of ['OPTIONS', 'GET']) {
      const { headers } = await fetch(url, { method, headers: { origin } });
      assert.equal(headers.get('access-control-allow-origin'), origin);
      assert.equal(headers.get('access-control-allow-credentials'), 'true');
    }
    await server.store.putDealer('strict', { origins: ['https://own.example'] });
    const polling = await Polling.open(at, 4, { origin });
    await polling.post(`40\x1e42["client_join",${JSON.stringify({ ...join('g1'), dealerId: 'strict' })}]`);
    const said = await polling.until(/telle_close/);
    assert.match(said, /"telle_error",\{"code":"forbidden"/);
    assert.match(said, /"telle_close",\{"code":4403/);
  });

  test('has each of its polls counted as a request', async () => {
    const read = async () => new Reading(String((await server.http('GET', '/metrics')).body));
    const before = await read();
    const polling = await Polling.open(at);
    await polling.post('40');
    await polling.poll();
    const after = await read();
    const grew = (name: string, labels: Record<string, string>) => after.sum(name, labels) - before.sum(name, labels);
    assert.equal(grew('telle_http_request_seconds_count', { route: '/socket.io/', status: '200' }), 3);
  });

  test('takes what it brings in one poll in order, and only once', async () => {
    const polling = await Polling.open(at);
    const messages = ['one', 'two', 'three'].map((text) => `42["customer_message",${JSON.stringify(say(text))}]`);
    await polling.post(['40', `42["client_join",${JSON.stringify(join('in-order'))}]`, ...messages].join('\x1e'));
    const said = await polling.until(/three/);
    const told = [...said.matchAll(/"message":"(\w+)"/g)].map(([, word]) => word);
    assert.deepEqual(told, ['one', 'two', 'three']);
  });

  test('that is not read is closed as a slow consumer', async () => {
    const settings = { SOCKET_IO: 'on', MAX_SOCKET_BACKLOG: '16384' } as const;
    await withServer({ settings, timing: { closeTimeout: 2000 } }, async (other) => {
      const polling = await Polling.open(await other.listen());
      await polling.post(`40\x1e42["client_join",${JSON.stringify(join('slow'))}]`);
      await polling.until(/"session"/);
      const crm = await other.server();
      for (let count = 0; count < 12; count += 1)
        await crm.ask('event', { ...say('x'.repeat(2000)), groupId: 'slow', user: 'bot' });
      assert.match(await polling.until(/telle_close/), /"telle_close",\{"code":4508/);
    });
  });

  test('goes elsewhere when its node ends, and is told so', async () => {
    const other = await startServer({ settings: { SOCKET_IO: 'on' }, timing: { closeTimeout: 2000 } });
    const client = await joined(ioClient('4.8', await other.listen()), 'leaving');
    const [close, reason] = [told(client, 'telle_close'), told(client, 'disconnect')];
    await other.close();
    assert.equal(Object((await close)[0]).code, 1012);
    assert.equal((await reason)[0], 'transport close');
  });
});

describe('[P-19.1] the limits of an address', () => {
  test('are those of every door: handshakes', async () => {
    await withServer({ settings: { SOCKET_IO: 'on', MAX_HANDSHAKES_PER_ADDRESS: '2' } }, async (other) => {
      const place = await other.listen();
      await Polling.open(place);
      await Polling.open(place, 3);
      const refused = await fetch(`http://${place}/socket.io/?EIO=4&transport=polling`);
      assert.deepEqual([refused.status, Object(await refused.json()).code], [429, 'rate_limited']);
      assert.ok(Number(refused.headers.get('retry-after')) > 0);
    });
  });

  test('are those of every door: a session that is polled counts as a connection, until it is over', async () => {
    await withServer({ settings: { SOCKET_IO: 'on', MAX_CONNECTIONS_PER_ADDRESS: '4' } }, async (other) => {
      const place = await other.listen();
      const first = await Polling.open(place);
      let status = 200;
      while (status === 200) status = (await fetch(`http://${place}/socket.io/?EIO=4&transport=polling`)).status;
      assert.equal(status, 429);
      await first.post('1');
      assert.ok(await Polling.open(place));
    });
  });
});

describe('[P-19.1] SOCKET_IO=off', () => {
  test('has nothing at /socket.io/', async () => {
    await withServer({}, async (other) => {
      const { status } = await other.http('GET', '/socket.io/?EIO=4&transport=polling');
      assert.equal(status, 404);
    });
  });

  for (const [value, isLoaded] of [
    ['off', false],
    ['on', true],
  ] as const) {
    test(`${value === 'off' ? 'does not even load' : 'and on loads'} Engine.IO`, async () => {
      const script = `
        import { createRequire } from 'node:module';
        import { startServer } from ${JSON.stringify(new URL('../support/server.ts', import.meta.url).href)};
        const server = await startServer({ settings: { SOCKET_IO: '${value}' } });
        const { cache } = createRequire(import.meta.url);
        process.stdout.write(String(Object.keys(cache).some((path) => path.includes('engine.io'))));
        await server.close();`;
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module-typescript', '-e', script]);
      assert.equal(stdout, String(isLoaded));
    });
  }
});
