/** [P-11.1] How the documents are served. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PUBLISHED } from '../../schemas/published.ts';
import { assertProblem } from '../support/problem.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.close());

const TYPES: Readonly<Record<string, string>> = {
  '/openapi.json': 'application/json; charset=utf-8',
  '/asyncapi.json': 'application/json; charset=utf-8',
  '/schemas': 'application/json; charset=utf-8',
  '/schemas/ChatMsg.json': 'application/schema+json; charset=utf-8',
  '/docs': 'text/html; charset=utf-8',
};

describe('[P-11.1] documents', () => {
  for (const [url, type] of Object.entries(TYPES)) {
    test(`${url} needs no token, and is not sent again to who has it`, async () => {
      const { status, headers } = await server.http('GET', url);
      assert.deepEqual([status, headers['content-type'], headers['cache-control']], [200, type, 'no-cache']);
      const etag = String(headers.etag);
      const again = await server.app.inject({ url, headers: { 'if-none-match': etag } });
      assert.deepEqual([again.statusCode, again.body, again.headers.etag], [304, '', etag]);
      const other = await server.app.inject({ url, headers: { 'if-none-match': '"another"' } });
      assert.equal(other.statusCode, 200);
    });
  }

  test('the list of schemas names each, with where it is', async () => {
    const { body } = await server.http('GET', '/schemas');
    assert.deepEqual(
      body.items.map(({ name }: { name: string }) => name),
      [...PUBLISHED.keys()],
    );
    for (const { name, url, description } of body.items) {
      assert.equal(url, `/schemas/${name}.json`);
      assert.equal(typeof description, 'string');
      assert.deepEqual((await server.http('GET', url)).body, PUBLISHED.get(name));
    }
  });

  for (const url of ['/schemas/Nothing.json', '/schemas/ChatMsg', '/schemas/__proto__.json', '/schemas/.json']) {
    test(`${url} is unknown_route`, async () => {
      assertProblem(await server.http('GET', url), 404, 'unknown_route');
    });
  }

  test('no other answer has an ETag', async () => {
    assert.equal((await server.http('GET', '/health')).headers.etag, undefined);
  });

  test('an answer is sent as it is: what a route says of it leaves nothing out', async () => {
    const token = await server.token('server', 'crm', { dealer: '*' });
    const event = { type: 'UPDATE_LEAD_INTENT', dealerId: 'd1', groupId: 'g1', message: { intent: 'x' } };
    const { body } = await server.http('POST', '/v1/events', { token, body: event });
    assert.equal(body.results[0].error.code, 'unknown_intent');
  });
});
