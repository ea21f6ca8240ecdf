/** [P-1, P-7.1, P-7.2] Scopes, and the payloads delivered in them, field by field as the seeds have them. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DEALER, startServer, type TestServer } from '../support/server.ts';
import { inVersion1 } from '../support/version-one.ts';

let server: TestServer;
const start = async () => {
  server = await startServer({ settings: { RATE_LIMIT: 'off' }, timing: { closeTimeout: 5 } });
};
const stop = () => server.close();
const say = (groupId: string, message = 'hello') => ({ type: 'UPDATE_MSG', groupId, message });

describe('[P-1] scopes', () => {
  before(start);
  after(stop);

  test('a group of the same name at two dealers is two, each with its own log and state', async () => {
    await server.store.putDealer('d2', { origins: ['*'] });
    const [here, there] = [await server.customer('same'), await server.customer('same', { dealerId: 'd2' })];
    for (const [guest, seq] of [
      [here, 1],
      [there, 1],
      [here, 2],
    ] as const) {
      assert.equal((await guest.ask('customer_message', say('same'))).seq, seq);
    }
    const everywhere = await server.server('*');
    await everywhere.ask('event', { type: 'MUTE_BOT', dealerId: 'd2', groupId: 'same', adminId: 'a1' });
    const standings = await Promise.all([DEALER, 'd2'].map((dealerId) => server.store.standing(dealerId, 'same')));
    const states = standings.map(({ group }) => [group?.unread, group?.mutedBy]);
    assert.deepEqual(states, [
      [2, null],
      [1, 'a1'],
    ]);
  });

  test('a customer sees all of its group and of @dealer, and nothing of @desk', async () => {
    const [guest, crm, agent] = [await server.customer('all'), await server.server(), await server.admin()];
    await agent.ask('chat_state', { type: 'UPDATE_CHAT', groupId: 'all', online: true });
    await crm.ask('event', { type: 'SYS_MSG', adminId: 'a1', message: 'hello' });
    await crm.ask('event', { type: 'UPDATE_USER', groupId: 'all', message: { name: 'Ann' } });
    await crm.ask('event', { ...say('all'), user: 'bot' });
    const back = await server.customer('all', {
      token: guest.session.token,
      since: { all: 0, '@dealer': 0, '@desk': 0 },
    });
    assert.deepEqual(back.session.recovered, { all: true, '@dealer': true, '@desk': false });
    for (const client of [guest, back]) {
      await client.settled();
      const scopes = client.frames.flatMap(({ scope }) => scope ?? []);
      assert.deepEqual(scopes.sort(), ['@dealer', 'all', 'all']);
    }
  });
});

describe('[P-7.2] the six channels of the first seed', () => {
  before(start);
  after(stop);

  /** What the seed calls dealerId, groupId, adminId, message. */
  const [dealerId, adminId, message] = [DEALER, 'a1', 'Is the blue one still there?'];

  test('client_join is taken as the seed has it, and is an UPDATE_GROUP for admins', async () => {
    const desk = await server.server();
    const guest = await server.connect();
    const join = { type: 'CLIENT_JOIN', dealerId, groupId: 'join', user: 'customer', online: true };
    guest.send('client_join', join);
    const { role, groupId } = (await guest.next('session')).payload;
    assert.deepEqual({ role, groupId }, { role: 'customer', groupId: 'join' });
    const { channel, scope, payload } = await desk.next('UPDATE_GROUP');
    assert.deepEqual([channel, scope, payload], ['CHAT_STATE', '@desk', { ...join, type: 'UPDATE_GROUP' }]);
  });

  test('customer_message is taken as the seed has it, and is a CHAT_MSG on CHAT_MESSAGE', async () => {
    const groupId = 'said';
    const [guest, desk] = [await server.customer(groupId), await server.admin()];
    const sent = { dealerId, groupId, user: 'customer', adminId, muted: false, unread: 0, message };
    guest.send('customer_message', { type: 'UPDATE_MSG', ...sent });
    const { channel, payload } = await desk.next('CHAT_MSG');
    const told = { type: 'CHAT_MSG', dealerId, groupId, user: 'customer', muted: false, unread: 1, message };
    assert.deepEqual([channel, inVersion1(payload)], ['CHAT_MESSAGE', told]);
  });

  test('CHAT_MESSAGE names the admin who speaks, and nobody where the bot does', async () => {
    const groupId = 'answered';
    const [guest, crm] = [await server.customer(groupId), await server.server()];
    for (const [by, muted] of [
      [{ user: 'bot' }, false],
      [{ adminId, user: 'admin' }, true],
    ] as const) {
      crm.send('event', { type: 'UPDATE_MSG', dealerId, groupId, ...by, muted: false, unread: 0, message });
      const { channel, payload } = await guest.next('CHAT_MSG');
      assert.equal(channel, 'CHAT_MESSAGE');
      assert.deepEqual(inVersion1(payload), { type: 'CHAT_MSG', dealerId, groupId, ...by, muted, unread: 0, message });
    }
  });

  test('MUTE_STATE carries a MUTE_STATUS with the admin who muted, or unmuted', async () => {
    const groupId = 'muted';
    const [guest, crm, agent] = [await server.customer(groupId), await server.server(), await server.admin('a2')];
    const told = { type: 'MUTE_STATUS', dealerId, groupId };
    crm.send('event', { type: 'MUTE_BOT', dealerId, groupId, adminId, muted: true });
    const { channel, payload } = await guest.next('MUTE_STATUS');
    assert.deepEqual([channel, inVersion1(payload)], ['MUTE_STATE', { ...told, adminId, muted: true }]);
    agent.send('mute_bot', { type: 'UNMUTE_BOT', dealerId, groupId, adminId: 'a2', muted: false });
    assert.deepEqual(inVersion1((await guest.next('MUTE_STATUS')).payload), { ...told, adminId: 'a2', muted: false });
  });

  test('CLOSE_CHAT says who closed: the admin by name, the customer without one', async () => {
    const groupId = 'closed';
    const [guest, crm, agent] = [await server.customer(groupId), await server.server(), await server.admin('a2')];
    const told = { type: 'CLOSE_CHAT', dealerId, groupId };
    crm.send('event', { type: 'CLOSE_CHAT', dealerId, groupId, adminId, close: true });
    const { channel, payload } = await guest.next('CLOSE_CHAT');
    assert.deepEqual([channel, inVersion1(payload)], ['CLOSE_CHAT', { ...told, adminId, user: 'admin', close: true }]);
    agent.send('close_chat', { type: 'CLOSE_CHAT', groupId });
    const byAgent = { ...told, adminId: 'a2', user: 'admin', close: true };
    assert.deepEqual(inVersion1((await guest.next('CLOSE_CHAT')).payload), byAgent);
    guest.send('close_chat', { type: 'CLOSE_CHAT', adminId: 'a2' });
    assert.deepEqual(inVersion1((await guest.next('CLOSE_CHAT')).payload), { ...told, user: 'customer', close: true });
    assert.equal((await server.store.standing(dealerId, groupId)).group?.closed, true);
  });

  test('SYS_MESSAGE carries a SYS_MSG to every customer', async () => {
    const [one, two, agent] = [await server.customer('sys1'), await server.customer('sys2'), await server.admin('a2')];
    agent.send('sys_message', { type: 'SYS_MSG', dealerId, message });
    const told = { type: 'SYS_MSG', dealerId, adminId: 'a2', user: 'admin', muted: true, unread: 0, message };
    for (const guest of [one, two]) {
      const { channel, scope, payload } = await guest.next('SYS_MSG');
      assert.deepEqual([channel, scope, payload], ['SYS_MESSAGE', '@dealer', told]);
    }
  });

  test('CHAT_STATE says which admin opened or left which chat', async () => {
    const groupId = 'opened';
    const [guest, agent] = [await server.customer(groupId), await server.admin('a2')];
    for (const online of [true, false]) {
      agent.send('chat_state', { type: 'UPDATE_CHAT', groupId, online });
      const { channel, scope, payload } = await guest.next('UPDATE_CHAT');
      const told = { type: 'UPDATE_CHAT', dealerId, groupId, adminId: 'a2', user: 'admin', online };
      assert.deepEqual([channel, scope, payload], ['CHAT_STATE', groupId, told]);
    }
  });
});

describe('[P-7.1] unread', () => {
  before(start);
  after(stop);

  test('counts the messages of the customer, in order, whichever way they came', async () => {
    const [guest, crm] = [await server.customer('u1'), await server.server()];
    const unread: number[] = [];
    for (const user of ['customer', 'bot', 'customer', 'customer']) {
      if (user === 'customer' && unread.length === 0) guest.send('customer_message', say('u1'));
      else crm.send('event', { ...say('u1'), user });
      unread.push((await guest.next('CHAT_MSG')).payload.unread);
    }
    assert.deepEqual(unread, [1, 1, 2, 3]);
  });

  test('is 0 after a message of an admin, from a socket or from another server', async () => {
    const [guest, crm, agent] = [await server.customer('u2'), await server.server(), await server.admin()];
    for (const answer of [
      () => agent.send('admin_message', say('u2')),
      () => crm.send('event', { ...say('u2'), user: 'admin', adminId: 'a9' }),
    ]) {
      guest.send('customer_message', say('u2'));
      assert.equal((await guest.next('CHAT_MSG')).payload.unread, 1);
      answer();
      assert.equal((await guest.next('CHAT_MSG')).payload.unread, 0);
    }
  });

  test('is 0 after READ of an admin, and not after one of the customer', async () => {
    const [guest, agent] = [await server.customer('u3'), await server.admin()];
    await guest.ask('customer_message', say('u3'));
    await guest.ask('read', { type: 'READ', groupId: 'u3', seq: 1 });
    await guest.ask('customer_message', say('u3'));
    assert.equal((await server.store.standing(DEALER, 'u3')).group?.unread, 2);
    await agent.ask('read', { type: 'READ', groupId: 'u3', seq: 2 });
    const back = await server.customer('u3', { token: guest.session.token });
    assert.equal(back.session.unread, 0);
    await guest.ask('customer_message', say('u3'));
    await agent.settled();
    assert.deepEqual(
      agent.events('u3').map(({ payload }) => payload.unread),
      [1, 2, 1],
    );
  });

  test('and the log are as they were after a READ beyond the log, which is refused', async () => {
    const [guest, agent] = [await server.customer('u4'), await server.admin()];
    await guest.ask('customer_message', say('u4'));
    for (const [reader, role] of [
      [agent, 'admin'],
      [guest, 'customer'],
    ] as const) {
      const { code, details } = await reader.ask('read', { type: 'READ', groupId: 'u4', seq: 2, user: role });
      assert.deepEqual([code, details.length, details[0].path], ['invalid_payload', 1, '/seq']);
    }
    const { unread, adminRead, customerRead } = (await server.store.standing(DEALER, 'u4')).group ?? {};
    assert.deepEqual([unread, adminRead, customerRead], [1, 0, 0]);
  });

  test('knows how far each side has read, which never goes back', async () => {
    const [guest, agent] = [await server.customer('u5'), await server.admin()];
    for (let count = 0; count < 3; count += 1) await guest.ask('customer_message', say('u5'));
    for (const seq of [3, 1]) await agent.ask('read', { type: 'READ', groupId: 'u5', seq });
    await guest.ask('read', { type: 'READ', groupId: 'u5', seq: 2 });
    const { adminRead, customerRead } = (await server.store.standing(DEALER, 'u5')).group ?? {};
    assert.deepEqual([adminRead, customerRead], [3, 2]);
  });
});
