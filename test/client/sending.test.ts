/** `telle/client`: joining as each role, sending what it may, hearing what it is told. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { Emitter } from '../../src/client/emitter.ts';
import { type Client, connect, TelleError } from '../../src/client/index.ts';
import { overriding } from '../support/faulty-store.ts';
import { put, sessionOf, withScript } from '../support/script.ts';
import { messages, named, Place, tapped, withPlace } from '../support/sdk.ts';
import { DEALER } from '../support/server.ts';

const say = (message: string) => ({ type: 'UPDATE_MSG', message }) as const;
const range = (count: number) => Array.from({ length: count }, (_, index) => `${index}`);

/** Not run: the compiler knows what each role may send, from the schemas. */
export function compiles(customer: Client<'customer'>, admin: Client<'admin'>, server: Client<'server'>): void {
  customer.send('customer_message', { type: 'UPDATE_MSG', message: 'hello' });
  customer.send('customer_update', { type: 'UPDATE_LEAD', message: { vehicle: { year: 2020 }, ownField: [1] } });
  admin.send('admin_message', { type: 'UPDATE_MSG', groupId: 'g1', message: 'hello' });
  server.send('event', { type: 'UPDATE_MSG', groupId: 'g1', user: 'admin', adminId: 'a1', message: 'hello' });
  admin.on('CHAT_STATE', (payload, stamp?) => void [payload.type === 'UPDATE_CHAT' && payload.adminId, stamp?.seq]);
  customer.on('TYPING_STATE', ({ typing }) => typing);
  // @ts-expect-error another role's channel
  customer.send('admin_message', { type: 'UPDATE_MSG', message: 'hello' });
  // @ts-expect-error a type that the channel does not carry
  customer.send('customer_message', { type: 'UPDATE_LEAD', message: {} });
  // @ts-expect-error a message that is no text
  customer.send('customer_message', { type: 'UPDATE_MSG', message: 5 });
  // @ts-expect-error an admin says in which group
  admin.send('admin_message', { type: 'UPDATE_MSG', message: 'hello' });
  // @ts-expect-error somebody else's name
  admin.send('admin_message', { type: 'UPDATE_MSG', groupId: 'g1', user: 'bot', message: 'hello' });
  // @ts-expect-error an intent has a name
  server.send('event', { type: 'UPDATE_LEAD_INTENT', groupId: 'g1', message: {} });
  // @ts-expect-error there is no such channel
  customer.on('CHAT_MSG', () => {});
  // @ts-expect-error an admin has a token
  connect({ url: '', role: 'admin', dealerId: '', adminId: '' });
}

describe('telle/client', () => {
  let place: Place;
  before(async () => {
    place = await Place.open();
  });
  after(() => place.close());

  test('joins as a customer, an admin and another server, and tells what the session says', async () => {
    const customer = place.of(connect({ ...place.common, role: 'customer', groupId: 'g1' }));
    assert.equal(customer.client.state, 'connecting');
    assert.equal(customer.client.session, undefined);
    const [, session] = await customer.heard.first(2);
    assert.deepEqual(
      customer.heard.items.map(({ name }) => name),
      ['connecting', 'session'],
    );
    assert.deepEqual([session?.payload.role, session?.payload.groupId], ['customer', 'g1']);
    assert.equal(customer.client.session, session?.payload);
    assert.equal(customer.client.state, 'joined');
    const [admin, crm] = [await place.admin('alice'), await place.crm()];
    assert.equal(admin.client.session?.adminId, 'alice');
    assert.equal(crm.client.session?.role, 'server');
  });

  test('gives ids that sort by when they were made, so that the server keeps those of one time together', async () => {
    const { client } = await place.customer();
    const first = await client.send('customer_message', say('one'));
    const sent = Date.parse(first.at ?? '');
    while (Date.now() <= sent) await new Promise(setImmediate);
    const second = await client.send('customer_message', say('two'));
    assert.match(first.id, /^[0-9a-f]{32}$/);
    assert.ok(first.id < second.id, `${first.id}, then ${second.id}`);
  });

  test('resolves a send with what was acked, and tells the others of the event', async () => {
    const { client, heard, groupId } = await place.customer();
    const admin = await place.admin('bob');
    const ack = await client.send('customer_message', say('Is the blue one still there?'));
    assert.deepEqual({ ...ack, id: 0, at: 0 }, { id: 0, scope: groupId, seq: 1, at: 0, duplicate: false });
    const [said] = await admin.heard.first(1, named('CHAT_MESSAGE'));
    const { duplicate, ...stamp } = ack;
    assert.deepEqual(said?.stamp, stamp);
    assert.equal(said?.payload.message, 'Is the blue one still there?');
    assert.equal(said?.payload.groupId, groupId);
    const answer = await admin.client.send('admin_message', { ...say('It is.'), groupId });
    const [mute] = await heard.first(1, named('MUTE_STATE'));
    const [answered] = await heard.first(1, named('CHAT_MESSAGE'));
    assert.deepEqual([mute?.payload.muted, mute?.stamp?.seq], [true, 2]);
    assert.deepEqual([answered?.payload.message, answered?.payload.adminId], ['It is.', 'bob']);
    assert.equal(answered?.stamp?.seq, answer.seq);
  });

  test('carries every channel of each role, with no identity given', async () => {
    const { client: customer, heard, groupId } = await place.customer();
    const { client: admin, heard: desk } = await place.admin('carol');
    const { client: crm } = await place.crm();
    await customer.send('customer_message', say('hello'));
    await customer.send('customer_update', { type: 'UPDATE_PAGEVIEW', message: { url: 'https://cars.example/' } });
    await customer.send('read', { type: 'READ', seq: 1 });
    await customer.send('typing', { type: 'TYPING', typing: true });
    await admin.send('chat_state', { type: 'UPDATE_CHAT', groupId, online: true });
    await admin.send('read', { type: 'READ', groupId, seq: 1 });
    await admin.send('typing', { type: 'TYPING', groupId, typing: true });
    await admin.send('mute_bot', { type: 'MUTE_BOT', groupId });
    await admin.send('mute_bot', { type: 'UNMUTE_BOT', groupId });
    await admin.send('sys_message', { type: 'SYS_MSG', message: 'Open house on Saturday' });
    await admin.send('admin_update', { type: 'UPDATE_LEAD', groupId, message: { status: 'qualified' } });
    await crm.send('event', { ...say('I will ask.'), groupId, user: 'bot' });
    await customer.send('close_chat', { type: 'CLOSE_CHAT' });
    await desk.first(1, named('CLOSE_CHAT'));
    const [read] = await desk.first(1, named('READ_STATE'));
    assert.deepEqual(read?.payload, { type: 'READ', dealerId: DEALER, groupId, user: 'customer', seq: 1 });
    assert.equal(read?.stamp, undefined);
    await heard.first(1, named('CHAT_MESSAGE'));
    const ofCustomer = heard.items.map(({ name }) => name).filter((name) => name === name.toUpperCase());
    assert.deepEqual(ofCustomer.sort(), [
      'CHAT_MESSAGE',
      'CHAT_STATE',
      'MUTE_STATE',
      'MUTE_STATE',
      'READ_STATE',
      'SYS_MESSAGE',
      'TYPING_STATE',
    ]);
    for (const name of ['CUSTOMER_STATE', 'TYPING_STATE', 'CHAT_MESSAGE'] as const) {
      assert.ok(desk.items.some(named(name)), name);
    }
  });

  test('rejects a send with the code, the details and whether it may be tried again', async () => {
    const { client } = await place.customer();
    const error = await client.send('customer_message', say('')).catch((error: unknown) => error);
    assert.ok(error instanceof TelleError);
    assert.deepEqual([error.name, error.code, error.retryable], ['TelleError', 'invalid_payload', false]);
    assert.deepEqual(
      error.details.map(({ path }) => path),
      ['/message'],
    );
    assert.match(error.message, /message/);
  });

  test('gives own sends by their promise alone, and those of the same customer elsewhere as events', async () => {
    const tab = await place.customer();
    const token = tab.client.session?.token ?? '';
    const other = await place.customer({ token });
    assert.equal(other.groupId, tab.groupId);
    await tab.client.send('customer_message', say('from one tab'));
    await other.client.send('customer_message', say('from the other'));
    await tab.heard.first(1, named('CHAT_MESSAGE'));
    await other.heard.first(1, named('CHAT_MESSAGE'));
    assert.deepEqual([messages(tab.heard), messages(other.heard)], [['from the other'], ['from one tab']]);
    assert.equal(tab.client.seqs[tab.groupId], 2);
  });

  test('tells each listener, also the same one twice, until it unsubscribes', async () => {
    const { client, heard, groupId } = await place.customer();
    const { client: admin } = await place.admin('dave');
    const told: string[] = [];
    const listener = ({ message }: { message: string }) => told.push(message);
    const unsubscribe = client.on('CHAT_MESSAGE', listener);
    client.on('CHAT_MESSAGE', listener);
    await admin.send('admin_message', { ...say('one'), groupId });
    await heard.first(1, named('CHAT_MESSAGE'));
    unsubscribe();
    await admin.send('admin_message', { ...say('two'), groupId });
    await heard.first(2, named('CHAT_MESSAGE'));
    assert.deepEqual(told, ['one', 'one', 'two']);
  });

  test('leaves what a listener throws to the platform, and tells the others', (t) => {
    const later = t.mock.method(globalThis, 'queueMicrotask', () => {});
    const [emitter, told] = [new Emitter(), [] as string[]];
    emitter.on('connecting', () => {
      throw new Error('at fault');
    });
    emitter.on('connecting', () => told.push('told'));
    emitter.emit('connecting');
    assert.deepEqual(told, ['told']);
    assert.throws(() => Reflect.apply(later.mock.calls[0]?.arguments[0] ?? (() => {}), null, []), /at fault/);
  });

  test('stores what is sent in the order in which it was sent', async () => {
    const { client } = await place.customer({ pace: false });
    const acks = await Promise.all(range(15).map((text) => client.send('customer_message', say(text))));
    assert.deepEqual(
      acks.map(({ seq }) => seq),
      range(15).map((text) => Number(text) + 1),
    );
  });

  test('sends a payload under the id that it is given, and once while that waits', async () => {
    const { client } = await place.customer();
    const [one, two] = [
      client.send('customer_message', say('once'), { id: 'my-id' }),
      client.send('customer_message', say('once'), { id: 'my-id' }),
    ];
    assert.deepEqual(await one, await two);
    const again = await client.send('customer_message', say('once'), { id: 'my-id' });
    assert.deepEqual(again, { ...(await one), duplicate: true });
  });

  test('says what to do where the platform has no WebSocket', () => {
    const own = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
    Reflect.deleteProperty(globalThis, 'WebSocket');
    try {
      assert.throws(
        () => connect({ url: place.url, dealerId: DEALER, role: 'customer' }),
        /the class of the package ws/,
      );
    } finally {
      if (own) Object.defineProperty(globalThis, 'WebSocket', own);
    }
  });
});

describe("telle/client and the server's limits", () => {
  test('a long queue goes out no faster than a server takes it', () =>
    withPlace({}, async (place) => {
      const { WebSocket, received } = tapped();
      const { client } = await place.customer({ WebSocket });
      await Promise.all(range(40).map((text) => client.send('customer_message', say(text))));
      assert.deepEqual(
        received.items.filter(({ channel }) => channel === 'error'),
        [],
      );
    }));

  test('what is refused as rate_limited is sent again, under the same id, after a pause', () =>
    withPlace({}, async (place) => {
      const groups = range(40).map((index) => `g${index}`);
      const crm = await place.crm();
      await Promise.all(groups.map((groupId) => crm.client.send('event', { ...say('hello'), groupId, user: 'bot' })));
      const { WebSocket, received, sent } = tapped();
      const { client } = await place.admin('a1', { WebSocket, pace: false, backoff: { first: 400, most: 800 } });
      const acks = await Promise.all(
        groups.map((groupId) => client.send('close_chat', { type: 'CLOSE_CHAT', groupId }, { id: groupId })),
      );
      const refused = received.items.flatMap(({ channel, payload }) => (channel === 'error' ? [payload] : []));
      assert.ok(refused.length > 0);
      for (const { code, id } of refused) {
        assert.equal(code, 'rate_limited');
        assert.ok(sent.filter((frame) => frame.id === id).length > 1);
      }
      assert.ok(acks.every(({ duplicate }) => !duplicate));
    }));

  test('what is refused as unavailable is sent again, and nothing of the conversation overtakes it', () => {
    let failures = 0;
    const wrapStore: NonNullable<NonNullable<Parameters<typeof withPlace>[0]>['wrapStore']> = (store) =>
      overriding(store, {
        commit: (...of) => {
          failures -= 1;
          return failures >= 0 ? Promise.reject(new Error('disk I/O error')) : store.commit(...of);
        },
      });
    return withPlace({ wrapStore }, async (place) => {
      const { WebSocket, received } = tapped();
      const { client } = await place.customer({ WebSocket });
      failures = 3;
      const acks = await Promise.all(range(3).map((text) => client.send('customer_message', say(text))));
      assert.deepEqual(
        acks.map(({ seq }) => seq),
        [1, 2, 3],
      );
      const codes = received.items.flatMap(({ channel, payload }) => (channel === 'error' ? [payload.code] : []));
      assert.deepEqual(codes, ['unavailable', 'unavailable', 'unavailable']);
    });
  });

  test('a fault of the server is rejected, and may be tried again by who sent it', () =>
    withScript(
      (socket, { channel, id }) => {
        if (channel === 'client_join') put(socket, 'session', sessionOf());
        else put(socket, 'error', { id, code: 'internal', message: 'this could not be handled', retryable: true });
      },
      async (url) => {
        const client = connect({ url, role: 'customer', dealerId: DEALER, WebSocket });
        const send = client.send('customer_message', say('hello'));
        await assert.rejects(send, { code: 'internal', retryable: true });
        client.close();
      },
    ));

  test('a frame that is too large for the server is rejected, and does not hold up the others', () =>
    withPlace({ settings: { MAX_FRAME_BYTES: '1024' } }, async (place) => {
      const { client, heard } = await place.customer();
      const large = client.send('customer_message', say('ü'.repeat(1000)));
      const small = client.send('customer_message', say('hello'));
      await assert.rejects(large, { name: 'TelleError', code: 'too_large', retryable: false });
      assert.equal((await small).seq, 1);
      const [lost] = await heard.first(1, named('offline'));
      assert.equal(lost?.payload.code, 1009);
    }));
});
