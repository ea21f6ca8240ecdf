/** [P-9] Why a server closes a socket: where it comes from, what it costs, and that the server leaves. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import type { Client } from '../support/client.ts';
import { gate, overriding } from '../support/faulty-store.ts';
import { adminJoin, clientJoin, serverJoin } from '../support/joins.ts';
import { startServer, withServer } from '../support/server.ts';

const timing = { closeTimeout: 50 };
const server = await startServer({ timing });
after(() => server.close());
/** A clock that a test can wait for: how long this server waits for a socket to join. */
const clock = await startServer({ timing, settings: { JOIN_TIMEOUT: '150ms' } });
after(() => clock.close());

const send = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });

/** How many of a client's frames were refused as `rate_limited`. */
const limited = ({ frames }: Client) => frames.filter(({ payload }) => payload.code === 'rate_limited').length;

/** Resolves some 150 ms later. */
const aWhile = async () => assert.equal(await (await clock.connect()).closed, 4408);

function flood(client: Client, count: number): void {
  for (let n = 0; n < count; n += 1) client.send('ping', {});
}

/** A customer or an admin, either of whom may speak in the group. */
async function speaker(role: 'customer' | 'admin', groupId: string) {
  const customer = await server.customer(groupId, { token: await server.token('customer', groupId) });
  return role === 'customer' ? customer : server.admin();
}

describe('[P-9] rate_limited', () => {
  for (const role of ['customer', 'admin'] as const) {
    test(`joined as ${role}, a socket may send 20 frames at once; what is too much is refused and not carried out`, async () => {
      const groupId = `limited-${role}`;
      const client = await speaker(role, groupId);
      const listener = await server.server();
      for (let n = 0; n < 30; n += 1) client.send(`${role}_message`, send(`${n}`, { groupId }), `k${n}`);
      const answers = new Map<string, string>();
      while (answers.size < 30) {
        const { channel, payload } = await client.next(({ payload: { id } }) => id !== undefined);
        if (channel === 'ack' || channel === 'error') answers.set(payload.id, payload.code ?? channel);
      }
      for (let n = 0; n < 20; n += 1) assert.equal(answers.get(`k${n}`), 'ack');
      assert.ok(limited(client) > 0);
      await listener.settled();
      const said = listener.frames.filter(({ channel }) => channel === 'CHAT_MESSAGE').map(({ id }) => String(id));
      assert.deepEqual(
        said,
        [...answers.keys()].filter((id) => answers.get(id) === 'ack'),
      );
    });

    test(`joined as ${role}, a socket that was refused is served again after a while`, async () => {
      const client = await speaker(role, 'patient');
      flood(client, 25);
      await client.next('error');
      await aWhile();
      assert.deepEqual(await client.ask('ping', {}, 'p1'), { channel: 'ack', id: 'p1' });
    });

    test(`joined as ${role}, a socket is borne 99 refusals, and the 100th closes it with 4429`, async () => {
      const client = await speaker(role, 'flooding');
      flood(client, 20 + 99);
      await aWhile();
      assert.deepEqual(await client.ask('ping', {}, 'p1'), { channel: 'ack', id: 'p1' });
      flood(client, 200);
      assert.equal(await client.closed, 4429);
      assert.equal(limited(client), 100);
    });
  }

  for (const dealerId of ['d1', '*']) {
    test(`another server of ${dealerId} is exempt`, async () => {
      const client = await server.server(dealerId);
      flood(client, 300);
      await client.settled();
      assert.equal(limited(client), 0);
    });
  }

  test('an update of a large record takes as many frames of the rate as it is work; of a small one it takes one', async () => {
    const crm = await server.server();
    const update = (message: object) => ({ type: 'UPDATE_LEAD', message });
    for (const [groupId, comments, most] of [
      ['small-lead', 'short', 20],
      ['large-lead', 'x'.repeat(7900), 10],
    ] as const) {
      const customer = await speaker('customer', groupId);
      for (const part of 'abcdefgh') await crm.ask('event', { ...update({ [part]: comments }), groupId });
      let taken = 0;
      while ((await customer.ask('customer_update', update({ a: taken }), `u${taken}`)).channel === 'ack') taken += 1;
      assert.ok(most === 20 ? taken >= 20 : taken < most, `${taken} updates of the ${groupId}`);
    }
    assert.equal((await crm.ask('event', { ...update({ a: 1 }), groupId: 'large-lead' })).channel, 'ack');
    assert.equal(limited(crm), 0, 'another server is exempt');
  });

  test('RATE_LIMIT=off exempts everybody', async () => {
    await withServer({ timing, settings: { RATE_LIMIT: 'off' } }, async (free) => {
      for (const client of [await free.customer(), await free.admin()]) {
        flood(client, 300);
        await client.settled();
        assert.equal(limited(client), 0);
      }
    });
  });
});

describe('[P-9] 1013 try again later', () => {
  test('one socket more than MAX_CONNECTIONS is closed unheard, until another leaves', async () => {
    await withServer({ timing, settings: { MAX_CONNECTIONS: '2' } }, async (full) => {
      const at = await full.listen();
      const [first, second] = [await full.dial(at), await full.dial(at)];
      const third = await full.dial(at);
      third.send('ping', {});
      assert.equal(await third.closed, 1013);
      assert.deepEqual(third.frames, []);
      for (const client of [first, second])
        assert.equal((await client.ask('client_join', clientJoin())).channel, 'ack');
      await second.close();
      const served = async () => {
        const client = await full.dial(at);
        return Promise.race([client.closed, client.settled().then(() => 'served')]);
      };
      // The server learns of the leaving when it reads it: until then it goes on saying that it is full.
      let answer = await served();
      while (answer === 1013) answer = await served();
      assert.equal(answer, 'served');
    });
  });
});

describe('[P-9] 1012 service restart', () => {
  test('a drain commits and acks what was taken, and then closes every socket', async () => {
    const { opened, open } = gate();
    let held = Promise.resolve();
    const wrapStore = (store: Store) => overriding(store, { commit: (...of) => held.then(() => store.commit(...of)) });
    await withServer({ timing, wrapStore, settings: { RATE_LIMIT: 'off' } }, async (leaving) => {
      const at = await leaving.listen();
      const client = await leaving.dial(at);
      await client.ask('client_join', clientJoin({ groupId: 'g1' }));
      const late = await leaving.customer('g2');
      const others = [
        await leaving.dial(at),
        await leaving.connect(),
        await leaving.admin(),
        await leaving.server('*'),
      ];
      held = opened;
      client.send('customer_message', send('the last word'), 'k1');
      await client.settled();
      const closed = leaving.app.close();
      // Once the drain has begun nothing more is taken, and what was taken is waited for.
      let sent = 0;
      while (!late.frames.some(({ payload }) => payload.code === 'unavailable')) {
        late.send('customer_message', send('too late'), `late-${sent}`);
        sent += 1;
        await late.settled();
      }
      open();
      const codes = await Promise.all([client, late, ...others].map((each) => each.closed));
      assert.deepEqual(codes, Array(6).fill(1012));
      const { channel, payload } = client.frames.at(-1) ?? {};
      assert.deepEqual([channel, payload.id, payload.seq], ['ack', 'k1', 1]);
      const answers = late.frames.filter(({ payload: { id } }) => String(id).startsWith('late-'));
      assert.equal(answers.length, sent);
      await closed;
    });
  });
});

describe('[P-9] 4403 origins', () => {
  const LISTED = ['https://shop.example', 'http://localhost:3000'];
  for (const { origins, origin, may } of [
    { origins: [], origin: undefined, may: true },
    { origins: [], origin: 'https://shop.example', may: false },
    { origins: [], origin: 'null', may: false },
    { origins: ['*'], origin: undefined, may: true },
    { origins: ['*'], origin: 'https://anywhere.example:8443', may: true },
    { origins: ['*'], origin: 'null', may: true },
    { origins: LISTED, origin: undefined, may: true },
    { origins: LISTED, origin: 'https://shop.example', may: true },
    { origins: LISTED, origin: 'HTTPS://Shop.Example', may: true },
    { origins: LISTED, origin: 'http://localhost:3000', may: true },
    { origins: LISTED, origin: 'http://shop.example', may: false },
    { origins: LISTED, origin: 'https://shop.example:8443', may: false },
    { origins: LISTED, origin: 'http://localhost:3001', may: false },
    { origins: LISTED, origin: 'http://localhost', may: false },
    { origins: LISTED, origin: 'https://shop.example.evil.example', may: false },
    { origins: LISTED, origin: 'https://evil-shop.example', may: false },
    { origins: LISTED, origin: 'https://www.shop.example', may: false },
    { origins: LISTED, origin: 'https://shop.example@evil.example', may: false },
    { origins: LISTED, origin: 'https://shop.exampl', may: false },
    { origins: LISTED, origin: 'null', may: false },
    { origins: LISTED, origin: '', may: false },
    { origins: LISTED, origin: '*', may: false },
  ]) {
    const who = origin === undefined ? 'no origin' : `origin "${origin}"`;
    test(`with ${origins.join(' and ') || 'none'} listed, a client of ${who} ${may ? 'joins' : 'is closed with 4403'}`, async () => {
      await server.store.putDealer('shop', { origins });
      for (const [channel, join] of [
        ['client_join', clientJoin({ dealerId: 'shop' })],
        ['admin_join', adminJoin({ dealerId: 'shop', token: await server.token('admin', 'a1', { dealer: 'shop' }) })],
        ['server_join', serverJoin({ dealerId: 'shop', token: await server.token('server', 's', { dealer: 'shop' }) })],
      ] as const) {
        const client = await server.connect({ headers: origin === undefined ? {} : { origin } });
        const { code } = await client.ask(channel, join);
        if (may) await client.settled();
        assert.deepEqual([code, may ? null : await client.closed], may ? [undefined, null] : ['forbidden', 4403]);
      }
    });
  }
});

describe('[P-9] 4404 unknown dealer', () => {
  test('a customer and an admin of a dealer that does not exist are closed with it', async () => {
    const token = await server.token('admin', 'a1', { dealer: 'nobody' });
    for (const [channel, join] of [
      ['client_join', clientJoin({ dealerId: 'nobody' })],
      ['admin_join', adminJoin({ dealerId: 'nobody', token })],
    ] as const) {
      const client = await server.connect();
      const { code, retryable } = await client.ask(channel, join);
      assert.deepEqual([code, retryable, await client.closed], ['unknown_dealer', false, 4404]);
    }
  });

  test("a dealer's removal closes its sockets, and no others", async () => {
    await server.store.putDealer('leaves', {});
    const dealer = { dealerId: 'leaves' };
    const token = await server.token('admin', 'a1', { dealer: 'leaves' });
    const gone = [
      await server.customer(undefined, dealer),
      await server.admin('a1', { ...dealer, token }),
      await server.server('leaves'),
    ];
    const stay = [await server.customer(), await server.admin(), await server.server(), await server.server('*')];
    const operator = await server.token('server', 'ops', { dealer: '*' });
    assert.equal((await server.http('DELETE', '/v1/dealers/leaves', { token: operator })).status, 204);
    assert.deepEqual(await Promise.all(gone.map(({ closed }) => closed)), [4404, 4404, 4404]);
    for (const client of stay) await client.settled();
  });
});
