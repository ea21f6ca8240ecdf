/** [P-5] What each side may send. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Kind } from '@sinclair/typebox';
import { SENDS } from '../../schemas/table.ts';
import { DEALER, startServer, type TestServer } from '../support/server.ts';
import { inVersion1 } from '../support/version-one.ts';

type Role = 'customer' | 'admin' | 'server';
interface Payload {
  readonly type: string;
  readonly [field: string]: unknown;
}
interface Case {
  readonly role: Role;
  readonly channel: string;
  /** All but the identity, which the session fills in. */
  readonly payload: Payload;
  /** The scope of its ack [P-7]; null: it has no seq. */
  readonly scope: string | null;
}

const GROUP = 'g1';
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const by =
  (role: Role) =>
  (channel: string, payload: Payload, scope: string | null): Case => ({ role, channel, payload, scope });
const customer = by('customer');
const admin = by('admin');

/** The table of section 5, row by row. */
const CASES: readonly Case[] = [
  customer('customer_message', { type: 'UPDATE_MSG', message: 'hello' }, GROUP),
  customer('customer_update', { type: 'UPDATE_USER', message: { name: 'Ann' } }, '@desk'),
  customer('customer_update', { type: 'UPDATE_PAGEVIEW', message: { url: 'https://a.example/' } }, '@desk'),
  customer('customer_update', { type: 'UPDATE_LEAD', message: { status: 'new' } }, '@desk'),
  customer('customer_update', { type: 'CREATE_LEAD_INTENT', message: { intent: 'buy' } }, '@desk'),
  customer('customer_update', { type: 'UPDATE_LEAD_INTENT', message: { intent: 'buy' } }, '@desk'),
  customer('typing', { type: 'TYPING', groupId: GROUP, typing: true }, null),
  customer('read', { type: 'READ', groupId: GROUP, seq: 1 }, null),
  customer('close_chat', { type: 'CLOSE_CHAT' }, GROUP),
  admin('admin_message', { type: 'UPDATE_MSG', groupId: GROUP, message: 'hello' }, GROUP),
  admin('mute_bot', { type: 'MUTE_BOT', groupId: GROUP }, GROUP),
  admin('mute_bot', { type: 'UNMUTE_BOT', groupId: GROUP }, GROUP),
  admin('assign', { type: 'ASSIGN', groupId: GROUP, assignee: 'a2' }, GROUP),
  admin('sys_message', { type: 'SYS_MSG', message: 'closed on Sunday' }, '@dealer'),
  admin('admin_update', { type: 'UPDATE_USER', groupId: GROUP, message: { name: 'Ann' } }, '@desk'),
  admin('admin_update', { type: 'UPDATE_LEAD', groupId: GROUP, message: { status: 'new' } }, '@desk'),
  admin('admin_update', { type: 'CREATE_LEAD_INTENT', groupId: GROUP, message: { intent: 'buy' } }, '@desk'),
  admin('admin_update', { type: 'UPDATE_LEAD_INTENT', groupId: GROUP, message: { intent: 'buy' } }, '@desk'),
  admin('chat_state', { type: 'UPDATE_CHAT', groupId: GROUP, online: true }, GROUP),
  admin('typing', { type: 'TYPING', groupId: GROUP, typing: false }, null),
  admin('read', { type: 'READ', groupId: GROUP, seq: 1 }, null),
  admin('close_chat', { type: 'CLOSE_CHAT', groupId: GROUP }, GROUP),
];
const ROLES: readonly Role[] = ['customer', 'admin', 'server'];
const A = { customer: 'a customer', admin: 'an admin', server: 'another server' };
const OWN: Readonly<Record<Role, readonly string[]>> = {
  customer: ['customer_message', 'customer_update', 'close_chat', 'typing', 'read'],
  admin: [
    ...['admin_message', 'mute_bot', 'close_chat', 'sys_message', 'admin_update', 'chat_state', 'typing', 'read'],
    'assign',
  ],
  server: ['event'],
};

let server: TestServer;

/** A server whose group `g1` has an event, so that there is something to read. */
async function start() {
  server = await startServer({ settings: { RATE_LIMIT: 'off' }, timing: { closeTimeout: 5 } });
  const first = await server.customer(GROUP, { token: await server.token('customer', GROUP) });
  await first.ask('customer_message', { type: 'UPDATE_MSG', message: 'hello' });
  await first.close();
}

/** A socket that has joined as `a1`, as the customer of `g1`, or as `crm`. */
async function joined(role: Role) {
  if (role === 'admin') return server.admin('a1');
  if (role === 'server') return server.server();
  return server.customer(GROUP, { token: await server.token('customer', GROUP) });
}

const tails = () => server.store.tails(DEALER, [GROUP, '@dealer', '@desk']);

describe('[P-5] channels', () => {
  before(start);
  after(() => server.close());

  for (const { role, channel, payload, scope } of CASES) {
    test(`${A[role]} sends ${payload.type} on ${channel} and is acked`, async () => {
      const socket = await joined(role);
      const id = `${channel}:${payload.type}`;
      const { at, seq, ...ack } = await socket.ask(channel, payload, id);
      if (scope === null) {
        assert.deepEqual({ ...ack, at, seq }, { channel: 'ack', id, at: undefined, seq: undefined });
      } else {
        assert.deepEqual(ack, { channel: 'ack', id, scope, duplicate: false });
        assert.match(at, INSTANT);
        assert.equal(seq, (await tails()).get(scope));
      }
      await socket.close();
    });
  }

  test('these rows are all that customers and admins may send', () => {
    const byHand = CASES.map(({ role, channel, payload }) => `${role} ${channel} ${payload.type}`);
    const inTable = [SENDS.customer, SENDS.admin].flatMap((channels, index) =>
      Object.entries(channels).flatMap(([channel, schemas]) =>
        schemas.map(({ properties }) => `${ROLES[index]} ${channel} ${properties.type.const}`),
      ),
    );
    assert.deepEqual(inTable.sort(), byHand.sort());
    assert.deepEqual(Object.keys(SENDS.server), ['event']);
  });

  for (const role of ROLES) {
    test(`${A[role]} is forbidden every channel of another role, and told that an unknown one is unknown`, async () => {
      const socket = await joined(role);
      const others = ROLES.flatMap((other) => OWN[other]).filter((channel) => !OWN[role].includes(channel));
      assert.ok(others.length >= 3);
      for (const channel of others) {
        const { code, retryable } = await socket.ask(channel, { type: 'UPDATE_MSG', groupId: GROUP, message: 'hello' });
        assert.deepEqual({ channel, code, retryable }, { channel, code: 'forbidden', retryable: false });
      }
      for (const channel of ['CHAT_MESSAGE', 'constructor', '__proto__', 'Ping', '']) {
        const { code, retryable } = await socket.ask(channel, {});
        assert.deepEqual({ channel, code, retryable }, { channel, code: 'unknown_channel', retryable: false });
      }
      await socket.close();
    });

    test(`${A[role]} may ping, and refresh its token`, async () => {
      const socket = await joined(role);
      const sub = { customer: GROUP, admin: 'a1', server: 'crm' }[role];
      assert.deepEqual(await socket.ask('ping', {}, 'p1'), { channel: 'ack', id: 'p1' });
      assert.deepEqual((await socket.next('pong')).payload, {});
      const token = await server.token(role, sub);
      assert.deepEqual(await socket.ask('refresh', { token }, 'r1'), { channel: 'ack', id: 'r1' });
      await socket.close();
    });
  }
});

describe('[P-5] identity', () => {
  before(start);
  after(() => server.close());

  test('absent, it is filled in from the session', async () => {
    const [witness, guest, agent] = [await server.server(), await joined('customer'), await joined('admin')];
    guest.send('customer_message', { type: 'UPDATE_MSG', message: 'mine' });
    const said = { type: 'CHAT_MSG', dealerId: DEALER, groupId: GROUP };
    const { payload: byCustomer } = await witness.next('CHAT_MSG');
    assert.deepEqual(inVersion1(byCustomer), { ...said, user: 'customer', muted: false, unread: 2, message: 'mine' });
    agent.send('admin_message', { type: 'UPDATE_MSG', groupId: GROUP, message: 'ours' });
    const { payload: byAdmin } = await witness.next('CHAT_MSG');
    assert.deepEqual(inVersion1(byAdmin), {
      ...said,
      adminId: 'a1',
      user: 'admin',
      muted: true,
      unread: 0,
      message: 'ours',
    });
  });

  test('given as the session has it, it is taken, an integer as its decimal string', async () => {
    await server.store.putDealer('7', { origins: ['*'] });
    const guest = await server.customer('42', { dealerId: 7 });
    const identity = { dealerId: 7, groupId: 42, user: 'customer' };
    guest.send('customer_message', { type: 'UPDATE_MSG', ...identity, message: 'hello' });
    const { dealerId, groupId, user } = (await guest.next('CHAT_MSG')).payload;
    assert.deepEqual({ dealerId, groupId, user }, { dealerId: '7', groupId: '42', user: 'customer' });
  });

  const others: Readonly<Record<Role, readonly object[]>> = {
    customer: [{ dealerId: 'd2' }, { groupId: 'g2' }, { groupId: 1 }, { user: 'admin' }, { user: 'bot' }],
    admin: [{ dealerId: 'd2' }, { adminId: 'a2' }, { adminId: 1 }, { user: 'customer' }, { user: 'bot' }],
    server: [{ dealerId: 'd2' }, { dealerId: 1 }],
  };
  for (const role of ROLES) {
    test(`another than ${A[role]}'s own is forbidden on every channel, and nothing happens`, async () => {
      const [socket, witness] = [await joined(role), await server.server()];
      await witness.settled();
      const [stood, seen] = [await tails(), witness.frames.length];
      const said: Payload = { type: 'UPDATE_MSG', user: 'bot', groupId: GROUP, message: 'hello' };
      const rows = CASES.filter((row) => row.role === role);
      for (const { channel, payload } of role === 'server' ? [{ channel: 'event', payload: said }] : rows) {
        for (const other of others[role]) {
          const { code } = await socket.ask(channel, { ...payload, ...other });
          assert.deepEqual({ channel, ...other, code }, { channel, ...other, code: 'forbidden' });
        }
      }
      await witness.settled();
      assert.deepEqual(await tails(), stood);
      assert.deepEqual(witness.frames.slice(seen), [{ channel: 'pong', payload: {} }]);
    });
  }
});

describe('[P-5] what is not believed', () => {
  before(start);
  after(() => server.close());

  test('muted, unread and online as a client says them are replaced by the true ones', async () => {
    const [witness, agent] = [await server.server(), await joined('admin')];
    const lies = { muted: true, unread: 99, online: false };
    const guest = await server.customer('liar', { online: false });
    const arrival = { type: 'UPDATE_GROUP', dealerId: DEALER, groupId: 'liar', user: 'customer', online: true };
    assert.deepEqual((await witness.next('UPDATE_GROUP')).payload, arrival);
    const at = { dealerId: DEALER, groupId: 'liar' };
    guest.send('customer_message', { type: 'UPDATE_MSG', ...lies, message: 'a' });
    const said = { type: 'CHAT_MSG', ...at, user: 'customer', muted: false, unread: 1, message: 'a' };
    assert.deepEqual(inVersion1((await witness.next('CHAT_MSG')).payload), said);
    agent.send('mute_bot', { type: 'MUTE_BOT', ...at, muted: 0 });
    const muted = { type: 'MUTE_STATUS', ...at, adminId: 'a1', muted: true };
    assert.deepEqual(inVersion1((await witness.next('MUTE_STATUS')).payload), muted);
    agent.send('admin_message', { type: 'UPDATE_MSG', ...at, muted: false, unread: 5, message: 'b' });
    const answered = { type: 'CHAT_MSG', ...at, adminId: 'a1', user: 'admin', muted: true, unread: 0, message: 'b' };
    assert.deepEqual(inVersion1((await witness.next('CHAT_MSG')).payload), answered);
    agent.send('mute_bot', { type: 'UNMUTE_BOT', ...at, muted: 1 });
    assert.deepEqual(inVersion1((await witness.next('MUTE_STATUS')).payload), { ...muted, muted: false });
    agent.send('sys_message', { type: 'SYS_MSG', dealerId: DEALER, muted: false, unread: 5, message: 'c' });
    const told = { type: 'SYS_MSG', dealerId: DEALER, adminId: 'a1', user: 'admin', muted: true, unread: 0 };
    assert.deepEqual((await witness.next('SYS_MSG')).payload, { ...told, message: 'c' });
  });

  test('an adminId that a customer sends says nothing, whatever it is', async () => {
    const guest = await server.customer('guest');
    for (const adminId of ['a1', 7, null, { a: 1 }]) {
      guest.send('customer_message', { type: 'UPDATE_MSG', adminId, message: 'a' });
      assert.ok(!('adminId' in (await guest.next('CHAT_MSG')).payload));
    }
  });
});

describe('[P-5] faults of a payload', () => {
  before(start);
  after(() => server.close());

  for (const { role, channel, payload } of CASES) {
    test(`each field of ${A[role]}'s ${payload.type} on ${channel} is refused by path, rule and kind`, async () => {
      const socket = await joined(role);
      const schema = SENDS[role][channel]?.find(({ properties }) => properties.type.const === payload.type);
      // What a customer says of an admin is not looked at, nor what is not believed: see below.
      const exempt = ['type', ...(role === 'customer' ? ['adminId'] : [])];
      const isLookedAt = (field: string) => !['Unknown', 'Not'].includes(schema?.properties[field][Kind]);
      const fields = Object.keys(schema?.properties ?? {}).filter(
        (field) => !exempt.includes(field) && isLookedAt(field),
      );
      assert.ok(fields.length >= 2);
      for (const field of fields) {
        const { code, details } = await socket.ask(channel, { ...payload, [field]: ['sekret'] });
        assert.equal(code, 'invalid_payload', field);
        assert.deepEqual(Object.keys(details[0]), ['path', 'message']);
        assert.deepEqual([details.length, details[0].path], [1, `/${field}`]);
        assert.match(details[0].message, /^expected [^,]+.*, got an array of 1$/);
      }
      assert.ok(!socket.texts.some((text) => text.includes('sekret')));
      await socket.close();
    });

    test(`${A[role]} is refused another type than ${payload.type} on ${channel} with the path /type`, async () => {
      const socket = await joined(role);
      for (const type of ['NO_SUCH_TYPE', 'CLIENT_JOIN', undefined, null, [payload.type]]) {
        const { code, details } = await socket.ask(channel, { ...payload, type });
        assert.deepEqual([code, details.length, details[0].path], ['invalid_payload', 1, '/type']);
        assert.match(details[0].message, new RegExp(`^expected one of .*${payload.type}`));
      }
      await socket.close();
    });
  }

  const say = { type: 'UPDATE_MSG', groupId: GROUP };
  /** Channel, payload, and what is told: the path, the rule and the kind. */
  const faults: readonly (readonly [string, Payload, string, string])[] = [
    ['admin_message', { ...say }, '/message', 'required'],
    ['admin_message', { ...say, message: '' }, '/message', 'text of 1 to 4000 characters, got a string of length 0'],
    ['admin_message', { ...say, message: 'sekret'.repeat(700) }, '/message', 'got a string of length 4200'],
    ['admin_message', { type: 'UPDATE_MSG', message: 'a' }, '/groupId', 'required'],
    ['admin_message', { ...say, groupId: '@desk', message: 'a' }, '/groupId', 'not beginning with @'],
    ['admin_message', { ...say, groupId: 'sekret sekret', message: 'a' }, '/groupId', 'got a string of length 13'],
    ['admin_message', { ...say, groupId: -1, message: 'a' }, '/groupId', 'non-negative integer, got an integer'],
    ['typing', { type: 'TYPING', groupId: GROUP, typing: 'sekret' }, '/typing', 'boolean, got a string of length 6'],
    ['read', { type: 'READ', groupId: GROUP, seq: 0 }, '/seq', 'greater or equal to 1, got an integer'],
    [
      'close_chat',
      { type: 'CLOSE_CHAT', groupId: GROUP, close: false },
      '/close',
      'expected anything but false: CLOSE_CHAT closes, got a boolean',
    ],
    ['chat_state', { type: 'UPDATE_CHAT', online: true }, '/groupId', 'required'],
  ];
  test('the path, the rule and the kind are told, and never the value', async () => {
    const agent = await joined('admin');
    for (const [channel, payload, path, told] of faults) {
      const { code, details } = await agent.ask(channel, payload);
      assert.deepEqual([code, details.length, details[0].path], ['invalid_payload', 1, path], told);
      assert.ok(details[0].message.includes(told), `${details[0].message} should say ${told}`);
    }
    assert.ok(!agent.texts.some((text) => text.includes('sekret')));
  });

  test('several faults are told at once', async () => {
    const agent = await joined('admin');
    const { details } = await agent.ask('read', { type: 'READ', groupId: {}, seq: 'x' });
    assert.deepEqual(details.map(({ path }: { path: string }) => path).sort(), ['/groupId', '/seq']);
  });

  test('an admin who names a group that does not exist is told unknown_group, wherever it may name one', async () => {
    const agent = await joined('admin');
    for (const { channel, payload } of CASES.filter(({ role, payload }) => role === 'admin' && 'groupId' in payload)) {
      const { code } = await agent.ask(channel, { ...payload, groupId: 'nobody' });
      assert.deepEqual([channel, code], [channel, 'unknown_group']);
    }
    assert.equal((await server.store.standing(DEALER, 'nobody')).group, null);
  });
});
