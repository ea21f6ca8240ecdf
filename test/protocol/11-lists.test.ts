/** [P-11.3] Lists: groups, users, leads, intents, page views and receipts, whole and in pages. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TObject } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { listOf } from '../../schemas/lists.ts';
import { ErasureReceipt, GroupItem, IntentItem, LeadItem, PageviewItem, RecordItem } from '../../schemas/reading.ts';
import { erase, fill, fillAll, type Item, LIST_NAMES, LISTS, page, read } from '../support/lists.ts';
import { assertProblem } from '../support/problem.ts';
import { DEALER, startServer, type TestServer } from '../support/server.ts';

const ITEMS: Readonly<Record<string, TObject>> = {
  groups: GroupItem,
  users: RecordItem,
  leads: LeadItem,
  'lead-intents': IntentItem,
  pageviews: PageviewItem,
  erasures: ErasureReceipt,
};
/** The lists that can be of one group. */
const OF_GROUP = ['users', 'leads', 'lead-intents', 'pageviews'];

let server: TestServer;
async function start() {
  server = await startServer({ timing: { closeTimeout: 5 } });
}
const stop = () => server.close();

/** What an item is known by. */
const keyOf = (list: string, item: Item) => (LISTS[list] ?? []).map((field) => item[field]).join(' ');

describe('[P-11.3] the items of a list', () => {
  before(async () => {
    await start();
    await fill(server, ['quiet', 'g1', 'gone']);
    await erase(server, ['gone']);
    const admin = await server.admin('a7');
    await admin.ask('admin_message', { type: 'UPDATE_MSG', groupId: 'g1', message: 'Hello "you"' });
    await admin.ask('read', { type: 'READ', groupId: 'g1', seq: 2 });
  });
  after(stop);

  for (const [list, item] of Object.entries(ITEMS)) {
    test(`of ${list} are as its schema says, and nothing besides`, async () => {
      const body = await page(server, list);
      const [fault] = Value.Errors(listOf(item, 'a page'), body);
      assert.equal(fault, undefined, `${fault?.path}: ${fault?.message}`);
      assert.ok(body.items.length > 0);
      for (const each of body.items) {
        const unknown = Object.keys(each).filter((name) => !Object.hasOwn(item.properties, name));
        assert.deepEqual(unknown, []);
      }
    });
  }

  test('of groups say how each stands, and what was said last', async () => {
    const { items, next } = await page(server, 'groups');
    const [first, second, ...others] = items;
    const { createdAt, updatedAt, lastMessage, ...rest } = first ?? assert.fail();
    assert.deepEqual(rest, {
      dealerId: DEALER,
      groupId: 'g1',
      online: false,
      muted: true,
      mutedBy: 'a7',
      closed: false,
      unread: 0,
      seq: 3,
      adminRead: 2,
      customerRead: 0,
      admins: [],
      waiting: null,
      assignee: null,
    });
    const [, , said] = (await page(server, 'scopes/g1/events')).items;
    const { at, payload } = Object(said);
    assert.deepEqual(lastMessage, { seq: 3, at, user: payload.user, adminId: 'a7', message: 'Hello "you"' });
    assert.ok(String(createdAt) <= String(updatedAt));
    assert.deepEqual([second?.groupId, second?.muted, second?.mutedBy], ['quiet', false, undefined]);
    assert.deepEqual([others, next], [[], null]);
    assert.deepEqual((await read(server, 'groups/g1')).body, first, 'one alone is as in the list');
  });

  test('of records are the merged fields', async () => {
    await server.http('POST', '/v1/events', {
      token: await server.token('server', 'crm'),
      body: { type: 'UPDATE_USER', groupId: 'g1', dealerId: DEALER, message: { email: 'a@b.example', name: null } },
    });
    const [user] = (await page(server, 'users', '?groupId=g1')).items;
    assert.deepEqual(user?.fields, { email: 'a@b.example' });
    const intents = (await page(server, 'lead-intents', '?groupId=g1')).items;
    assert.deepEqual(
      intents.map(({ intent, fields }) => [intent, fields]),
      [
        ['lease / "other"', { status: 'open', intent: 'lease / "other"' }],
        ['buy', { status: 'open', intent: 'buy' }],
      ],
    );
  });

  test('of page views are the desk’s events: their seqs, ids and times, the last first', async () => {
    const { items } = await page(server, 'pageviews');
    const desk = (await page(server, 'scopes/@desk/events', '?limit=200')).items.map((frame) => Object(frame));
    const told = desk.filter(({ payload }) => payload.type === 'UPDATE_PAGEVIEW' && payload.message.url);
    assert.deepEqual(
      items,
      told
        .map(({ payload, seq, id, at }) => {
          return { dealerId: DEALER, groupId: payload.groupId, seq, id, at, fields: payload.message };
        })
        .toReversed(),
    );
    assert.deepEqual(
      items.map(({ groupId }) => groupId),
      ['g1', 'quiet'],
    );
  });

  test('of receipts name nobody', async () => {
    const { items } = await page(server, 'erasures');
    assert.equal(items.length, 1);
    assert.doesNotMatch(JSON.stringify(items), /gone/);
  });
});

describe('[P-11.3] filters', () => {
  before(async () => {
    await start();
    await fill(server, ['plain', 'muted', 'closed', 'read']);
    const admin = await server.admin();
    await admin.ask('mute_bot', { type: 'MUTE_BOT', groupId: 'muted' });
    await admin.ask('close_chat', { type: 'CLOSE_CHAT', groupId: 'closed' });
    await admin.ask('read', { type: 'READ', groupId: 'read', seq: 1 });
    await server.customer('here');
  });
  after(stop);

  for (const [query, expected] of [
    ['', ['closed', 'here', 'muted', 'plain', 'read']],
    ['?open=true', ['here', 'muted', 'plain', 'read']],
    ['?open=false', ['closed']],
    ['?muted=true', ['muted']],
    ['?muted=false', ['closed', 'here', 'plain', 'read']],
    ['?online=true', ['here']],
    ['?online=false', ['closed', 'muted', 'plain', 'read']],
    ['?unread=true', ['closed', 'muted', 'plain']],
    ['?unread=false', ['here', 'read']],
    ['?open=true&unread=true&muted=false', ['plain']],
    ['?open=false&online=true', []],
  ] as const) {
    test(`of groups: ${query || 'none'}`, async () => {
      const { items } = await page(server, 'groups', query);
      assert.deepEqual(items.map(({ groupId }) => groupId).toSorted(), [...expected]);
    });
  }

  test('hold for every page', async () => {
    const found: unknown[] = [];
    let cursor = '';
    do {
      const { items, next } = await page(server, 'groups', `?unread=true&limit=1${cursor}`);
      found.push(...items.map(({ groupId }) => groupId));
      cursor = next === null ? '' : `&cursor=${next}`;
    } while (cursor && found.length < 10);
    assert.deepEqual(found.toSorted(), ['closed', 'muted', 'plain']);
  });

  for (const query of ['?open=yes', '?muted=1', '?online=', '?unread=TRUE', '?open=true&open=true']) {
    test(`of groups refuse ${query}`, async () => {
      const { details } = assertProblem(await read(server, 'groups', query), 400, 'invalid_payload');
      assert.equal(details[0].path, `/${/\w+/.exec(query)}`);
    });
  }

  for (const list of OF_GROUP) {
    test(`of ${list}: one group alone, in pages too, and none where it has none`, async () => {
      const { items } = await page(server, list, '?groupId=plain');
      assert.deepEqual([...new Set(items.map(({ groupId }) => groupId))], ['plain']);
      assert.equal(items.length, list === 'lead-intents' ? 2 : 1);
      const first = await page(server, list, '?groupId=plain&limit=1');
      assert.equal(first.next === null, items.length === 1);
      if (first.next)
        assert.deepEqual((await page(server, list, `?groupId=plain&cursor=${first.next}`)).items, items.slice(1));
      for (const other of ['here', 'nobody']) {
        assert.deepEqual(await page(server, list, `?groupId=${other}`), { items: [], next: null });
      }
      for (const bad of ['', '@desk', 'a/b', 'x'.repeat(65), '%00']) {
        const { details } = assertProblem(await read(server, list, `?groupId=${bad}`), 400, 'invalid_payload');
        assert.equal(details[0].path, '/groupId');
      }
    });
  }
});

describe('[P-11.3] pages', () => {
  before(async () => {
    await start();
    await fillAll(server, 'old', 7);
  });
  after(stop);

  for (const list of LIST_NAMES) {
    test(`of ${list} hold every item once, although new ones come between them`, async () => {
      const known = (await page(server, list, '?limit=200')).items.map((item) => keyOf(list, item));
      const found: string[] = [];
      let cursor = '';
      for (let turn = 0; ; turn += 1) {
        const { items, next } = await page(server, list, `?limit=3${cursor}`);
        found.push(...items.map((item) => keyOf(list, item)));
        if (next === null) break;
        assert.deepEqual([items.length, turn < known.length], [3, true]);
        cursor = `&cursor=${encodeURIComponent(next)}`;
        await fillAll(server, `${list}-${turn}`, 2);
      }
      assert.deepEqual(found, known);
    });
  }
});

describe('[P-11.3] limits', () => {
  before(async () => {
    await start();
    await fillAll(server, 'many', 201);
  });
  after(stop);

  for (const list of LIST_NAMES) {
    test(`of ${list} are 1 to 200, and 50 where none is said`, async () => {
      for (const [query, length] of [
        ['', 50],
        ['?limit=1', 1],
        ['?limit=200', 200],
      ] as const) {
        const { items, next } = await page(server, list, query);
        assert.deepEqual([items.length, typeof next], [length, 'string'], query);
      }
      for (const limit of ['0', '201', '-1', '1.5', '1e2', 'many', '', '99999999999999999999']) {
        const { details } = assertProblem(await read(server, list, `?limit=${limit}`), 400, 'invalid_payload');
        assert.equal(details[0].path, '/limit', limit);
      }
    });
  }
});
