/** What may be stored in a day, and by how many sockets of one customer: what is beyond is refused, and nobody else's. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytesStored } from '../../src/commands/budgets.ts';
import { ask } from '../support/ask.ts';
import type { Client } from '../support/client.ts';
import { clientJoin } from '../support/joins.ts';
import { Reading } from '../support/metrics.ts';
import { DEALER, type TestServer, withServer } from '../support/server.ts';

type Settings = NonNullable<Parameters<typeof withServer>[0]['settings']>;
const withBudgets = (settings: Settings, use: (server: TestServer) => Promise<void>) => () =>
  withServer({ settings }, use);

/** Two of these fit into 4096 bytes, with what an event takes besides its message; three do not. */
const LONG = 'x'.repeat(1000);
const said = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });
const viewed = { type: 'UPDATE_PAGEVIEW', message: { url: `https://cars.example/${LONG}` } };

/** How each of some sends was answered. */
async function answers(client: Client, channel: string, payloads: readonly object[]): Promise<string[]> {
  const codes: string[] = [];
  for (const payload of payloads) {
    const answer = await client.ask(channel, payload);
    codes.push(answer.code ?? answer.channel);
  }
  return codes;
}

const customerSays = (client: Client, ...messages: string[]) =>
  answers(
    client,
    'customer_message',
    messages.map((message) => said(message)),
  );

/** A customer with a token, over a proxy that says where it comes from. */
async function from(server: TestServer, at: string, address: string, groupId: string): Promise<Client> {
  const client = await server.dial(at, { headers: { 'x-forwarded-for': address } });
  const token = await server.token('customer', groupId);
  assert.equal((await client.ask('client_join', clientJoin({ groupId, token }))).channel, 'ack');
  return client;
}

describe('[P-9] bytes a day', () => {
  test(
    "a chat's customer stores as much as MAX_BYTES_PER_GROUP, over whatever sockets, and is told how long to wait",
    withBudgets({ MAX_BYTES_PER_GROUP: '4096' }, async (server) => {
      const one = await server.customer('g1');
      const other = await server.customer('g1', { token: one.session.token });
      assert.deepEqual(await customerSays(one, LONG), ['ack']);
      assert.deepEqual(await customerSays(other, LONG, LONG), ['ack', 'rate_limited']);
      const refused = await one.ask('customer_update', viewed);
      assert.deepEqual([refused.code, refused.retryable], ['rate_limited', true]);
      const [, seconds] = /^this chat has stored .*: wait (\d+) s$/.exec(refused.message) ?? [];
      assert.ok(Number(seconds) > 86_000 && Number(seconds) <= 86_400, refused.message);
      assert.deepEqual(await customerSays(one, 'short'), ['ack'], 'what still fits is taken');
      assert.deepEqual(await customerSays(await server.customer('g2'), LONG), ['ack'], 'another chat is not concerned');
    }),
  );

  test('what is stored counts as the bytes of its message, and its row in the log as 512', () => {
    const at = { dealerId: DEALER, groupId: 'g1', user: 'customer' } as const;
    const message = { url: 'https://cars.example/é' };
    assert.equal(bytesStored({ type: 'UPDATE_MSG', ...at, message: '"é"' }), 512 + 4);
    const content = { kind: 'choices', choices: [{ label: 'é' }] } as const;
    const shown = { content, value: 'é', replyTo: 7 };
    const bytes = JSON.stringify(content).length + 1 + 2;
    assert.equal(bytesStored({ type: 'UPDATE_MSG', ...at, message: 'a', ...shown }), 512 + 1 + bytes);
    assert.equal(bytesStored({ type: 'UPDATE_PAGEVIEW', ...at, message }), 512 + JSON.stringify(message).length + 1);
    assert.equal(bytesStored({ type: 'MUTE_BOT', ...at, adminId: 'a1' }), 512);
    assert.equal(bytesStored({ type: 'TYPING', ...at, typing: true }), 0);
  });

  test(
    'what is refused, repeated, or only passed on is not charged',
    withBudgets({ MAX_BYTES_PER_GROUP: '4096' }, async (server) => {
      const client = await server.customer('g1');
      const unknown = { type: 'UPDATE_LEAD_INTENT', message: { intent: 'buy', notes: LONG } };
      for (let n = 0; n < 4; n += 1) {
        assert.deepEqual(await answers(client, 'customer_update', [unknown]), ['unknown_intent']);
        assert.equal((await client.ask('customer_message', said(LONG), 'same')).duplicate, n > 0);
        assert.deepEqual(await answers(client, 'typing', [{ type: 'TYPING', typing: true }]), ['ack']);
      }
      assert.deepEqual(await customerSays(client, LONG, LONG), ['ack', 'rate_limited']);
    }),
  );

  test(
    "a dealer's customers together store as much as MAX_BYTES_PER_DEALER: its agents and its servers go on answering them",
    withBudgets({ MAX_BYTES_PER_DEALER: '4096' }, async (server) => {
      const [one, other] = [await server.customer('g1'), await server.customer('g2')];
      assert.deepEqual(await customerSays(one, LONG, LONG), ['ack', 'ack']);
      assert.deepEqual(await customerSays(other, LONG), ['rate_limited']);
      const [admin, bot] = [await server.admin(), await server.server()];
      assert.deepEqual(await answers(admin, 'admin_message', [said(LONG, { groupId: 'g1' })]), ['ack']);
      assert.deepEqual(await answers(bot, 'event', [said(LONG, { groupId: 'g2', user: 'bot' })]), ['ack']);
    }),
  );

  test(
    "a dealer's agents store as much, apart from its customers",
    withBudgets({ MAX_BYTES_PER_DEALER: '4096' }, async (server) => {
      assert.deepEqual(await customerSays(await server.customer('g1'), LONG, LONG), ['ack', 'ack']);
      const says = said(LONG, { groupId: 'g1' });
      const codes = await answers(await server.admin(), 'admin_message', [says, says, says]);
      assert.deepEqual(codes, ['ack', 'ack', 'rate_limited']);
    }),
  );

  test(
    "a dealer's servers store four times as much, over sockets and HTTP together; a server of all dealers has no bound",
    withBudgets({ MAX_BYTES_PER_DEALER: '1024' }, async (server) => {
      const event = said(LONG, { dealerId: DEALER, groupId: 'g1', user: 'bot' });
      const token = await server.token('server', 'crm');
      const post = async (bearer: string) => server.http('POST', '/v1/events', { token: bearer, body: event });
      assert.deepEqual(await answers(await server.server(), 'event', [event]), ['ack']);
      assert.equal((await post(token)).status, 200);
      const refused = await post(token);
      assert.deepEqual([refused.status, refused.body.code], [429, 'rate_limited']);
      assert.ok(Number(refused.headers['retry-after']) > 86_000);
      const platform = await server.token('server', 'platform', { dealer: '*' });
      for (let n = 0; n < 6; n += 1) assert.equal((await post(platform)).status, 200);
    }),
  );

  test(
    'customers of one address store as much as MAX_BYTES_PER_ADDRESS, in whatever chats; an agent behind it goes on',
    withBudgets({ MAX_BYTES_PER_ADDRESS: '4096', TRUST_PROXY: 'loopback' }, async (server) => {
      const at = await server.listen();
      const [one, other] = [await from(server, at, '1.2.3.4:1', 'g1'), await from(server, at, '1.2.3.4:2', 'g2')];
      assert.deepEqual(await customerSays(one, LONG, LONG), ['ack', 'ack']);
      assert.deepEqual(await customerSays(other, LONG), ['rate_limited']);
      assert.deepEqual(await customerSays(await from(server, at, '5.6.7.8', 'g2'), LONG), ['ack']);
      const admin = await server.dial(at, { headers: { 'x-forwarded-for': '1.2.3.4' } });
      const join = { type: 'ADMIN_JOIN', dealerId: DEALER, adminId: 'a1', token: await server.token('admin', 'a1') };
      assert.equal((await admin.ask('admin_join', join)).channel, 'ack');
      assert.deepEqual(await answers(admin, 'admin_message', [said(LONG, { groupId: 'g1' })]), ['ack']);
    }),
  );

  test(
    'refusals are counted by budget',
    withBudgets({ MAX_BYTES_PER_GROUP: '1024', MAX_BYTES_PER_DEALER: '1536' }, async (server) => {
      await customerSays(await server.customer('g1'), 'x', 'x', 'x');
      for (const groupId of ['g2', 'g3']) await customerSays(await server.customer(groupId), 'x');
      const { text } = await ask(server, '/metrics');
      assert.deepEqual(new Reading(text).by('telle_budget_refusals_total', 'budget'), { group: 2, dealer: 1 });
    }),
  );

  test(
    'RATE_LIMIT=off lifts them',
    withBudgets({ MAX_BYTES_PER_GROUP: '1024', MAX_BYTES_PER_DEALER: '1024', RATE_LIMIT: 'off' }, async (server) => {
      assert.deepEqual(await customerSays(await server.customer('g1'), LONG, LONG), ['ack', 'ack']);
    }),
  );
});

describe('[P-9] MAX_SOCKETS_PER_GROUP', () => {
  const joinOf = async (server: TestServer) =>
    clientJoin({ groupId: 'g1', token: await server.token('customer', 'g1') });

  test(
    'as many sockets as that join one chat, also at once; one more is rate_limited, stays open, and may try again',
    withBudgets({ MAX_SOCKETS_PER_GROUP: '3' }, async (server) => {
      const join = await joinOf(server);
      const clients = await Promise.all([1, 2, 3, 4, 5].map(() => server.connect()));
      const codes = await Promise.all(
        clients.map(async (client) => {
          const { code, channel } = await client.ask('client_join', join);
          return code ?? channel;
        }),
      );
      assert.deepEqual(codes.sort(), ['ack', 'ack', 'ack', 'rate_limited', 'rate_limited']);
      const inside = clients.filter(({ frames }) => frames.some(({ channel }) => channel === 'session'));
      const [outside] = clients.filter((client) => !inside.includes(client));
      await inside[0]?.close();
      assert.equal((await outside?.ask('client_join', join))?.channel, 'ack');
    }),
  );

  test(
    'is for each chat: another has as many; and those who claim it without its token take no place',
    withBudgets({ MAX_SOCKETS_PER_GROUP: '1' }, async (server) => {
      const owner = await server.connect();
      assert.equal((await owner.ask('client_join', await joinOf(server))).channel, 'ack');
      assert.deepEqual(await customerSays(await server.customer('g2'), 'Hello'), ['ack']);
      await owner.close();
      const strangers = await Promise.all([1, 2, 3].map(() => server.connect()));
      for (const stranger of strangers) stranger.send('client_join', clientJoin({ groupId: 'g1' }));
      const back = await server.connect();
      assert.equal((await back.ask('client_join', await joinOf(server))).channel, 'ack');
      assert.deepEqual(await Promise.all(strangers.map(({ closed }) => closed)), [4401, 4401, 4401]);
    }),
  );
});
