/** [P-19.2] Pages and desks of 2019 on Socket.IO, by the client that they have. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { startServer, type TestServer, withServer } from '../../support/server.ts';
import { asked, closeClients, connected, type IoSocket, ioClient, told } from '../../support/socketio.ts';
import { DEALER, PAYLOADS, page } from '../../support/telle2019.ts';

const DESKS = `${DEALER}=127.0.0.0/8`;

let server: TestServer;
let at: string;
before(async () => {
  server = await startServer({ settings: { SOCKET_IO: 'on', DIALECT: 'telle2019', DIALECT_DESKS: DESKS } });
  for (const dealerId of [DEALER, 'elsewhere']) await server.store.putDealer(dealerId, { origins: ['*'] });
  at = await server.listen();
});
after(() => server.close());
afterEach(closeClients);

async function open(): Promise<IoSocket> {
  const client = ioClient('2.5', at);
  await connected(client);
  return client;
}

const emit = (client: IoSocket, event: string, payload: object) => client.emit(event, JSON.stringify(payload));
/** The next event of a name, which has one argument: JSON as text. */
async function heard(client: IoSocket, event: string): Promise<Record<string, unknown>> {
  const values = await told(client, event);
  assert.equal(values.length, 1, event);
  assert.equal(typeof values[0], 'string', event);
  return JSON.parse(String(values[0]));
}

const join = (groupId: string, dealerId: unknown = DEALER) => ({
  ...{ type: 'CLIENT_JOIN', dealerId, groupId, user: 'customer', online: true },
});
const says = (groupId: string, text: string, more: object = {}) => ({
  ...PAYLOADS.customer,
  ...{ groupId, message: page(text), uid: `u-${text}` },
  ...more,
});
async function joined(groupId: string, dealerId: unknown = DEALER): Promise<IoSocket> {
  const client = await open();
  const session = heard(client, 'session');
  emit(client, 'client_join', join(groupId, dealerId));
  await session;
  return client;
}

async function desk(adminId = '15'): Promise<IoSocket> {
  const client = await open();
  const session = heard(client, 'session');
  emit(client, 'admin_join', { type: 'ADMIN_JOIN', dealerId: DEALER, adminId, user: 'admin', online: true });
  assert.equal((await session).adminId, adminId);
  return client;
}

describe('[P-19.2] a page of 2019', () => {
  test('is told ON_CONNECTION when it is connected', async () => {
    const client = ioClient('2.5', at);
    assert.deepEqual(await told(client, 'ON_CONNECTION'), ['connected']);
    assert.deepEqual(await told(ioClient('4.8', at), 'ON_CONNECTION'), ['connected']);
  });

  test('hears its own message as it has said it, and knows it by its uid', async () => {
    const client = await joined('own-echo');
    const echo = heard(client, 'CHAT_MESSAGE');
    emit(client, 'customer_message', says('own-echo', 'hi'));
    const { timestamp, ...said } = await echo;
    const { timestamp: _, ...words } = says('own-echo', 'hi');
    assert.deepEqual(said, { ...words, type: 'CHAT_MSG' });
    assert.match(String(timestamp), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/);
  });

  test('is answered in its callback, too', async () => {
    const client = await joined('callback');
    const echo = heard(client, 'CHAT_MESSAGE');
    const ack = await asked(client, 'customer_message', JSON.stringify(says('callback', 'hi')));
    const { id, seq, duplicate } = JSON.parse(String(ack));
    assert.deepEqual({ id, seq, duplicate }, { id: 'u-hi', seq: 1, duplicate: false });
    assert.equal((await echo).uid, 'u-hi');
    const { error } = JSON.parse(String(await asked(client, 'customer_message', '{"type":')));
    assert.equal(error.code, 'bad_frame');
  });

  test('has its numbers back, and another its texts', async () => {
    const bot = await server.server(DEALER);
    const [numbers, texts] = [await joined('2019', Number(DEALER)), await joined('texts')];
    for (const [client, groupId, dealerId] of [
      [numbers, '2019', Number(DEALER)],
      [texts, 'texts', DEALER],
    ] as const) {
      const message = heard(client, 'CHAT_MESSAGE');
      await bot.ask('event', { type: 'UPDATE_MSG', groupId, user: 'bot', message: 'Hello.' });
      const said = await message;
      assert.deepEqual([said.dealerId, said.groupId], [dealerId, groupId]);
      assert.deepEqual(said.message, [{ text: { text: ['Hello.'] } }]);
      const muted = heard(client, 'MUTE_STATE');
      await bot.ask('event', { type: 'MUTE_BOT', groupId, adminId: '15' });
      assert.equal((await muted).dealerId, dealerId);
    }
  });

  test('joins by writing, where it has not joined', async () => {
    const client = await open();
    const echo = heard(client, 'CHAT_MESSAGE');
    emit(client, 'customer_message', says('implicit', 'hi'));
    assert.equal((await echo).uid, 'u-hi');
    const answer = heard(client, 'CHAT_MESSAGE');
    const bot = await server.server(DEALER);
    await bot.ask('event', { type: 'UPDATE_MSG', groupId: 'implicit', user: 'bot', message: 'Hello.' });
    assert.equal((await answer).user, 'bot');
  });

  test('that writes as somebody else is refused, and the group that it names is not joined', async () => {
    await joined('taken');
    const client = await open();
    const close = heard(client, 'telle_close');
    emit(client, 'customer_message', says('taken', 'hi'));
    assert.deepEqual(await close, { code: 4401, reason: 'unauthorized' });
  });

  test('is told what is wrong with what it says', async () => {
    const client = await joined('wrong');
    const error = heard(client, 'telle_error');
    emit(client, 'customer_message', says('wrong', '', { uid: 'u1' }));
    const { id, code, message } = await error;
    assert.deepEqual(
      [id, code, message],
      ['u1', 'invalid_payload', 'message: expected text of 1 to 4000 characters, got a string of length 0'],
    );
    const echo = heard(client, 'CHAT_MESSAGE');
    emit(client, 'customer_message', says('wrong', 'right', { uid: 'u1' }));
    assert.equal((await echo).uid, 'u1');
  });
});

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('[P-19.2] a payload that is nested without end', () => {
  for (const [what, text] of [
    ['its message', `{"type":"UPDATE_MSG","dealerId":"${DEALER}","groupId":"deep","message":${nested(8000)}}`],
    ['beside its message', `{"type":"UPDATE_MSG","message":"hi","uid":"u1","more":${nested(8000)}}`],
    ['inside a page’s object', `{"type":"UPDATE_MSG","message":{"data":{"text":"hi"},"more":${nested(500)}}}`],
    ['its record', `{"type":"UPDATE_USER_PV","message":{"page":${nested(8000)}}}`],
  ] as const)
    test(`is refused in words, and the socket goes on: ${what}`, async () => {
      const client = await joined(`deep-${what.length}`);
      const error = heard(client, 'telle_error');
      client.emit('customer_message', text);
      const { code, message } = await error;
      assert.deepEqual([code, message], ['bad_frame', 'the payload is nested deeper than 32']);
      const echo = heard(client, 'CHAT_MESSAGE');
      emit(client, 'customer_message', says(`deep-${what.length}`, 'hi'));
      assert.equal((await echo).uid, 'u-hi');
    });

  test('is refused where it is no text, too', async () => {
    const client = ioClient('4.8', at);
    await connected(client);
    const error = told(client, 'telle_error');
    client.io.engine.send(`2["customer_message",${nested(8000)}]`);
    assert.equal(Object((await error)[0]).code, 'bad_frame');
  });
});

describe('[P-19.2] a desk of 2019', () => {
  test('hears who is online, what is said, that bots are muted, and of leads', async () => {
    const alice = await desk();
    const online = heard(alice, 'CHAT_STATUS');
    const widget = await joined('desk-1');
    const { timestamp, ...status } = await online;
    assert.deepEqual(status, {
      type: 'CHAT_STATUS',
      dealerId: DEALER,
      groupId: 'desk-1',
      user: 'customer',
      online: true,
    });
    assert.match(String(timestamp), /^\d{4}-/);
    const message = heard(alice, 'CHAT_MESSAGE');
    emit(widget, 'customer_message', says('desk-1', 'hi'));
    assert.deepEqual((await message).message, page('hi'));
    const lead = heard(alice, 'LEADS_NOTIFICATION');
    emit(widget, 'customer_update', { ...PAYLOADS.lead, groupId: 'desk-1' });
    assert.deepEqual(await lead, {
      ...{ type: 'LEADS_NOTIFICATION', dealerId: DEALER, groupId: 'desk-1', customer: 'Ada', department: 'sales' },
    });
  });

  test('says everything that it can, and the page hears it', async () => {
    const [alice, widget] = [await desk(), await joined('desk-2')];
    const by = { dealerId: DEALER, adminId: '15', groupId: 'desk-2' };
    const steps = [
      ['mute_bot', { type: 'MUTE_BOT', ...by, muted: true }, 'MUTE_STATE', { muted: true, adminId: '15' }],
      ['admin_message', { ...PAYLOADS.admin, ...by }, 'CHAT_MESSAGE', { user: 'admin', message: page('This is Ann.') }],
      ['unmute_bot', { type: 'MUTE_BOT', ...by, muted: false }, 'MUTE_STATE', { muted: false, adminId: '15' }],
      ['mute_bot', { type: 'MUTE_BOT', ...by, muted: true }, 'MUTE_STATE', { muted: true }],
      ['unmute_bot', { type: 'MUTE_BOT', ...by }, 'MUTE_STATE', { muted: false }],
      ['end_session', { type: 'CLOSE_CHAT', ...by, close: true }, 'CLOSE_CHAT', { close: true, user: 'admin' }],
    ] as const;
    for (const [event, payload, hears, expected] of steps) {
      const hearing = heard(widget, hears);
      emit(alice, event, payload);
      const said = await hearing;
      assert.deepEqual({ ...said, ...expected }, said, event);
    }
  });

  test('goes on by writing after a reconnect', async () => {
    const widget = await joined('desk-3');
    const alice = await open();
    const message = heard(widget, 'CHAT_MESSAGE');
    emit(alice, 'admin_message', { ...PAYLOADS.admin, groupId: 'desk-3' });
    assert.equal((await message).adminId, '15');
  });

  test('without a token is an admin of its own dealer alone, and with one of whichever that says', async () => {
    const elsewhere = { type: 'ADMIN_JOIN', dealerId: 'elsewhere', adminId: '15' };
    const alice = await open();
    const close = heard(alice, 'telle_close');
    emit(alice, 'admin_join', elsewhere);
    assert.deepEqual(await close, { code: 4401, reason: 'unauthorized' });
    const bob = await open();
    const session = heard(bob, 'session');
    emit(bob, 'admin_join', { ...elsewhere, token: server.token('admin', '15', { dealer: 'elsewhere' }) });
    assert.equal((await session).dealerId, 'elsewhere');
  });

  test('is nobody without a token, unless its network is that of its dealer', () =>
    withServer({ settings: { SOCKET_IO: 'on', DIALECT: 'telle2019' } }, async (other) => {
      const client = ioClient('2.5', await other.listen());
      await connected(client);
      const close = heard(client, 'telle_close');
      emit(client, 'admin_join', { type: 'ADMIN_JOIN', dealerId: 'd1', adminId: '15' });
      assert.deepEqual(await close, { code: 4401, reason: 'unauthorized' });
    }));
});

describe('[P-19.2] a client of today beside them', () => {
  test('hears and says what it did, though it is told ON_CONNECTION', async () => {
    const client = ioClient('4.8', at);
    await connected(client);
    const session = told(client, 'session');
    client.emit('client_join', join('today'));
    await session;
    const bot = await server.server(DEALER);
    const message = told(client, 'CHAT_MESSAGE');
    await bot.ask('event', { type: 'UPDATE_MSG', groupId: 'today', user: 'bot', message: 'Hello.' });
    const [payload, place] = await message;
    assert.equal(Object(payload).message, 'Hello.');
    assert.equal(Object(place).seq, 1);
    const ack = Object(await asked(client, 'customer_message', { type: 'UPDATE_MSG', message: 'hi' }));
    assert.equal(ack.seq, 2);
  });

  test('a server says any of the payloads of 2019 on its own channel', async () => {
    const client = await open();
    const session = heard(client, 'session');
    const token = server.token('server', 'old-bot', { dealer: DEALER });
    emit(client, 'server_join', { type: 'SERVER_JOIN', dealerId: DEALER, token });
    await session;
    for (const payload of Object.values(PAYLOADS)) {
      const ack = JSON.parse(String(await asked(client, 'event', JSON.stringify(payload))));
      assert.ok(ack.seq > 0, JSON.stringify([payload, ack]));
    }
  });
});
