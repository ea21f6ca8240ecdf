/** [P-3.2 – P-3.5] Admins and other servers, where the token is, and what a joined socket is told. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { secondsFromNow } from '../../src/auth/tokens.ts';
import type { Client } from '../support/client.ts';
import { adminJoin, clientJoin, serverJoin } from '../support/joins.ts';
import { DEALER, startServer, type TestServer, withServer } from '../support/server.ts';

const timing = { closeTimeout: 50 };
const server = await startServer({ timing });
after(() => server.close());

const send = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });

/** Asks to join on a new socket: the socket, and its session or the code of its refusal. */
async function attempt(channel: string, payload: object, headers: Record<string, string> = {}, query = '') {
  const client = await server.connect({ headers, query });
  const { code } = await client.ask(channel, payload);
  return { client, code, session: client.frames.find((frame) => frame.channel === 'session')?.payload };
}

/** That a join is refused as `unauthorized`, and its socket closed. */
async function assertUnauthorized(...of: Parameters<typeof attempt>) {
  const { client, code, session } = await attempt(...of);
  assert.deepEqual([code, session], ['unauthorized', undefined]);
  assert.equal(await client.closed, 4401);
}

describe('[P-3.2] admins', () => {
  test('an admin joins with its token', async () => {
    const { session } = await server.admin('a7');
    assert.deepEqual([session.role, session.adminId], ['admin', 'a7']);
  });

  for (const { whose, role, sub, dealer } of [
    { whose: 'another admin', role: 'admin', sub: 'a2', dealer: DEALER },
    { whose: 'an admin of another dealer', role: 'admin', sub: 'a1', dealer: 'd2' },
    { whose: 'an admin of all dealers', role: 'admin', sub: 'a1', dealer: '*' },
    { whose: 'a customer of that name', role: 'customer', sub: 'a1', dealer: DEALER },
    { whose: 'a server of that name', role: 'server', sub: 'a1', dealer: DEALER },
    { whose: 'a server of all dealers', role: 'server', sub: 'a1', dealer: '*' },
  ] as const) {
    test(`an admin is refused with the token of ${whose}`, async () => {
      await assertUnauthorized('admin_join', adminJoin({ token: await server.token(role, sub, { dealer }) }));
    });
  }

  test('an admin is refused without a token', () => assertUnauthorized('admin_join', adminJoin()));

  test('an admin that calls itself something else is forbidden', async () => {
    const token = await server.token('admin', 'a1');
    assert.equal((await attempt('admin_join', adminJoin({ user: 'customer', token }))).code, 'forbidden');
  });
});

describe('[P-3.3] other servers', () => {
  test('a server of one dealer hears that dealer alone, a server of all hears each', async () => {
    const [one, all] = [await server.server(), await server.server('*')];
    const elsewhere = await server.server('d2');
    await elsewhere.ask('event', send('there', { groupId: 'g', user: 'bot' }), 'k1');
    await one.ask('event', send('here', { groupId: 'g', user: 'bot' }), 'k2');
    await one.settled();
    const heard = [(await all.next('CHAT_MESSAGE')).payload, (await all.next('CHAT_MESSAGE')).payload];
    assert.deepEqual(
      heard.map(({ dealerId, message }) => [dealerId, message]),
      [
        ['d2', 'there'],
        [DEALER, 'here'],
      ],
    );
    assert.deepEqual(one.frames.filter(({ channel }) => channel === 'CHAT_MESSAGE').length, 0);
  });

  test('a server whose token says * joins a dealer by its name', async () => {
    const token = await server.token('server', 'crm', { dealer: '*' });
    assert.equal((await server.server(DEALER, { token })).session.dealerId, DEALER);
  });

  test('a server joins a dealer that does not exist yet, and its first event makes it', async () => {
    const client = await server.server('new');
    assert.deepEqual(client.session.seqs, { '@dealer': 0, '@desk': 0 });
    assert.equal(await server.store.dealer('new'), null);
    const { scope, seq } = await client.ask('event', send('hello', { groupId: 'g', user: 'bot' }));
    assert.deepEqual([scope, seq], ['g', 1]);
    const token = await server.token('customer', 'g', { dealer: 'new' });
    assert.equal((await server.customer('g', { dealerId: 'new', token })).session.seqs.g, 1);
  });

  for (const { whose, dealerId, role, dealer } of [
    { whose: 'a server of one dealer, for all', dealerId: '*', role: 'server', dealer: DEALER },
    { whose: 'a server of another dealer', dealerId: DEALER, role: 'server', dealer: 'd2' },
    { whose: 'an admin', dealerId: DEALER, role: 'admin', dealer: DEALER },
    { whose: 'a customer', dealerId: DEALER, role: 'customer', dealer: DEALER },
  ] as const) {
    test(`a server is refused with the token of ${whose}`, async () => {
      const token = await server.token(role, 'crm', { dealer });
      await assertUnauthorized('server_join', serverJoin({ dealerId, token }));
    });
  }

  test('a server is refused without a token', () => assertUnauthorized('server_join', serverJoin()));
});

describe('[P-3.4] where the token is', () => {
  for (const { role, sub, channel, join } of [
    { role: 'customer', sub: 'bearer', channel: 'client_join', join: clientJoin({ groupId: 'bearer' }) },
    { role: 'admin', sub: 'a1', channel: 'admin_join', join: adminJoin() },
    { role: 'server', sub: 'crm', channel: 'server_join', join: serverJoin() },
  ] as const) {
    test(`to join as ${role}, it may come in the Authorization header of the upgrade`, async () => {
      const token = await server.token(role, sub);
      for (const authorization of [`Bearer ${token}`, `bearer  ${token}`]) {
        const { session } = await attempt(channel, join, { authorization });
        assert.equal(session?.role, role);
      }
    });
  }

  test('a header that bears another token, or none, opens nothing', async () => {
    const token = await server.token('admin', 'a1');
    for (const authorization of [`Basic ${token}`, token, 'Bearer', `Bearer ${await server.token('admin', 'a2')}`]) {
      await assertUnauthorized('admin_join', adminJoin(), { authorization });
    }
  });

  test('where the join has a token too, that one counts', async () => {
    const authorization = `Bearer ${await server.token('admin', 'a2')}`;
    const { session } = await attempt('admin_join', adminJoin({ token: await server.token('admin', 'a1') }), {
      authorization,
    });
    assert.equal(session?.adminId, 'a1');
  });

  test('in the URL it is not read', async () => {
    const token = await server.token('admin', 'a1');
    for (const name of ['token', 'access_token', 'authorization']) {
      await assertUnauthorized('admin_join', adminJoin(), {}, `?${name}=${token}`);
    }
  });
});

const THIRTY_DAYS = 30 * 24 * 60 * 60;
/** When a token ends, as `expiresAt` has it. */
const endOf = (token: string) => new Date(Number(decodeJwt(token).exp) * 1000).toISOString();
const withFresh = (use: (server: TestServer) => Promise<void>) => withServer({ timing }, use);
/** Joins by the frame given; its `session` and `ack` are its first frames, in this order, and the ack is `{"id"}` alone. */
async function sessionOf(server: TestServer, channel: string, payload: object) {
  const client = await server.connect();
  client.send(channel, payload, 'j1');
  await client.next('ack');
  const [session, ack] = client.frames;
  assert.deepEqual(ack, { channel: 'ack', payload: { id: 'j1' } });
  assert.equal(session?.channel, 'session');
  return { client, session: session?.payload };
}

describe('[P-3.5] session', () => {
  test("of a new customer: its group, a token to keep, and a group's beginnings", () =>
    withFresh(async (server) => {
      const { session } = await sessionOf(server, 'client_join', clientJoin({ groupId: 'g1' }));
      const { token, ...rest } = session;
      assert.deepEqual(rest, {
        role: 'customer',
        dealerId: DEALER,
        groupId: 'g1',
        expiresAt: endOf(token),
        seqs: { g1: 0, '@dealer': 0 },
        recovered: {},
        muted: false,
        closed: false,
        online: false,
        unread: 0,
        waiting: null,
        availability: { open: true, admins: false },
        epoch: await server.store.epoch(),
        pingInterval: 25_000,
      });
      const { role, dealer, sub, exp } = decodeJwt(token);
      assert.deepEqual({ role, dealer, sub }, { role: 'customer', dealer: DEALER, sub: 'g1' });
      assert.ok(Math.abs(Number(exp) - secondsFromNow(THIRTY_DAYS)) <= 5);
    }));

  test('of a customer that comes back: the state of its group, and that an admin is online', () =>
    withFresh(async (server) => {
      const token = await server.token('customer', 'g1');
      const customer = await server.customer('g1', { token });
      const admin = await server.admin();
      await admin.ask('sys_message', { type: 'SYS_MSG', message: 'open till six' });
      await admin.ask('mute_bot', { type: 'MUTE_BOT', groupId: 'g1' });
      await customer.ask('customer_message', send('one'));
      await customer.ask('customer_message', send('two'));
      await customer.ask('close_chat', { type: 'CLOSE_CHAT' });
      const { session } = await sessionOf(server, 'client_join', clientJoin({ groupId: 'g1', token }));
      assert.deepEqual(session, {
        role: 'customer',
        dealerId: DEALER,
        groupId: 'g1',
        token,
        expiresAt: endOf(token),
        seqs: { g1: 4, '@dealer': 1 },
        recovered: {},
        muted: true,
        closed: true,
        online: true,
        unread: 2,
        waiting: null,
        availability: { open: true, admins: true },
        epoch: await server.store.epoch(),
        pingInterval: 25_000,
      });
    }));

  test("of an admin: its name and the dealer's two scopes, its own arrival counted", () =>
    withFresh(async (server) => {
      await server.customer('g1');
      const token = await server.token('admin', 'a1');
      const { session } = await sessionOf(server, 'admin_join', adminJoin({ token }));
      assert.deepEqual(session, {
        role: 'admin',
        dealerId: DEALER,
        adminId: 'a1',
        expiresAt: endOf(token),
        seqs: { '@dealer': 0, '@desk': 2 },
        recovered: {},
        epoch: await server.store.epoch(),
        pingInterval: 25_000,
        availability: { open: true, admins: true },
        answerWithin: { bot: 30, admin: 120 },
        admins: ['a1'],
      });
    }));

  test('of an admin: who else is here, too', () =>
    withFresh(async (server) => {
      await server.admin('a2');
      const colleague = await server.admin('b1');
      const { session } = await sessionOf(
        server,
        'admin_join',
        adminJoin({ token: await server.token('admin', 'a1') }),
      );
      assert.deepEqual(session.admins, ['a1', 'a2', 'b1']);
      colleague.close();
    }));

  for (const { dealerId, ...known } of [
    { dealerId: DEALER, seqs: { '@dealer': 0, '@desk': 1 }, availability: { open: true, admins: false } },
    { dealerId: 'd2', seqs: { '@dealer': 0, '@desk': 0 }, availability: { open: true, admins: false } },
    { dealerId: '*', seqs: {} },
  ]) {
    test(`of another server of ${dealerId}: nothing that is a person's`, () =>
      withFresh(async (server) => {
        await server.customer('g1');
        const token = await server.token('server', 'crm', { dealer: dealerId });
        const { session } = await sessionOf(server, 'server_join', serverJoin({ dealerId, token }));
        const common = {
          expiresAt: endOf(token),
          recovered: {},
          epoch: await server.store.epoch(),
          pingInterval: 25_000,
        };
        assert.deepEqual(session, { role: 'server', dealerId, ...known, ...common });
      }));
  }

  test('a join without an id gets its session and no ack', () =>
    withFresh(async (server) => {
      const clients: Client[] = [await server.customer(), await server.admin(), await server.server()];
      for (const client of clients) {
        await client.settled();
        const answers = client.frames.filter(({ channel }) => channel === 'session' || channel === 'ack');
        assert.deepEqual(
          answers.map(({ channel }) => channel),
          ['session'],
        );
      }
    }));

  test('seqs end where the live events begin', () =>
    withFresh(async (server) => {
      const customer = await server.customer('g1');
      for (const text of ['one', 'two']) await customer.ask('customer_message', send(text));
      const second = await server.customer('g1', { token: customer.session.token });
      assert.deepEqual(second.session.seqs, { g1: 2, '@dealer': 0 });
      for (const text of ['three', 'four']) await customer.ask('customer_message', send(text));
      await second.settled();
      assert.deepEqual(second.seqs('g1'), [3, 4]);
    }));
});
