import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { erase, page, read } from '../support/lists.ts';
import { assertProblem } from '../support/problem.ts';
import { DEALER, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;

const found = async (query: string) => (await page(server, 'search', query)).items;

describe('[P-17.1] a search', () => {
  before(async () => {
    server = await startServer();
    const client = await server.customer('g1');
    await client.ask('customer_message', { type: 'UPDATE_MSG', message: 'I dream of a convertible' });
    await client.ask('customer_update', { type: 'UPDATE_USER', message: { name: 'José Muñoz' } });
    await client.ask('close_chat', { type: 'CLOSE_CHAT' });
  });
  after(() => server.close());

  test('answers with conversations, and where in them it was found', async () => {
    const [{ at, ...hit } = assert.fail(), ...more] = await found('?q=convert');
    assert.match(String(at), /^\d{4}-/);
    assert.deepEqual(hit, {
      dealerId: DEALER,
      groupId: 'g1',
      scope: 'g1',
      seq: 1,
      field: 'message',
      snippet: 'I dream of a convertible',
    });
    assert.deepEqual(more, []);
    const [{ at: _, ...user } = assert.fail()] = await found('?q=munoz');
    assert.deepEqual(user, { dealerId: DEALER, groupId: 'g1', scope: '@desk', field: 'name', snippet: 'José Muñoz' });
  });

  test('is the dealer’s own, and no customer’s', async () => {
    await server.store.putDealer('d2', { origins: ['*'] });
    const other = server.token('admin', 'a1', { dealer: 'd2' });
    const { status } = await server.http('GET', `/v1/dealers/${DEALER}/search?q=munoz`, { token: other });
    assert.equal(status, 404);
    const own = await server.http('GET', '/v1/dealers/d2/search?q=munoz', { token: other });
    assert.deepEqual(own.body, { items: [], next: null });
    const customer = server.token('customer', 'g1');
    assertProblem(
      await server.http('GET', `/v1/dealers/${DEALER}/search?q=munoz`, { token: customer }),
      403,
      'forbidden',
    );
  });

  for (const query of ['', '?q=', `?q=${'x'.repeat(201)}`, '?q=a&limit=0', '?q=a&limit=51', '?q=a&cursor=abc']) {
    test(`is refused for ${query.slice(0, 20)}`, async () => {
      assertProblem(await read(server, 'search', query), 400, 'invalid_payload');
    });
  }

  test('takes no cursor of another list', async () => {
    const cursor = Buffer.from('search:[1,"g1","x"]').toString('base64url');
    assertProblem(await read(server, 'search', `?q=a&cursor=${cursor}`), 400, 'invalid_payload');
  });

  test('finds nothing that was erased', async () => {
    await erase(server, ['g1']);
    assert.deepEqual(await found('?q=convert'), []);
  });
});

describe('[P-11.3] conversations that are named', () => {
  before(async () => {
    server = await startServer();
    for (const groupId of ['g1', 'g2', 'g3']) {
      const client = await server.customer(groupId);
      await client.ask('customer_update', { type: 'UPDATE_USER', message: { name: groupId } });
      await client.ask('customer_update', { type: 'UPDATE_LEAD', message: { source: groupId } });
    }
    const admin = await server.admin('a7');
    await admin.ask('chat_state', { type: 'UPDATE_CHAT', groupId: 'g2', online: true });
  });
  after(() => server.close());

  for (const list of ['groups', 'users', 'leads']) {
    test(`are found among the ${list}, and no others`, async () => {
      const { items, next } = await page(server, list, '?groupId=g3,g1,nobody');
      assert.deepEqual(items.map(({ groupId }) => groupId).sort(), ['g1', 'g3']);
      assert.equal(next, null);
    });

    test(`are so many among the ${list} and no more`, async () => {
      const names = Array.from({ length: 51 }, (_, n) => `g${n}`).join(',');
      const problem = await read(server, list, `?groupId=${names}`);
      assertProblem(problem, 400, 'invalid_payload');
      assert.match(JSON.stringify(problem.body), /up to 50 of them with commas between/);
    });
  }

  test('are held to the filters, too', async () => {
    assert.deepEqual((await page(server, 'groups', '?groupId=g1,g2&open=false')).items, []);
  });

  test('say which admins have them open', async () => {
    const { items } = await page(server, 'groups');
    assert.deepEqual(items.map(({ groupId, admins }) => [groupId, admins]).sort(), [
      ['g1', []],
      ['g2', ['a7']],
      ['g3', []],
    ]);
    assert.deepEqual((await read(server, 'groups/g2')).body.admins, ['a7']);
  });
});
