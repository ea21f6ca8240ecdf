/** [P-11.4] Erasing a conversation: over HTTP, in front of everybody who is there. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Value } from '@sinclair/typebox/value';
import { ErasureReceipt } from '../../schemas/reading.ts';
import type { Client } from '../support/client.ts';
import { overriding } from '../support/faulty-store.ts';
import type { Frame } from '../support/frame.ts';
import { at, fill, page, read } from '../support/lists.ts';
import { messagesOf, withPlatform } from '../support/platform.ts';
import { assertProblem } from '../support/problem.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { DEALER, startServer, type TestServer, withServer } from '../support/server.ts';

let server: TestServer;
/** The token of an admin of the dealer. */
let admin: string;
const erase = (groupId: string, token = admin, dealerId = DEALER) =>
  server.http('DELETE', at(`groups/${groupId}`, '', dealerId), { token });

/** Erases a group that is there. @returns its receipt */
async function erased(groupId: string): Promise<Frame['payload']> {
  const { status, body } = await erase(groupId);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** A customer of a new group, who has said so many things. */
async function talking(groupId: string, count = 3) {
  const guest = await server.customer(groupId);
  for (let index = 1; index <= count; index += 1) await says(guest, `${groupId} ${index}`);
  return guest;
}
const says = (guest: Client, message: string) => guest.ask('customer_message', { type: 'UPDATE_MSG', message });
const rejoin = (groupId: string, token: string, more: object = {}) => server.customer(groupId, { token, ...more });
/** Joins with a token that was minted after an erasure [P-4]. */
const joinAnew = async (groupId: string, more: object = {}) =>
  rejoin(groupId, await server.freshToken('customer', groupId), more);

const told = (groupId: string) => ({
  channel: 'CHAT_STATE',
  payload: { type: 'ERASE_GROUP', dealerId: DEALER, groupId, user: 'customer', online: false },
});

const start = async () => {
  server = await startServer({
    timing: { closeTimeout: 5, presenceGrace: 5 },
    settings: { RATE_LIMIT: 'off', AUTO_MUTE: 'off' },
  });
  admin = await server.token('admin', 'a1');
};
const stop = () => server.close();

describe('[P-11.4] DELETE of a group', () => {
  before(start);
  after(stop);

  test('answers with the receipt: how much there was, and of nobody', async () => {
    await fill(server, ['counted']);
    await fill(server, ['counted']);
    const receipt = await erased('counted');
    assert.deepEqual([...Value.Errors(ErasureReceipt, receipt)], []);
    const { erasureId, at: _, ...rest } = receipt;
    const counts = { events: 2, pageviews: 2, users: 1, leads: 1, intents: 2 };
    assert.deepEqual(rest, { dealerId: DEALER, reason: 'request', by: 'admin:a1', ...counts });
    assert.doesNotMatch(JSON.stringify(receipt), /counted/);
    const [listed] = (await page(server, 'erasures')).items;
    assert.deepEqual(listed, receipt);
    assert.equal(listed?.erasureId, erasureId);
  });

  test('leaves nothing to be read: the group is 404 everywhere, and in no list', async () => {
    await fill(server, ['whispered', 'beside']);
    const besides = await page(server, 'lead-intents', '?groupId=beside');
    await erased('whispered');
    for (const path of ['groups/whispered', 'groups/whispered/transcript', 'scopes/whispered/events']) {
      assertProblem(await read(server, path), 404, 'unknown_group');
    }
    for (const list of ['groups', 'users', 'leads', 'lead-intents', 'pageviews', 'erasures', 'scopes/@desk/events']) {
      assert.doesNotMatch(JSON.stringify(await page(server, list, '?limit=200')), /whispered/, list);
    }
    for (const list of ['users', 'leads', 'lead-intents', 'pageviews']) {
      assert.deepEqual((await page(server, list, '?groupId=whispered')).items, []);
    }
    assert.doesNotMatch((await read(server, 'export')).body, /whispered/);
    assert.deepEqual(await page(server, 'lead-intents', '?groupId=beside'), besides);
  });

  test('leaves no gap in the desk’s log, and frames there that say nothing', async () => {
    await fill(server, ['silent']);
    const before = (await page(server, 'scopes/@desk/events', '?before=9007199254740991&limit=5')).items.map(Object);
    await erased('silent');
    const after = (await page(server, 'scopes/@desk/events', '?before=9007199254740991&limit=5')).items.map(Object);
    const places = (frames: Frame[]) => frames.map(({ seq, at, channel, payload }) => [seq, at, channel, payload.type]);
    assert.deepEqual(places(after), places(before));
    assert.equal(new Set(after.map(({ id }) => id)).size, after.length);
    const [group, ...others] = new Set(after.map(({ payload }) => payload.groupId));
    assert.ok(group !== 'silent' && others.length === 0, 'they are of one group, which is not called so');
    const said = [{}, {}, { intent: 'erased' }, { intent: 'erased' }, {}];
    assert.deepEqual(
      after.map(({ payload }) => payload.message),
      said,
    );
  });

  test('twice is 404, as is a group that never was, and neither leaves a receipt', async () => {
    await fill(server, ['twice']);
    await erased('twice');
    const receipts = (await page(server, 'erasures')).items.length;
    const [again, never] = [await erase('twice'), await erase('never')];
    assert.deepEqual(
      assertProblem(again, 404, 'unknown_group'),
      assertProblem(never, 404, 'unknown_group'),
      'which of them it was is told to nobody',
    );
    assert.equal((await page(server, 'erasures')).items.length, receipts);
  });

  test('by two at once is done once', async () => {
    await fill(server, ['raced']);
    const answers = await Promise.all([erase('raced'), erase('raced'), erase('raced')]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 404, 404]);
  });

  test('of what is no group is 400', async () => {
    for (const name of ['@desk', '@dealer', 'a%2Fb', 'x'.repeat(65)]) {
      assertProblem(await erase(name), 400, 'invalid_payload');
    }
  });

  test('while the database is away is 503, and erases nothing', async () => {
    let isAway = false;
    await withServer(
      {
        wrapStore: (store) =>
          overriding(store, {
            commit: async (needs, work) => {
              if (isAway) throw new Error('disk I/O error');
              return store.commit(needs, work);
            },
          }),
      },
      async (own) => {
        await fill(own, ['g1']);
        const request = { token: await own.token('admin', 'a1') };
        isAway = true;
        assertProblem(await own.http('DELETE', at('groups/g1'), request), 503, 'unavailable');
        isAway = false;
        assert.equal((await read(own, 'groups/g1')).status, 200);
        assert.equal((await own.http('DELETE', at('groups/g1'), request)).status, 200);
      },
    );
  });
});

describe('[P-11.4] who may erase', () => {
  before(async () => {
    await start();
    await server.store.putDealer('d2', {});
    await fill(server, ['g1', 'g2', 'g3']);
  });
  after(stop);

  test('an admin of the dealer, a server of it, and a server of all', async () => {
    const tokens = [admin, await server.token('server', 'crm'), await server.token('server', 'ops', { dealer: '*' })];
    for (const [index, token] of tokens.entries()) assert.equal((await erase(`g${index + 1}`, token)).status, 200);
  });

  test('no customer, nobody of another dealer and nobody without a good token: nothing is erased or told', async () => {
    await fill(server, ['kept']);
    const operator = await server.token('server', 'ops', { dealer: '*' });
    const nothing = assertProblem(await erase('kept', operator, 'nobody'), 404, 'unknown_dealer');
    assertProblem(await erase('kept', await server.token('customer', 'kept')), 403, 'forbidden');
    for (const groupId of ['kept', 'never']) {
      for (const [role, sub] of [
        ['admin', 'a1'],
        ['server', 'crm'],
        ['customer', 'kept'],
      ] as const) {
        const foreign = await server.token(role, sub, { dealer: 'd2' });
        assert.deepEqual(assertProblem(await erase(groupId, foreign), 404, 'unknown_dealer'), nothing);
      }
      assertProblem(await server.http('DELETE', at(`groups/${groupId}`)), 401, 'unauthorized');
      const expired = await server.token('admin', 'a1', { ttl: -10 });
      assertProblem(await erase(groupId, expired), 401, 'token_expired');
    }
    assert.equal((await read(server, 'groups/kept')).status, 200);
  });
});

describe('[P-11.4] who is there when a conversation is erased', () => {
  before(start);
  after(stop);

  test('the desk and other servers are told, without a place in the log; nobody of another dealer is', async () => {
    await server.store.putDealer('d2', {});
    const token = await server.token('admin', 'a1', { dealer: 'd2' });
    const foreign = await server.admin('a1', { dealerId: 'd2', token });
    const listeners = [await server.admin('w'), await server.server(), await server.server('*')];
    await talking('heard');
    await erased('heard');
    for (const listener of listeners) assert.deepEqual(await listener.next('ERASE_GROUP'), told('heard'));
    await foreign.settled();
    assert.deepEqual(
      foreign.frames.filter(({ payload }) => payload.type === 'ERASE_GROUP'),
      [],
    );
  });

  test('every socket of the group is closed with 4403; of other groups, of admins and of servers, none is', async () => {
    const guest = await talking('closing');
    const tab = await rejoin('closing', guest.session.token);
    const others = [await talking('other'), await server.admin('w'), await server.server()];
    await erased('closing');
    assert.deepEqual(await Promise.all([guest.closed, tab.closed]), [4403, 4403]);
    for (const other of others) {
      await other.settled();
      assert.equal(other.socket.readyState, other.socket.OPEN);
    }
  });

  test('a stranger cannot take the name', async () => {
    const guest = await talking('wanted');
    await erased('wanted');
    await guest.closed;
    const stranger = await server.connect();
    const claim = { type: 'CLIENT_JOIN', dealerId: DEALER, groupId: 'wanted', user: 'customer', online: true };
    stranger.send('client_join', claim, 'j1');
    const { payload } = await stranger.next('error');
    assert.deepEqual([payload.code, await stranger.closed], ['unauthorized', 4401]);
    assertProblem(await read(server, 'groups/wanted'), 404, 'unknown_group');
  });

  test('no earlier token opens the name, of whoever it was', async () => {
    const guest = await talking('closed-for-good');
    const minted = server.token('customer', 'closed-for-good');
    await erased('closed-for-good');
    await guest.closed;
    for (const token of [guest.session.token, minted]) {
      const late = await server.connect();
      late.send('client_join', { type: 'CLIENT_JOIN', dealerId: DEALER, token });
      const { payload } = await late.next('error');
      assert.deepEqual([payload.code, await late.closed], ['unauthorized', 4401]);
      assertProblem(await server.http('GET', at('scopes/closed-for-good/events'), { token }), 401, 'unauthorized');
    }
  });

  test('a token minted since makes a new conversation, which counts on and knows nothing of the old one', async () => {
    const watcher = await server.admin('w');
    const guest = await talking('again', 4);
    await watcher.ask('mute_bot', { type: 'MUTE_BOT', groupId: 'again' });
    await erased('again');
    await guest.closed;
    await watcher.next('ERASE_GROUP');
    const back = await joinAnew('again');
    const { seqs, muted, closed, unread } = back.session;
    assert.deepEqual([seqs.again, muted, closed, unread], [5, false, false, 0]);
    const { payload } = await watcher.next('UPDATE_GROUP');
    assert.deepEqual([payload.groupId, payload.online], ['again', true]);
    assert.equal((await says(back, 'hello')).seq, 6);
    const { body } = await read(server, 'groups/again');
    assert.deepEqual([body.seq, body.unread, body.online, body.lastMessage.message], [6, 1, true, 'hello']);
    const { items } = await page(server, 'scopes/again/events');
    assert.deepEqual(
      items.map(({ seq }) => seq),
      [6],
    );
    assert.deepEqual((await page(server, 'users', '?groupId=again')).items, []);
    await erased('again');
    assert.equal(await back.closed, 4403);
    const third = await joinAnew('again');
    assert.equal((await says(third, 'hello')).seq, 7);
  });

  test('another server makes the conversation anew, too, and it is not known by what it was', async () => {
    const crm = await server.server();
    const say = { type: 'UPDATE_MSG', groupId: 'served', user: 'customer', message: 'hello' };
    assert.equal((await crm.ask('event', say, 'same-id')).seq, 1);
    await erased('served');
    const { seq, duplicate } = await crm.ask('event', say, 'same-id');
    assert.deepEqual([seq, duplicate], [2, false]);
  });

  /** Joins a conversation that was erased after three events and has had a fourth. */
  async function joinSince(groupId: string, seen: number) {
    const guest = await talking(groupId, 3);
    await erased(groupId);
    await guest.closed;
    const back = await joinAnew(groupId);
    await says(back, 'four');
    const tab = await joinAnew(groupId, { since: { [groupId]: seen } });
    await tab.settled();
    return { recovered: tab.session.recovered[groupId], seqs: tab.seqs(groupId) };
  }

  test('whoever had seen all that was erased is sent what came after [P-3.6]', async () => {
    assert.deepEqual(await joinSince('since-3', 3), { recovered: true, seqs: [4] });
    assert.deepEqual(await joinSince('since-4', 4), { recovered: true, seqs: [] });
    assert.deepEqual(await joinSince('since-5', 5), { recovered: false, seqs: [] });
  });

  test('whoever had not seen all that was erased is told that it cannot be recovered: no gap [P-3.6]', async () => {
    for (const seen of [0, 1, 2]) {
      assert.deepEqual(await joinSince(`since-${seen}`, seen), { recovered: false, seqs: [] });
    }
  });

  test('leaving afterwards makes nothing, be it the customer’s or an admin’s who had it open', async () => {
    const guest = await talking('left');
    const opener = await server.admin('opener');
    await opener.ask('chat_state', { type: 'UPDATE_CHAT', groupId: 'left', online: true });
    const watcher = await server.admin('w');
    await erased('left');
    await guest.closed;
    await watcher.next('ERASE_GROUP');
    // Their graces end in the order in which they began.
    await opener.close();
    const { payload } = await watcher.next('CHAT_STATE');
    assert.deepEqual([payload.type, payload.adminId, payload.groupId], ['UPDATE_CHAT', 'opener', undefined]);
    assertProblem(await read(server, 'groups/left'), 404, 'unknown_group');
    const heard = watcher.frames.filter((frame) => frame.payload.groupId === 'left').map((frame) => frame.payload.type);
    assert.equal(heard.at(-1), 'ERASE_GROUP');
  });

  test('what admins still send to it is refused', async () => {
    await talking('refused');
    const late = await server.admin('late');
    await erased('refused');
    const send = { type: 'UPDATE_MSG', groupId: 'refused', message: 'hello' };
    assert.equal((await late.ask('admin_message', send)).code, 'unknown_group');
    assert.equal(
      (await late.ask('typing', { type: 'TYPING', groupId: 'refused', typing: true })).code,
      'unknown_group',
    );
  });

  test('what a customer sends while it is erased is in the receipt or refused, and begins nothing new', async () => {
    const guest = await talking('rushed', 1);
    for (let index = 0; index < 50; index += 1)
      guest.send('customer_message', { type: 'UPDATE_MSG', message: `${index}` });
    const { events } = await erased('rushed');
    await guest.closed;
    assert.ok(events >= 1 && events <= 51, `${events}`);
    assertProblem(await read(server, 'groups/rushed'), 404, 'unknown_group');
    const back = await joinAnew('rushed');
    assert.equal(back.session.seqs.rushed, events);
  });
});

describe('[P-11.4] on two nodes', () => {
  let redis: RedisServer;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis?.stop());

  test('nobody’s socket is closed by a message whose words are the frame of an erasure, or of a setting aside', () =>
    withPlatform({ redis, count: 2 }, async ({ servers }) => {
      const [one, other] = servers;
      assert.ok(one && other);
      const here = await one.customer('g1');
      const there = await other.customer('g1', { token: here.session.token });
      for (const type of ['ERASE_GROUP', 'SET_ASIDE']) {
        const payload = { type, dealerId: DEALER, groupId: 'g1', user: 'customer', online: false };
        const message = JSON.stringify({ channel: 'CHAT_STATE', payload });
        for (const words of [message, `"${message}`, `\u0000${message}`]) {
          await here.ask('customer_message', { type: 'UPDATE_MSG', message: words });
          assert.equal((await there.next(({ payload: said }) => said.message === words)).payload.type, 'CHAT_MSG');
        }
      }
      assert.equal((await there.ask('customer_message', { type: 'UPDATE_MSG', message: 'still here' })).seq, 7);
      assert.equal((await here.next(({ seq }) => seq === 7)).payload.message, 'still here');
    }));

  test('both close the sockets of the group and tell their admins, and a new conversation is heard on both', () =>
    withPlatform({ redis, count: 2 }, async ({ servers, witnesses }) => {
      const [one, other] = servers;
      assert.ok(one && other);
      const here = await one.customer('g1');
      const there = await other.customer('g1', { token: here.session.token });
      const neighbour = await other.customer('g2');
      for (const [index, guest] of [here, there].entries()) {
        assert.equal((await guest.ask('customer_message', { type: 'UPDATE_MSG', message: `${index}` })).seq, index + 1);
      }
      const token = await one.token('admin', 'a1');
      assert.equal((await one.http('DELETE', at('groups/g1'), { token })).status, 200);
      assert.deepEqual(await Promise.all([here.closed, there.closed]), [4403, 4403]);
      for (const witness of witnesses) {
        const { id, seq, payload } = await witness.next('ERASE_GROUP');
        assert.deepEqual([id, seq, payload.groupId], [undefined, undefined, 'g1']);
      }
      for (const each of servers) assertProblem(await read(each, 'groups/g1'), 404, 'unknown_group');
      const back = await other.customer('g1', { token: await other.freshToken('customer', 'g1') });
      assert.equal(back.session.seqs.g1, 2);
      assert.equal((await back.ask('customer_message', { type: 'UPDATE_MSG', message: 'back' })).seq, 3);
      for (const witness of witnesses) {
        await witness.next(({ payload }) => payload.message === 'back');
        assert.deepEqual(messagesOf(witness), ['0', '1', 'back']);
        assert.equal(witness.frames.filter(({ payload }) => payload.type === 'ERASE_GROUP').length, 1);
      }
      await neighbour.settled();
      assert.equal(neighbour.socket.readyState, neighbour.socket.OPEN);
    }));
});
