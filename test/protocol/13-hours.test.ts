/** [P-12.5, P-13] Hand-backs and availability, as clients see them. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TIMING } from '../../src/timing.ts';
import { DEALER, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const FAST = { settings: { AUTO_ASSIGN: 'on' }, timing: { ...TIMING, sweepInterval: 50, presenceGrace: 50 } };

let server: TestServer;
const start = async () => {
  server = await startServer(FAST);
};
const stop = () => server.close();

const says = (groupId: string) => ({ type: 'UPDATE_MSG', groupId, message: 'hello' });
const operator = () => server.token('server', 'ops', { dealer: '*' });
const settle = (body: object) =>
  server.http('PUT', `/v1/dealers/${DEALER}`, { token: operator(), body: { origins: ['*'], ...body } });

describe('[P-12.5] a mute is a lease', () => {
  before(start);
  after(stop);

  test('that ends where the admin says nothing more: the bot is told, the assignee let go', async () => {
    await settle({ bot: true, handBackAfter: { seconds: 1, alone: null } });
    const [admin, bot, guest] = [await server.admin(), await server.server(), await server.customer('m1')];
    await admin.ask('admin_message', says('m1'));
    const { at } = await guest.ask('customer_message', { type: 'UPDATE_MSG', message: 'still there?' }, 'k1');
    const { payload: gone } = await bot.next(({ payload }) => payload.reason === 'gone');
    assert.deepEqual([gone.type, gone.assignee, gone.adminId], ['ASSIGNED', null, undefined]);
    const { payload } = await bot.next(({ payload: { muted } }) => muted === false);
    assert.deepEqual(payload, {
      type: 'MUTE_STATUS',
      dealerId: DEALER,
      groupId: 'm1',
      adminId: 'a1',
      muted: false,
      waiting: { since: at, for: 'bot' },
      reason: 'unanswered',
    });
    const answer = await bot.ask('event', { ...says('m1'), user: 'bot' });
    assert.equal(answer.channel, 'ack');
    await admin.close();
  });

  test('that ends once no admin is here, of every conversation', async () => {
    await settle({ bot: true, handBackAfter: { seconds: null, alone: 1 } });
    const [admin, bot] = [await server.admin('a9'), await server.server()];
    for (const groupId of ['n1', 'n2']) {
      await server.customer(groupId);
      await admin.ask('mute_bot', { type: 'MUTE_BOT', groupId });
    }
    await admin.close();
    const reasons = [];
    for (let count = 0; count < 2; count += 1) {
      const { payload } = await bot.next(({ payload: { type, muted } }) => type === 'MUTE_STATUS' && muted === false);
      reasons.push([payload.groupId, payload.reason]);
    }
    assert.deepEqual(reasons.sort(), [
      ['n1', 'alone'],
      ['n2', 'alone'],
    ]);
  });

  test('that does not end where there is no bot', async () => {
    await settle({ bot: false, handBackAfter: { seconds: 1 } });
    const [admin, witness] = [await server.admin('a3'), await server.server()];
    for (const groupId of ['q1', 'q2']) await server.customer(groupId);
    await admin.ask('mute_bot', { type: 'MUTE_BOT', groupId: 'q1' });
    await admin.ask('mute_bot', { type: 'MUTE_BOT', groupId: 'q2' });
    await witness.settled();
    await settle({ bot: true, handBackAfter: { seconds: 1 } });
    const { payload } = await witness.next(({ payload: { type, muted } }) => type === 'MUTE_STATUS' && muted === false);
    assert.equal(payload.reason, 'unanswered', 'with a bot it ends, as the settings say now');
  });
});

describe('[P-13.2] availability', () => {
  before(start);
  after(stop);

  test('is told to every socket of the dealer when the first admin comes and the last has gone', async () => {
    const guest = await server.customer('v1');
    assert.deepEqual(guest.session.availability, { open: true, admins: false });
    const [one, two] = [await server.admin('a1'), await server.admin('a2')];
    await guest.settled();
    const told = (admins: boolean) => ({
      channel: 'DEALER_STATE',
      payload: { type: 'AVAILABILITY', dealerId: DEALER, open: true, admins },
    });
    assert.deepEqual(guest.availability, [told(true)]);
    assert.deepEqual((await server.customer('v2')).session.availability, { open: true, admins: true });
    await one.close();
    await two.close();
    await until('nobody is here', async () => guest.availability.length === 2);
    assert.deepEqual(guest.availability[1], told(false));
  });

  test('turns with the dealer’s hours, and says when it does', async () => {
    const guest = await server.customer('v3');
    assert.equal((await settle({ hours: [] })).status, 200);
    await until('it is told', async () => guest.availability.some(({ payload }) => payload.open === false));
    const always = { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], open: '00:00', close: '24:00' };
    await settle({ hours: [always], holidays: [], timezone: 'Europe/Berlin' });
    await until('it is told', async () => guest.availability.at(-1)?.payload.open === true);
    const soon = new Date(Date.now() + 26 * 3_600_000).toISOString().slice(0, 10);
    await settle({ hours: [always], holidays: [soon], timezone: 'UTC' });
    const { availability } = (await server.customer('v4')).session;
    assert.deepEqual([availability.open, typeof availability.changesAt], [true, 'string']);
  });

  test('is in the session of an admin, and of a server of the dealer, not of one of all dealers', async () => {
    await settle({ hours: [], answerWithin: { admin: 45 } });
    const [admin, bot, all] = [await server.admin('a8'), await server.server(), await server.server('*')];
    assert.deepEqual(admin.session.availability, { open: false, admins: true });
    assert.deepEqual(
      admin.session.answerWithin,
      { bot: 30, admin: 45 },
      'and within what an answer is expected [P-12.2]',
    );
    assert.deepEqual(bot.session.availability, { open: false, admins: true });
    assert.equal(all.session.availability, undefined);
    await admin.close();
  });
});
