/** [P-9] Errors: every code that a socket can meet, whether it may try again, and which of them close it. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { type Group, NEW_GROUP } from '../../src/domain/state.ts';
import type { Store } from '../../src/store/store.ts';
import type { Client } from '../support/client.ts';
import { overriding } from '../support/faulty-store.ts';
import type { Frame } from '../support/frame.ts';
import { adminJoin, clientJoin } from '../support/joins.ts';
import { startServer, withServer } from '../support/server.ts';

const timing = { closeTimeout: 50 };
const server = await startServer({ timing });
after(() => server.close());
/** One that limits no rate. */
const free = await startServer({ timing, settings: { RATE_LIMIT: 'off' } });
after(() => free.close());

const send = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });
const update = (type: string, message: object) => ({ type, message });

/** A socket that was refused, and the payload of the refusal. */
interface Met {
  readonly client: Client;
  readonly error: Frame['payload'];
}

/** Sends a frame of the id `e1` that is refused. */
const meet = async (client: Client, channel: string, payload: object): Promise<Met> => ({
  client,
  error: await client.ask(channel, payload, 'e1'),
});

/** A bot's message to a group after an admin has done something to it. */
async function botAfter(groupId: string, channel: string, type: string): Promise<Met> {
  const [customer, admin, bot] = [await server.customer(groupId), await server.admin(), await server.server()];
  await admin.ask(channel, { type, groupId });
  await customer.close();
  return meet(bot, 'event', send('hello', { groupId, user: 'bot' }));
}

const CODES: readonly { code: string; retryable: boolean; close?: number; provoke: () => Promise<Met> }[] = [
  {
    code: 'bad_frame',
    retryable: false,
    provoke: async () => {
      const client = await server.customer();
      client.socket.send(JSON.stringify({ channel: 'ping', id: 'e1' }));
      return { client, error: (await client.next('error')).payload };
    },
  },
  { code: 'unknown_channel', retryable: false, provoke: async () => meet(await server.customer(), 'nonsense', {}) },
  {
    code: 'invalid_payload',
    retryable: false,
    provoke: async () => meet(await server.customer(), 'customer_message', send('')),
  },
  { code: 'not_joined', retryable: false, provoke: async () => meet(await server.connect(), 'typing', {}) },
  {
    code: 'already_joined',
    retryable: false,
    provoke: async () => meet(await server.customer(), 'client_join', clientJoin()),
  },
  {
    code: 'unauthorized',
    retryable: false,
    close: 4401,
    provoke: async () => meet(await server.connect(), 'admin_join', adminJoin()),
  },
  {
    code: 'token_expired',
    retryable: false,
    close: 4401,
    provoke: async () => {
      const token = await server.token('admin', 'a1', { ttl: -1 });
      return meet(await server.connect(), 'admin_join', adminJoin({ token }));
    },
  },
  {
    code: 'forbidden',
    retryable: false,
    provoke: async () => meet(await server.customer(), 'admin_message', send('hello')),
  },
  {
    code: 'unknown_dealer',
    retryable: false,
    close: 4404,
    provoke: async () => meet(await server.connect(), 'client_join', clientJoin({ dealerId: 'nobody' })),
  },
  {
    code: 'unknown_group',
    retryable: false,
    provoke: async () => meet(await server.admin(), 'admin_message', send('hello', { groupId: 'nowhere' })),
  },
  {
    code: 'unknown_intent',
    retryable: false,
    provoke: async () =>
      meet(await server.customer(), 'customer_update', update('UPDATE_LEAD_INTENT', { intent: 'buy' })),
  },
  { code: 'bot_muted', retryable: false, provoke: () => botAfter('muted', 'mute_bot', 'MUTE_BOT') },
  { code: 'group_closed', retryable: false, provoke: () => botAfter('closed', 'close_chat', 'CLOSE_CHAT') },
  {
    code: 'too_large',
    retryable: false,
    provoke: async () => {
      const client = await server.customer();
      for (let n = 0; n < 8; n += 1) {
        const { scope } = await client.ask(
          'customer_update',
          update('UPDATE_USER', { [`field${n}`]: 'x'.repeat(8000) }),
        );
        assert.equal(scope, '@desk');
      }
      return meet(client, 'customer_update', update('UPDATE_USER', { last: 'x'.repeat(8000) }));
    },
  },
  {
    code: 'rate_limited',
    retryable: true,
    provoke: async () => {
      const client = await server.customer();
      for (let n = 0; n < 20; n += 1) client.send('ping', {});
      return meet(client, 'ping', {});
    },
  },
];

describe('[P-9] error codes', () => {
  for (const { code, retryable, close, provoke } of CODES) {
    test(`${code} is ${retryable ? '' : 'not '}retryable, repeats the id, and ${close ? `closes with ${close}` : 'leaves the socket open'}`, async () => {
      const { client, error } = await provoke();
      const { channel, message, details, ...rest } = { channel: 'error', ...error };
      assert.deepEqual([channel, rest], ['error', { id: 'e1', code, retryable }]);
      assert.match(message, /\w/);
      for (const detail of details ?? []) assert.deepEqual(Object.keys(detail), ['path', 'message']);
      if (close === undefined) assert.equal((await client.ask('ping', {}, 'after')).id, 'after');
      else assert.equal(await client.closed, close);
    });
  }

  test('a frame that has no id is refused by an error that has none', async () => {
    const client = await server.connect();
    const frames = ['hello', '{"channel":"typing","payload":{}}', JSON.stringify({ channel: 'x', payload: {} })];
    for (const frame of frames) client.socket.send(frame);
    for (const code of ['bad_frame', 'not_joined', 'unknown_channel']) {
      const { payload } = await client.next('error');
      assert.equal(payload.code, code);
      assert.ok(!Object.hasOwn(payload, 'id'));
    }
  });

  test('what is wrong with a payload is told field by field', async () => {
    const client = await server.connect();
    const { details } = await client.ask('client_join', { type: 'CLIENT_JOIN', groupId: '@x', user: 1 });
    const told = details.map(({ path, message }: { path: string; message: string }) => [path, message.length > 0]);
    assert.deepEqual(told.toSorted(), [
      ['/dealerId', true],
      ['/groupId', true],
      ['/user', true],
    ]);
  });

  test("a known channel is forbidden to a role that has it not, and unknown only where it is nobody's", async () => {
    const sockets = { customer: await server.customer(), admin: await server.admin(), server: await server.server() };
    for (const [role, channel, code] of [
      ['customer', 'admin_message', 'forbidden'],
      ['customer', 'event', 'forbidden'],
      ['admin', 'customer_message', 'forbidden'],
      ['admin', 'event', 'forbidden'],
      ['server', 'admin_message', 'forbidden'],
      ['server', 'typing', 'forbidden'],
      ['customer', 'CHAT_MESSAGE', 'unknown_channel'],
      ['admin', '', 'unknown_channel'],
      ['server', 'constructor', 'unknown_channel'],
      ['server', '__proto__', 'unknown_channel'],
    ] as const) {
      assert.equal((await sockets[role].ask(channel, send('hello'))).code, code, `${role} ${channel}`);
    }
  });
});

describe('[P-9] faults of the server', () => {
  test('while the database is away sends and joins are unavailable, retryable, and the socket stays', async () => {
    let isAway = false;
    const wrapStore = (store: Store) =>
      overriding(store, {
        commit: (...of) => (isAway ? Promise.reject(new Error('the database is away')) : store.commit(...of)),
      });
    await withServer({ timing, wrapStore }, async (failing) => {
      const [client, late] = [await failing.customer('g1'), await failing.connect()];
      isAway = true;
      const { message: why, ...error } = await client.ask('customer_message', send('hello'), 'k1');
      assert.deepEqual(error, { channel: 'error', id: 'k1', code: 'unavailable', retryable: true });
      assert.doesNotMatch(why, /away/);
      const refused = await late.ask('client_join', clientJoin({ groupId: 'g2' }), 'j1');
      assert.deepEqual([refused.code, refused.id, refused.retryable], ['unavailable', 'j1', true]);
      isAway = false;
      assert.equal((await client.ask('customer_message', send('hello'), 'k1')).seq, 1);
      assert.equal((await late.ask('client_join', clientJoin({ groupId: 'g2' }))).channel, 'ack');
    });
  });

  test('a fault is internal, retryable, says nothing of what it was, and the socket stays', async () => {
    let isFaulty = false;
    const unreadable: Group = new Proxy(NEW_GROUP, {
      get: () => {
        throw new TypeError('a secret of the house');
      },
    });
    const wrapStore = (store: Store) =>
      overriding(store, {
        commit: (needs, work) =>
          store.commit(needs, (rows) => {
            if (isFaulty) for (const key of rows.groups.keys()) rows.groups.set(key, unreadable);
            return work(rows);
          }),
      });
    await withServer({ timing, wrapStore }, async (failing) => {
      const client = await failing.customer('g1');
      isFaulty = true;
      const { message: why, ...error } = await client.ask('customer_message', send('hello'), 'k1');
      assert.deepEqual(error, { channel: 'error', id: 'k1', code: 'internal', retryable: true });
      assert.doesNotMatch(why, /secret|TypeError/);
      isFaulty = false;
      assert.equal((await client.ask('customer_message', send('hello'), 'k1')).seq, 1);
    });
  });
});

describe('[P-9] 4400 bad frames', () => {
  const bad = {
    bad_frame: (client: Client) => client.socket.send('{}'),
    unknown_channel: (client: Client) => client.send('nonsense', {}),
    invalid_payload: (client: Client) => client.send('client_join', {}),
  };
  const codes = Object.values(bad);

  for (const [code, spoil] of Object.entries(bad)) {
    test(`19 frames refused as ${code} are borne, the 20th closes`, async () => {
      const client = await free.connect();
      for (let n = 0; n < 19; n += 1) spoil(client);
      for (let n = 0; n < 19; n += 1) assert.equal((await client.next('error')).payload.code, code);
      assert.equal((await client.ask('ping', {}, 'still')).id, 'still');
      spoil(client);
      assert.equal((await client.next('error')).payload.code, code);
      assert.equal(await client.closed, 4400);
    });
  }

  test('a server, which passes on what others say, is told of each, and cut for garbage alone', async () => {
    const bridge = await free.server();
    for (let n = 0; n < 20; n += 1) {
      assert.equal((await bridge.ask('event', send(''))).code, 'invalid_payload');
      assert.equal((await bridge.ask('nonsense', {})).code, 'unknown_channel');
    }
    const { seq } = await bridge.ask('event', send('hello', { groupId: 'bridged', user: 'customer' }));
    assert.equal(seq, 1);
    for (let n = 0; n < 20; n += 1) bridge.socket.send('garbage');
    assert.equal(await bridge.closed, 4400);
  });

  test('they count together, and what is only forbidden, early or late does not', async () => {
    const client = await free.connect();
    for (let n = 0; n < 30; n += 1) assert.equal((await client.ask('typing', {})).code, 'not_joined');
    await client.ask('client_join', clientJoin());
    for (let n = 0; n < 30; n += 1) {
      assert.equal((await client.ask('client_join', clientJoin())).code, 'already_joined');
      assert.equal((await client.ask('customer_message', send('hello', { dealerId: 'd2' }))).code, 'forbidden');
    }
    const invalid = (to: Client) => to.send('customer_message', send(''));
    const mix = [bad.bad_frame, bad.unknown_channel, invalid];
    for (let n = 0; n < 20; n += 1) mix[n % codes.length]?.(client);
    assert.equal(await client.closed, 4400);
    const refusals = client.frames.filter(({ channel }) => channel === 'error').slice(90);
    assert.equal(refusals.length, 20);
  });
});
