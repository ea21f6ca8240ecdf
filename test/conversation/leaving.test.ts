/** [P-3, P-9] How a conversation ends: the socket's, the client's, and the node's own end. */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import { secondsFromNow } from '../../src/auth/tokens.ts';
import { comeBack } from '../../src/conversation/conversations.ts';
import { clientJoin, serverJoin } from '../support/joins.ts';
import { Reading } from '../support/metrics.ts';
import { until } from '../support/until.ts';
import { type Guest, said, type Visit, visiting } from '../support/visit.ts';

const join = (guest: Guest, groupId = 'g1') => guest.say('client_join', clientJoin({ groupId }), 'j1');
const ends = ({ socket }: Guest) => [socket.closedWith, socket.reason];
/** How many of a metric there are, by its label. */
const counted = async ({ house }: Visit, name: string, label: string) =>
  new Reading(await house.metrics.text()).by(name, label);

describe('a conversation that is to go elsewhere', () => {
  it(
    'is closed at once where nothing of it is under way, and its own close is still read',
    visiting({}, async (visit) => {
      const guest = visit.guest();
      guest.depart();
      assert.deepEqual([...ends(guest), guest.socket.isPaused], [1012, 'service restart', false]);
    }),
  );

  it(
    'is closed when what it sent is answered, and read no more until then',
    visiting({}, async (visit) => {
      const { customer } = await visit.two();
      customer.say('customer_message', said('just in time'), 'm1');
      customer.depart();
      assert.deepEqual([customer.socket.closedWith, customer.socket.isPaused], [null, true]);
      await customer.hears('ack', 'm1');
      await until('the close', async () => customer.socket.closedWith !== null);
      assert.deepEqual([...ends(customer), customer.socket.isPaused], [1012, 'service restart', false]);
    }),
  );

  it(
    'is closed behind its join, and what came behind that is answered',
    visiting({}, async (visit) => {
      const guest = visit.guest();
      join(guest);
      guest.say('customer_message', said('hello'), 'm1');
      guest.depart();
      assert.equal(await guest.isClosed(), 1012);
      const acks = guest.heard('ack').map(({ id }) => id);
      assert.deepEqual(acks, ['j1', 'm1']);
    }),
  );

  it(
    'is closed behind what is only passed on, and behind what is refused',
    visiting({}, async (visit) => {
      const { customer } = await visit.two();
      customer.say('typing', { type: 'TYPING', typing: true }, 'm1');
      customer.say('customer_update', { type: 'UPDATE_LEAD_INTENT', message: { intent: 'none of mine' } }, 'm2');
      customer.depart();
      assert.equal(customer.socket.closedWith, null);
      assert.equal(await customer.isClosed(), 1012);
      assert.equal((await customer.hears('ack', 'm1')).payload.id, 'm1');
      assert.equal((await customer.hears('error', 'm2')).payload.code, 'unknown_intent');
    }),
  );

  it(
    'is closed behind a refresh',
    visiting({}, async (visit) => {
      const { admin } = await visit.two();
      admin.say('refresh', { token: visit.token() }, 'r1');
      admin.depart();
      assert.equal(admin.socket.closedWith, null);
      assert.equal(await admin.isClosed(), 1012);
      assert.equal((await admin.hears('ack', 'r1')).payload.id, 'r1');
    }),
  );
});

describe('all conversations', () => {
  it(
    'are sent elsewhere one after the other, within the time for that, and each is told when to come back',
    visiting({ timing: { drainSpread: 90, returnWithin: 500 } }, async (visit) => {
      const guests = [1, 2, 3].map(() => visit.guest());
      const began = performance.now();
      const sent = visit.sendAway();
      assert.deepEqual(
        guests.map(({ socket }) => socket.closedWith),
        [1012, null, null],
      );
      await sent;
      // The last of three begins when two thirds of it are over; timers are a little early.
      assert.ok(performance.now() - began >= 58);
      for (const [code, reason] of guests.map(ends)) {
        assert.equal(code, 1012);
        assert.match(String(reason), /^service restart, come back in \d+ ms$/);
      }
    }),
  );

  it('are told to come back at different times, all within that', () => {
    const times = Array.from({ length: 200 }, () => Number(/(\d+) ms$/.exec(comeBack(500))?.[1]));
    assert.ok(times.every((time) => time >= 0 && time < 500));
    assert.ok(Math.max(...times) > 250 && Math.min(...times) < 250);
  });
});

describe('a conversation is closed for its conduct', () => {
  it(
    'where its transport’s own frames are too many',
    visiting({}, async (visit) => {
      const guest = visit.guest();
      for (let n = 0; n < 20 + 99; n += 1) guest.control();
      assert.equal(guest.socket.closedWith, null);
      guest.control();
      assert.deepEqual(ends(guest), [4429, 'too many frames']);
      assert.deepEqual(guest.socket.frames, [], 'and nobody answers them');
    }),
  );

  it(
    'unless it is another server’s, which may send as much as it likes',
    visiting({}, async (visit) => {
      const bot = visit.guest();
      const token = visit.house.tokens.sign({ role: 'server', dealer: 'd1', sub: 'crm', exp: secondsFromNow(60) });
      bot.say('server_join', serverJoin({ token }));
      await bot.hears('session');
      for (let n = 0; n < 200; n += 1) bot.control();
      for (let n = 0; n < 200; n += 1) bot.say('ping', {});
      assert.deepEqual([bot.socket.closedWith, bot.heard('pong').length, bot.heard('error')], [null, 200, []]);
    }),
  );

  it(
    'where it sends more behind its join than a socket may have unread',
    visiting({ settings: { MAX_SOCKET_BACKLOG: '16384' } }, async (visit) => {
      const guest = visit.guest();
      join(guest);
      const long = () => guest.say('customer_message', said('x'.repeat(4000)));
      for (let n = 0; n < 4; n += 1) long();
      assert.equal(guest.socket.closedWith, null);
      long();
      assert.deepEqual([...ends(guest), guest.socket.isPaused], [4429, 'too much behind a join', true]);
    }),
  );

  it(
    'where short frames behind its join are more work than that',
    visiting({ settings: { MAX_SOCKET_BACKLOG: '16384' } }, async (visit) => {
      const guest = visit.guest();
      join(guest);
      for (let n = 0; n < 32; n += 1) guest.say('ping', {});
      assert.equal(guest.socket.closedWith, null);
      guest.say('ping', {});
      assert.equal(guest.socket.closedWith, 4429);
    }),
  );
});

describe('what the metrics say of a conversation', () => {
  it(
    'is who is connected, who has joined, and by which code each was closed',
    visiting({}, async (visit) => {
      const guests = [visit.guest(), visit.guest(), visit.guest()];
      const [stranger, customer, leaver] = guests;
      assert.ok(stranger && customer && leaver);
      join(customer);
      await customer.hears('session');
      const connected = await counted(visit, 'telle_connections', 'role');
      assert.deepEqual([connected.none, connected.customer], [2, 1]);
      stranger.say('nonsense', {});
      stranger.say('customer_message', {});
      assert.equal((await counted(visit, 'telle_frames_received_total', 'channel')).unknown, 1);
      stranger.depart();
      for (const guest of guests) guest.leave();
      const left = await counted(visit, 'telle_connections', 'role');
      assert.deepEqual([left.none, left.customer], [0, 0]);
      assert.deepEqual(await counted(visit, 'telle_closes_total', 'code'), { 1001: 2, 1012: 1 });
    }),
  );
});
