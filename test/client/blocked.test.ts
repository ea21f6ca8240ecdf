/** [P-22.3] `telle/client` where WebSockets are blocked: it finds the other way by itself, and keeps all that it promises. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { connect } from '../../src/client/index.ts';
import { BlockingProxy, type Manner } from '../support/blocking-proxy.ts';
import { listen, messages, named, SOON } from '../support/sdk.ts';
import { DEALER, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const say = (message: string) => ({ type: 'UPDATE_MSG', message }) as const;

let server: TestServer;
let at: string;
let proxy: BlockingProxy;
const clients: { close(): void }[] = [];
before(async () => {
  server = await startServer({ timing: { closeTimeout: 3000 } });
  at = await server.listen();
});
after(() => server.close());
beforeEach(async () => {
  proxy = await BlockingProxy.to(`http://${at}`);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await proxy.close();
});

function customer(more: object = {}) {
  const client = connect({ url: proxy.url, dealerId: DEALER, role: 'customer', WebSocket, backoff: SOON, ...more });
  clients.push(client);
  return { client, heard: listen(client) };
}

describe('[P-22.3] a client whose WebSockets are', () => {
  const MANNERS: readonly (readonly [what: string, manner: Manner, handshakes: number, timeout: number])[] = [
    ['refused comes by a stream at its third try', 'refuses', 2, 10_000],
    ['not answered comes by a stream at its second', 'is silent', 1, 300],
  ];
  for (const [what, manner, handshakes, timeout] of MANNERS) {
    test(what, async () => {
      proxy.manner = manner;
      const { client, heard } = customer({ timeout });
      await heard.first(1, named('session'));
      assert.deepEqual([proxy.count('UPGRADE'), proxy.count('GET /stream')], [handshakes, 1]);
      const ack = await client.send('customer_message', say('hello'));
      assert.equal(ack.seq, 1);
      const admin = await server.admin('a1');
      await admin.ask('admin_message', { ...say('hi'), groupId: client.session?.groupId });
      await heard.first(1, named('CHAT_MESSAGE'));
      assert.deepEqual(messages(heard), ['hi']);
    });
  }

  test('blocked has what it sent before there was a way acked in order, each once', async () => {
    const { client } = customer();
    const acks = await Promise.all(['1', '2', '3', '4', '5'].map((text) => client.send('customer_message', say(text))));
    assert.deepEqual(
      acks.map(({ seq, duplicate }) => [seq, duplicate]),
      [1, 2, 3, 4, 5].map((seq) => [seq, false]),
    );
  });

  test('blocked comes back after a cut by what has worked, and is told what it missed', async () => {
    const { client, heard } = customer();
    await heard.first(1, named('session'));
    const groupId = client.session?.groupId;
    const crm = await server.server();
    proxy.cut();
    await heard.first(3, named('offline'));
    const kept = client.send('customer_message', say('kept'));
    await crm.ask('event', { ...say('missed'), groupId, user: 'bot', dealerId: DEALER });
    proxy.mend();
    await heard.first(2, named('session'));
    await heard.first(1, named('CHAT_MESSAGE'));
    assert.deepEqual([messages(heard), (await kept).seq], [['missed'], 2]);
    assert.equal(heard.items.some(named('gap')), false);
  });

  test('blocked tells the next client of the page, which does not try again what does not work', async () => {
    await customer().heard.first(1, named('session'));
    const handshakes = proxy.count('UPGRADE');
    await customer().heard.first(1, named('session'));
    assert.equal(proxy.count('UPGRADE'), handshakes);
  });

  test('not blocked needs no stream', async () => {
    proxy.manner = 'lets through';
    const { client, heard } = customer();
    await heard.first(1, named('session'));
    await client.send('customer_message', say('hello'));
    proxy.cut();
    await heard.first(8, named('offline'));
    proxy.mend();
    await heard.first(2, named('session'));
    assert.equal(proxy.count('GET /stream'), 0);
  });

  test('blocked is told why the server does not want it, and stays away', async () => {
    const { heard } = customer({ dealerId: 'nobody' });
    const [closed] = await heard.first(1, named('closed'));
    assert.equal(closed?.payload.code, 4404);
  });

  test('blocked answers the pings of the server, and stays', async () => {
    const pinging = await startServer({ timing: { pingInterval: 200, pongTimeout: 300 } });
    const other = await BlockingProxy.to(`http://${await pinging.listen()}`);
    try {
      const { heard } = customer({ url: other.url });
      await heard.first(1, named('session'));
      const pongs = () => other.came.filter((each) => each.includes('?pong=')).length;
      await until('it has answered', async () => pongs() >= 5);
      assert.equal(heard.items.filter(named('session')).length, 1);
    } finally {
      for (const client of clients.splice(0)) client.close();
      await other.close();
      await pinging.close();
    }
  });

  test('blocked is sent elsewhere by a server that ends, when it says so', async () => {
    const ending = await startServer({ timing: { closeTimeout: 3000 } });
    const other = await BlockingProxy.to(`http://${await ending.listen()}`);
    const { heard } = customer({ url: other.url });
    await heard.first(1, named('session'));
    await ending.close();
    const [lost] = await heard.first(1, ({ name, payload }) => name === 'offline' && payload.code === 1012);
    assert.match(lost?.payload.reason, /^service restart/);
    await other.close();
  });
});
