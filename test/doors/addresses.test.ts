/** What one address may do, however many sockets it does it with; and whose address it is behind a proxy. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { Holdings, Quota } from '../../src/commands/limits.ts';
import { holderOf } from '../../src/doors/http/proxies.ts';
import { Client } from '../support/client.ts';
import { clientJoin } from '../support/joins.ts';
import { assertProblem } from '../support/problem.ts';
import { rawHttp } from '../support/raw-http.ts';
import { type TestServer, withServer } from '../support/server.ts';

/** A server that listens, for the length of `use`. */
const listening = (
  settings: NonNullable<Parameters<typeof withServer>[0]['settings']>,
  use: (at: string, server: TestServer) => Promise<void>,
  timing = {},
) => withServer({ settings, timing }, async (server) => use(await server.listen(), server));

interface From {
  readonly address?: string;
  readonly forwardedFor?: string;
}

/** A socket from an address, or said to be for one; null where the server does not let it in. */
async function come(at: string, { address = '127.0.0.1', forwardedFor }: From = {}): Promise<Client | null> {
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
  const socket = new WebSocket(`ws://${at}/ws`, { localAddress: address, headers });
  const client = new Client(socket);
  const opened = await Promise.race([once(socket, 'open').then(() => true), client.closed.then(() => false)]);
  return opened ? client : null;
}

/** How a handshake that is refused is answered over HTTP. */
async function refusalOf(at: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(`ws://${at}/ws`, { headers });
  socket.on('error', () => {});
  const response = await new Promise<IncomingMessage>((resolve) => {
    socket.once('unexpected-response', (_, answer) => resolve(answer));
  });
  const answer = {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: JSON.parse(await text(response)),
  };
  socket.terminate();
  return answer;
}

/** That a handshake is refused until a minute is over that has only begun. */
async function assertBarred(at: string): Promise<void> {
  const refused = await refusalOf(at);
  assertProblem(refused, 429, 'rate_limited');
  const seconds = Number(refused.headers['retry-after']);
  assert.ok(Number.isInteger(seconds) && seconds > 20 && seconds <= 60, `retry-after: ${seconds}`);
}

/** What a claim without a token is answered. */
async function claim(client: Client | null): Promise<string> {
  assert.ok(client);
  const { channel, code } = await client.ask('client_join', clientJoin());
  client.socket.terminate();
  return code ?? channel;
}

describe('an address', () => {
  test('has as many connections as it may: one more is cut, and one that goes makes room', async () => {
    await listening({ MAX_CONNECTIONS_PER_ADDRESS: '3' }, async (at) => {
      const clients = await Promise.all([1, 2, 3].map(() => come(at)));
      assert.ok(clients.every((client) => client !== null));
      assert.equal(await come(at), null);
      assert.ok(await come(at, { address: '127.0.0.2' }), 'another address is not concerned');
      await clients[0]?.close();
      assert.ok(await come(at));
    });
  });

  test('asks for as many sockets in a minute as it may; the next handshake is 429, whatever became of the others', async () => {
    await listening({ MAX_HANDSHAKES_PER_ADDRESS: '4' }, async (at) => {
      for (let n = 0; n < 3; n += 1) await (await come(at))?.close();
      assert.equal((await refusalOf(at, { 'sec-websocket-protocol': 'chat' })).status, 400);
      for (let n = 0; n < 3; n += 1) await assertBarred(at);
      assert.ok(await come(at, { address: '127.0.0.2' }), 'another address is not concerned');
      assert.equal((await rawHttp(at, { path: '/ws' })).status, 426, 'what asks for no socket is not counted');
    });
  });

  test('claims as many groups in a minute as it may; the next is rate_limited, and its socket stays open', async () => {
    await listening({ MAX_CLAIMS_PER_ADDRESS: '5' }, async (at) => {
      for (let n = 0; n < 5; n += 1) assert.equal(await claim(await come(at)), 'ack');
      const client = await come(at);
      assert.ok(client);
      const refused = await client.ask('client_join', clientJoin());
      assert.deepEqual([refused.code, refused.retryable], ['rate_limited', true]);
      assert.deepEqual(await client.ask('ping', {}, 'p1'), { channel: 'ack', id: 'p1' });
      assert.equal(await claim(await come(at, { address: '127.0.0.2' })), 'ack');
    });
  });

  test('is given back the claims that are refused, and so is the dealer', async () => {
    const settings = { MAX_CLAIMS_PER_ADDRESS: '3', MAX_CLAIMS_PER_DEALER: '2' };
    await listening(settings, async (at) => {
      const claims = async (payload: object) => {
        const client = await come(at);
        return (await client?.ask('client_join', clientJoin(payload)))?.code;
      };
      assert.equal(await claims({ groupId: 'taken' }), undefined);
      for (let n = 0; n < 5; n += 1) assert.equal(await claims({ groupId: 'taken' }), 'unauthorized');
      for (let n = 0; n < 5; n += 1) assert.equal(await claims({ dealerId: 'nobody' }), 'unknown_dealer');
      const many = await Promise.all([1, 2, 3, 4].map(() => claims({ groupId: 'taken' })));
      assert.ok(
        many.every((code) => code === 'unauthorized' || code === 'rate_limited'),
        'no more at once than may be',
      );
      assert.equal(await claims({}), undefined);
      assert.equal(await claims({}), 'rate_limited', "the dealer's are used up");
    });
  });

  test('joins with a token as often as it likes', async () => {
    await listening({ MAX_CLAIMS_PER_ADDRESS: '1' }, async (at, server) => {
      for (let n = 0; n < 5; n += 1) {
        const client = await come(at);
        const token = await server.token('customer', `g${n}`);
        const answer = await client?.ask('client_join', clientJoin({ groupId: `g${n}`, token }));
        assert.equal(answer.channel, 'ack');
      }
    });
  });

  test('is turned away with 429 after as many bad tokens as it may try in a minute', async () => {
    await listening({ MAX_REFUSALS_PER_ADDRESS: '3' }, async (at) => {
      for (let n = 0; n < 3; n += 1) {
        const client = await come(at);
        client?.send('client_join', clientJoin({ token: 'a.b.c' }));
        assert.equal(await client?.closed, 4401);
      }
      await assertBarred(at);
      assert.ok(await come(at, { address: '127.0.0.2' }));
    });
  });

  test('may do as it likes with RATE_LIMIT=off, but for its connections', async () => {
    const one = { MAX_HANDSHAKES_PER_ADDRESS: '1', MAX_CLAIMS_PER_ADDRESS: '1' };
    const settings = { ...one, RATE_LIMIT: 'off', MAX_CONNECTIONS_PER_ADDRESS: '2' };
    await listening(settings, async (at) => {
      for (let n = 0; n < 5; n += 1) {
        const client = await come(at);
        const answer = await client?.ask('client_join', clientJoin());
        assert.equal(answer.channel, 'ack');
        await client?.close();
      }
      assert.ok((await come(at)) && (await come(at)));
      assert.equal(await come(at), null);
    });
  });
});

describe('a dealer', () => {
  test('has as many groups claimed in a minute as it may, from whatever addresses', async () => {
    await listening({ MAX_CLAIMS_PER_DEALER: '4' }, async (at) => {
      const claims = [1, 2, 3, 4, 5, 6].map(async (n) => claim(await come(at, { address: `127.0.1.${n}` })));
      assert.deepEqual((await Promise.all(claims)).sort(), [
        'ack',
        'ack',
        'ack',
        'ack',
        'rate_limited',
        'rate_limited',
      ]);
    });
  });
});

describe('TRUST_PROXY', () => {
  test('unset, what a client says of its address is not believed', async () => {
    await listening({ MAX_CLAIMS_PER_ADDRESS: '1' }, async (at) => {
      assert.equal(await claim(await come(at, { forwardedFor: '1.2.3.4' })), 'ack');
      assert.equal(await claim(await come(at, { forwardedFor: '5.6.7.8' })), 'rate_limited');
    });
  });

  test('unset, behind a proxy, the log says so, once', async () => {
    const lines: string[] = [];
    const logTo = new Writable({
      write(line, _, done) {
        lines.push(String(line));
        done();
      },
    });
    await withServer({ logTo }, async (server) => {
      const at = await server.listen();
      for (const forwardedFor of ['1.2.3.4', '5.6.7.8']) await (await come(at, { forwardedFor }))?.close();
      assert.equal(lines.filter((line) => line.includes('TRUST_PROXY')).length, 1);
      assert.ok(!lines.join('').includes('1.2.3.4'));
    });
  });

  test('set, a proxy of that address is believed, and only the hop that it added', async () => {
    await listening({ MAX_CLAIMS_PER_ADDRESS: '1', TRUST_PROXY: '127.0.0.1, 10.0.0.0/8' }, async (at) => {
      const codes = [];
      for (const forwardedFor of ['1.2.3.4', '5.6.7.8', '9.9.9.9, 1.2.3.4', '9.9.9.9, 2.2.2.2, 10.1.1.1']) {
        codes.push(await claim(await come(at, { forwardedFor })));
      }
      assert.deepEqual(codes, ['ack', 'ack', 'rate_limited', 'ack']);
      const spoofed = { address: '127.0.0.2', forwardedFor: '7.7.7.7' };
      assert.equal(await claim(await come(at, spoofed)), 'ack');
      assert.equal(await claim(await come(at, { ...spoofed, forwardedFor: '8.8.8.8' })), 'rate_limited');
    });
  });

  test('set, a port that the proxy writes with an address is no part of it', async () => {
    await listening({ MAX_CLAIMS_PER_ADDRESS: '1', TRUST_PROXY: '127.0.0.1' }, async (at) => {
      const codes = [];
      for (const forwardedFor of ['1.2.3.4:1', '1.2.3.4:2', '"1.2.3.4"', '[2001:db8::1]:1', '[2001:db8::1]:2']) {
        codes.push(await claim(await come(at, { forwardedFor })));
      }
      assert.deepEqual(codes, ['ack', 'rate_limited', 'rate_limited', 'ack', 'rate_limited']);
    });
  });

  test('set, the handshakes of those behind the proxy are counted one by one', async () => {
    await listening({ MAX_HANDSHAKES_PER_ADDRESS: '1', TRUST_PROXY: '127.0.0.1' }, async (at) => {
      for (const forwardedFor of ['1.2.3.4', '5.6.7.8']) assert.ok(await come(at, { forwardedFor }));
      assertProblem(await refusalOf(at, { 'x-forwarded-for': '1.2.3.4' }), 429, 'rate_limited');
    });
  });

  test('set, the connections of those behind the proxy are counted one by one, and refused with 429', async () => {
    await listening({ MAX_CONNECTIONS_PER_ADDRESS: '2', TRUST_PROXY: '127.0.0.1' }, async (at) => {
      const ofOne = await Promise.all([1, 2].map(() => come(at, { forwardedFor: '1.2.3.4' })));
      assert.ok(ofOne.every((client) => client !== null));
      assertProblem(await refusalOf(at, { 'x-forwarded-for': '1.2.3.4' }), 429, 'rate_limited');
      assert.ok(await come(at, { forwardedFor: '5.6.7.8' }));
    });
  });
});

describe('a connection', () => {
  const requests = {
    'that says nothing': '',
    'that does not finish its headers': 'GET /ws HTTP/1.1\r\nHost: x\r\nX-Slow: ',
    'that does not finish its body': 'POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n[',
  };
  for (const [which, request] of Object.entries(requests)) {
    test(`${which} is cut in time`, async () => {
      const timing = { requestTimeout: 300, requestInterval: 20 };
      await listening(
        { JOIN_TIMEOUT: '200ms' },
        async (at) => {
          const [host = '', port] = at.split(':');
          const socket = connect({ host, port: Number(port) });
          socket.write(request);
          socket.resume();
          await once(socket, 'close');
        },
        timing,
      );
    });
  }

  test('is closed with 4429 for a flood of pings of WebSocket itself, and not for those of a living one', async () => {
    const timing = { closeTimeout: 3000 };
    await listening(
      {},
      async (at) => {
        const [evil, good] = [await come(at), await come(at)];
        assert.ok(evil && good);
        // One after the other: `ws` itself cuts who does not wait for its pongs.
        evil.socket.on('pong', () => evil.socket.ping());
        evil.socket.ping();
        assert.equal(await evil.closed, 4429);
        for (let n = 0; n < 20; n += 1) good.socket.ping();
        await once(good.socket, 'pong');
        assert.deepEqual(await good.ask('client_join', clientJoin(), 'j'), { channel: 'ack', id: 'j' });
      },
      timing,
    );
  });
});

describe('who an address counts as', () => {
  const cases: [address: string, holder: string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ];
  for (const [address, holder] of cases) test(`${address}: ${holder}`, () => assert.equal(holderOf(address), holder));
});

test('a quota lets each have so many in a window, and begins anew with the next', () => {
  const quota = new Quota(() => 2, 1000);
  assert.deepEqual(
    [1, 2, 3].map(() => quota.take('a', 0)),
    [true, true, false],
  );
  assert.deepEqual([quota.isSpent('a', 999), quota.isSpent('b', 999)], [true, false]);
  assert.ok(quota.take('a', 1000));
});

test('a quota is taken of by amounts, and given back what it took in the same window', () => {
  const early = new Quota(() => 1, 86_400_000);
  for (const now of [1234.567_891, 1234.567_892]) {
    assert.ok(early.take('a', now));
    early.giveBack('a', now);
  }
  const quota = new Quota(() => 10, 1000);
  assert.deepEqual([quota.take('a', 0, 8), quota.take('a', 0, 3), quota.take('a', 0, 2)], [true, false, true]);
  quota.giveBack('a', 0, 8);
  assert.ok(quota.take('a', 1, 8));
  assert.ok(quota.take('a', 1000, 10));
  quota.giveBack('a', 999, 10);
  assert.ok(quota.isSpent('a', 1000), 'of a window that is over nothing is given back');
});

test('a quota counts no more than so many at a time: who has been counted the longest is forgotten', () => {
  const quota = new Quota(() => 1, 1000);
  for (let n = 0; n <= 100_000; n += 1) quota.take(`${n}`, 0);
  assert.deepEqual([quota.isSpent('0', 0), quota.isSpent('1', 0), quota.isSpent('100000', 0)], [false, true, true]);
});

test('a quota tells how many seconds are left of its window, at least one', () => {
  const quota = new Quota(() => 1, 60_000);
  quota.take('a', 5000);
  assert.deepEqual(
    [5000, 5001, 34_000, 64_999, 65_000].map((now) => quota.secondsLeft(now)),
    [60, 60, 31, 1, 1],
  );
});

test('holdings count what is open, and what is released makes room', () => {
  const holdings = new Holdings(() => 1);
  assert.deepEqual([holdings.take('a'), holdings.take('a'), holdings.take('b')], [true, false, true]);
  holdings.release('a');
  assert.ok(holdings.take('a'));
});
