/** [P-6.1, P-6.4, P-6.5] The objects of `UPDATE_USER` … `UPDATE_LEAD_INTENT`: what they hold, and how they are kept. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import Database from 'better-sqlite3';
import type { Client } from '../support/client.ts';
import { DEALER, startServer, type TestServer } from '../support/server.ts';

const TYPES = ['UPDATE_USER', 'UPDATE_PAGEVIEW', 'UPDATE_LEAD', 'CREATE_LEAD_INTENT', 'UPDATE_LEAD_INTENT'];
/** The one field that each type needs. */
const needed = (type: string) => (type.endsWith('INTENT') ? { intent: 'buy' } : {});

let folder: string;
let server: TestServer;
let crm: Client;
let witness: Client;
/** Another process's view of the tables. */
let tables: Database.Database;

async function start() {
  folder = await mkdtemp(join(tmpdir(), 'telle-'));
  const file = join(folder, 'telle.db');
  server = await startServer({ settings: { DATABASE_URL: `sqlite:${file}` }, timing: { closeTimeout: 5 } });
  tables = new Database(file, { readonly: true });
  crm = await server.server();
  witness = await server.admin('w');
}
async function stop() {
  tables.close();
  await server.close();
  await rm(folder, { recursive: true });
}

/** Sends one that must be taken. */
async function update(type: string, groupId: string, message: unknown) {
  const { channel, code, details } = await crm.ask('event', { type, groupId, message });
  assert.equal(channel, 'ack', `${code} ${JSON.stringify(details)}`);
}
/** Sends one that must be refused, on a socket of its own. */
async function refusal(type: string, message: unknown) {
  const careless = await server.server();
  const { channel, code, details } = await careless.ask('event', { type, groupId: 'g1', message });
  await careless.close();
  assert.deepEqual([channel, code], ['error', 'invalid_payload']);
  return details;
}
const row = (table: 'users' | 'leads', groupId: string): string | undefined =>
  tables
    .prepare<[string, string], string>(`select fields from ${table} where dealer_id = ? and group_id = ?`)
    .pluck()
    .get(DEALER, groupId);
const kept = (table: 'users' | 'leads', groupId: string) => JSON.parse(row(table, groupId) ?? 'null');
const intents = (groupId: string) =>
  tables
    .prepare<[string, string], { intent: string; fields: string }>(
      'select intent, fields from lead_intents where dealer_id = ? and group_id = ? order by intent',
    )
    .all(DEALER, groupId)
    .map(({ intent, fields }) => [intent, JSON.parse(fields)]);

describe('[P-6.1] message', () => {
  before(start);
  after(stop);

  /** An object that is so many objects deep. */
  const nested = (depth: number): object => (depth === 1 ? {} : { in: nested(depth - 1) });
  /** An object whose JSON has so many bytes. */
  const sized = (bytes: number, of: object) => ({ ...of, x: 'é'.repeat(10) + 'x'.repeat(bytes - 20) });

  for (const type of TYPES) {
    const fields = {
      ...needed(type),
      vehicle: { year: 2024, colours: ['red', null] },
      more: { a: [{ b: 1.5 }], c: true },
    };
    const told = { type, dealerId: DEALER, groupId: 'g1', message: fields };

    test(`of ${type} is an object, or a string that holds one, and is delivered as an object`, async () => {
      for (const message of [fields, JSON.stringify(fields), ` \n${JSON.stringify(fields, null, 2)}`]) {
        await update(type, 'g1', message);
        assert.deepEqual((await witness.next(type)).payload, { ...told, user: 'server' });
      }
    });

    test(`of ${type} may not be another thing, nor a string that holds one`, async () => {
      for (const message of [
        5,
        null,
        true,
        [fields],
        '5',
        'null',
        '"{}"',
        `[${JSON.stringify(fields)}]`,
        '{',
        '',
        'sekret',
      ]) {
        const [{ path, message: told }, ...more] = await refusal(type, message);
        assert.deepEqual([path, more], ['/message', []]);
        assert.match(told, /^expected .*object/);
        assert.ok(!told.includes('sekret'));
      }
    });

    test(`of ${type} keeps other fields as they are, one called __proto__ too`, async () => {
      const text = `{"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}},"toString":"a","intent":"odd"}`;
      if (type === 'UPDATE_LEAD_INTENT') await update('CREATE_LEAD_INTENT', 'g1', text);
      for (const [id, raw] of [text, JSON.stringify(text)].entries()) {
        const from = witness.texts.length;
        crm.socket.send(
          `{"channel":"event","id":"${type}-${id}","payload":{"type":"${type}","groupId":"g1","message":${raw}}}`,
        );
        await witness.next((frame) => frame.payload.type === type && frame.payload.message.intent === 'odd');
        assert.ok(witness.texts.slice(from).some((frame) => frame.includes(`"message":${text}`)));
      }
    });

    test(`of ${type} may be five objects deep, and no deeper`, async () => {
      await update(type, 'g1', { ...needed(type), ...nested(5) });
      await update(type, 'g1', { ...needed(type), in: [[[[]]]] });
      for (const deep of [nested(6), { in: [[[[[]]]]] }, { in: [[[[{}]]]] }]) {
        const details = await refusal(type, { ...needed(type), ...deep });
        assert.deepEqual(details, [{ path: '/message', message: 'expected nesting of at most 5' }]);
      }
    });

    test(`of ${type} may hold 8 KiB of JSON, and no more`, async () => {
      const rest = Buffer.byteLength(JSON.stringify({ ...needed(type), x: '' }));
      if (type === 'UPDATE_LEAD_INTENT') await update('CREATE_LEAD_INTENT', 'big', needed(type));
      await update(type, 'big', sized(8192 - rest, needed(type)));
      const details = await refusal(type, sized(8193 - rest, needed(type)));
      assert.deepEqual(details, [{ path: '/message', message: 'expected at most 8192 bytes of JSON, got 8193' }]);
    });
  }
});

describe('[P-6.4] well-known fields', () => {
  before(start);
  after(stop);
  const person = ['name', 'firstName', 'lastName', 'email', 'phone', 'externalId', 'locale'];
  const vehicle = ['condition', 'make', 'model', 'trim', 'vin', 'stock'].map((field) => `vehicle/${field}`);
  const words: Readonly<Record<string, readonly string[]>> = {
    UPDATE_USER: person,
    UPDATE_PAGEVIEW: ['url', 'title', 'referrer', 'vin', 'stock'],
    UPDATE_LEAD: [...person, 'source', 'status', 'comments', ...vehicle],
    CREATE_LEAD_INTENT: ['intent', 'status', 'preferredTime', 'notes', ...vehicle],
    UPDATE_LEAD_INTENT: ['intent', 'status', 'preferredTime', 'notes', ...vehicle],
  };
  /** The object in which the field of this path has this value. */
  const having = (type: string, path: string, value: unknown) => {
    const [outer = '', inner] = path.split('/');
    return { ...needed(type), [outer]: inner === undefined ? value : { [inner]: value } };
  };

  for (const type of TYPES) {
    for (const path of words[type] ?? []) {
      test(`${path} of ${type} is a string, and anything else is refused by its path`, async () => {
        await update(type, 'g1', having(type, path, 'buy'));
        const [detail, ...more] = await refusal(type, having(type, path, 31_337));
        assert.deepEqual([detail.path, more], [`/message/${path}`, []]);
        assert.match(detail.message, /^expected .*string.*, got an integer$/);
      });
    }
  }

  test('a vehicle is an object, its year a number or a string; consent is a boolean or a string', async () => {
    for (const type of TYPES.filter((name) => name.includes('LEAD'))) {
      for (const year of [2024, '2024']) await update(type, 'g1', having(type, 'vehicle/year', year));
      assert.equal((await refusal(type, having(type, 'vehicle/year', true)))[0].path, '/message/vehicle/year');
      assert.equal((await refusal(type, having(type, 'vehicle', 'blue')))[0].path, '/message/vehicle');
    }
    for (const consent of [true, 'yes']) await update('UPDATE_LEAD', 'g1', { consent });
    assert.equal((await refusal('UPDATE_LEAD', { consent: 5 }))[0].path, '/message/consent');
  });

  test('what may be of two kinds is refused with a rule that names both', async () => {
    const [{ message }] = await refusal('UPDATE_LEAD', { consent: 5 });
    assert.match(message, /boolean.*string.*, got an integer$/);
  });

  test('an intent is any word, and may not be left out', async () => {
    const known = ['buy', 'lease', 'test_drive', 'trade_in', 'finance', 'service'];
    for (const intent of [...known, 'trade/in', '試乗']) await update('CREATE_LEAD_INTENT', 'words', { intent });
    assert.equal(intents('words').length, 8);
    assert.deepEqual(await refusal('CREATE_LEAD_INTENT', {}), [{ path: '/message/intent', message: 'required' }]);
  });

  test('an intent may hold a character beyond the basic plane', async () => {
    await update('CREATE_LEAD_INTENT', 'emoji', { intent: '電気🚗' });
    assert.deepEqual(intents('emoji'), [['電気🚗', { status: 'open', intent: '電気🚗' }]]);
  });
});

describe('[P-6.5] merging', () => {
  before(start);
  after(stop);

  /** RFC 7396: what was there, the update, what is there then; its appendix A, and well-known fields. */
  const MERGES: readonly (readonly [object, object, object])[] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ a: 'foo' }, { a: { b: 'c' } }, { a: { b: 'c' } }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [{ email: 'a@b.example', name: 'Ann' }, { email: null }, { name: 'Ann' }],
    [{ vehicle: { make: 'M' }, status: 'new' }, { vehicle: null }, { status: 'new' }],
    [{ vehicle: { make: 'M', vin: 'v' } }, { vehicle: { vin: null } }, { vehicle: { make: 'M' } }],
  ];
  for (const [type, table] of [
    ['UPDATE_USER', 'users'],
    ['UPDATE_LEAD', 'leads'],
  ] as const) {
    for (const [index, [before, change, result]] of MERGES.entries()) {
      test(`${type} makes ${JSON.stringify(result)} of ${JSON.stringify(before)} and ${JSON.stringify(change)}`, async () => {
        await update(type, `${type}-${index}`, before);
        await update(type, `${type}-${index}`, change);
        assert.deepEqual(kept(table, `${type}-${index}`), result);
      });
    }

    test(`${type} delivers what was sent, not what it was merged into`, async () => {
      await update(type, 'told', { a: { b: 1 } });
      const desk = await server.admin('late');
      await update(type, 'told', { a: { c: null } });
      assert.deepEqual((await desk.next(type)).payload.message, { a: { c: null } });
    });

    test(`${type} keeps a field called __proto__ in the row`, async () => {
      const text = '{"__proto__":{"admin":true},"a":1}';
      await update(type, 'proto', text);
      await update(type, 'proto', '{"__proto__":{"by":"x"}}');
      assert.equal(row(table, 'proto'), '{"__proto__":{"admin":true,"by":"x"},"a":1}');
    });
  }

  test('user and lead are one each for a group, and other groups have their own', async () => {
    await update('UPDATE_USER', 'one', { name: 'Ann' });
    await update('UPDATE_LEAD', 'one', { status: 'new' });
    await update('UPDATE_USER', 'two', { name: 'Bob' });
    assert.deepEqual([kept('users', 'one'), kept('leads', 'one')], [{ name: 'Ann' }, { status: 'new' }]);
    assert.deepEqual([kept('users', 'two'), kept('leads', 'two')], [{ name: 'Bob' }, null]);
  });

  test('a page view is an event, with the columns that its view shows', async () => {
    await update('UPDATE_PAGEVIEW', 'pages', { url: 'https://a.example/1', title: 'One', other: 1 });
    await update('UPDATE_PAGEVIEW', 'pages', { url: 'https://a.example/2' });
    const views = tables
      .prepare('select url, title, message from pageviews where group_id = ? order by seq')
      .all('pages');
    assert.deepEqual(views, [
      { url: 'https://a.example/1', title: 'One', message: '{"url":"https://a.example/1","title":"One","other":1}' },
      { url: 'https://a.example/2', title: null, message: '{"url":"https://a.example/2"}' },
    ]);
  });

  test('a message is an event, with the columns that its view shows', async () => {
    const say = { type: 'UPDATE_MSG', groupId: 'said', message: 'hello' };
    await crm.ask('event', { ...say, user: 'admin', adminId: 'a1' });
    const messages = tables.prepare('select seq, user, admin_id, message from messages where group_id = ?').all('said');
    assert.deepEqual(messages, [{ seq: 2, user: 'admin', admin_id: 'a1', message: 'hello' }]);
  });

  test('a lead intent is added once for each word, and the same word again is its update', async () => {
    await update('CREATE_LEAD_INTENT', 'i1', { intent: 'buy', notes: 'soon', vehicle: { make: 'M', year: 2024 } });
    await update('CREATE_LEAD_INTENT', 'i1', { intent: 'trade/in', status: 'won' });
    await update('CREATE_LEAD_INTENT', 'i1', { intent: 'buy', status: 'lost', vehicle: { year: 2025 } });
    await update('CREATE_LEAD_INTENT', 'i2', { intent: 'buy' });
    assert.deepEqual(intents('i1'), [
      ['buy', { status: 'lost', intent: 'buy', notes: 'soon', vehicle: { make: 'M', year: 2025 } }],
      ['trade/in', { status: 'won', intent: 'trade/in' }],
    ]);
    assert.deepEqual(intents('i2'), [['buy', { status: 'open', intent: 'buy' }]]);
  });

  test('UPDATE_LEAD_INTENT merges into the intent of its word alone, else it is unknown_intent and changes nothing', async () => {
    await update('CREATE_LEAD_INTENT', 'i3', { intent: 'buy', notes: 'soon' });
    await update('UPDATE_LEAD_INTENT', 'i3', { intent: 'buy', status: 'won', more: { a: 1 } });
    const won = [['buy', { status: 'won', intent: 'buy', notes: 'soon', more: { a: 1 } }]];
    assert.deepEqual(intents('i3'), won);
    const lease = { type: 'UPDATE_LEAD_INTENT', groupId: 'i3', message: { intent: 'lease' } };
    const { channel, code, retryable } = await crm.ask('event', lease);
    assert.deepEqual([channel, code, retryable], ['error', 'unknown_intent', false]);
    assert.deepEqual(intents('i3'), won);
  });
});
