/** [P-7.2] Who brought an event about: never somebody who did not. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startServer } from '../support/server.ts';
import { inVersion1 } from '../support/version-one.ts';

const server = await startServer({ settings: { RATE_LIMIT: 'off' } });
after(() => server.close());

describe('[P-7.2] the author of a close', () => {
  test('is the server itself, where it names nobody; and it ends a mute, as the dealer’s', async () => {
    const [guest, agent, crm] = [await server.customer('c1'), await server.admin(), await server.server()];
    await agent.ask('mute_bot', { type: 'MUTE_BOT', groupId: 'c1' });
    await crm.ask('event', { type: 'CLOSE_CHAT', groupId: 'c1' });
    const { payload } = await guest.next('CLOSE_CHAT');
    const told = { type: 'CLOSE_CHAT', dealerId: 'd1', groupId: 'c1', user: 'server', close: true };
    assert.deepEqual(inVersion1(payload), told);
    await guest.ask('customer_message', { type: 'UPDATE_MSG', message: 'one more thing' });
    assert.equal((await agent.next('CHAT_MSG')).payload.muted, false);
  });
});

describe('[P-7.2] the author of a customer’s record', () => {
  for (const [type, message] of [
    ['UPDATE_USER', { name: 'Ada' }],
    ['UPDATE_LEAD', { status: 'qualified' }],
    ['CREATE_LEAD_INTENT', { intent: 'buy' }],
    ['UPDATE_LEAD_INTENT', { intent: 'buy', status: 'won' }],
  ] as const) {
    test(`is told: ${type} of the customer, of an admin, of a server for itself and for an admin`, async () => {
      const groupId = `of-${type}`;
      const [guest, agent, crm] = [await server.customer(groupId), await server.admin(), await server.server()];
      const watcher = await server.admin('watcher');
      const update = { type, groupId, message };
      await crm.ask('event', { type: 'CREATE_LEAD_INTENT', groupId, message: { intent: 'buy' } });
      await guest.ask('customer_update', update);
      await agent.ask('admin_update', update);
      await crm.ask('event', update);
      await crm.ask('event', { ...update, adminId: 'bob' });
      await watcher.settled();
      const authors = watcher.frames
        .filter(({ payload }) => payload.type === type && payload.groupId === groupId)
        .map(({ payload: { user, adminId } }) => ({ user, adminId }))
        .slice(-4);
      assert.deepEqual(authors, [
        { user: 'customer', adminId: undefined },
        { user: 'admin', adminId: 'a1' },
        { user: 'server', adminId: undefined },
        { user: 'admin', adminId: 'bob' },
      ]);
    });
  }

  test('is told of a page view, too', async () => {
    const [guest, crm, watcher] = [await server.customer('pv'), await server.server(), await server.admin('watcher')];
    const view = { type: 'UPDATE_PAGEVIEW', groupId: 'pv', message: { url: 'https://cars.example/blue' } };
    await guest.ask('customer_update', view);
    await crm.ask('event', view);
    await watcher.settled();
    const users = watcher.frames.filter(({ payload }) => payload.type === view.type).map(({ payload }) => payload.user);
    assert.deepEqual(users, ['customer', 'server']);
  });
});
