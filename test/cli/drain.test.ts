/** SIGTERM: what was taken is acked, what was not is not stored, sockets are told to come back, and the process ends well. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { openStore } from '../../src/app.ts';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { Client } from '../support/client.ts';
import { type ServerProcess, startProcess } from '../support/process.ts';
import { inFolder } from '../support/server.ts';
import { until } from '../support/until.ts';

const SECRET = 'a secret that only this test knows';
const DEALER = 'demo';
const tokens = new Tokens([SECRET]);
const tokenFor = (role: 'customer' | 'admin' | 'server', sub: string) =>
  tokens.sign({ role, dealer: DEALER, sub, exp: secondsFromNow(3600) });

/** The ids of the chat messages that a group's log holds, once the server is gone. */
async function storedIds(DATABASE_URL: string, groupId: string): Promise<string[]> {
  const store = openStore(readSettings({ DATABASE_URL }), { alone: true });
  try {
    const events = await store.events(DEALER, groupId, { limit: 100_000 });
    return events.filter(({ type }) => type === 'CHAT_MSG').map(({ id }) => id);
  } finally {
    await store.close();
  }
}

async function dial({ url }: ServerProcess): Promise<Client> {
  const client = new Client(new WebSocket(url));
  await once(client.socket, 'open');
  return client;
}

/** A customer who keeps so many messages on the way until the socket closes. Every ack is reported. */
async function chatter(server: ServerProcess, groupId: string, onAck: () => void): Promise<Client> {
  const client = await dial(server);
  const token = await tokenFor('customer', groupId);
  client.send('client_join', { type: 'CLIENT_JOIN', dealerId: DEALER, groupId, token });
  await client.next('session');
  let count = 0;
  const say = () => client.send('customer_message', { type: 'UPDATE_MSG', message: 'Hello' }, `${groupId}-${++count}`);
  client.socket.on('message', (data) => {
    if (JSON.parse(data.toString()).channel !== 'ack') return;
    onAck();
    say();
  });
  for (let window = 0; window < 8; window += 1) say();
  return client;
}

const ackedIds = ({ frames }: Client): string[] =>
  frames.flatMap(({ channel, payload }) => (channel === 'ack' ? [payload.id] : []));

/** Sockets that do not take part: one never answers the server's closing, one never ends its request. */
async function bystanders({ url }: ServerProcess): Promise<Socket[]> {
  const { hostname, port } = new URL(url);
  const sockets = [connect(Number(port), hostname), connect(Number(port), hostname)];
  for (const socket of sockets) socket.on('error', () => {}); // they are cut in the end
  const [silent, halfway] = sockets;
  silent?.write(
    `GET /ws HTTP/1.1\r\nHost: ${hostname}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  halfway?.write(`POST /v1/events HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: 1000\r\n\r\nhalf`);
  const [upgraded] = silent ? await once(silent, 'data') : [];
  assert.match(String(upgraded), /^HTTP\/1\.1 101 /);
  return sockets;
}

type Use = (server: ServerProcess, databaseUrl: string) => Promise<void>;

/** A server with a database of its own, for the length of `use`. */
const withServer =
  (use: Use, settings: Readonly<Record<string, string>> = {}) =>
  () =>
    inFolder(async (folder) => {
      const DATABASE_URL = `sqlite:${join(folder, 'telle.db')}`;
      const server = await startProcess({ env: { DATABASE_URL, AUTH_SECRET: SECRET, RATE_LIMIT: 'off', ...settings } });
      try {
        await use(server, DATABASE_URL);
      } finally {
        await server.kill();
      }
    });

/** A connection, and all that came over it. */
class Wire {
  readonly socket: Socket;
  heard = '';

  constructor({ url }: ServerProcess) {
    const { hostname, port } = new URL(url);
    this.socket = connect(Number(port), hostname);
    this.socket.setEncoding('utf8').on('data', (text) => {
      this.heard += text;
    });
    this.socket.on('error', () => {});
  }

  async get(path: string): Promise<string> {
    const from = this.heard.length;
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: telle\r\n\r\n`);
    await until('an answer', async () => this.heard.slice(from).includes('\r\n\r\n') || this.socket.destroyed);
    return this.heard.slice(from);
  }
}

const readyOf = async ({ http }: ServerProcess): Promise<number> => (await fetch(`${http}/ready`)).status;

/** Sends SIGTERM, and fails where the process does not end well within the 10 s that it has. */
async function drain(server: ServerProcess): Promise<void> {
  const from = performance.now();
  assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null });
  assert.ok(performance.now() - from < 10_000);
  assert.match(server.stdout, /^SIGTERM: closing( in \d+ s; send it again to end at once)?$/m);
}

describe('SIGTERM', { timeout: 120_000, concurrency: 2 }, () => {
  for (const DRAIN_SPREAD of ['0', '1s']) {
    it(
      `stores nothing that it does not ack, acks all that it stores, and closes every socket with 1012, though some do not answer: over ${DRAIN_SPREAD}`,
      withServer(
        async (server, databaseUrl) => {
          let acks = 0;
          let ended: Promise<void> | undefined;
          const onAck = () => {
            acks += 1;
            if (acks === 300) ended = drain(server);
          };
          const groups = ['g1', 'g2', 'g3', 'g4'];
          const strangers = [await dial(server), await dial(server)];
          const others = await bystanders(server);
          const customers = await Promise.all(groups.map((groupId) => chatter(server, groupId, onAck)));
          const codes = await Promise.all([...customers, ...strangers].map(({ closed }) => closed));
          assert.deepEqual(new Set(codes), new Set([1012]));
          await ended;
          for (const socket of others) socket.destroy();
          for (const [index, groupId] of groups.entries()) {
            const customer = customers[index];
            assert.ok(customer);
            assert.deepEqual(await storedIds(databaseUrl, groupId), ackedIds(customer));
            const refusals = customer.frames.flatMap(({ channel, payload }) =>
              channel === 'error' ? [payload.code] : [],
            );
            assert.deepEqual(new Set(refusals.concat('unavailable')), new Set(['unavailable']));
          }
        },
        { DRAIN_SPREAD },
      ),
    );
  }

  it(
    'answers a request that brought a thousand events, when it comes in the midst of them',
    withServer(async (server, databaseUrl) => {
      const agent = await dial(server);
      agent.send('admin_join', {
        type: 'ADMIN_JOIN',
        dealerId: DEALER,
        adminId: 'a1',
        token: await tokenFor('admin', 'a1'),
      });
      await agent.next('session');
      const events = Array.from({ length: 1000 }, (_, index) => ({
        type: 'UPDATE_MSG',
        dealerId: DEALER,
        groupId: 'g1',
        user: 'bot',
        message: 'Hello',
        id: `b-${index}`,
      }));
      const answer = fetch(`${server.http}/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await tokenFor('server', 'crm')}`, 'content-type': 'application/json' },
        body: JSON.stringify(events),
      });
      const answered = answer.then(async (response) => JSON.parse(await response.text()));
      await agent.next('CHAT_MSG');
      agent.socket.terminate();
      await drain(server);
      const { results }: { results: { id?: string; seq?: number }[] } = await answered;
      const acked = results.flatMap(({ id, seq }) => (seq === undefined ? [] : [id]));
      assert.deepEqual(await storedIds(databaseUrl, 'g1'), acked);
      assert.equal(results.length, 1000);
    }),
  );

  it(
    'fails /ready first, and goes on as before for as long as DRAIN_PAUSE says; then it lets nobody in',
    withServer(
      async (server) => {
        const customer = await dial(server);
        const token = await tokenFor('customer', 'g1');
        await customer.ask('client_join', { type: 'CLIENT_JOIN', dealerId: DEALER, groupId: 'g1', token });
        const kept = new Wire(server);
        assert.doesNotMatch(await kept.get('/health'), /^connection: close/im);
        assert.equal(await readyOf(server), 200);
        const from = performance.now();
        const ended = drain(server);
        await until('it is not ready', async () => (await readyOf(server)) === 503);
        assert.match(await kept.get('/health'), /^HTTP\/1\.1 200 [\s\S]*^connection: close/im);
        await customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'as before' });
        const late = await dial(server);
        assert.deepEqual(await Promise.all([customer.closed, late.closed]), [1012, 1012]);
        const lasted = performance.now() - from;
        assert.ok(lasted >= 2000, `it closed sockets after ${lasted} ms`);
        await ended;
      },
      { DRAIN_PAUSE: '2s' },
    ),
  );

  it(
    'closes sockets one after the other over DRAIN_SPREAD, and tells each another time to come back after',
    withServer(
      async (server) => {
        const customers = await Promise.all(Array.from({ length: 40 }, () => dial(server)));
        const closes = customers.map(async ({ socket }) => {
          const [code, reason] = await once(socket, 'close');
          return { code, reason: String(reason), at: performance.now() };
        });
        const ended = drain(server);
        const closed = await Promise.all(closes);
        const ats = closed.map(({ at }) => at).sort((one, other) => one - other);
        const [first = 0, last = 0] = [ats[0], ats.at(-1)];
        assert.ok(last - first > 1000, `all were closed within ${last - first} ms`);
        const inTheMiddle = ats.filter((at) => at > first + (last - first) / 4 && at < last - (last - first) / 4);
        assert.ok(inTheMiddle.length >= 10, `${inTheMiddle.length} of 40 in the middle half`);
        assert.deepEqual(new Set(closed.map(({ code }) => code)), new Set([1012]));
        const waits = closed.map(({ reason }) => Number(/^service restart, come back in (\d+) ms$/.exec(reason)?.[1]));
        assert.ok(
          waits.every((wait) => wait >= 0 && wait <= 1000),
          waits.join(),
        );
        assert.ok(new Set(waits).size > 20, waits.join());
        await ended;
      },
      { DRAIN_SPREAD: '2s' },
    ),
  );

  it(
    'answers a handshake that comes while it drains, and closes it',
    withServer(async (server) => {
      const [silent, halfway] = await bystanders(server);
      const late = new Wire(server);
      await once(late.socket, 'connect');
      late.socket.write('GET /ws HTTP/1.1\r\nHost: telle\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n');
      await readyOf(server);
      const ended = drain(server);
      // The one that is silent is waited for, and so there is time.
      await once(silent ?? assert.fail(), 'data');
      late.socket.write('Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
      await once(late.socket, 'close');
      assert.match(late.heard, /^HTTP\/1\.1 503 [\s\S]*^connection: close\r$[\s\S]*"code":"unavailable"/im);
      await ended;
      for (const socket of [silent, halfway]) socket?.destroy();
    }),
  );

  for (const [first, second] of [
    ['SIGTERM', 'SIGTERM'],
    ['SIGTERM', 'SIGINT'],
  ] as const) {
    it(
      `ends at once on ${second} after ${first}`,
      withServer(
        async (server) => {
          const customer = await dial(server);
          process.kill(server.pid, first);
          await server.says(new RegExp(`^${first}: closing`, 'm'));
          const from = performance.now();
          const { code, signal } = await server.kill(second);
          assert.deepEqual({ code, signal }, { code: 1, signal: null });
          assert.ok(performance.now() - from < 2000);
          assert.equal(await customer.closed, 1006);
        },
        { DRAIN_PAUSE: '60s' },
      ),
    );
  }
});
