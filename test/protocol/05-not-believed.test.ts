/** [P-5, P-6] What is not believed or not needed is ignored on every door; what contradicts itself is refused. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Client } from '../support/client.ts';
import { startServer } from '../support/server.ts';

const server = await startServer({ settings: { RATE_LIMIT: 'off' } });
after(() => server.close());

const G = 'g1';
const guest = await server.customer(G);
const agent = await server.admin();
const crm = await server.server();

type Ask = (payload: object) => Promise<Record<string, unknown>>;
let ids = 0;
/** Past the client's own look at what it sends: these values are taken, and not published. */
const over =
  (client: Client, channel: string): Ask =>
  async (payload) => {
    const id = `odd-${++ids}`;
    client.socket.send(JSON.stringify({ channel, payload, id }));
    return (await client.next(({ payload: answer }) => answer.id === id)).payload;
  };
const overHttp: Ask = async (payload) => {
  const response = await server.http('POST', '/v1/events', { token: server.token('server', 'crm'), body: payload });
  return response.body.results[0];
};

const say = { type: 'UPDATE_MSG', groupId: G, message: 'hello' };
const byAdmin = { user: 'admin', adminId: 'a1' };

/** Everybody who may say something, on each door. */
const SPEAKERS: Readonly<Record<string, { ask: Ask; payload: object }>> = {
  'a customer': { ask: over(guest, 'customer_message'), payload: say },
  'an admin': { ask: over(agent, 'admin_message'), payload: say },
  'a server’s bot': { ask: over(crm, 'event'), payload: { ...say, user: 'bot' } },
  'a server over HTTP': { ask: overHttp, payload: { ...say, user: 'bot' } },
};

const nothing = { muted: null, unread: null };
const ODD: readonly object[] = [
  nothing,
  { muted: 0, unread: '0' },
  { muted: 'no', unread: -1.5 },
  { muted: {}, unread: [] },
];

describe('[P-5] what is not believed', () => {
  for (const [who, { ask, payload }] of Object.entries(SPEAKERS)) {
    test(`is ignored whatever it is, where ${who} sends it`, async () => {
      await agent.ask('mute_bot', { type: 'UNMUTE_BOT', groupId: G });
      for (const odd of ODD)
        assert.equal(typeof (await ask({ ...payload, ...odd })).seq, 'number', JSON.stringify(odd));
    });

    test(`is ignored where ${who} names no admin, as null or as empty text`, async () => {
      await agent.ask('mute_bot', { type: 'UNMUTE_BOT', groupId: G });
      for (const adminId of [null, '']) assert.equal(typeof (await ask({ ...payload, adminId })).seq, 'number');
    });
  }

  test('is ignored in a join, an announcement, a close and a mute', async () => {
    const back = await server.customer(G, { token: guest.session.token, online: null });
    assert.equal(back.session.groupId, G);
    await back.close();
    for (const [channel, payload] of [
      ['sys_message', { type: 'SYS_MSG', message: 'hello', ...nothing }],
      ['close_chat', { type: 'CLOSE_CHAT', groupId: G, close: null }],
      ['mute_bot', { type: 'MUTE_BOT', groupId: G, muted: null }],
      ['mute_bot', { type: 'UNMUTE_BOT', groupId: G, muted: 0 }],
    ] as const)
      assert.equal(typeof (await over(agent, channel)(payload)).seq, 'number', payload.type);
  });

  test('is no way around what is needed: an admin must be named where the user is one', async () => {
    for (const adminId of [null, '', undefined]) {
      const { code, message } = await over(crm, 'event')({ ...say, ...byAdmin, adminId });
      assert.deepEqual([code, message], ['invalid_payload', 'adminId: required where user is "admin"']);
    }
  });
});

describe('[P-7.2] a payload that contradicts its type', () => {
  for (const [type, muted, words] of [
    ['MUTE_BOT', false, 'expected anything but false: UNMUTE_BOT lets the bot speak, got a boolean'],
    ['UNMUTE_BOT', true, 'expected anything but true: MUTE_BOT silences the bot, got a boolean'],
  ] as const) {
    for (const [door, ask, more] of [
      ['an admin’s socket', over(agent, 'mute_bot'), {}],
      ['a server’s socket', over(crm, 'event'), { adminId: 'a1' }],
    ] as const) {
      test(`is refused: ${type} with muted ${muted}, on ${door}`, async () => {
        const { code, message } = await ask({ type, groupId: G, muted, ...more });
        assert.deepEqual([code, message], ['invalid_payload', `muted: ${words}`]);
        assert.equal(typeof (await ask({ type, groupId: G, muted: !muted, ...more })).seq, 'number');
      });
    }
  }

  test('is refused: CLOSE_CHAT with close false', async () => {
    const { code, message } = await agent.ask('close_chat', { type: 'CLOSE_CHAT', groupId: G, close: false });
    assert.deepEqual(
      [code, message],
      ['invalid_payload', 'close: expected anything but false: CLOSE_CHAT closes, got a boolean'],
    );
  });
});
