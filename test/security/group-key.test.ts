/** [P-19.3] A dealer whose groupIds are keys for a time: what that opens, and what it does not. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { Client } from '../support/client.ts';
import { command } from '../support/command.ts';
import { clientJoin } from '../support/joins.ts';
import { messagesOf } from '../support/platform.ts';
import { startProcess, telle } from '../support/process.ts';
import { DEALER, inFolder, type TestServer, withServer } from '../support/server.ts';

/** As the services of 2019 made them. */
const NAME = '0f6c2b7e9d1a4c55';
const LATER = '2099-12-31';
const say = (message: string) => ({ type: 'UPDATE_MSG', message });
/** A server whose dealer has settings. */
const withKeys = (dealer: object, use: (server: TestServer) => Promise<void>, settings: object = {}) =>
  withServer({ settings: { RATE_LIMIT: 'off', AUTO_MUTE: 'off', ...settings } }, async (server) => {
    await server.store.putDealer(DEALER, { origins: ['*'], ...dealer });
    await use(server);
  });

/** How a join without a token is refused, in words. */
async function refusedJoin(server: TestServer, groupId: string, more: object = {}): Promise<string> {
  const client = await server.connect();
  const { channel, code, message } = await client.ask('client_join', clientJoin({ groupId, ...more }));
  assert.deepEqual([channel, code], ['error', 'unauthorized']);
  return message;
}

const TAKEN = 'this group exists: join it with its token';

describe('[P-19.3] groupKey: id', { timeout: 400_000 }, () => {
  test('whoever knows a name of 16 characters joins its conversation, in any number of tabs, and reads on', () =>
    withKeys({ groupKey: 'id', groupKeyUntil: LATER }, async (server) => {
      const first = await server.customer(NAME);
      assert.equal((await first.ask('customer_message', say('from the first page'))).channel, 'ack');
      const second = await server.customer(NAME, { since: { [NAME]: 0 } });
      assert.equal(second.session.groupId, NAME);
      await second.settled();
      assert.deepEqual(messagesOf(second), ['from the first page']);
      second.send('customer_message', say('from the second'));
      assert.equal((await first.next('CHAT_MSG')).payload.message, 'from the second');
      const kept = await server.customer(NAME, { token: first.session.token });
      assert.equal(kept.session.groupId, NAME, 'the token of the first holds on');
    }));

  test('a group that a server has named first is its customer’s who knows the name, and no one’s without groupKey', () =>
    withKeys({}, async (server) => {
      const bot = await server.server();
      await bot.ask('event', { ...say('Welcome'), groupId: NAME, user: 'bot' });
      assert.equal(await refusedJoin(server, NAME), TAKEN);
      await server.store.putDealer(DEALER, { origins: ['*'], groupKey: 'id', groupKeyUntil: LATER });
      const customer = await server.customer(NAME, { since: { [NAME]: 0 } });
      await customer.settled();
      assert.deepEqual(messagesOf(customer), ['Welcome']);
    }));

  test('with claims off a known name is joined, and no new one is made', () =>
    withKeys({ groupKey: 'id', groupKeyUntil: LATER, claims: 'off' }, async (server) => {
      const bot = await server.server();
      await bot.ask('event', { ...say('Welcome'), groupId: NAME, user: 'bot' });
      await server.customer(NAME);
      assert.equal(await refusedJoin(server, 'ffffffffffffffff'), 'customers of this dealer join with a token');
    }));

  for (const [what, settings, name, why] of [
    [
      'a shorter name',
      { groupKey: 'id', groupKeyUntil: LATER },
      NAME.slice(1),
      `${TAKEN}: groupKey id is for names of at least 16 characters`,
    ],
    ['a date that is over', { groupKey: 'id', groupKeyUntil: '2020-01-01' }, NAME, `${TAKEN}: groupKeyUntil is over`],
    [
      'a moment that is over',
      { groupKey: 'id', groupKeyUntil: '2020-01-01T10:00:00Z' },
      NAME,
      `${TAKEN}: groupKeyUntil is over`,
    ],
    ['groupKey token', { groupKey: 'token', groupKeyUntil: LATER }, NAME, TAKEN],
    ['no groupKey', {}, NAME, TAKEN],
  ] as const) {
    test(`${what}: the ordinary rule, in words`, () =>
      withKeys(settings, async (server) => {
        const owner = await server.customer(name);
        await owner.ask('customer_message', say('mine'));
        assert.equal(await refusedJoin(server, name), why);
      }));
  }

  test('a name that is held by a minted token, or was erased, is not joined so; nor one of another dealer', () =>
    withKeys({ groupKey: 'id', groupKeyUntil: LATER }, async (server) => {
      await server.customer(NAME, { token: server.token('customer', NAME) });
      assert.equal(await refusedJoin(server, NAME), 'this name is held by a token that its dealer minted');

      const erased = 'e'.repeat(16);
      await (await server.customer(erased)).ask('customer_message', say('mine'));
      const token = server.token('admin', 'a1');
      assert.equal((await server.http('DELETE', `/v1/dealers/${DEALER}/groups/${erased}`, { token })).status, 200);
      assert.equal(await refusedJoin(server, erased), TAKEN);

      await server.store.putDealer('d2', { origins: ['*'] });
      await server.customer('f'.repeat(16), { dealerId: 'd2' });
      assert.equal(await refusedJoin(server, 'f'.repeat(16), { dealerId: 'd2' }), TAKEN);
    }));

  test('a minted token takes a name over as ever: who joined by knowing it is set aside', () =>
    withKeys({ groupKey: 'id', groupKeyUntil: LATER }, async (server) => {
      const stranger = await server.customer(NAME);
      await server.customer(NAME);
      const owner = await server.customer(NAME, { token: server.token('customer', NAME) });
      assert.equal(await stranger.closed, 1012);
      assert.equal(owner.session.groupId, NAME);
    }));

  test('joins of this kind count as claims do', () =>
    withKeys(
      { groupKey: 'id', groupKeyUntil: LATER },
      async (server) => {
        const url = `ws://${await server.listen()}/ws`;
        const answers: string[] = [];
        for (let joined = 0; joined < 4; joined += 1) {
          const client = new Client(new WebSocket(url)); // over a port: it has an address
          await once(client.socket, 'open');
          client.send('client_join', clientJoin({ groupId: NAME }));
          const { channel, payload } = await client.next((frame) => ['session', 'error'].includes(frame.channel));
          answers.push(channel === 'error' ? payload.code : channel);
          client.socket.terminate();
        }
        assert.deepEqual(answers, ['session', 'session', 'session', 'rate_limited']);
      },
      { MAX_CLAIMS_PER_DEALER: '3', RATE_LIMIT: 'on' },
    ));

  test('the start and the doctor tell of it until its date, and telle dealer add ends it', () =>
    inFolder(async (cwd) => {
      const add = (...flags: string[]) => telle(['dealer', 'add', 'main-street', ...flags], { cwd, patience: 100_000 });
      const doctor = () => command(['doctor'], { DATABASE_URL: `sqlite:${join(cwd, 'data/telle.db')}` });
      const told = /whoever knows a groupId joins its conversation \(groupKey id\) at main-street \(until 2099-12-31\)/;
      assert.match(
        (await add('--group-key', 'id', '--init')).stderr,
        /--group-key-until: required where groupKey is "id"/,
      );
      assert.equal((await add('--group-key', 'id', '--group-key-until', LATER, '--init')).code, 0);
      const serve = async () => {
        const server = await startProcess({ cwd, patience: 100_000 });
        await server.kill('SIGTERM');
        return server.stderr;
      };
      assert.match(await serve(), told);
      assert.match((await doctor()).stdout, told);
      for (const flags of [
        ['--group-key', 'id', '--group-key-until', '2020-01-01'],
        ['--group-key', 'token'],
      ]) {
        await add(...flags);
        assert.doesNotMatch(await serve(), /groupKey/);
        assert.doesNotMatch((await doctor()).stdout, /groupKey/);
      }
    }));

  test('is asked for with a date, and with no other word', () =>
    withKeys({}, async (server) => {
      const token = server.token('server', 'operator', { dealer: '*' });
      const put = (body: object) => server.http('PUT', '/v1/dealers/d9', { token, body });
      const { status, body } = await put({ groupKey: 'id' });
      assert.deepEqual(
        [status, body.details],
        [400, [{ path: '/groupKeyUntil', message: 'required where groupKey is "id"' }]],
      );
      for (const [wrong, path] of [
        [{ groupKey: 'name', groupKeyUntil: LATER }, '/groupKey'],
        [{ groupKey: 'id', groupKeyUntil: 'soon' }, '/groupKeyUntil'],
        [{ groupKey: 'id', groupKeyUntil: '31.12.2099' }, '/groupKeyUntil'],
        [{ groupKey: 'id', groupKeyUntil: null }, '/groupKeyUntil'],
      ] as const) {
        const refused = await put(wrong);
        assert.deepEqual([refused.status, refused.body.details[0].path], [400, path], JSON.stringify(wrong));
      }
      const good = { groupKey: 'id', groupKeyUntil: LATER };
      assert.deepEqual((await put(good)).body, { dealerId: 'd9', origins: [], ...good });
    }));
});
