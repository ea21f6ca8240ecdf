/** [P-2.3, P-2.4, P-2.7] The envelope, unknown fields, and ids. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Client } from '../support/client.ts';
import { adminJoin, clientJoin, serverJoin } from '../support/joins.ts';
import { DEALER, startServer } from '../support/server.ts';
import { inVersion1 } from '../support/version-one.ts';

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const server = await startServer({ timing: { closeTimeout: 50 }, settings: { RATE_LIMIT: 'off' } });
after(() => server.close());

/** Sends text as it is, and gives the payload of the error that answers it. */
async function refusal(client: Client, text: string) {
  client.socket.send(text);
  return (await client.next('error')).payload;
}

const send = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });

describe('[P-2.3] envelope', () => {
  const whole = { channel: 'ping', payload: {} };
  for (const text of [
    '',
    'hello',
    '{"channel":"ping","payload":{}',
    'null',
    '7',
    '"ping"',
    '[]',
    JSON.stringify([whole]),
    '{}',
    '{"channel":"ping"}',
    '{"payload":{}}',
    JSON.stringify({ ...whole, channel: 7 }),
    ...[null, [], 'x', 1].map((payload) => JSON.stringify({ ...whole, payload })),
  ]) {
    test(`${text || 'an empty frame'} is a bad_frame, and the socket stays open`, async () => {
      const client = await server.connect();
      const { code, retryable, id } = await refusal(client, text);
      assert.deepEqual({ code, retryable, id }, { code: 'bad_frame', retryable: false, id: undefined });
      await client.settled();
    });
  }

  test('an id is 1 to 64 of its characters, and is repeated by exactly one answer', async () => {
    const client = await server.customer();
    for (const id of ['a', '0', 'A.z_9:-', 'x'.repeat(64)]) {
      assert.deepEqual(await client.ask('ping', {}, id), { channel: 'ack', id });
      await client.settled();
      assert.equal(client.frames.filter(({ payload }) => payload.id === id).length, 1);
    }
  });

  for (const id of ['', 'x'.repeat(65), 'a b', 'a@b', 'a/b', 'é', 'a\n', 7, null, {}, ['a']]) {
    test(`an id of ${JSON.stringify(id)} is a bad_frame, which does not repeat it`, async () => {
      const payload = await refusal(await server.connect(), JSON.stringify({ ...whole, id }));
      assert.deepEqual([payload.code, payload.id], ['bad_frame', undefined]);
      assert.equal(payload.details[0].path, '/id');
    });
  }

  test('a bad frame whose id is good is answered by that id', async () => {
    const client = await server.connect();
    for (const frame of [{ id: 'k1' }, { channel: 'ping', id: 'k1' }, { payload: {}, channel: 1, id: 'k1' }]) {
      assert.equal((await refusal(client, JSON.stringify(frame))).id, 'k1');
    }
  });

  test('a frame without an id is taken and not answered', async () => {
    const client = await server.customer('unasked');
    const other = await server.admin();
    client.send('customer_message', send('hello'));
    await other.next('CHAT_MESSAGE');
    await client.settled();
    assert.deepEqual(
      client.frames.filter(({ channel }) => channel === 'ack' || channel === 'error'),
      [],
    );
  });

  test("a stored event's frame carries id, scope, seq and at; no other frame carries any of them", async () => {
    const client = await server.customer('fields');
    const other = await server.admin();
    await client.ask('customer_message', send('hello'), 'k1');
    const { at: when, ...frame } = await other.next('CHAT_MESSAGE');
    assert.match(String(when), INSTANT);
    const said = { type: 'CHAT_MSG', dealerId: DEALER, groupId: 'fields', user: 'customer', muted: false, unread: 1 };
    const payload = { ...said, message: 'hello' };
    assert.deepEqual(
      { ...frame, payload: inVersion1(frame.payload) },
      { channel: 'CHAT_MESSAGE', payload, id: 'k1', scope: 'fields', seq: 1 },
    );
    await client.ask('typing', { type: 'TYPING', groupId: 'fields', typing: true });
    await client.ask('nonsense', {});
    assert.deepEqual(
      client.frames.map(({ channel }) => channel),
      ['session', 'ack', 'ack', 'error'],
    );
    for (const bare of [...client.frames, await other.next('TYPING')]) {
      assert.deepEqual(Object.keys(bare), ['channel', 'payload']);
    }
  });
});

describe('[P-2.4] unknown fields', () => {
  test('of an envelope and of a payload they are ignored, never forwarded, never stored', async () => {
    const client = await server.connect();
    const other = await server.admin();
    const stray = { hop: 1, scope: '@desk', seq: 99, at: 'now', ['__proto__']: 1, constructor: 'x' };
    const frames = [
      { channel: 'client_join', payload: clientJoin({ groupId: 'stray', ...stray }), id: 'j1', ...stray },
      { channel: 'customer_message', payload: send('hello', stray), id: 'k1', ...stray },
    ];
    for (const frame of frames) client.socket.send(JSON.stringify(frame));
    const event = await other.next('CHAT_MESSAGE');
    assert.deepEqual(Object.keys(event), ['channel', 'payload', 'id', 'scope', 'seq', 'at']);
    assert.deepEqual([event.id, event.scope, event.seq], ['k1', 'stray', 1]);
    const said = { type: 'CHAT_MSG', dealerId: DEALER, groupId: 'stray', user: 'customer', muted: false, unread: 1 };
    assert.deepEqual(inVersion1(event.payload), { ...said, message: 'hello' });
    const reader = await server.token('admin', 'a1');
    const log = await server.http('GET', `/v1/dealers/${DEALER}/scopes/stray/events`, { token: reader });
    assert.deepEqual(log.body.items, [event]);
  });
});

describe('[P-2.7] ids', () => {
  const bad = ['', 'x'.repeat(65), 'a b', 'a/b', 'a*', 'é', 'a\n', -1, 1.5, 2 ** 53, null, true, [], {}];
  const good = [
    { id: 'AZaz09._:@-', is: 'AZaz09._:@-' },
    { id: 'x'.repeat(64), is: 'x'.repeat(64) },
    { id: 0, is: '0' },
    { id: 42, is: '42' },
    { id: Number.MAX_SAFE_INTEGER, is: '9007199254740991' },
  ];

  for (const { field, values, join, channel } of [
    { field: 'dealerId', values: [...bad, '*'], join: clientJoin, channel: 'client_join' },
    { field: 'groupId', values: [...bad, '@desk', '@dealer', '@', '*'], join: clientJoin, channel: 'client_join' },
    { field: 'dealerId', values: [...bad, '*'], join: adminJoin, channel: 'admin_join' },
    { field: 'adminId', values: [...bad, '*'], join: adminJoin, channel: 'admin_join' },
    { field: 'dealerId', values: bad, join: serverJoin, channel: 'server_join' },
  ]) {
    test(`${channel} refuses what is no ${field}`, async () => {
      const client = await server.connect();
      const token = channel === 'client_join' ? {} : { token: 'unread' };
      for (const value of values) {
        const { code, details } = await client.ask(channel, join({ ...token, [field]: value }));
        const seen = [code, details?.length, details?.[0].path];
        assert.deepEqual(seen, ['invalid_payload', 1, `/${field}`], JSON.stringify(value));
      }
    });
  }

  for (const { id, is } of good) {
    test(`${JSON.stringify(id)} names a dealer, a group and an admin, and is sent as a string`, async () => {
      await server.store.putDealer(is, { origins: [] });
      const customer = await server.customer(undefined, { dealerId: id, groupId: id });
      assert.deepEqual([customer.session.dealerId, customer.session.groupId], [is, is]);
      const token = await server.token('admin', is, { dealer: is });
      const admin = await server.admin(undefined, { dealerId: id, adminId: id, token });
      assert.deepEqual([admin.session.dealerId, admin.session.adminId], [is, is]);
      const identity = { dealerId: id, groupId: id, adminId: id };
      const { scope } = await admin.ask('admin_message', send('hello', identity));
      assert.equal(scope, is);
      const { payload } = await customer.next('CHAT_MESSAGE');
      assert.deepEqual([payload.dealerId, payload.groupId, payload.adminId], [is, is, is]);
    });
  }

  test('a number and its decimal string are the same group', async () => {
    const customer = await server.customer('4711');
    const admin = await server.admin();
    await admin.ask('admin_message', send('hello', { groupId: 4711 }));
    assert.equal((await customer.next('CHAT_MESSAGE')).scope, '4711');
    const again = await server.customer(undefined, { groupId: 4711, token: customer.session.token });
    assert.deepEqual(again.session.seqs, { '4711': 2, '@dealer': 0 });
  });

  test('a groupId that begins with @ is refused from an admin and from another server', async () => {
    const admin = await server.admin();
    const other = await server.server();
    for (const groupId of ['@desk', '@dealer', '@x']) {
      const answers = [
        await admin.ask('admin_message', send('hello', { groupId })),
        await other.ask('event', send('hello', { groupId, user: 'bot' })),
      ];
      for (const { code, details } of answers) {
        assert.deepEqual([code, details[0].path], ['invalid_payload', '/groupId']);
      }
    }
  });
});
