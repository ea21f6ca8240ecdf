/** [P-11.3] `GET /v1/dealers/{dealerId}/scopes/{scope}/events`: a scope's log, read in pages. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Client } from '../support/client.ts';
import { overriding } from '../support/faulty-store.ts';
import type { Frame } from '../support/frame.ts';
import { assertProblem } from '../support/problem.ts';
import { DEALER, startServer, type TestServer, withServer } from '../support/server.ts';

let server: TestServer;
let epoch: string;
/** The token of an admin of the dealer. */
let admin: string;
/** A server's socket, to write with. */
let crm: Client;
const path = (scope: string, query = '', dealerId = DEALER) =>
  `/v1/dealers/${dealerId}/scopes/${encodeURIComponent(scope)}/events${query}`;
const read = (scope: string, query = '', token = admin) => server.http('GET', path(scope, query), { token });
const seqsOf = (items: readonly Frame[]) => items.map(({ seq }) => seq);
const span = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** Stores so many more messages in a group. */
async function write(groupId: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await crm.ask('event', { type: 'UPDATE_MSG', groupId, user: 'bot', message: `${index}` });
  }
}

async function start() {
  server = await startServer({ timing: { closeTimeout: 5 } });
  epoch = await server.store.epoch();
  admin = await server.token('admin', 'a1');
  crm = await server.server();
}
const stop = () => server.close();

describe('[P-11.3] the frames of a scope', () => {
  before(start);
  after(stop);

  test('are the bytes that were delivered, for every scope', async () => {
    const witness = await server.admin('w');
    const stood = (await server.store.tails(DEALER, ['@desk'])).get('@desk') ?? 0;
    const guest = await server.customer('g1');
    await guest.ask('customer_message', { type: 'UPDATE_MSG', message: '"ü" 🚗 \u2028\n</script>' }, 'k1');
    guest.send('customer_update', {
      type: 'UPDATE_USER',
      message: JSON.parse('{"__proto__":{"a":1},"1":2,"b":[null]}'),
    });
    await crm.ask('event', { type: 'UPDATE_MSG', groupId: 'g1', user: 'admin', adminId: 'a7', message: 'hello' });
    await crm.ask('event', { type: 'SYS_MSG', adminId: 'a7', message: 'hello' });
    await crm.ask('event', { type: 'TYPING', groupId: 'g1', typing: true });
    await witness.settled();
    for (const [scope, after, length] of [
      ['g1', 0, 3],
      ['@dealer', 0, 1],
      ['@desk', stood, 2],
    ] as const) {
      const texts = witness.texts.filter((_, index) => witness.frames[index]?.scope === scope);
      assert.equal(texts.length, length, scope);
      const url = path(scope, `?after=${after}`);
      const response = await server.app.inject({ url, headers: { authorization: `Bearer ${admin}` } });
      assert.deepEqual(
        [response.statusCode, response.headers['content-type']],
        [200, 'application/json; charset=utf-8'],
      );
      assert.equal(response.body, `{"items":[${texts.join(',')}],"next":null,"epoch":"${epoch}"}`);
    }
  });

  test('are none where the group has said nothing', async () => {
    await server.customer('quiet');
    const { status, body } = await read('quiet');
    assert.deepEqual([status, body], [200, { items: [], next: null, epoch }]);
  });

  test('are read by whoever else may see the scope: a server of the dealer or of all, and its customer', async () => {
    await write('g2', 2);
    await crm.ask('event', { type: 'SYS_MSG', adminId: 'a7', message: 'hello' });
    const own = await server.token('customer', 'g2');
    const servers = [await server.token('server', 'crm'), await server.token('server', 'ops', { dealer: '*' })];
    for (const token of [admin, own, ...servers]) {
      for (const scope of ['g2', '@dealer', ...(token === own ? [] : ['@desk'])]) {
        const { status, body } = await read(scope, '', token);
        assert.equal(status, 200);
        assert.deepEqual(seqsOf(body.items), span(1, body.items.length));
        assert.ok(body.items.length > 0);
      }
    }
  });
});

describe('[P-11.3] paging', () => {
  before(start);
  after(stop);

  /** Reads all pages, storing an event before each next one. @returns the seqs of each page */
  async function pages(scope: string, query: string): Promise<(number | undefined)[][]> {
    const found: (number | undefined)[][] = [];
    let cursor: string | null = null;
    do {
      const { status, body }: Awaited<ReturnType<typeof read>> = await read(
        scope,
        cursor === null ? query : `?limit=10&cursor=${encodeURIComponent(cursor)}`,
      );
      assert.equal(status, 200);
      found.push(seqsOf(body.items));
      cursor = body.next;
      await write(scope, 1);
      assert.ok(found.length < 20, 'it comes to an end');
    } while (cursor !== null);
    return found;
  }

  test('forwards comes to every event once, those too that are stored meanwhile', async () => {
    await write('p1', 25);
    const found = await pages('p1', '?limit=10');
    assert.deepEqual(found, [span(1, 10), span(11, 20), span(21, 27)]);
  });

  test('forwards from a seq comes to every later event once', async () => {
    await write('p2', 25);
    assert.deepEqual(await pages('p2', '?limit=10&after=7'), [span(8, 17), span(18, 26)]);
  });

  test('backwards comes to every earlier event once, the latest page first, whatever is stored meanwhile', async () => {
    await write('p3', 25);
    assert.deepEqual(await pages('p3', '?limit=10&before=26'), [span(16, 25), span(6, 15), span(1, 5)]);
    assert.deepEqual(await pages('p3', '?limit=10&before=11'), [span(1, 10)]);
  });

  test('between two seqs stays between them, in pages or at once', async () => {
    await write('p4', 25);
    assert.deepEqual(await pages('p4', '?limit=10&after=3&before=20'), [span(4, 13), span(14, 19)]);
    assert.deepEqual(await pages('p4', '?limit=10&after=3&before=5'), [[4]]);
    assert.deepEqual(await pages('p4', '?limit=10&after=4&before=5'), [[]]);
  });

  test('ends at a page that is just full', async () => {
    await write('p5', 10);
    assert.deepEqual((await read('p5', '?limit=10')).body.next, null);
    assert.deepEqual((await read('p5', '?limit=10&before=11')).body.next, null);
    assert.deepEqual((await read('p5', '?limit=10&after=10')).body, { items: [], next: null, epoch });
    assert.deepEqual((await read('p5', '?after=1000')).body, { items: [], next: null, epoch });
  });

  test('has pages of 50, or of up to 200 as asked', async () => {
    await write('p6', 201);
    for (const [query, length] of [
      ['', 50],
      ['?limit=1', 1],
      ['?limit=200', 200],
      ['?before=202&limit=200', 200],
    ] as const) {
      const { items, next } = (await read('p6', query)).body;
      assert.deepEqual([items.length, typeof next], [length, 'string'], query);
    }
  });

  for (const [query, field] of [
    ['?limit=0', '/limit'],
    ['?limit=201', '/limit'],
    ['?limit=-1', '/limit'],
    ['?limit=many', '/limit'],
    ['?after=-1', '/after'],
    ['?after=1e3', '/after'],
    ['?after=1.5', '/after'],
    ['?before=x', '/before'],
    ['?cursor=x', '/cursor'],
    ['?cursor=', '/cursor'],
    [`?cursor=${'x'.repeat(600)}`, '/cursor'],
  ] as const) {
    test(`refuses ${query.slice(0, 20)} with 400 and the path ${field}`, async () => {
      await write('p7', 1);
      const { details } = assertProblem(await read('p7', query), 400, 'invalid_payload');
      assert.equal(details[0].path, field);
    });
  }
});

describe('[P-11.6] what a token may not see', () => {
  before(async () => {
    await start();
    await write('g1', 1);
    await server.store.putDealer('d2', {});
  });
  after(stop);

  test('is 401 without a good token, whether it exists or not', async () => {
    const expired = await server.token('admin', 'a1', { ttl: -10 });
    for (const scope of ['g1', 'nobody', '@desk']) {
      assertProblem(await server.http('GET', path(scope)), 401, 'unauthorized');
      assertProblem(await server.http('GET', path(scope, '', 'nobody')), 401, 'unauthorized');
      assertProblem(await read(scope, '', 'not.a.token'), 401, 'unauthorized');
      assertProblem(await read(scope, '', expired), 401, 'token_expired');
    }
  });

  test('is 404 unknown_group for a customer, in the same words as a group that does not exist', async () => {
    const own = await server.token('customer', 'g2');
    const operator = await server.token('server', 'ops', { dealer: '*' });
    const nothing = assertProblem(await read('nobody', '', operator), 404, 'unknown_group');
    for (const scope of ['g1', 'nobody', '@desk', '@other', 'g2']) {
      assert.deepEqual(assertProblem(await read(scope, '', own), 404, 'unknown_group'), nothing, scope);
    }
    assert.deepEqual(assertProblem(await read('@other'), 404, 'unknown_group'), nothing);
  });

  test('is 404 unknown_dealer for whoever is of another dealer, in the same words as one that does not exist', async () => {
    const operator = await server.token('server', 'ops', { dealer: '*' });
    const at = (dealerId: string, scope: string, token: string) =>
      server.http('GET', path(scope, '', dealerId), { token });
    const nothing = assertProblem(await at('nobody', 'g1', operator), 404, 'unknown_dealer');
    for (const [role, sub] of [
      ['customer', 'g1'],
      ['admin', 'a1'],
      ['server', 'crm'],
    ] as const) {
      const foreign = await server.token(role, sub, { dealer: 'd2' });
      for (const dealerId of [DEALER, 'nobody']) {
        for (const scope of ['g1', '@dealer', '@desk', 'nobody']) {
          assert.deepEqual(assertProblem(await at(dealerId, scope, foreign), 404, 'unknown_dealer'), nothing);
        }
      }
    }
  });

  test('while the database is away is 503 with Retry-After', () =>
    withServer(
      { wrapStore: (store) => overriding(store, { events: () => Promise.reject(new Error('disk I/O error')) }) },
      async (own) => {
        const token = await own.token('admin', 'a1');
        const { detail } = assertProblem(await own.http('GET', path('@desk'), { token }), 503, 'unavailable');
        assert.ok(!detail.includes('disk'));
      },
    ));
});
