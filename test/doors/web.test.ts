import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { buildWeb } from '../../build/web.ts';
import { policyOf } from '../../src/doors/http/web.ts';
import { startServer, type TestServer, withServer } from '../support/server.ts';

const NAME_AND_HEALTH = { name: 'telle', status: 'ok' };

describe('what browsers are served', () => {
  let server: TestServer;

  before(async () => {
    await buildWeb('dist/web');
    server = await startServer();
  });
  after(() => server.close());

  const get = (url: string, headers: Record<string, string> = {}) => server.app.inject({ url, headers });

  it('is the widget, which any page of any site may load', async () => {
    const { statusCode, headers, body } = await get('/widget.js');
    assert.equal(statusCode, 200);
    assert.equal(headers['content-type'], 'text/javascript; charset=utf-8');
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.equal(headers['cross-origin-resource-policy'], 'cross-origin');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.match(String(headers['cache-control']), /^public/);
    assert.match(body, /telle/);
  });

  it('is sent compressed to whom that suits, and not again to who has it', async () => {
    const plain = await get('/widget.js');
    const zipped = await get('/widget.js', { 'accept-encoding': 'gzip, br' });
    assert.equal(zipped.headers['content-encoding'], 'gzip');
    assert.equal(gunzipSync(zipped.rawPayload).toString(), plain.body);
    assert.equal(zipped.headers.vary, 'accept-encoding');

    const etag = String(plain.headers.etag);
    const again = await get('/widget.js', { 'if-none-match': etag });
    assert.deepEqual([again.statusCode, again.body], [304, '']);
    const other = await get('/widget.js', { 'if-none-match': 'W/"another"' });
    assert.equal(other.statusCode, 200);
  });

  it('is the name and the health of the server to who is no newcomer', async () => {
    await withServer({ settings: { WELCOME: 'off' } }, async ({ app }) => {
      assert.deepEqual((await app.inject('/')).json(), NAME_AND_HEALTH);
    });
    const strangers = [
      { host: 'chat.example' },
      { host: 'localhost.example' },
      { 'x-forwarded-for': '192.0.2.1' },
      { forwarded: 'for=192.0.2.1' },
    ];
    for (const headers of strangers) assert.deepEqual((await get('/', headers)).json(), NAME_AND_HEALTH);
    const { body } = await server.app.inject({ url: '/', remoteAddress: '192.0.2.1' });
    assert.deepEqual(JSON.parse(body), NAME_AND_HEALTH);
  });

  it('asks nobody but its own host, whatever host it is asked as', () => {
    assert.match(
      policyOf('chat.example:8080'),
      /connect-src 'self' ws:\/\/chat\.example:8080 wss:\/\/chat\.example:8080;/,
    );
    assert.match(policyOf("x; script-src 'unsafe-inline'"), /connect-src 'self';/);
    assert.match(policyOf(undefined), /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';/);
    assert.ok(!policyOf('chat.example').includes('unsafe'));
  });
});
