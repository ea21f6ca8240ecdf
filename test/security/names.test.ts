/** [P-3.1] Names that customers hold: a token that its dealer minted is stronger than a claim, and neither sees the other's. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Client } from '../support/client.ts';
import type { Frame } from '../support/frame.ts';
import { clientJoin } from '../support/joins.ts';
import { at, page, read } from '../support/lists.ts';
import { messagesOf, withPlatform } from '../support/platform.ts';
import { assertProblem } from '../support/problem.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { DEALER, startServer, type TestServer, withServer } from '../support/server.ts';

const NAME = 'customer-4711';
type Joined = Client & { session: Frame['payload'] };

const say = (client: Client, message: string) => client.ask('customer_message', { type: 'UPDATE_MSG', message });

/** How a join without a token ends: in a session, or in the code of an error. */
async function claim(server: TestServer, more: object, id = 'j1'): Promise<{ client: Client; outcome: string }> {
  const client = await server.connect();
  client.send('client_join', clientJoin(more), id);
  const { channel, payload } = await client.next(({ channel }) => channel === 'session' || channel === 'error');
  return { client, outcome: channel === 'session' ? 'joined' : payload.code };
}

describe('[P-3.1] a minted token meets a claimed name', () => {
  let server: TestServer;
  let stranger: Joined;
  let desk: Client;
  let owner: Joined;
  let minted = '';

  before(async () => {
    server = await startServer();
    desk = await server.admin();
    stranger = await server.customer(NAME);
    await say(stranger, 'I was here first');
    await stranger.ask('customer_update', { type: 'UPDATE_LEAD', message: { name: 'Mallory' } });
    await desk.next('UPDATE_LEAD');
    minted = server.token('customer', NAME);
    owner = await server.customer(NAME, { token: minted, since: { [NAME]: 0 } });
    await say(owner, 'my secret');
  });
  after(() => server?.close());

  test('the minted customer gets the name, fresh, and the claimed socket is sent to come back', async () => {
    assert.equal(await stranger.closed, 1012);
    assert.deepEqual([owner.session.groupId, owner.session.unread, owner.session.token], [NAME, 0, minted]);
    assert.deepEqual(owner.session.recovered, { [NAME]: false });
    assert.deepEqual(messagesOf(owner), []);
  });

  test('the claim goes on under a name that the server made, with what was said, and learns nothing of the other', async () => {
    const back = await server.customer(NAME, { token: stranger.session.token, since: { [NAME]: 1 } });
    const { groupId, token, recovered } = back.session;
    assert.notEqual(groupId, NAME);
    assert.deepEqual(recovered, { [NAME]: false });
    const { body } = await server.http('GET', at(`scopes/${groupId}/events`), { token });
    assert.deepEqual(
      body.items.map(({ payload }: Frame) => [payload.groupId, payload.message]),
      [[groupId, 'I was here first']],
    );
    const seen = JSON.stringify([...stranger.frames, ...back.frames, body]);
    assert.ok(!seen.includes('my secret'));
    assert.equal((await say(back, 'still here')).scope, groupId);
    assert.deepEqual(messagesOf(owner), []);
    for (const kept of [token, stranger.session.token]) {
      assertProblem(await server.http('GET', at(`scopes/${NAME}/events`), { token: kept }), 404, 'unknown_group');
    }
    const again = await server.customer(undefined, { token });
    assert.equal(again.session.groupId, groupId);
    await Promise.all([back.close(), again.close()]);
  });

  test('over HTTP the minted customer reads its own log alone', async () => {
    const { body } = await server.http('GET', at(`scopes/${NAME}/events`), { token: minted });
    assert.deepEqual(
      body.items.map(({ payload }: Frame) => payload.message ?? payload.type),
      ['SET_ASIDE', 'my secret'],
    );
    assert.ok(!JSON.stringify(body).includes('I was here first'));
  });

  test('a reader who waits while the name becomes another’s is not shown what was read then', () =>
    withServer({}, async (own) => {
      const before = await own.customer('customer-4712');
      for (let index = 0; index < 60; index += 1) await say(before, 'x'.repeat(4000));
      const { token } = before.session;
      const pages = Array.from({ length: 60 }, () =>
        own.http('GET', at('scopes/customer-4712/events?limit=200'), { token }),
      );
      const after = await own.customer('customer-4712', { token: own.token('customer', 'customer-4712') });
      await say(after, 'my secret');
      const answers = await Promise.all(pages);
      assert.ok(!answers.some(({ body }) => JSON.stringify(body).includes('my secret')));
      assert.ok(
        answers.some(({ status }) => status !== 200),
        'some were still waiting',
      );
    }));

  test('the desk is told, and sees both: which was set aside, and whose record is whose', async () => {
    const { payload, scope } = await desk.next('SET_ASIDE');
    assert.deepEqual([scope, payload.groupId, payload.user], [NAME, NAME, 'customer']);
    const { items } = await page(server, 'groups');
    assert.deepEqual(
      items.map(({ groupId, setAside }) => [groupId, setAside ?? false]).sort(),
      [
        [NAME, false],
        [payload.setAside, true],
      ].sort(),
    );
    const leads = await page(server, 'leads');
    assert.deepEqual(
      leads.items.map(({ groupId }) => groupId),
      [payload.setAside],
    );
  });

  test('after an erasure no earlier token opens the name, and the claim goes on', async () => {
    const token = await server.token('admin', 'a1');
    assert.equal((await server.http('DELETE', at(`groups/${NAME}`), { token })).status, 200);
    assert.equal(await owner.closed, 4403);
    const { client } = await claim(server, { token: minted });
    assert.equal(await client.closed, 4401);
    assert.equal((await claim(server, { groupId: NAME })).outcome, 'unauthorized');
    const kept = await server.customer(undefined, { token: stranger.session.token });
    assert.notEqual(kept.session.groupId, NAME);
    const { body } = await server.http('GET', `/v1/dealers/${DEALER}`, {
      token: await server.token('server', 'ops', { dealer: '*' }),
    });
    const fresh = await server.customer(undefined, { token: server.token('customer', NAME, { gen: body.generation }) });
    assert.equal(fresh.session.groupId, NAME);
    assert.ok(fresh.session.seqs[NAME] >= 3, 'it counts on');
  });
});

describe('[P-3.1] what is not shown before the minted customer has joined', () => {
  test('a claimed conversation is not read over HTTP with a minted token', () =>
    withServer({}, async (server) => {
      const stranger = await server.customer(NAME);
      await say(stranger, 'a stranger’s');
      const token = server.token('customer', NAME);
      assertProblem(await server.http('GET', at(`scopes/${NAME}/events`), { token }), 404, 'unknown_group');
    }));

  test('who is here by a claim and shows a minted token keeps the conversation; other tokens of the claim do not', () =>
    withServer({}, async (server) => {
      const guest = await server.customer(NAME);
      await say(guest, 'before I signed in');
      const token = server.token('customer', NAME);
      assert.equal((await guest.ask('refresh', { token })).channel, 'ack');
      assert.equal((await say(guest, 'after')).seq, 2);
      const tab = await server.customer(NAME, { token });
      assert.equal(tab.session.seqs[NAME], 2);
      assert.equal((await claim(server, { token: guest.session.token })).outcome, 'unauthorized');
    }));

  test('a conversation that another server began is the minted customer’s', () =>
    withServer({}, async (server) => {
      const bot = await server.server();
      await bot.ask('event', { type: 'UPDATE_MSG', groupId: NAME, user: 'bot', message: 'Hello!' });
      const owner = await server.customer(NAME, { token: server.token('customer', NAME) });
      assert.equal(owner.session.seqs[NAME], 1);
    }));
});

describe('[P-11.5] claims', () => {
  const outcomes = async (server: TestServer, claims: string) => {
    await server.store.putDealer(DEALER, { origins: ['*'], ...(claims && { claims: claims as 'any' }) });
    return {
      chosen: (await claim(server, { groupId: `chosen-${claims}` })).outcome,
      made: (await claim(server, {})).outcome,
      minted: (await claim(server, { token: server.token('customer', `minted-${claims}`) })).outcome,
    };
  };

  test('any lets customers choose names, made only the server, off nobody; a token always joins', () =>
    withServer({}, async (server) => {
      const joined = { chosen: 'joined', made: 'joined', minted: 'joined' };
      assert.deepEqual(await outcomes(server, ''), joined);
      assert.deepEqual(await outcomes(server, 'any'), joined);
      assert.deepEqual(await outcomes(server, 'made'), { ...joined, chosen: 'unauthorized' });
      assert.deepEqual(await outcomes(server, 'off'), { ...joined, chosen: 'unauthorized', made: 'unauthorized' });
      assertProblem(await read(server, 'groups/chosen-off'), 404, 'unknown_group');
    }));

  test('is a setting of the dealer over HTTP', () =>
    withServer({}, async (server) => {
      const token = await server.token('server', 'ops', { dealer: '*' });
      const put = (claims: string) => server.http('PUT', '/v1/dealers/d9', { token, body: { origins: ['*'], claims } });
      assert.deepEqual((await put('made')).body, { dealerId: 'd9', origins: ['*'], claims: 'made' });
      const problem = assertProblem(await put('some'), 400, 'invalid_payload');
      assert.match(JSON.stringify(problem), /claims/);
    }));
});

describe('[P-3.1] a claim that was cut off before its session', () => {
  /** Claims a name, and is gone before it can know. */
  async function cutOff(server: TestServer, id: string): Promise<Client> {
    const { client } = await claim(server, { groupId: NAME }, id);
    client.socket.terminate();
    await client.closed;
    return client;
  }

  test('is made again by the same join within a minute, and its first token is void', () =>
    withServer({ timing: { presenceGrace: 1 } }, async (server) => {
      const watcher = await server.admin();
      const lost = await cutOff(server, 'join-77');
      await watcher.next(({ payload }) => payload.type === 'UPDATE_GROUP' && payload.online === false);
      const first = lost.frames.find(({ channel }) => channel === 'session')?.payload.token;
      assert.equal((await claim(server, { groupId: NAME }, 'join-78')).outcome, 'unauthorized');
      assert.equal((await claim(server, { groupId: NAME }, 'join-77')).outcome, 'joined');
      assert.equal((await claim(server, { token: first })).outcome, 'unauthorized');
    }));

  test('is not where the claim is in use: its socket is open, its token came back, or something was sent', () =>
    withServer({ timing: { presenceGrace: 1 } }, async (server) => {
      const watcher = await server.admin();
      const left = () => watcher.next(({ payload }) => payload.type === 'UPDATE_GROUP' && payload.online === false);
      const open = await claim(server, { groupId: 'open' }, 'j1');
      assert.equal((await claim(server, { groupId: 'open' }, 'j1')).outcome, 'unauthorized');
      await say(open.client, 'hello');
      await open.client.close();
      await left();
      assert.equal((await claim(server, { groupId: 'open' }, 'j1')).outcome, 'unauthorized');
      const used = await claim(server, { groupId: 'used' }, 'j1');
      const { token } = used.client.frames.find(({ channel }) => channel === 'session')?.payload ?? {};
      await used.client.close();
      await left();
      await (await server.customer('used', { token })).close();
      await left();
      assert.equal((await claim(server, { groupId: 'used' }, 'j1')).outcome, 'unauthorized');
    }));
});

describe('[P-3.1] on two nodes', { timeout: 60_000 }, () => {
  let redis: RedisServer;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis?.stop());

  test('the claimed socket on another node is closed before anything of the minted customer reaches it', () =>
    withPlatform({ redis, count: 2 }, async ({ servers, witnesses }) => {
      const [one, other] = servers;
      assert.ok(one && other);
      const stranger = await one.customer(NAME);
      const tab = await other.customer(NAME, { token: stranger.session.token });
      await say(stranger, 'mine');
      await tab.next('CHAT_MSG');
      const owner = await other.customer(NAME, { token: other.token('customer', NAME) });
      await say(owner, 'secret');
      assert.deepEqual(await Promise.all([stranger.closed, tab.closed]), [1012, 1012]);
      assert.ok(!JSON.stringify([stranger.frames, tab.frames]).includes('secret'));
      for (const witness of witnesses) {
        const { payload } = await witness.next('SET_ASIDE');
        assert.equal(payload.groupId, NAME);
        await witness.next(({ payload: { message } }) => message === 'secret');
      }
      const back = await one.customer(undefined, { token: stranger.session.token, since: {} });
      assert.notEqual(back.session.groupId, NAME);
      assert.equal((await say(back, 'and mine')).seq, 2);
    }));
});
