/** [P-7.5] Who is here: told at the first live socket, and after a grace when the last one has gone. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { Client } from '../support/client.ts';
import { gate, overriding } from '../support/faulty-store.ts';
import { DEALER, inFolder, startServer, type TestServer, withServer } from '../support/server.ts';

/** Short, where a test waits for its end. */
const SHORT = { presenceGrace: 40, closeTimeout: 5 };
/** Long enough to come back within it on a busy machine; as long a node may be silent. */
const LONG = { presenceGrace: 500, closeTimeout: 5, nodeInterval: 20, nodeSilence: 500 };

const customer = (groupId: string, online: boolean) => ({
  type: 'UPDATE_GROUP',
  dealerId: DEALER,
  groupId,
  user: 'customer',
  online,
});
const admin = (adminId: string, online: boolean, groupId?: string) => ({
  type: 'UPDATE_CHAT',
  dealerId: DEALER,
  ...(groupId !== undefined && { groupId }),
  adminId,
  user: 'admin',
  online,
});
const opening = (groupId: string, online = true) => ({ type: 'UPDATE_CHAT', groupId, online });

/** What a client has been told of somebody: the presence payloads that name the group or the admin. */
const told = (client: Client, name: string) =>
  client.frames
    .filter(({ channel, payload }) => channel === 'CHAT_STATE' && [payload.groupId, payload.adminId].includes(name))
    .map(({ payload }) => payload);
const next = (client: Client, expected: object) => client.next(({ payload }) => isDeepStrictEqual(payload, expected));

/**
 * Waits until somebody who leaves now is told to be gone: whoever left before, and was to be told, has been. The grace is
 * the same for everybody.
 */
async function graceAfterNow(server: TestServer, desk: Client, name: string): Promise<void> {
  const last = await server.customer(name);
  await last.close();
  await next(desk, customer(name, false));
}

describe('[P-7.5] a customer', () => {
  let server: TestServer;
  let desk: Client;
  before(async () => {
    server = await startServer({ timing: SHORT });
    desk = await server.admin('desk');
  });
  after(() => server.close());

  test('is told online at the first socket and not at a second tab', async () => {
    const guest = await server.customer('g1');
    await server.customer('g1', { token: guest.session.token });
    await desk.settled();
    assert.deepEqual(told(desk, 'g1'), [customer('g1', true)]);
  });

  test('is not told offline while a tab is left, and is after the grace when the last one has gone', async () => {
    const guest = await server.customer('g2');
    const tab = await server.customer('g2', { token: guest.session.token });
    await guest.close();
    await graceAfterNow(server, desk, 'after-guest');
    assert.deepEqual(told(desk, 'g2'), [customer('g2', true)]);
    await tab.close();
    const { channel, scope, seq } = await next(desk, customer('g2', false));
    assert.deepEqual([channel, scope], ['CHAT_STATE', '@desk']);
    assert.equal(seq, (await server.store.tails(DEALER, ['@desk'])).get('@desk'));
  });

  test('is told online anew after having been told offline', async () => {
    const guest = await server.customer('g3');
    await guest.close();
    await next(desk, customer('g3', false));
    await server.customer('g3', { token: guest.session.token });
    await desk.settled();
    assert.deepEqual(
      told(desk, 'g3'),
      [true, false, true].map((online) => customer('g3', online)),
    );
  });

  test('is neither online nor offline for a stranger who is refused the group', async () => {
    const guest = await server.customer('g4');
    const stranger = await server.connect();
    stranger.send('client_join', { type: 'CLIENT_JOIN', dealerId: DEALER, groupId: 'g4' });
    assert.equal((await stranger.next('error')).payload.code, 'unauthorized');
    assert.equal(await stranger.closed, 4401);
    await graceAfterNow(server, desk, 'after-stranger');
    assert.deepEqual(told(desk, 'g4'), [customer('g4', true)]);
    await guest.close();
    await next(desk, customer('g4', false));
  });

  test('is told whether an admin is there when joining', async () => {
    await server.store.putDealer('d2', { origins: ['*'] });
    const token = await server.token('admin', 'a1', { dealer: 'd2' });
    const crm = await server.server('d2');
    assert.equal((await server.customer('early', { dealerId: 'd2' })).session.online, false);
    const agent = await server.admin('a1', { dealerId: 'd2', token });
    assert.equal((await server.customer('later', { dealerId: 'd2' })).session.online, true);
    await agent.close();
    await next(crm, { ...admin('a1', false), dealerId: 'd2' });
    assert.equal((await server.customer('late', { dealerId: 'd2' })).session.online, false);
  });
});

describe('[P-7.5] an admin', () => {
  let server: TestServer;
  let desk: Client;
  before(async () => {
    server = await startServer({ timing: SHORT });
    desk = await server.server();
  });
  after(() => server.close());

  test('is told online at the first socket, not at the second, and offline after the last one', async () => {
    const agent = await server.admin('a1');
    const phone = await server.admin('a1');
    await agent.close();
    await graceAfterNow(server, desk, 'after-agent');
    assert.deepEqual(told(desk, 'a1'), [admin('a1', true)]);
    await phone.close();
    const { channel, scope } = await next(desk, admin('a1', false));
    assert.deepEqual([channel, scope], ['CHAT_STATE', '@desk']);
  });

  test('leaves the chats that are open, each told in its own scope, and then the desk', async () => {
    const [one, two, three] = [await server.customer('o1'), await server.customer('o2'), await server.customer('o3')];
    const agent = await server.admin('a2');
    for (const groupId of ['o1', 'o2', 'o3']) await agent.ask('chat_state', opening(groupId));
    await agent.ask('chat_state', opening('o2', false));
    await agent.close();
    await next(desk, admin('a2', false));
    const opened = ['o1', 'o2', 'o3'].map((groupId) => admin('a2', true, groupId));
    const left = ['o1', 'o3'].map((groupId) => admin('a2', false, groupId));
    const all = [admin('a2', true), ...opened, admin('a2', false, 'o2'), ...left, admin('a2', false)];
    assert.deepEqual(told(desk, 'a2'), all);
    for (const guest of [one, two, three]) {
      await guest.settled();
      const { groupId } = guest.session;
      assert.deepEqual(told(guest, 'a2'), [admin('a2', true, groupId), admin('a2', false, groupId)]);
      assert.deepEqual(guest.seqs(groupId), [1, 2]);
    }
  });

  test('has left the chats: coming back opens none of them', async () => {
    await server.customer('o4');
    const agent = await server.admin('a3');
    await agent.ask('chat_state', opening('o4'));
    await agent.close();
    await next(desk, admin('a3', false));
    const again = await server.admin('a3');
    await again.close();
    await next(desk, admin('a3', false));
    const there = told(desk, 'a3').filter(({ groupId }) => groupId === 'o4');
    assert.deepEqual(there, [admin('a3', true, 'o4'), admin('a3', false, 'o4')]);
  });

  test('is another at another dealer, and another server is nobody', async () => {
    await server.store.putDealer('d3', { origins: ['*'] });
    const token = await server.token('admin', 'a4', { dealer: 'd3' });
    const elsewhere = await server.admin('a4', { dealerId: 'd3', token });
    const crm = await server.server();
    await Promise.all([elsewhere.close(), crm.close()]);
    await graceAfterNow(server, desk, 'after-others');
    const names = new Set(
      desk.frames.filter(({ channel }) => channel === 'CHAT_STATE').map(({ payload }) => payload.adminId),
    );
    assert.ok(!names.has('a4') && !names.has('crm'));
  });
});

describe('[P-7.5] the grace', () => {
  test('who comes back within it has never been away, and an admin keeps the chats that are open', () =>
    withServer({ timing: LONG }, async (server) => {
      const desk = await server.server();
      const [guest, agent] = [await server.customer('g1'), await server.admin('a1')];
      await agent.ask('chat_state', opening('g1'));
      await Promise.all([guest.close(), agent.close()]);
      await server.customer('g1', { token: guest.session.token });
      await server.admin('a1');
      await graceAfterNow(server, desk, 'witness');
      const presences = desk.frames.filter(({ channel }) => channel === 'CHAT_STATE').map(({ payload }) => payload);
      const here = [customer('g1', true), admin('a1', true), admin('a1', true, 'g1')];
      assert.deepEqual(presences, [...here, customer('witness', true), customer('witness', false)]);
    }));

  test('who leaves while the database is away is told offline when it is back', async () => {
    let isAway = false;
    const tried = gate();
    const server = await startServer({
      timing: SHORT,
      wrapStore: (store) =>
        overriding(store, {
          commit: async (needs, work) => {
            if (!isAway) return store.commit(needs, work);
            tried.open();
            throw new Error('disk I/O error');
          },
        }),
    });
    try {
      const [desk, guest] = [await server.server(), await server.customer('g1')];
      isAway = true;
      await guest.close();
      await tried.opened;
      isAway = false;
      await next(desk, customer('g1', false));
      assert.deepEqual(told(desk, 'g1'), [customer('g1', true), customer('g1', false)]);
    } finally {
      await server.close();
    }
  });
});

describe('[P-7.5] a restart', () => {
  test('who was here and does not come back is told offline, with the chats that were open; who does is not', () =>
    inFolder(async (folder) => {
      const settings = { DATABASE_URL: `sqlite:${folder}/telle.db` };
      const [token, seqs] = await withServer({ settings, timing: LONG }, async (server) => {
        const [, back, agent] = [
          await server.customer('gone'),
          await server.customer('back'),
          await server.admin('a1'),
        ];
        await agent.ask('chat_state', opening('gone'));
        return [back.session.token, Object.fromEntries(await server.store.tails(DEALER, ['@desk', 'gone']))];
      });
      await withServer({ settings, timing: LONG }, async (server) => {
        await server.customer('back', { token });
        const desk = await server.server(DEALER, { since: seqs });
        assert.deepEqual(desk.session.recovered, { '@desk': true, gone: true });
        while (desk.events('@desk').length < 2) await desk.next('CHAT_STATE');
        const payloads = (scope: string) => desk.events(scope).map(({ payload }) => payload);
        const offline = payloads('@desk').sort((one, other) => one.type.localeCompare(other.type));
        assert.deepEqual(offline, [admin('a1', false), customer('gone', false)]);
        assert.deepEqual(payloads('gone'), [admin('a1', false, 'gone')]);
        assert.deepEqual([desk.seqs('@desk'), desk.seqs('gone')], [[4, 5], [2]]);
      });
    }));
});
