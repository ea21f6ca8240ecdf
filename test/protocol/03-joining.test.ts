/** [P-3, P-3.1] The first frame of a socket is a join, within its time; and how a customer comes to its group. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import type { Client } from '../support/client.ts';
import { gate, overriding } from '../support/faulty-store.ts';
import { adminJoin, clientJoin, serverJoin } from '../support/joins.ts';
import { DEALER, startServer, withServer } from '../support/server.ts';

const timing = { closeTimeout: 50 };
const hasty = { timing, settings: { JOIN_TIMEOUT: '250ms' } };
const server = await startServer({ timing });
after(() => server.close());

const send = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });

/** That a customer's join is refused as `unauthorized`, and its socket closed. */
async function assertUnauthorized(payload: object): Promise<void> {
  const client = await server.connect();
  assert.equal((await client.ask('client_join', payload)).code, 'unauthorized');
  assert.equal(await client.closed, 4401);
  assert.equal(client.frames.length, 1);
}

/** What answered a client, in order: each frame's channel, and the id where it repeats one. */
const answers = ({ frames }: Client) =>
  frames.map(({ channel, payload }) => (payload.id === undefined ? channel : `${channel} ${payload.id}`));

describe('[P-3] the first frame', () => {
  test('is a join: what comes before one is not_joined, and the socket may still join', async () => {
    const client = await server.connect();
    for (const channel of ['customer_message', 'admin_message', 'event', 'typing', 'refresh']) {
      const { code, retryable } = await client.ask(channel, {});
      assert.deepEqual([code, retryable], ['not_joined', false], channel);
    }
    assert.equal((await client.ask('client_join', clientJoin())).channel, 'ack');
  });

  test('a socket that does not join in time is closed with 4408, whatever else it sends', async () => {
    await withServer(hasty, async (quick) => {
      const [silent, busy, refused] = [await quick.connect(), await quick.connect(), await quick.connect()];
      await busy.settled();
      await busy.ask('customer_message', send('hello'));
      await refused.ask('client_join', clientJoin({ groupId: '@desk' }));
      for (const { closed } of [silent, busy, refused]) assert.equal(await closed, 4408);
    });
  });

  test('a socket that has joined in time stays', async () => {
    await withServer(hasty, async (quick) => {
      const client = await quick.customer();
      assert.equal(await (await quick.connect()).closed, 4408);
      await client.settled();
    });
  });

  test('a socket that has sent its join in time is not closed because the answer takes longer', async () => {
    const { opened, open } = gate();
    const wrapStore = (store: Store) => overriding(store, { tails: (...of) => opened.then(() => store.tails(...of)) });
    await withServer({ ...hasty, wrapStore }, async (quick) => {
      const client = await quick.connect();
      client.send('client_join', clientJoin(), 'j1');
      assert.equal(await (await quick.connect()).closed, 4408);
      open();
      await client.next('session');
      await client.settled();
    });
  });

  test('a socket whose join is refused after its time is closed then, and may not try again', {
    timeout: 20_000,
  }, async () => {
    const { opened, open } = gate();
    const wrapStore = (store: Store) =>
      overriding(store, { standing: (...of) => opened.then(() => store.standing(...of)) });
    await withServer({ ...hasty, wrapStore }, async (quick) => {
      const client = await quick.connect();
      client.send('client_join', clientJoin({ since: { other: 0 } }), 'j1');
      assert.equal(await (await quick.connect()).closed, 4408);
      open();
      assert.equal((await client.next('error')).payload.code, 'forbidden');
      assert.equal(await client.closed, 4408);
    });
  });

  test('a second join is already_joined, of any kind, and the first one holds', async () => {
    const client = await server.customer('twice');
    const token = await server.token('admin', 'a1');
    for (const [channel, payload] of [
      ['client_join', clientJoin({ groupId: 'twice', token: client.session.token })],
      ['client_join', clientJoin()],
      ['admin_join', adminJoin({ token })],
      ['server_join', serverJoin({ token })],
    ] as const) {
      const { code, retryable } = await client.ask(channel, payload);
      assert.deepEqual([code, retryable], ['already_joined', false], channel);
    }
    assert.equal((await client.ask('customer_message', send('hello'))).scope, 'twice');
  });

  for (const over of ['memory', 'a port']) {
    test(`frames right behind a join are handled after it, in order, over ${over}`, async () => {
      await withServer({ timing }, async (fresh) => {
        const client = over === 'memory' ? await fresh.connect() : await fresh.dial(await fresh.listen());
        client.send('client_join', clientJoin({ groupId: 'pipe' }), 'j1');
        client.send('ping', {}, 'p1');
        client.send('client_join', clientJoin(), 'j2');
        for (const id of ['k1', 'k2', 'k3']) client.send('customer_message', send(id), id);
        await client.next(({ payload }) => payload.id === 'k3');
        const expected = ['session', 'ack j1', 'pong', 'ack p1', 'error j2', 'ack k1', 'ack k2', 'ack k3'];
        assert.deepEqual(answers(client), expected);
        assert.deepEqual(client.seqs('pipe'), [1, 2, 3]);
      });
    });
  }

  test('frames behind a refused join are not_joined, and a good join behind it is taken', async () => {
    const client = await server.connect();
    client.send('client_join', clientJoin({ groupId: '@desk' }), 'j1');
    client.send('customer_message', send('hello'), 'k1');
    client.send('client_join', clientJoin(), 'j2');
    client.send('customer_message', send('hello'), 'k2');
    await client.next(({ payload }) => payload.id === 'k2');
    assert.deepEqual(answers(client), ['error j1', 'error k1', 'session', 'ack j2', 'ack k2']);
  });

  test('frames behind a join that closes the socket are not handled', async () => {
    await withServer({ timing }, async (fresh) => {
      const client = await fresh.dial(await fresh.listen());
      client.send('admin_join', adminJoin({ token: 'forged' }), 'j1');
      client.send('client_join', clientJoin({ groupId: 'ghost' }), 'j2');
      assert.equal(await client.closed, 4401);
      const other = await fresh.connect();
      assert.equal((await other.ask('client_join', clientJoin({ groupId: 'ghost' }))).channel, 'ack');
    });
  });
});

describe('[P-3.1] customers', () => {
  test('a customer that names no group is given one that nobody can guess', async () => {
    const groups = new Set<string>();
    for (let i = 0; i < 20; i += 1) groups.add((await server.customer()).session.groupId);
    assert.equal(groups.size, 20);
    for (const group of groups) assert.match(group, /^[A-Za-z0-9._:-]{22,64}$/);
  });

  test('a group that the dealer does not have is claimed without a token, and joined again with the one it gave', async () => {
    const first = await server.customer('claimed');
    const again = await server.customer('claimed', { token: first.session.token });
    assert.deepEqual([first.session.groupId, again.session.groupId], ['claimed', 'claimed']);
    await first.ask('customer_message', send('hello'));
    assert.equal((await again.next('CHAT_MESSAGE')).payload.message, 'hello');
  });

  test("a token names the group by itself, and a dealer's own makes it where it is new", async () => {
    const token = await server.token('customer', 'minted');
    const { session } = await server.customer(undefined, { token });
    assert.equal(session.groupId, 'minted');
    await assertUnauthorized(clientJoin({ groupId: 'minted' }));
  });

  test('a group that exists is not joined without its token, whoever made it', async () => {
    await (await server.customer('left')).close();
    await server.customer('present');
    await (await server.server()).ask('event', send('hello', { groupId: 'by-server', user: 'bot' }));
    for (const groupId of ['left', 'present', 'by-server']) {
      await assertUnauthorized(clientJoin({ groupId }));
    }
  });

  test('of those who claim a group at once exactly one gets it', async () => {
    for (let round = 0; round < 10; round += 1) {
      const clients = await Promise.all(Array.from({ length: 5 }, () => server.connect()));
      const groupId = `race-${round}`;
      const claims = clients.map((client) => client.ask('client_join', clientJoin({ groupId })));
      const codes = (await Promise.all(claims)).map(({ channel, code }) => code ?? channel);
      assert.deepEqual(codes.toSorted(), ['ack', ...Array(4).fill('unauthorized')]);
      const losers = clients.filter((_, index) => codes[index] === 'unauthorized');
      assert.deepEqual(await Promise.all(losers.map(({ closed }) => closed)), [4401, 4401, 4401, 4401]);
    }
  });

  test('a claim that is refused leaves the group to be claimed', async () => {
    const client = await server.connect();
    const refused = await client.ask('client_join', clientJoin({ groupId: 'unclaimed', since: { other: 0 } }));
    assert.equal(refused.code, 'forbidden');
    assert.equal((await client.ask('client_join', clientJoin({ groupId: 'unclaimed' }))).channel, 'ack');
  });

  for (const { whose, role, sub, dealer } of [
    { whose: 'another group', role: 'customer', sub: 'g2', dealer: DEALER },
    { whose: 'another dealer', role: 'customer', sub: 'g1', dealer: 'd2' },
    { whose: 'all dealers', role: 'customer', sub: 'g1', dealer: '*' },
    { whose: 'an admin of that name', role: 'admin', sub: 'g1', dealer: DEALER },
    { whose: 'a server of that name', role: 'server', sub: 'g1', dealer: DEALER },
  ] as const) {
    test(`the token of ${whose} opens no group, and makes none`, async () => {
      const token = await server.token(role, sub, { dealer });
      await assertUnauthorized(clientJoin({ groupId: 'g1', token }));
      assert.equal((await server.store.standing(DEALER, 'g1')).group, null);
      await assertUnauthorized(clientJoin({ groupId: 'claimed', token }));
    });
  }

  test('a customer that calls itself something else is forbidden, and may try again', async () => {
    const client = await server.connect();
    assert.equal((await client.ask('client_join', clientJoin({ user: 'admin' }))).code, 'forbidden');
    assert.equal((await client.ask('client_join', clientJoin())).channel, 'ack');
  });
});
