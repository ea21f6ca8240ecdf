/** [P-1, P-7, P-7.1, P-7.2] What is delivered, to whom. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DELIVERIES } from '../../schemas/table.ts';
import type { Client } from '../support/client.ts';
import type { Frame } from '../support/frame.ts';
import { DEALER, startServer, type TestServer } from '../support/server.ts';

interface Payload {
  readonly type: string;
  readonly [field: string]: unknown;
}

const G = 'g1';
const at = { dealerId: DEALER, groupId: G };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const say = (message: string) => ({ type: 'UPDATE_MSG', message });
const start = async () =>
  startServer({ settings: { RATE_LIMIT: 'off', AUTO_MUTE: 'off' }, timing: { closeTimeout: 5 } });

/** Everybody who may be told something, by name: of this dealer, of another, and of all. */
async function gather(server: TestServer) {
  await server.store.putDealer('d2', { origins: ['*'] });
  const elsewhere = { dealerId: 'd2', token: await server.token('admin', 'a1', { dealer: 'd2' }) };
  const guest = await server.customer(G);
  const people = {
    guest,
    tab: await server.customer(G, { token: guest.session.token }),
    neighbour: await server.customer('g2'),
    a1: await server.admin('a1'),
    a2: await server.admin('a2'),
    crm: await server.server(),
    everywhere: await server.server('*'),
    'guest elsewhere': await server.customer(G, { dealerId: 'd2' }),
    'admin elsewhere': await server.admin('a1', elsewhere),
    'crm elsewhere': await server.server('d2'),
  };
  for (const client of Object.values(people)) await client.settled();
  return people;
}
type People = Awaited<ReturnType<typeof gather>>;

/** Where each sender may send an update of an intent that nobody made: it is refused, after all that came before it. */
const LAST = { guest: 'customer_update', a1: 'admin_update', crm: 'event', 'crm elsewhere': 'event' } as const;

/** What each of them gets when one of them sends something: their texts, by name, of those who get anything. */
async function heard(people: People, sender: keyof typeof LAST, ...[channel, payload, id]: Parameters<Client['send']>) {
  const clients: [string, Client][] = Object.entries(people);
  const from = clients.map(([, { texts }]) => texts.length);
  people[sender].send(channel, payload, id);
  await people[sender].ask(LAST[sender], {
    type: 'UPDATE_LEAD_INTENT',
    groupId: G,
    message: { intent: 'nobody made' },
  });
  for (const [, client] of clients) await client.settled();
  const news = clients.map(([name, { texts }], index): [string, string[]] => [
    name,
    texts.slice(from[index]).filter((text) => !/^{"channel":"(pong|error)"/.test(text)),
  ]);
  return Object.fromEntries(news.filter(([, texts]) => texts.length > 0));
}

const DESK = ['a1', 'a2', 'crm', 'everywhere'];
const OF_GROUP = ['guest', 'tab', ...DESK];
const OF_DEALER = ['guest', 'tab', 'neighbour', ...DESK];

/** The table of section 7: what is accepted, the event type, its channel and scope (null: not stored), and who gets it. */
const TABLE: readonly (readonly [Payload, string, string, string | null, readonly string[]])[] = [
  [{ ...say('hello'), groupId: G, user: 'customer' }, 'CHAT_MSG', 'CHAT_MESSAGE', G, OF_GROUP],
  [{ type: 'MUTE_BOT', groupId: G, adminId: 'a1' }, 'MUTE_STATUS', 'MUTE_STATE', G, OF_GROUP],
  [{ type: 'UNMUTE_BOT', groupId: G, adminId: 'a1' }, 'MUTE_STATUS', 'MUTE_STATE', G, OF_GROUP],
  [{ type: 'CLOSE_CHAT', groupId: G, adminId: 'a1' }, 'CLOSE_CHAT', 'CLOSE_CHAT', G, OF_GROUP],
  [
    { type: 'UPDATE_CHAT', groupId: G, adminId: 'a1', user: 'admin', online: true },
    'UPDATE_CHAT',
    'CHAT_STATE',
    G,
    OF_GROUP,
  ],
  [{ type: 'SYS_MSG', adminId: 'a1', message: 'hello' }, 'SYS_MSG', 'SYS_MESSAGE', '@dealer', OF_DEALER],
  [{ type: 'UPDATE_GROUP', groupId: G, online: true }, 'UPDATE_GROUP', 'CHAT_STATE', '@desk', DESK],
  [{ type: 'UPDATE_CHAT', groupId: G, user: 'customer', online: true }, 'UPDATE_GROUP', 'CHAT_STATE', '@desk', DESK],
  [{ type: 'UPDATE_CHAT', adminId: 'a1', user: 'admin', online: true }, 'UPDATE_CHAT', 'CHAT_STATE', '@desk', DESK],
  [{ type: 'UPDATE_USER', groupId: G, message: {} }, 'UPDATE_USER', 'CUSTOMER_STATE', '@desk', DESK],
  [{ type: 'UPDATE_PAGEVIEW', groupId: G, message: {} }, 'UPDATE_PAGEVIEW', 'CUSTOMER_STATE', '@desk', DESK],
  [{ type: 'UPDATE_LEAD', groupId: G, message: {} }, 'UPDATE_LEAD', 'CUSTOMER_STATE', '@desk', DESK],
  [
    { type: 'CREATE_LEAD_INTENT', groupId: G, message: { intent: 'a' } },
    'CREATE_LEAD_INTENT',
    'CUSTOMER_STATE',
    '@desk',
    DESK,
  ],
  [
    { type: 'UPDATE_LEAD_INTENT', groupId: G, message: { intent: 'a' } },
    'UPDATE_LEAD_INTENT',
    'CUSTOMER_STATE',
    '@desk',
    DESK,
  ],
  [{ type: 'TYPING', groupId: G, typing: true }, 'TYPING', 'TYPING_STATE', null, OF_GROUP],
];

describe('[P-7] to whom', () => {
  let server: TestServer;
  let people: People;
  before(async () => {
    server = await start();
    people = await gather(server);
  });
  after(() => server.close());

  for (const [payload, type, channel, scope, receivers] of TABLE) {
    const who = [payload.user, 'groupId' in payload ? 'of a group' : 'of the dealer'].filter(Boolean).join(' ');
    test(`${payload.type} (${who}) comes to each of ${receivers.join(', ')} in the same bytes`, async () => {
      const told = await heard(people, 'crm', 'event', payload);
      // Without an id, its sender gets a stored event like everybody else, and nothing of what is only passed on.
      const expected = scope === null ? receivers.filter((name) => name !== 'crm') : receivers;
      assert.deepEqual(Object.keys(told), expected);
      const [text, ...others] = new Set(Object.values(told).flat());
      assert.deepEqual(others, []);
      const { id, seq, at: when, ...frame }: Frame = JSON.parse(text ?? '');
      assert.deepEqual([frame.channel, frame.payload.type, frame.scope], [channel, type, scope ?? undefined]);
      if (scope === null) assert.deepEqual([id, seq, when], [undefined, undefined, undefined]);
      else assert.deepEqual([typeof seq, when], ['number', new Date(when ?? '').toISOString()]);
      if (scope !== null) assert.match(id ?? '', UUID);
    });
  }

  test('READ comes to the others of its group in the same bytes, and is not stored', async () => {
    const told = await heard(people, 'a1', 'read', { type: 'READ', groupId: G, seq: 1 });
    assert.deepEqual(
      Object.keys(told),
      OF_GROUP.filter((name) => name !== 'a1'),
    );
    const [text, ...others] = new Set(Object.values(told).flat());
    assert.deepEqual(others, []);
    const payload = { type: 'READ', ...at, adminId: 'a1', user: 'admin', seq: 1 };
    assert.deepEqual(JSON.parse(text ?? ''), { channel: 'READ_STATE', payload });
  });

  test('these are all the events that there are', () => {
    const byHand = new Set([
      ...TABLE.map(([, type]) => type),
      'READ',
      'ERASE_GROUP',
      'SET_ASIDE',
      'OVERDUE',
      'ASSIGNED',
      'HANDOFF',
      'AVAILABILITY',
    ]);
    assert.deepEqual(Object.keys(DELIVERIES).sort(), [...byHand].sort());
  });

  test('a dealer and its groups hear nothing of another dealer with a group of the same name', async () => {
    const told = await heard(people, 'crm elsewhere', 'event', { ...say('a'), groupId: G, user: 'bot' });
    assert.deepEqual(Object.keys(told), ['everywhere', 'guest elsewhere', 'admin elsewhere', 'crm elsewhere']);
  });
});

describe('[P-7] the sender', () => {
  let server: TestServer;
  before(async () => {
    server = await start();
  });
  after(() => server.close());

  test('with an id gets its ack in place of its event, and its other sockets the event', async () => {
    const people = await gather(server);
    const told = await heard(people, 'guest', 'customer_message', say('hello'), 'k1');
    assert.deepEqual(Object.keys(told), OF_GROUP);
    const { channel, payload } = JSON.parse(told.guest?.join() ?? '');
    const { channel: name, payload: chat, ...stored } = JSON.parse(told.tab?.join() ?? '');
    assert.deepEqual([channel, payload], ['ack', { ...stored, duplicate: false }]);
    assert.deepEqual([name, chat.message, stored.id, stored.scope, stored.seq], ['CHAT_MESSAGE', 'hello', 'k1', G, 1]);
  });

  test('gets any other event that its frame caused like everybody, and its seqs have no gap', async () => {
    const guest = await server.customer('s1');
    const [agent, witness] = [await server.admin('a3'), await server.server()];
    await agent.ask('mute_bot', { type: 'MUTE_BOT', groupId: 's1' });
    await agent.ask('close_chat', { type: 'CLOSE_CHAT', groupId: 's1' });
    await guest.ask('customer_message', say('open again'), 'k2');
    await agent.ask('admin_message', { ...say('good'), groupId: 's1' }, 'k3');
    await guest.settled();
    const names = guest.frames
      .filter((frame) => frame.scope === 's1' || frame.channel === 'ack')
      .map(({ channel }) => channel);
    assert.deepEqual(names, ['MUTE_STATE', 'CLOSE_CHAT', 'MUTE_STATE', 'ack', 'CHAT_MESSAGE']);
    await witness.settled();
    for (const client of [guest, agent, witness]) assert.deepEqual(client.seqs('s1'), [1, 2, 3, 4, 5]);
  });

  test('that may not see the scope of its event gets the ack alone, or without an id nothing', async () => {
    const [guest, witness] = [await server.customer('s2'), await server.admin('a4')];
    guest.send('customer_update', { type: 'UPDATE_USER', message: { name: 'Ann' } });
    const { seq, id } = await witness.next('UPDATE_USER');
    assert.match(id ?? '', UUID);
    await guest.settled();
    assert.deepEqual(guest.frames.slice(1), [{ channel: 'pong', payload: {} }]);
    const ack = await guest.ask('customer_update', { type: 'UPDATE_USER', message: { name: 'Bob' } });
    assert.deepEqual([ack.scope, ack.seq], ['@desk', (seq ?? 0) + 1]);
    await guest.settled();
    assert.deepEqual(
      guest.frames.slice(2).map(({ channel }) => channel),
      ['ack', 'pong'],
    );
  });

  test('of TYPING and READ gets its ack or nothing, and its other tabs get it; neither has a place in the log', async () => {
    const guest = await server.customer('s3');
    const tab = await server.customer('s3', { token: guest.session.token });
    await guest.ask('customer_message', say('hello'));
    await tab.next('CHAT_MSG');
    const here = { dealerId: DEALER, groupId: 's3', user: 'customer' };
    const typing = { type: 'TYPING', groupId: 's3', typing: true };
    const read = { type: 'READ', groupId: 's3', seq: 1 };
    for (const [channel, payload, id] of [
      ['typing', typing, undefined],
      ['typing', typing, 't1'],
      ['read', read, undefined],
      ['read', read, 'r1'],
    ] as const) {
      guest.send(channel, payload, id);
      const frame = await tab.next(payload.type);
      assert.deepEqual(frame, { channel: `${payload.type}_STATE`, payload: { ...payload, ...here } });
    }
    await guest.settled();
    const answers = guest.frames.slice(2).filter(({ channel }) => channel !== 'pong');
    assert.deepEqual(
      answers,
      ['t1', 'r1'].map((id) => ({ channel: 'ack', payload: { id } })),
    );
    assert.equal((await server.store.tails(DEALER, ['s3'])).get('s3'), 1);
  });
});
