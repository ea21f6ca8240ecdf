/** [P-12] Who must answer, as clients see it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TIMING } from '../../src/timing.ts';
import { DEALER, startServer, type TestServer } from '../support/server.ts';

const FAST = { settings: { AUTO_ASSIGN: 'on' }, timing: { ...TIMING, sweepInterval: 50 } };
const PATIENCE = { origins: ['*'], bot: true, answerWithin: { bot: 1, admin: 1 } };

let server: TestServer;
const start = async () => {
  server = await startServer(FAST);
  await server.store.putDealer(DEALER, PATIENCE);
};
const stop = () => server.close();

const says = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });
const botSays = (groupId: string) => says('bot', { groupId, user: 'bot' });

describe('[P-12.1] waiting', () => {
  before(start);
  after(stop);

  test('is told with every message, mute and close, in session and in the list', async () => {
    const [admin, crm] = [await server.admin(), await server.server()];
    const guest = await server.customer('w1');
    assert.equal(guest.session.waiting, null);
    const { at } = await guest.ask('customer_message', says('one'), 'k1');
    const { payload: said } = await admin.next('CHAT_MSG');
    assert.deepEqual(said.waiting, { since: at, for: 'bot' });
    await admin.ask('mute_bot', { type: 'MUTE_BOT', groupId: 'w1' });
    assert.deepEqual((await crm.next('MUTE_STATUS')).payload.waiting, { since: at, for: 'admin' });
    const token = await server.token('admin', 'a1');
    const list = await server.http('GET', `/v1/dealers/${DEALER}/groups`, { token });
    assert.deepEqual(list.body.items[0].waiting, { since: at, for: 'admin' });
    const again = await server.customer('w1', { token: guest.session.token });
    assert.deepEqual(again.session.waiting, { since: at, for: 'admin' });
    await admin.ask('admin_message', says('answer', { groupId: 'w1' }));
    assert.equal((await guest.next(({ payload }) => payload.message === 'answer')).payload.waiting, null);
    await admin.ask('close_chat', { type: 'CLOSE_CHAT', groupId: 'w1' });
    assert.equal((await guest.next('CLOSE_CHAT')).payload.waiting, null);
  });

  test('goes on where the customer has said more than what the bot answers, though the bot asks for a new time', async () => {
    const [crm, guest] = [await server.server(), await server.customer('w2')];
    const { seq: first, at } = await guest.ask('customer_message', says('one'), 'k1');
    const { seq: second } = await guest.ask('customer_message', says('two'), 'k2');
    const answers = async (replyTo: number | undefined) => {
      await crm.ask('event', { ...botSays('w2'), replyTo });
      return (await guest.next(({ payload }) => payload.user === 'bot')).payload.waiting;
    };
    assert.deepEqual(await answers(first), { since: at, for: 'bot' });
    assert.equal(await answers(second), null);
    await guest.ask('customer_message', says('three'), 'k3');
    assert.equal(await answers(undefined), null);
  });
});

describe('[P-12.2] OVERDUE', () => {
  before(start);
  after(stop);

  test('is told to the desk of the bot, then of an admin, each once, and to nobody else', async () => {
    const [admin, guest] = [await server.admin(), await server.customer('o1')];
    const { at } = await guest.ask('customer_message', says('hello'), 'k1');
    for (const side of ['bot', 'admin']) {
      const { channel, scope, payload } = await admin.next('OVERDUE');
      assert.deepEqual([channel, scope], ['CHAT_STATE', '@desk']);
      assert.deepEqual(payload, {
        type: 'OVERDUE',
        dealerId: DEALER,
        groupId: 'o1',
        user: 'customer',
        since: at,
        for: side,
      });
    }
    const { group } = await server.store.standing(DEALER, 'o1');
    assert.equal(group?.waitingFor, 'admin');
    assert.ok(!guest.frames.some(({ payload }) => payload.type === 'OVERDUE'));
  });

  test('is not told where the answer came first', async () => {
    const [admin, guest, bot] = [await server.admin(), await server.customer('o2'), await server.server()];
    await guest.ask('customer_message', says('hello'));
    await bot.ask('event', botSays('o2'));
    const late = await server.customer('o3');
    await late.ask('customer_message', says('hello'));
    await admin.next(({ payload }) => payload.type === 'OVERDUE' && payload.groupId === 'o3');
    assert.ok(!admin.frames.some(({ payload }) => payload.type === 'OVERDUE' && payload.groupId === 'o2'));
  });
});

describe('[P-12.3, P-12.4] assignment', () => {
  before(start);
  after(stop);

  test('of two agents who answer at once one is told, before anything is stored, and sees the other’s answer', async () => {
    const [alice, bob, guest] = [await server.admin('alice'), await server.admin('bob'), await server.customer('a1')];
    await guest.ask('customer_message', says('hello'));
    const answer = (message: string) => says(message, { groupId: 'a1', expectAssignee: null });
    const [one, other] = await Promise.all([
      alice.ask('admin_message', answer('from alice'), 'k1'),
      bob.ask('admin_message', answer('from bob'), 'k2'),
    ]);
    const [refusal] = [one, other].filter(({ channel }) => channel === 'error');
    assert.equal(refusal?.code, 'conflict');
    assert.equal([one, other].filter(({ channel }) => channel === 'ack').length, 1);
    const won = one.channel === 'ack' ? 'alice' : 'bob';
    const { channel, scope, payload } = await guest.next('ASSIGNED');
    assert.deepEqual([channel, scope], ['CHAT_STATE', 'a1']);
    assert.deepEqual(payload, {
      type: 'ASSIGNED',
      dealerId: DEALER,
      groupId: 'a1',
      adminId: won,
      assignee: won,
      reason: 'answered',
    });
    const token = await server.token('admin', 'carol');
    const { body } = await server.http('GET', `/v1/dealers/${DEALER}/scopes/a1/events`, { token });
    assert.deepEqual(
      body.items.map((item: { payload: { type: string } }) => item.payload.type),
      ['CHAT_MSG', 'ASSIGNED', 'MUTE_STATUS', 'CHAT_MSG'],
    );
    const group = await server.http('GET', `/v1/dealers/${DEALER}/groups/a1`, { token });
    assert.equal(group.body.assignee, won);
  });

  test('ASSIGN is an admin’s on its channel and a server’s event, and nobody else’s', async () => {
    const [admin, crm, guest] = [await server.admin('alice'), await server.server(), await server.customer('a2')];
    await admin.ask('assign', { type: 'ASSIGN', groupId: 'a2', assignee: 'bob', expect: null });
    assert.equal((await guest.next('ASSIGNED')).payload.assignee, 'bob');
    const late = await admin.ask('assign', { type: 'ASSIGN', groupId: 'a2', assignee: 'alice', expect: null });
    assert.equal(late.code, 'conflict');
    await crm.ask('event', { type: 'ASSIGN', groupId: 'a2', assignee: null, expect: 'bob' });
    assert.deepEqual((await guest.next('ASSIGNED')).payload.reason, 'asked');
    const refusal = await guest.ask('assign', { type: 'ASSIGN', assignee: 'eve' });
    assert.equal(refusal.channel, 'error');
    const broken = await admin.ask('assign', { type: 'ASSIGN', groupId: 'a2', assignee: 'no body' });
    assert.deepEqual([broken.code, broken.details[0].path], ['invalid_payload', '/assignee']);
  });
});

describe('[P-12.6, P-12.7] lists', () => {
  before(async () => {
    await start();
    await server.store.putDealer(DEALER, { origins: ['*'], bot: true });
  });
  after(stop);

  test('find who waits, for whom, and whose they are, and go on where a page ended', async () => {
    const [admin, crm] = [await server.admin('alice'), await server.server()];
    for (const groupId of ['l1', 'l2', 'l3', 'l4']) {
      const guest = await server.customer(groupId);
      await guest.ask('customer_message', says('hello'));
    }
    await admin.ask('mute_bot', { type: 'MUTE_BOT', groupId: 'l2' });
    await admin.ask('admin_message', says('answer', { groupId: 'l3' }));
    await admin.ask('read', { type: 'READ', groupId: 'l3', seq: 2 });
    const found = async (query: string, adminId = 'alice') => {
      const token = server.token('admin', adminId);
      const { body } = await server.http('GET', `/v1/dealers/${DEALER}/groups?${query}`, { token });
      return body;
    };
    const names = async (query: string) =>
      (await found(query)).items.map(({ groupId }: { groupId: string }) => groupId).sort();
    assert.deepEqual(await names('waiting=bot'), ['l1', 'l4']);
    assert.deepEqual(await names('waiting=admin'), ['l2']);
    assert.deepEqual(await names('waiting=any'), ['l1', 'l2', 'l4']);
    assert.deepEqual(await names('waiting=none'), ['l3']);
    assert.deepEqual(await names('assignee=alice'), ['l3']);
    assert.deepEqual(await names('assignee=none'), ['l1', 'l2', 'l4']);
    assert.deepEqual(await names('overdue=true'), []);
    assert.deepEqual(await names('overdue=false'), ['l1', 'l2', 'l3', 'l4']);
    const first = await found('order=waiting&limit=2');
    const rest = await found(`order=waiting&limit=2&cursor=${encodeURIComponent(first.next)}`);
    const order = [...first.items, ...rest.items].map(({ groupId }: { groupId: string }) => groupId);
    assert.deepEqual([order, rest.next], [['l1', 'l2', 'l4'], null]);
    const read = async (adminId: string) =>
      (await found('waiting=none', adminId)).items.map(({ readByMe }: { readByMe: number }) => readByMe);
    assert.deepEqual([await read('alice'), await read('bob')], [[2], [0]]);
    assert.equal((await crm.ask('event', { type: 'HANDOFF', groupId: 'l1', reason: 'a price' })).channel, 'ack');
    const { scope, payload } = await admin.next('HANDOFF');
    assert.deepEqual([scope, payload.user, payload.reason, payload.waiting.for], ['@desk', 'bot', 'a price', 'admin']);
  });
});
