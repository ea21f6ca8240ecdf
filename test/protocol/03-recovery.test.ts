/** [P-3.6] Recovery: a socket that says what it has seen gets the rest, each once and in order, or is told that it does not. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { adminJoin, clientJoin, serverJoin } from '../support/joins.ts';
import { DEALER, startServer } from '../support/server.ts';

const server = await startServer({ timing: { closeTimeout: 50 }, settings: { RATE_LIMIT: 'off' } });
after(() => server.close());
const crm = await server.server();

const send = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });
const botSays = (groupId: string, message: string) => send(message, { dealerId: DEALER, groupId, user: 'bot' });
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Gives a group so many messages, by another server. */
async function fill(groupId: string, count: number): Promise<void> {
  const token = await server.token('server', 'crm');
  const body = range(1, count).map((n) => botSays(groupId, `${n}`));
  assert.equal((await server.http('POST', '/v1/events', { token, body })).status, 200);
}

/** Joins as the customer of a group that exists; resolves when what it missed has come. */
async function rejoin(groupId: string, since: object) {
  const client = await server.customer(groupId, { token: await server.token('customer', groupId), since });
  await client.settled();
  return client;
}

async function adminSince(adminId: string, since: object) {
  const client = await server.admin(adminId, { since });
  await client.settled();
  return client;
}

describe('[P-3.6] recovery of one scope', async () => {
  await fill('five', 5);
  await fill('most', 500);
  await fill('over', 501);

  for (const { groupId, since, recovered, seqs } of [
    { groupId: 'five', since: 0, recovered: true, seqs: range(1, 5) },
    { groupId: 'five', since: 3, recovered: true, seqs: [4, 5] },
    { groupId: 'five', since: 5, recovered: true, seqs: [] },
    { groupId: 'five', since: 6, recovered: false, seqs: [] },
    { groupId: 'five', since: Number.MAX_SAFE_INTEGER, recovered: false, seqs: [] },
    { groupId: 'most', since: 0, recovered: true, seqs: range(1, 500) },
    { groupId: 'over', since: 0, recovered: false, seqs: [] },
    { groupId: 'over', since: 1, recovered: true, seqs: range(2, 501) },
  ]) {
    const last = { five: 5, most: 500, over: 501 }[groupId];
    test(`since ${since} of ${last}: ${recovered ? `${seqs.length} events` : 'not recovered, and none is sent'}`, async () => {
      const client = await rejoin(groupId, { [groupId]: since });
      assert.deepEqual(client.session.recovered, { [groupId]: recovered });
      assert.deepEqual(client.session.seqs, { [groupId]: last, '@dealer': 0 });
      assert.deepEqual(client.seqs(groupId), seqs);
    });
  }

  test('a scope that is not named is not replayed, and since may name none', async () => {
    const [none, other] = [await rejoin('five', {}), await rejoin('five', { '@dealer': 0 })];
    assert.deepEqual([none.session.recovered, other.session.recovered], [{}, { '@dealer': true }]);
    assert.deepEqual([...none.seqs('five'), ...other.seqs('five')], []);
  });

  test('what is replayed are the bytes that were sent live, after session and ack and before anything live', async () => {
    const live = await server.admin('watcher');
    for (const text of ['one', 'two']) await crm.ask('event', botSays('bytes', text));
    await live.settled();
    const sent = live.texts.filter((_, index) => live.frames[index]?.scope === 'bytes');
    const client = await server.connect();
    const token = await server.token('customer', 'bytes');
    client.send('client_join', clientJoin({ groupId: 'bytes', token, since: { bytes: 0 } }), 'j1');
    await client.next('ack');
    await crm.ask('event', botSays('bytes', 'three'));
    await client.next(({ seq }) => seq === 3);
    const channels = client.frames.map(({ channel }) => channel);
    assert.deepEqual(channels, ['session', 'ack', ...Array(3).fill('CHAT_MESSAGE')]);
    assert.deepEqual(client.texts.slice(2, 4), sent);
  });

  test('a group that does not exist is recovered from 0, and beyond its log from anything else', async () => {
    const admin = await adminSince('a1', { nowhere: 0, 'never-was': 1 });
    assert.deepEqual(admin.session.recovered, { nowhere: true, 'never-was': false });
  });

  for (const groupId of ['__proto__', 'constructor', 'toString']) {
    test(`a group named ${groupId} is recovered like any other`, async () => {
      await fill(groupId, 2);
      const since = Object.fromEntries([[groupId, 1]]);
      const client = await rejoin(groupId, since);
      assert.deepEqual(Object.entries(client.session.recovered), [[groupId, true]]);
      assert.deepEqual(client.seqs(groupId), [2]);
    });
  }
});

describe('[P-3.6] recovery of several scopes', () => {
  test('each that is named is decided for itself: whole, or not at all', async () => {
    await fill('a', 3);
    await fill('b', 2);
    await fill('c', 502);
    const admin = await server.admin('a2');
    await admin.ask('sys_message', { type: 'SYS_MSG', message: 'open till six' });
    await admin.close();
    const since = { a: 1, b: 3, c: 0, '@dealer': 0 };
    const client = await adminSince('a2', since);
    assert.deepEqual(client.session.recovered, { a: true, b: false, c: false, '@dealer': true });
    const scopes = ['a', 'b', 'c', '@dealer'];
    assert.deepEqual(
      scopes.map((scope) => client.seqs(scope)),
      [[2, 3], [], [], [1]],
    );
  });

  test("an admin's own arrival is among the events of @desk that it missed", async () => {
    const first = await server.admin('a3');
    const last = first.session.seqs['@desk'];
    const { session } = await server.customer('arrives');
    await first.settled();
    const again = await adminSince('a4', { '@desk': last });
    assert.deepEqual(again.session.recovered, { '@desk': true });
    const told = again.events('@desk').map(({ payload }) => payload.groupId ?? payload.adminId);
    assert.deepEqual(told, [session.groupId, 'a4']);
  });

  test('100 scopes are taken and 101 are refused', async () => {
    const scopes = (count: number) => Object.fromEntries(range(1, count).map((n) => [`scope-${n}`, 0]));
    const client = await server.connect();
    const token = await server.token('admin', 'a5');
    const { code, details } = await client.ask('admin_join', adminJoin({ adminId: 'a5', token, since: scopes(101) }));
    assert.deepEqual([code, details[0].path], ['invalid_payload', '/since']);
    const hundred = adminJoin({ adminId: 'a5', token, since: scopes(100) });
    assert.equal((await client.ask('admin_join', hundred)).channel, 'ack');
  });

  for (const since of [
    { five: -1 },
    { five: 1.5 },
    { five: '1' },
    { five: null },
    { five: 2 ** 53 },
    [],
    'five',
    null,
  ]) {
    test(`since ${JSON.stringify(since)} is refused`, async () => {
      const client = await server.connect();
      const { code, details } = await client.ask('client_join', clientJoin({ since }));
      assert.deepEqual([code, details[0].path.split('/')[1]], ['invalid_payload', 'since']);
    });
  }
});

describe('[P-3.6] scopes that a socket may not see', () => {
  test("a customer may not name another's group, and may then join without it", async () => {
    await fill('another', 2);
    const client = await server.connect();
    const token = await server.token('customer', 'mine');
    const join = clientJoin({ groupId: 'mine', token });
    for (const scope of ['another', 'not-there', '@others', '*']) {
      const { code } = await client.ask('client_join', { ...join, since: { mine: 0, [scope]: 0 } });
      assert.equal(code, 'forbidden', scope);
    }
    assert.equal((await client.ask('client_join', { ...join, since: { mine: 0 } })).channel, 'ack');
    assert.deepEqual(client.seqs('another'), []);
  });

  test('a customer that names @desk, which its acks do, is told that it is not recovered and shown nothing of it', async () => {
    const client = await server.customer('desk');
    const { scope, seq } = await client.ask('customer_update', { type: 'UPDATE_USER', message: { name: 'Ann' } });
    assert.equal(scope, '@desk');
    for (const since of [0, seq]) {
      const again = await rejoin('desk', { '@desk': since, desk: 0 });
      assert.deepEqual(again.session.recovered, { '@desk': false, desk: true });
      assert.deepEqual(Object.keys(again.session.seqs), ['desk', '@dealer']);
      assert.deepEqual(again.seqs('@desk'), []);
    }
  });

  test('an admin may not name a scope that is none', async () => {
    const client = await server.connect();
    const token = await server.token('admin', 'a6');
    const { code } = await client.ask('admin_join', adminJoin({ adminId: 'a6', token, since: { '@others': 0 } }));
    assert.equal(code, 'forbidden');
  });

  test('a server of all dealers has no since', async () => {
    const client = await server.connect();
    const join = serverJoin({ dealerId: '*', token: await server.token('server', 'crm', { dealer: '*' }) });
    for (const scope of ['five', '@dealer', '@desk']) {
      const { code, details } = await client.ask('server_join', { ...join, since: { [scope]: 0 } });
      assert.deepEqual([code, details[0].path], ['invalid_payload', '/since']);
    }
    assert.equal((await client.ask('server_join', { ...join, since: {} })).channel, 'ack');
  });

  test('a server of one dealer recovers every scope of it', async () => {
    await fill('heard', 2);
    const client = await server.server(DEALER, { since: { heard: 0, '@dealer': 0 } });
    assert.deepEqual(client.session.recovered, { heard: true, '@dealer': true });
    await client.settled();
    assert.deepEqual(client.seqs('heard'), [1, 2]);
  });
});
