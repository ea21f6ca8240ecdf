/** A page asks whether somebody is here, before its visitor has said anything. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startServer } from '../support/server.ts';

const HOME = 'https://cars.example';

describe('[P-11.8] reception', () => {
  test('says whether an admin is here, to anybody, and makes no group', async () => {
    const server = await startServer();
    try {
      const ask = async (origin: string, dealerId = 'd1') => {
        const url = `/v1/dealers/${dealerId}/reception`;
        const response = await server.app.inject({ url, headers: { origin } });
        return { status: response.statusCode, body: response.json(), headers: response.headers };
      };
      await server.store.putDealer('d1', { origins: [HOME], claims: 'made' });
      const { status, body } = await ask(HOME);
      assert.deepEqual([status, body], [200, { online: false, claims: 'made' }]);
      await server.admin();
      assert.deepEqual((await server.http('GET', '/v1/dealers/d1/reception')).body, { online: true, claims: 'made' });
      const token = await server.token('admin', 'a1');
      assert.deepEqual((await server.http('GET', '/v1/dealers/d1/groups', { token })).body.items, []);

      const stranger = await ask('https://other.example');
      assert.deepEqual([stranger.status, stranger.body.code], [403, 'forbidden']);
      assert.equal(stranger.headers['access-control-allow-origin'], '*');
      const nobody = await ask(HOME, 'nobody');
      assert.deepEqual([nobody.status, nobody.body.code], [404, 'unknown_dealer']);
    } finally {
      await server.close();
    }
  });
});
