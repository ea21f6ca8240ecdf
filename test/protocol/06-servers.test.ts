/** [P-6] What other servers may send, as the payload of channel `event`. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { SENDS } from '../../schemas/table.ts';
import type { Client } from '../support/client.ts';
import { DEALER, startServer, type TestServer } from '../support/server.ts';
import { inVersion1 } from '../support/version-one.ts';

interface Payload {
  readonly type: string;
  readonly [field: string]: unknown;
}
/** A payload, and the channel, scope and payload in which everybody gets it; without a scope it is not stored. */
type Row = readonly [Payload, string, string | null, object];

const G = 'g1';
const at = { dealerId: DEALER, groupId: G };
const byAdmin = { adminId: 'a1', user: 'admin' };
const user = { name: 'Ann', shoeSize: 42 };

const message = (by: object, seen: object): Row => [
  { type: 'UPDATE_MSG', ...at, ...by, muted: true, unread: 7, message: 'hello' },
  'CHAT_MESSAGE',
  G,
  { type: 'CHAT_MSG', ...at, ...by, ...seen, message: 'hello' },
];
const mute = (type: string, muted: boolean): Row => [
  { type, ...at, adminId: 'a1', muted },
  'MUTE_STATE',
  G,
  { type: 'MUTE_STATUS', ...at, adminId: 'a1', muted },
];
const assign = (assignee: string | null): Row => [
  { type: 'ASSIGN', ...at, assignee },
  'CHAT_STATE',
  G,
  { type: 'ASSIGNED', ...at, assignee, reason: 'asked' },
];
const close = (by: object, closedBy: object): Row => [
  { type: 'CLOSE_CHAT', ...at, ...by, close: true },
  'CLOSE_CHAT',
  G,
  { type: 'CLOSE_CHAT', ...at, ...closedBy, close: true },
];
const record = (type: string, fields: object): Row => [
  { type, ...at, message: fields },
  'CUSTOMER_STATE',
  '@desk',
  { type, ...at, user: 'server', message: fields },
];
const typing = (by: object, typedBy: object): Row => [
  { type: 'TYPING', ...at, ...by, typing: true },
  'TYPING_STATE',
  null,
  { type: 'TYPING', ...at, ...typedBy, typing: true },
];
const presence = (type: string, who: object, scope: string, told: object): Row => [
  { type, dealerId: DEALER, ...who, online: true },
  'CHAT_STATE',
  scope,
  { dealerId: DEALER, ...told, online: true },
];
const here = { type: 'UPDATE_GROUP', groupId: G, user: 'customer' };

/** Each type of section 6, in the variants of the seeds, and what section 7 makes of it; sent in this order. */
const ROWS: readonly Row[] = [
  message({ user: 'bot' }, { muted: false, unread: 0 }),
  message({ user: 'customer' }, { muted: false, unread: 1 }),
  message(byAdmin, { muted: true, unread: 0 }),
  mute('UNMUTE_BOT', false),
  [
    { type: 'HANDOFF', ...at, reason: 'wants a price' },
    'CHAT_STATE',
    '@desk',
    { type: 'HANDOFF', ...at, user: 'bot', reason: 'wants a price' },
  ],
  assign('a1'),
  assign(null),
  mute('MUTE_BOT', true),
  close({ adminId: 'a1' }, byAdmin),
  close(byAdmin, byAdmin),
  close({ user: 'customer' }, { user: 'customer' }),
  close({ user: 'bot' }, { user: 'bot' }),
  close({}, { user: 'server' }),
  [
    { type: 'SYS_MSG', dealerId: DEALER, ...byAdmin, muted: true, unread: 0, message: 'closed on Sunday' },
    'SYS_MESSAGE',
    '@dealer',
    { type: 'SYS_MSG', dealerId: DEALER, ...byAdmin, muted: true, unread: 0, message: 'closed on Sunday' },
  ],
  presence('UPDATE_CHAT', { groupId: G, user: 'customer' }, '@desk', here),
  presence('UPDATE_CHAT', byAdmin, '@desk', { type: 'UPDATE_CHAT', ...byAdmin }),
  presence('UPDATE_CHAT', { groupId: G, ...byAdmin }, G, { type: 'UPDATE_CHAT', groupId: G, ...byAdmin }),
  presence('UPDATE_GROUP', { groupId: G, user: 'customer' }, '@desk', here),
  presence('UPDATE_GROUP', { groupId: G }, '@desk', here),
  record('UPDATE_USER', user),
  record('UPDATE_PAGEVIEW', {
    url: 'https://a.example/',
    title: 'Cars',
    referrer: 'https://b.example/',
    vin: 'v',
    stock: 's',
  }),
  record('UPDATE_LEAD', { source: 'site', status: 'new', vehicle: { year: 2024, make: 'M' } }),
  record('CREATE_LEAD_INTENT', { intent: 'buy', notes: 'soon' }),
  record('UPDATE_LEAD_INTENT', { intent: 'buy', status: 'won' }),
  typing(byAdmin, byAdmin),
  typing({ adminId: 'a1' }, byAdmin),
  typing({ user: 'customer' }, { user: 'customer' }),
  typing({ user: 'bot' }, { user: 'bot' }),
  typing({}, { user: 'bot' }),
];

/** A payload's type, and whom and what it names. */
const titleOf = ({ type, user, ...fields }: Payload): string => {
  const names = [user ?? 'nobody', ...['adminId', 'groupId'].filter((name) => name in fields)];
  return `${type} (${names.join(', ')})`;
};

let server: TestServer;
let crm: Client;
let witness: Client;

async function start() {
  server = await startServer({ timing: { closeTimeout: 5 } });
  crm = await server.server();
  witness = await server.admin('w');
}
const stop = () => server.close();

describe('[P-6] each type', () => {
  before(start);
  after(stop);

  for (const [index, [payload, channel, scope, told]] of ROWS.entries()) {
    const id = `k${index}`;
    test(`${titleOf(payload)} is acked and delivered on ${channel}`, async () => {
      const { at: when, seq, ...ack } = await crm.ask('event', payload, id);
      const frame = await witness.next((given) => given.channel === channel);
      if (scope === null) {
        assert.deepEqual({ ...ack, when, seq }, { channel: 'ack', id, when: undefined, seq: undefined });
        assert.deepEqual(frame, { channel, payload: told });
      } else {
        assert.deepEqual(ack, { channel: 'ack', id, scope, duplicate: false });
        assert.deepEqual(
          { ...frame, payload: inVersion1(frame.payload) },
          { channel, payload: told, id, scope, seq, at: when },
        );
      }
    });
  }

  test('these are all the types that another server may send', () => {
    const byHand = [...new Set(ROWS.map(([{ type }]) => type))];
    const inTable = Object.values(SENDS.server).flat();
    assert.deepEqual(inTable.map(({ properties }) => properties.type.const).sort(), byHand.sort());
  });

  test('READ, a join and an unknown type are refused with the path /type', async () => {
    for (const type of ['READ', 'CLIENT_JOIN', 'CHAT_MSG', 'constructor', undefined]) {
      const { code, details } = await crm.ask('event', { type, ...at, user: 'customer', seq: 1, message: 'hello' });
      assert.deepEqual([code, details.length, details[0].path], ['invalid_payload', 1, '/type'], type);
    }
  });

  const without: readonly (readonly [string, Payload, string])[] = [
    ['a message of an admin', { type: 'UPDATE_MSG', ...at, user: 'admin', message: 'a' }, '/adminId'],
    ['a message of nobody', { type: 'UPDATE_MSG', ...at, message: 'a' }, '/user'],
    ['a mute', { type: 'MUTE_BOT', ...at }, '/adminId'],
    ['an unmute', { type: 'UNMUTE_BOT', ...at }, '/adminId'],
    ['an announcement', { type: 'SYS_MSG', dealerId: DEALER, message: 'a' }, '/adminId'],
    ["an admin's closing", { type: 'CLOSE_CHAT', ...at, user: 'admin' }, '/adminId'],
    ["an admin's presence", { type: 'UPDATE_CHAT', ...at, user: 'admin', online: true }, '/adminId'],
    ["a customer's presence", { type: 'UPDATE_CHAT', dealerId: DEALER, user: 'customer', online: true }, '/groupId'],
    ['the presence of nobody', { type: 'UPDATE_CHAT', ...at, online: true }, '/user'],
    ["an admin's typing", { type: 'TYPING', ...at, user: 'admin', typing: true }, '/adminId'],
    ['a record', { type: 'UPDATE_USER', ...at }, '/message'],
    ['a record of nobody', { type: 'UPDATE_USER', dealerId: DEALER, message: {} }, '/groupId'],
    ['an intent', { type: 'CREATE_LEAD_INTENT', ...at, message: { notes: 'a' } }, '/message/intent'],
  ];
  test('what is required where is asked for by its path', async () => {
    const careless = await server.server();
    for (const [what, payload, path] of without) {
      const { code, details } = await careless.ask('event', payload);
      assert.deepEqual([code, details.length, details[0].path], ['invalid_payload', 1, path], what);
      assert.match(details[0].message, /^required/);
    }
  });

  test('an admin may be said to announce, and nobody else', async () => {
    const payload = { type: 'SYS_MSG', dealerId: DEALER, adminId: 'a1', user: 'bot', message: 'a' };
    const { code, details } = await crm.ask('event', payload);
    assert.deepEqual([code, details[0].path], ['invalid_payload', '/user']);
  });
});

describe('[P-6] the id in a payload', () => {
  before(start);
  after(stop);
  const say = (id: unknown) => ({ type: 'UPDATE_MSG', ...at, user: 'customer', id, message: 'hello' });

  test('is the id of the event, and is not delivered in the payload', async () => {
    crm.send('event', say('crm-1'));
    const { id, payload } = await witness.next('CHAT_MSG');
    const told = { type: 'CHAT_MSG', ...at, user: 'customer', muted: false, unread: 1, message: 'hello' };
    assert.deepEqual({ id, payload: inVersion1(payload) }, { id: 'crm-1', payload: told });
  });

  test('makes a repeat known, however the frames themselves are named', async () => {
    const first = await crm.ask('event', say('crm-2'), 'frame-1');
    const again = await crm.ask('event', say('crm-2'), 'frame-2');
    assert.deepEqual(again, { ...first, id: 'frame-2', duplicate: true });
    const other = await crm.ask('event', say('crm-3'), 'frame-1');
    assert.deepEqual([other.seq, other.duplicate], [first.seq + 1, false]);
  });

  test('of the wrong kind is refused with the path /id', async () => {
    for (const id of ['', 'a b', 'x'.repeat(65), 5, null, {}]) {
      const { code, details } = await crm.ask('event', say(id));
      assert.deepEqual([code, details.length, details[0].path], ['invalid_payload', 1, '/id']);
    }
  });
});

describe('[P-6.2] a new dealer and a new group', () => {
  before(start);
  after(stop);

  for (const [index, [payload]] of ROWS.entries()) {
    if (payload.type === 'UPDATE_LEAD_INTENT') continue; // it needs its intent
    test(`are made by ${titleOf(payload)}`, async () => {
      const [dealerId, everywhere] = [`new-${index}`, await server.server('*')];
      const { channel } = await everywhere.ask('event', { ...payload, dealerId });
      assert.equal(channel, 'ack');
      assert.deepEqual(await server.store.dealer(dealerId), { dealerId, origins: [] });
      const { group } = await server.store.standing(dealerId, G);
      assert.equal(group !== null, 'groupId' in payload);
      await everywhere.close();
    });
  }

  test('are there for a customer and an admin to join, each dealer with its own groups', async () => {
    const everywhere = await server.server('*');
    const say = { type: 'UPDATE_MSG', user: 'customer', groupId: 'same', message: 'hello' };
    for (const dealerId of ['n1', 'n2']) {
      const { seq } = await everywhere.ask('event', { ...say, dealerId });
      assert.equal(seq, 1);
      const token = await server.token('customer', 'same', { dealer: dealerId });
      const guest = await server.customer('same', { dealerId, token });
      assert.deepEqual(guest.session.seqs, { same: 1, '@dealer': 0 });
    }
  });

  test('are not made by an event that is refused', async () => {
    const everywhere = await server.server('*');
    const update = { type: 'UPDATE_LEAD_INTENT', dealerId: 'never', groupId: G, message: { intent: 'buy' } };
    assert.equal((await everywhere.ask('event', update)).code, 'unknown_intent');
    assert.equal((await everywhere.ask('event', { ...update, message: {} })).code, 'invalid_payload');
    assert.equal(await server.store.dealer('never'), null);
  });

  test('a server of all dealers must name the dealer', async () => {
    const everywhere = await server.server('*');
    for (const dealerId of [undefined, '*', '']) {
      const { code, details } = await everywhere.ask('event', { type: 'TYPING', groupId: G, typing: true, dealerId });
      assert.deepEqual([code, details[0].path], ['invalid_payload', '/dealerId']);
    }
  });
});
