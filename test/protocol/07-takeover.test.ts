/** [P-7.3, P-7.4] Who speaks: the bot until a human takes over, nobody in a closed chat until it is opened again. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Client } from '../support/client.ts';
import { DEALER, startServer, type TestServer } from '../support/server.ts';
import { inVersion1 } from '../support/version-one.ts';

let server: TestServer;
/** The bot's server, and an admin who sees everything. */
let bot: Client;
let agent: Client;
const starting = (AUTO_MUTE: string) => async () => {
  server = await startServer({ settings: { RATE_LIMIT: 'off', AUTO_MUTE }, timing: { closeTimeout: 5 } });
  [bot, agent] = [await server.server(), await server.admin('a1')];
};
const stop = () => server.close();

const botSays = (groupId: string, message = 'bot') =>
  bot.ask('event', { type: 'UPDATE_MSG', groupId, user: 'bot', message });
const agentSays = (groupId: string) => agent.ask('admin_message', { type: 'UPDATE_MSG', groupId, message: 'agent' });
const guestSays = (guest: Client) => guest.ask('customer_message', { type: 'UPDATE_MSG', message: 'guest' });
const muting = (type: 'MUTE_BOT' | 'UNMUTE_BOT', groupId: string) => agent.ask('mute_bot', { type, groupId });
const close = (groupId: string) => agent.ask('close_chat', { type: 'CLOSE_CHAT', groupId });

/** The log of a group, as what happened in a word or two each. */
async function log(groupId: string): Promise<string[]> {
  const events = await server.store.events(DEALER, groupId, { limit: 200 });
  assert.deepEqual(
    events.map(({ seq }) => seq),
    events.map((_, index) => index + 1),
  );
  return events.map(({ payload }) => {
    const { type, user, adminId, muted } = JSON.parse(payload);
    if (type === 'MUTE_STATUS') return `${muted ? 'muted' : 'unmuted'} by ${adminId}`;
    return type === 'CHAT_MSG' ? `${user} says${muted ? ', muted' : ''}` : `${user} closes`;
  });
}

describe('[P-7.3] bot silence', () => {
  before(starting('on'));
  after(stop);

  test("an admin's message mutes the bot: MUTE_STATUS first, and the CHAT_MSG says muted", async () => {
    const guest = await server.customer('t1');
    assert.equal((await botSays('t1')).channel, 'ack');
    assert.equal((await agentSays('t1')).seq, 3);
    const told = { dealerId: DEALER, groupId: 't1', adminId: 'a1', muted: true };
    const [, mute, message] = guest.events('t1');
    assert.deepEqual(inVersion1(mute?.payload), { type: 'MUTE_STATUS', ...told });
    assert.deepEqual(inVersion1(message?.payload), {
      type: 'CHAT_MSG',
      ...told,
      user: 'admin',
      unread: 0,
      message: 'agent',
    });
    assert.deepEqual([mute?.seq, message?.seq], [2, 3]);
  });

  test('a message of an admin over another server mutes it as well', async () => {
    await bot.ask('event', { type: 'UPDATE_MSG', groupId: 't2', user: 'admin', adminId: 'a7', message: 'hello' });
    assert.deepEqual(await log('t2'), ['muted by a7', 'admin says, muted']);
  });

  test('a muted bot is refused bot_muted, and nobody hears it, until an unmute', async () => {
    const guest = await server.customer('t3');
    await muting('MUTE_BOT', 't3');
    const { channel, code, retryable } = await botSays('t3');
    assert.deepEqual({ channel, code, retryable }, { channel: 'error', code: 'bot_muted', retryable: false });
    await guestSays(guest);
    assert.equal((await botSays('t3')).code, 'bot_muted');
    await muting('UNMUTE_BOT', 't3');
    assert.equal((await botSays('t3')).channel, 'ack');
    const heard = ['muted by a1', 'customer says, muted', 'unmuted by a1', 'bot says'];
    assert.deepEqual(await log('t3'), heard);
    await guest.settled();
    assert.deepEqual(guest.seqs('t3'), [1, 2, 3, 4]);
  });

  test('the mute of one chat silences no other, and is told to who joins', async () => {
    const guest = await server.customer('t4');
    await muting('MUTE_BOT', 't4');
    assert.equal((await botSays('t5')).channel, 'ack');
    const tab = await server.customer('t4', { token: guest.session.token });
    assert.deepEqual([guest.session.muted, tab.session.muted], [false, true]);
  });

  test('while the bot is muted, further messages of admins are no further mutes', async () => {
    await server.customer('t6');
    await muting('MUTE_BOT', 't6');
    await agentSays('t6');
    const other = await server.admin('a2');
    await other.ask('admin_message', { type: 'UPDATE_MSG', groupId: 't6', message: 'me too' });
    assert.deepEqual(await log('t6'), ['muted by a1', 'admin says, muted', 'admin says, muted']);
  });

  test("an admin's message mutes anew after an unmute", async () => {
    await server.customer('t7');
    await agentSays('t7');
    await muting('UNMUTE_BOT', 't7');
    await botSays('t7');
    await agentSays('t7');
    const first = ['muted by a1', 'admin says, muted', 'unmuted by a1', 'bot says'];
    assert.deepEqual(await log('t7'), [...first, 'muted by a1', 'admin says, muted']);
  });

  test('what is sent in one breath is judged in the order in which it came', async () => {
    const say = { type: 'UPDATE_MSG', groupId: 't8', user: 'bot', message: 'quick' };
    const mute = { type: 'MUTE_BOT', groupId: 't8', adminId: 'a1' };
    const frames = [say, say, mute, say, say, { ...mute, type: 'UNMUTE_BOT' }, say];
    for (const [index, frame] of frames.entries()) bot.send('event', frame, `t8-${index}`);
    const answers: string[] = [];
    for (const _ of frames) {
      const { channel, payload } = await bot.next(({ payload }) => String(payload.id).startsWith('t8-'));
      answers.push(`${payload.id} ${channel === 'ack' ? payload.seq : payload.code}`);
    }
    const expected = ['t8-0 1', 't8-1 2', 't8-2 3', 't8-3 bot_muted', 't8-4 bot_muted', 't8-5 4', 't8-6 5'];
    assert.deepEqual(answers.sort(), expected);
  });

  test('no bot speaks between a mute and its unmute, however many speak at once', async () => {
    const bots = await Promise.all([1, 2, 3].map(() => server.server()));
    const reader = await server.customer('t9');
    const rounds = 10;
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, speaker] of bots.entries()) {
        const say = { type: 'UPDATE_MSG', groupId: 't9', user: 'bot', message: `${round}` };
        for (let count = 0; count < 3; count += 1) speaker.send('event', say, `${round}-${index}-${count}`);
      }
      agent.send('mute_bot', { type: round % 2 ? 'UNMUTE_BOT' : 'MUTE_BOT', groupId: 't9' }, `t9-${round}`);
      await agent.next(({ channel, payload }) => channel === 'ack' && payload.id === `t9-${round}`);
    }
    const answered = await Promise.all(
      bots.map(async (speaker, index) => {
        const codes: string[] = [];
        for (let count = 0; count < rounds * 3; count += 1) {
          const { payload } = await speaker.next(({ payload }) => new RegExp(`^\\d-${index}-\\d$`).test(payload.id));
          codes.push(payload.code ?? 'taken');
        }
        return codes;
      }),
    );
    await reader.settled();
    let muted = false;
    let spoken = 0;
    for (const { payload } of reader.events('t9')) {
      if (payload.type === 'MUTE_STATUS') muted = payload.muted;
      else {
        assert.deepEqual([payload.muted, muted], [false, false], 'a bot spoke while it was muted');
        spoken += 1;
      }
    }
    const codes = answered.flat();
    assert.equal(codes.filter((code) => code === 'taken').length, spoken);
    assert.equal(codes.filter((code) => code === 'bot_muted').length, codes.length - spoken);
    assert.ok(spoken > 0 && spoken < codes.length);
  });
});

describe('[P-7.3] with AUTO_MUTE off', () => {
  before(starting('off'));
  after(stop);

  test("an admin's message mutes nobody, and the bot may go on", async () => {
    await server.customer('o1');
    await agentSays('o1');
    await botSays('o1');
    assert.deepEqual(await log('o1'), ['admin says', 'bot says']);
  });

  test('MUTE_BOT silences the bot all the same', async () => {
    await server.customer('o2');
    await muting('MUTE_BOT', 'o2');
    await agentSays('o2');
    assert.equal((await botSays('o2')).code, 'bot_muted');
    assert.deepEqual(await log('o2'), ['muted by a1', 'admin says, muted']);
  });

  test("an admin's message opens a closed chat without a mute", async () => {
    await server.customer('o3');
    await close('o3');
    await agentSays('o3');
    await botSays('o3');
    assert.deepEqual(await log('o3'), ['admin closes', 'admin says', 'bot says']);
  });
});

describe('[P-7.4] a closed chat', () => {
  before(starting('on'));
  after(stop);

  test('is not opened by a bot, which is refused group_closed', async () => {
    await server.customer('c1');
    await close('c1');
    const { channel, code, retryable } = await botSays('c1');
    assert.deepEqual({ channel, code, retryable }, { channel: 'error', code: 'group_closed', retryable: false });
    assert.deepEqual(await log('c1'), ['admin closes']);
  });

  test('is group_closed to a bot that is muted there as well', async () => {
    await server.customer('c2');
    await muting('MUTE_BOT', 'c2');
    await close('c2');
    assert.equal((await botSays('c2')).code, 'group_closed');
  });

  test('that was closed by its customer or by another server is closed to the bot too', async () => {
    const guest = await server.customer('c3');
    await guest.ask('close_chat', { type: 'CLOSE_CHAT' });
    await bot.ask('event', { type: 'CLOSE_CHAT', groupId: 'c4', adminId: 'a1' });
    for (const groupId of ['c3', 'c4']) assert.equal((await botSays(groupId)).code, 'group_closed');
  });

  test('is told to who joins, and opens by a message of its customer', async () => {
    const guest = await server.customer('c5');
    await close('c5');
    const tab = await server.customer('c5', { token: guest.session.token });
    assert.deepEqual([guest.session.closed, tab.session.closed], [false, true]);
    await guestSays(guest);
    await botSays('c5');
    assert.deepEqual(await log('c5'), ['admin closes', 'customer says', 'bot says']);
  });

  test('opens unmuted by its customer: a MUTE_STATUS of the admin who had muted it comes first', async () => {
    const guest = await server.customer('c6');
    const muter = await server.admin('a2');
    await muter.ask('mute_bot', { type: 'MUTE_BOT', groupId: 'c6' });
    await close('c6');
    assert.equal((await guestSays(guest)).seq, 4);
    const unmuted = {
      type: 'MUTE_STATUS',
      dealerId: DEALER,
      groupId: 'c6',
      adminId: 'a2',
      muted: false,
      user: 'customer',
    };
    assert.deepEqual(inVersion1(guest.events('c6').at(-1)?.payload), unmuted);
    await botSays('c6');
    const heard = ['muted by a2', 'admin closes', 'unmuted by a2', 'customer says', 'bot says'];
    assert.deepEqual(await log('c6'), heard);
  });

  test('that its customer closed itself opens as muted as it was: no MUTE_STATUS, and the bot stays silent', async () => {
    const guest = await server.customer('c10');
    await muting('MUTE_BOT', 'c10');
    await guest.ask('close_chat', { type: 'CLOSE_CHAT' });
    await guestSays(guest);
    assert.equal((await botSays('c10')).code, 'bot_muted');
    assert.deepEqual(await log('c10'), ['muted by a1', 'customer closes', 'customer says, muted']);
  });

  test('opens unmuted where an admin closes what its customer had closed, or the customer what an admin had', async () => {
    for (const [groupId, order] of [
      ['c11', ['customer', 'admin']],
      ['c12', ['admin', 'customer']],
    ] as const) {
      const guest = await server.customer(groupId);
      await muting('MUTE_BOT', groupId);
      for (const who of order)
        await (who === 'admin' ? close(groupId) : guest.ask('close_chat', { type: 'CLOSE_CHAT' }));
      await guestSays(guest);
      assert.deepEqual((await log(groupId)).slice(3), ['unmuted by a1', 'customer says'], groupId);
    }
  });

  test('opens by a message of an admin, muted as it was or from then on', async () => {
    for (const groupId of ['c7', 'c8']) {
      await server.customer(groupId);
      if (groupId === 'c7') await muting('MUTE_BOT', groupId);
      await close(groupId);
      await agentSays(groupId);
      assert.equal((await botSays(groupId)).code, 'bot_muted', 'it is open');
    }
    assert.deepEqual(await log('c7'), ['muted by a1', 'admin closes', 'admin says, muted']);
    assert.deepEqual(await log('c8'), ['admin closes', 'muted by a1', 'admin says, muted']);
  });

  test("a customer's message to an open chat leaves it as muted as it was", async () => {
    const guest = await server.customer('c9');
    await muting('MUTE_BOT', 'c9');
    await guestSays(guest);
    assert.deepEqual(await log('c9'), ['muted by a1', 'customer says, muted']);
  });
});
