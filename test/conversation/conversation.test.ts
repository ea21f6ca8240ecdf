/** A conversation needs no WebSocket: what a door must bring is `Socket`, of which `MemorySocket` is all of one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adminJoin, clientJoin } from '../support/joins.ts';
import { DEALER } from '../support/server.ts';
import { until } from '../support/until.ts';
import { said, visiting } from '../support/visit.ts';

describe('a conversation over a socket of twenty lines', () => {
  it(
    'joins, sends, is acked and heard, and leaves',
    visiting({}, async (visit) => {
      const { customer, admin } = await visit.two();
      customer.say('customer_message', said('Is it still for sale?'), 'm1');
      const { payload } = await customer.hears('ack', 'm1');
      assert.deepEqual([payload.scope, payload.duplicate], ['g1', false]);
      const heard = await admin.hears('CHAT_MESSAGE');
      assert.equal(heard.payload.message, 'Is it still for sale?');
      customer.say('customer_message', said('Is it still for sale?'), 'm1');
      await until('the ack of the repeat', async () => customer.socket.frames.some((frame) => frame.payload.duplicate));
      const who = { role: 'customer', dealerId: DEALER, groupId: 'g1' } as const;
      assert.equal(visit.house.presence.sockets(who), 1);
      customer.leave();
      assert.equal(visit.house.presence.sockets(who), 0);
      assert.match(await visit.house.metrics.text(), /telle_connections\{role="customer"\} 0/);
    }),
  );

  it(
    'is refused what may not be, and answered nothing else for it',
    visiting({}, async (visit) => {
      const guest = visit.guest();
      guest.say('customer_message', said('Hello?'), 'm1');
      const { payload } = await guest.hears('error', 'm1');
      assert.equal(payload.code, 'not_joined');
      guest.say('admin_join', adminJoin({ token: 'made.up.token' }), 'j1');
      assert.equal((await guest.hears('error', 'j1')).payload.code, 'unauthorized');
      assert.equal(await guest.isClosed(), 4401);
      assert.equal(guest.socket.frames.length, 2);
    }),
  );

  it(
    'has what comes behind its join read after it, in order',
    visiting({}, async (visit) => {
      const guest = visit.guest();
      guest.say('client_join', clientJoin({ groupId: 'g1' }), 'j1');
      for (const id of ['m1', 'm2', 'm3']) guest.say('customer_message', said(id), id);
      await guest.hears('ack', 'm3');
      const acks = guest.socket.frames.filter(({ channel }) => channel === 'ack').map((frame) => frame.payload.id);
      assert.deepEqual(acks, ['j1', 'm1', 'm2', 'm3']);
    }),
  );

  it(
    'is closed as a slow consumer, by what others say and by its pongs',
    visiting({}, async (visit) => {
      const { customer, admin } = await visit.two();
      const tooMuch = visit.house.settings.MAX_SOCKET_BACKLOG + 1;
      admin.socket.unsent = tooMuch;
      customer.say('customer_message', said('Anybody?'), 'm1');
      assert.equal(await admin.isClosed(), 4508);
      customer.socket.unsent = tooMuch;
      customer.control();
      assert.equal(await customer.isClosed(), 4508);
    }),
  );

  it(
    'is slowed down, and closed and read no more where that does not help',
    visiting({}, async (visit) => {
      const guest = visit.guest();
      for (let n = 0; n < 20 + 99; n += 1) guest.say('ping', {});
      const limited = guest.socket.frames.filter(({ payload }) => payload.code === 'rate_limited');
      assert.deepEqual([limited.length, guest.socket.closedWith], [99, null]);
      guest.say('ping', {});
      assert.deepEqual([guest.socket.closedWith, guest.socket.isPaused], [4429, true]);
      guest.depart();
      assert.deepEqual([guest.socket.closedWith, guest.socket.isPaused], [4429, true], 'nor where the node ends');
    }),
  );

  it(
    'ends with its token, and not before a refresh of it ends',
    visiting({ timing: { pingInterval: 20 } }, async (visit) => {
      const [fleeting, lasting] = [visit.guest(), visit.guest()];
      // A second at least: `exp` is in whole ones. It is looked at some 20 times before it is timed.
      for (const guest of [fleeting, lasting]) guest.say('admin_join', visit.adminJoin(2));
      await Promise.all([fleeting.hears('session'), lasting.hears('session')]);
      lasting.say('refresh', { token: visit.token() }, 'r1');
      await lasting.hears('ack', 'r1');
      assert.equal(await fleeting.isClosed(), 4401);
      assert.equal((await fleeting.hears('error')).payload.code, 'token_expired');
      assert.equal(lasting.socket.closedWith, null);
    }),
  );

  it(
    'must begin with a join in time',
    visiting({ settings: { JOIN_TIMEOUT: '100ms' } }, async (visit) => {
      assert.equal(await visit.guest().isClosed(), 4408);
    }),
  );
});

describe('all conversations of a node', () => {
  it(
    'are no more than it has room for, by whatever door they come',
    visiting({ settings: { MAX_CONNECTIONS: '2' } }, async (visit) => {
      const [first, second, third] = [1, 2, 3].map(() => visit.guest());
      assert.deepEqual(
        [first, second, third].map((guest) => guest?.socket.closedWith),
        [null, null, 1013],
      );
      first?.leave();
      assert.equal(visit.guest().socket.closedWith, null);
    }),
  );
});
