/** [P-4] Tokens that are taken back: no door takes them any more, on no node, and who came in by one is shown out. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Client } from '../support/client.ts';
import { sign } from '../support/forge.ts';
import { clientJoin } from '../support/joins.ts';
import { at } from '../support/lists.ts';
import { withPlatform } from '../support/platform.ts';
import { assertProblem } from '../support/problem.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { DEALER, startServer, type TestServer, withServer } from '../support/server.ts';

/** How often a node looks in the tests, in ms. */
const timing = { nodeInterval: 50, presenceGrace: 1 };

const operator = (server: TestServer) => server.token('server', 'ops', { dealer: '*' });

async function revoke(server: TestServer, body: object, dealerId = DEALER): Promise<number> {
  const answer = await server.http('POST', `/v1/dealers/${dealerId}/revocations`, { token: operator(server), body });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body.generation;
}

/** Joins with a token, and tells how that ends: `joined`, or the code of the close. */
async function ending(server: TestServer, channel: string, payload: object): Promise<number | 'joined'> {
  const client = await server.connect();
  client.send(channel, payload);
  const first = await Promise.race([
    client.next('session').then(
      () => 'joined' as const,
      () => null,
    ),
    client.closed,
  ]);
  await client.close();
  return first ?? (await client.closed);
}

/** An error, and then the close that it brings. */
async function assertShownOut(client: Client): Promise<void> {
  assert.equal(await client.closed, 4401);
  assert.equal(client.frames.at(-1)?.payload.code, 'unauthorized');
}

describe('[P-4] a revoked subject', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ timing });
  });
  after(() => server?.close());

  for (const { role, sub, channel, payload } of [
    {
      role: 'admin',
      sub: 'bob',
      channel: 'admin_join',
      payload: { type: 'ADMIN_JOIN', dealerId: DEALER, adminId: 'bob' },
    },
    { role: 'server', sub: 'crm', channel: 'server_join', payload: { type: 'SERVER_JOIN', dealerId: DEALER } },
    { role: 'customer', sub: 'c1', channel: 'client_join', payload: { type: 'CLIENT_JOIN', dealerId: DEALER } },
  ] as const) {
    test(`of role ${role} is shown out, and no earlier token of it is taken; a newer one is, and everybody else's`, async () => {
      const token = server.token(role, sub);
      const join = (with_: string) => ({ ...payload, token: with_ });
      const helper = () => server.server(DEALER, { token: server.token('server', 'helper') });
      const client = await server.connect();
      client.send(channel, join(token));
      await client.next('session');
      const others = [await server.admin('alice'), await server.customer(`beside-${role}`), await helper()];
      const gen = await revoke(server, { role, sub });
      await assertShownOut(client);
      assert.equal(await ending(server, channel, join(token)), 4401);
      assert.equal(await ending(server, channel, join(server.token(role, sub, { gen: gen - 1 }))), 4401);
      assert.equal(await ending(server, channel, join(server.token(role, sub, { gen }))), 'joined');
      if (role !== 'customer') {
        const got = await server.http('GET', at('groups'), { token });
        assertProblem(got, 401, 'unauthorized');
        assert.equal((await server.http('GET', at('groups'), { token: server.token(role, sub, { gen }) })).status, 200);
      }
      for (const other of others) {
        await other.settled();
        assert.equal(other.socket.readyState, other.socket.OPEN);
      }
    });
  }

  test('cannot refresh with a token of before', async () => {
    const gen = await revoke(server, { role: 'admin', sub: 'carol' });
    const carol = await server.admin('carol', { token: server.token('admin', 'carol', { gen }) });
    carol.send('refresh', { token: server.token('admin', 'carol') }, 'r1');
    await assertShownOut(carol);
  });

  test('is let in again with a token without a generation that says that it was signed since', async () => {
    const gen = await revoke(server, { role: 'admin', sub: 'dave' });
    const now = Math.floor(Date.now() / 1000);
    const join = (iat: number) => ({
      type: 'ADMIN_JOIN',
      dealerId: DEALER,
      adminId: 'dave',
      token: sign({ alg: 'HS256' }, { role: 'admin', dealer: DEALER, sub: 'dave', exp: now + 60, iat }),
    });
    assert.equal(await ending(server, 'admin_join', join(Math.floor(gen / 1000))), 4401, 'in the second before');
    assert.equal(await ending(server, 'admin_join', join(Math.ceil(gen / 1000))), 'joined');
    assert.equal(
      await ending(server, 'admin_join', join(Math.ceil(gen / 1000) + 3600)),
      4401,
      'not signed in the future',
    );
  });

  test('is whoever may say so: a server of the dealer, or of all, and nobody else', async () => {
    const url = `/v1/dealers/${DEALER}/revocations`;
    const body = { role: 'admin', sub: 'erin' };
    assert.equal(
      (await server.http('POST', url, { token: await server.freshToken('server', 'crm'), body })).status,
      200,
    );
    for (const token of [await server.freshToken('admin', 'alice'), await server.freshToken('customer', 'c2')]) {
      assertProblem(await server.http('POST', url, { token, body }), 403, 'forbidden');
    }
    const foreign = server.token('server', 'crm', { dealer: 'd2' });
    assertProblem(await server.http('POST', url, { token: foreign, body }), 404, 'unknown_dealer');
    const own = await server.freshToken('server', 'crm');
    assertProblem(await server.http('POST', '/v1/dealers/*/revocations', { token: own, body }), 404, 'unknown_dealer');
    const nobody = '/v1/dealers/nobody/revocations';
    assertProblem(await server.http('POST', nobody, { token: operator(server), body }), 404, 'unknown_dealer');
    for (const wrong of [
      { role: 'admin' },
      { sub: 'erin' },
      { role: 'boss', sub: 'erin' },
      { role: 'admin', sub: '' },
    ]) {
      assertProblem(await server.http('POST', url, { token: operator(server), body: wrong }), 400, 'invalid_payload');
    }
  });
});

describe('[P-4] a whole dealer, and servers of all', () => {
  test('everybody of the dealer is shown out, nobody of another', () =>
    withServer({ timing }, async (server) => {
      await server.store.putDealer('d2', { origins: ['*'] });
      const all = [await server.admin('alice'), await server.customer('c1'), await server.server(DEALER)];
      const token = server.token('admin', 'alice', { dealer: 'd2' });
      const foreign = await server.admin('alice', { dealerId: 'd2', token });
      const over = await server.server('*');
      const gen = await revoke(server, {});
      for (const client of all) await assertShownOut(client);
      for (const client of [foreign, over]) {
        await client.settled();
        assert.equal(client.socket.readyState, client.socket.OPEN);
      }
      const dealer = await server.http('GET', `/v1/dealers/${DEALER}`, { token: operator(server) });
      assert.equal(dealer.body.generation, gen);
      const kept = await server.customer('c9');
      assert.equal((await server.customer(undefined, { token: kept.session.token })).session.groupId, 'c9');
    }));

  test('a server of all dealers is shown out wherever it sits', () =>
    withServer({ timing }, async (server) => {
      const token = server.token('server', 'crm', { dealer: '*' });
      const everywhere = await server.server('*');
      const here = await server.server(DEALER, { token });
      const own = await server.server(DEALER);
      await revoke(server, { role: 'server', sub: 'crm' }, '*');
      await assertShownOut(everywhere);
      await assertShownOut(here);
      await own.settled();
      assert.equal(own.socket.readyState, own.socket.OPEN);
    }));
});

describe('[P-11.5] a dealer that was removed', () => {
  test('is removed for good: what is said late does not bring it back, and its tokens open no dealer of its name', () =>
    withServer({ timing }, async (server) => {
      const token = server.token('admin', 'alice');
      const kept = (await server.customer('c1')).session.token;
      const gone = await server.http('DELETE', `/v1/dealers/${DEALER}`, { token: operator(server) });
      assert.equal(gone.status, 204);
      const late = { type: 'UPDATE_MSG', dealerId: DEALER, groupId: 'g1', user: 'bot', message: 'late' };
      const said = await server.http('POST', '/v1/events', { token: operator(server), body: late });
      assertProblem(said, 404, 'unknown_dealer');
      assert.equal(await server.store.dealer(DEALER), null);
      const admin = { type: 'ADMIN_JOIN', dealerId: DEALER, adminId: 'alice', token };
      assert.equal(await ending(server, 'admin_join', admin), 4404);
      assertProblem(await server.http('GET', at('groups'), { token }), 404, 'unknown_dealer');
      await server.http('PUT', `/v1/dealers/${DEALER}`, { token: operator(server), body: { origins: ['*'] } });
      assert.equal(await ending(server, 'admin_join', admin), 4401);
      assert.equal(await ending(server, 'client_join', clientJoin({ token: kept })), 4401);
      const join = { ...admin, token: await server.freshToken('admin', 'alice') };
      assert.equal(await ending(server, 'admin_join', join), 'joined');
      assert.equal((await server.customer('c1')).session.seqs.c1, 0);
      assert.equal((await server.http('POST', '/v1/events', { token: operator(server), body: late })).status, 200);
    }));

  test('by a command in the database itself: its sockets are closed with 4404 by the next heartbeat', () =>
    withServer({ timing }, async (server) => {
      const clients = [await server.admin('alice'), await server.customer('c1')];
      await server.store.deleteDealer(DEALER);
      await server.store.putDealer('d2', {});
      assert.deepEqual(await Promise.all(clients.map(({ closed }) => closed)), [4404, 4404]);
    }));
});

describe('[P-4] on two nodes', { timeout: 120_000 }, () => {
  let redis: RedisServer;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis?.stop());

  test('who is revoked on one is shown out on both at once', () =>
    withPlatform({ redis, count: 2, timing: { nodeInterval: 60_000 } }, async ({ servers }) => {
      const [one, other] = servers;
      assert.ok(one && other);
      const here = await one.admin('bob');
      const there = await other.admin('bob');
      await revoke(one, { role: 'admin', sub: 'bob' });
      await Promise.all([assertShownOut(here), assertShownOut(there)]);
      const token = other.token('admin', 'bob');
      assertProblem(await other.http('GET', at('groups'), { token }), 401, 'unauthorized');
    }));

  test('sockets of a dealer that is removed on one are closed with 4404 on the other', () =>
    withPlatform({ redis, count: 2, timing: { nodeInterval: 60_000 } }, async ({ servers }) => {
      const [one, other] = servers;
      assert.ok(one && other);
      await one.store.putDealer('d2', { origins: ['*'] });
      const guest = await other.customer('c1', { dealerId: 'd2' });
      await one.http('DELETE', '/v1/dealers/d2', { token: operator(one) });
      assert.equal(await guest.closed, 4404);
    }));

  test('while Redis is away, the database’s heartbeat finds it', async () => {
    const own = await startRedis();
    try {
      await withPlatform({ redis: own, count: 2, timing: { nodeInterval: 100 } }, async ({ servers }) => {
        const [one, other] = servers;
        assert.ok(one && other);
        const there = await other.admin('bob');
        await own.stop();
        await revoke(one, { role: 'admin', sub: 'bob' });
        await assertShownOut(there);
      });
    } finally {
      await own.stop();
    }
  });
});
