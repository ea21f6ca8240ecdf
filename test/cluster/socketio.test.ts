/** [P-19.1] Two nodes behind a real load balancer: polls go to one node by the client's address, and one that goes astray begins anew. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { BALANCERS, startBalancer } from '../support/balancers.ts';
import { Reading } from '../support/metrics.ts';
import { type NodeProcess, startNode } from '../support/node.ts';
import { Polling } from '../support/polling.ts';
import { makeDatabase, type PostgresServer, startPostgres } from '../support/postgres.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { asked, closeClients, connected, type IoSocket, ioClient, told, VERSIONS } from '../support/socketio.ts';

const SECRET = 'a secret that the two nodes share and nobody else';
const DEALER = 'd1';
/** Clients of each version, each of an address of its own. */
const CLIENTS = 4;

let postgres: PostgresServer;
let redis: RedisServer;
const nodes: NodeProcess[] = [];

before(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  const settings = {
    DATABASE_URL: await makeDatabase(postgres.url),
    REDIS_URL: redis.url,
    AUTH_SECRET: SECRET,
    SOCKET_IO: 'on',
    TRUST_PROXY: 'loopback',
    DRAIN_PAUSE: '0s',
  };
  nodes.push(await startNode(settings), await startNode(settings));
  const token = new Tokens([SECRET]).sign({ role: 'server', dealer: '*', sub: 'test', exp: secondsFromNow(600) });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const put = await fetch(`http://${nodes[0]?.at}/v1/dealers/${DEALER}`, { method: 'PUT', headers, body: '{}' });
  assert.equal(put.status, 201);
});

after(async () => {
  closeClients();
  await Promise.all(nodes.map((node) => node.kill()));
  await Promise.all([redis?.stop(), postgres?.stop()]);
});

const ats = () => nodes.map(({ at }) => at);

/** Joins, and says something. @returns the token to come back with */
async function chat(client: IoSocket, groupId: string, message: string, token?: unknown): Promise<unknown> {
  const session = told(client, 'session');
  client.emit('client_join', { type: 'CLIENT_JOIN', dealerId: DEALER, groupId, token });
  const [joined] = await session;
  const ack = Object(await asked(client, 'customer_message', { type: 'UPDATE_MSG', message }));
  assert.equal(ack.duplicate, false, JSON.stringify(ack));
  return Object(joined).token;
}

/** Customers that a node has. */
async function customersAt(at: string): Promise<number> {
  const text = await (await fetch(`http://${at}/metrics`)).text();
  return new Reading(text).sum('telle_connections', { role: 'customer' });
}

describe('[P-19.1] two nodes', () => {
  for (const name of BALANCERS) {
    it(`behind ${name}: each client polls one node, and both have some`, async () => {
      const balancer = await startBalancer(name, ats());
      try {
        const all = VERSIONS.flatMap((version, of) =>
          Array.from({ length: CLIENTS }, async (_, index) => {
            const agent = new Agent({ keepAlive: true, localAddress: `127.0.${of + 1}.${index + 1}` });
            const client = ioClient(version, balancer.at, { transports: ['polling'], agent });
            await connected(client);
            const groupId = `${name}-${version}-${index}`;
            await chat(client, groupId, 'first');
            for (const message of ['second', 'third']) {
              const { seq } = Object(await asked(client, 'customer_message', { type: 'UPDATE_MSG', message }));
              assert.ok(seq > 1, groupId);
            }
          }),
        );
        await Promise.all(all);
        const counts = await Promise.all(ats().map(customersAt));
        assert.equal(
          counts.reduce((sum, count) => sum + count),
          VERSIONS.length * CLIENTS,
          String(counts),
        );
        assert.ok(Math.min(...counts) > 0, `one node has all of them: ${counts}`);
      } finally {
        closeClients();
        await balancer.stop();
      }
    });
  }

  it('know nothing of each other’s sessions: a stray poll is refused in words', async () => {
    const [one = '', other = ''] = ats();
    const { sid } = await Polling.open(one);
    const stray = await fetch(`http://${other}/socket.io/?EIO=4&transport=polling&sid=${sid}`);
    assert.equal(stray.status, 400);
    assert.match(Object(await stray.json()).detail, /^sid: this node has no such session: begin anew/);
  });

  it('behind nginx: whoever polled a node that ends begins anew at the other, and goes on', async () => {
    const balancer = await startBalancer('nginx', ats());
    try {
      const clients = await Promise.all(
        VERSIONS.flatMap((version, of) =>
          Array.from({ length: CLIENTS }, async (_, index) => {
            const agent = new Agent({ keepAlive: true, localAddress: `127.0.${of + 1}.${index + 1}` });
            const options = { transports: ['polling'], agent, reconnection: true, reconnectionDelay: 100 };
            const client = ioClient(version, balancer.at, options);
            await connected(client);
            const groupId = `ends-${version}-${index}`;
            return { client, groupId, token: await chat(client, groupId, 'before') };
          }),
        ),
      );
      const [ending, staying] = nodes;
      const leaving = await customersAt(ending?.at ?? '');
      assert.ok(leaving > 0);
      const back: Promise<unknown>[] = [];
      for (const { client, groupId, token } of clients) {
        client.on('connect', () => void back.push(chat(client, groupId, 'after', token)));
      }
      assert.equal(await ending?.stop(), 0);
      const deadline = Date.now() + 20_000;
      while (back.length < leaving && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(back.length, leaving, 'whoever was there came back');
      await Promise.all(back);
      assert.equal(await customersAt(staying?.at ?? ''), clients.length);
    } finally {
      closeClients();
      await balancer.stop();
    }
  });
});
