/** [P-19.2] Every promise of the protocol holds beside the dialect: what is no JSON as text is served as if there were none. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { conformance, type Result, type Transport } from '../../../conformance/index.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { SECRET, startServer, type TestServer } from '../../support/server.ts';
import { closeClients, overSocketIo } from '../../support/socketio.ts';

/** What waits for the server's clock need not wait long. */
const TIMING = { pingInterval: 1000, pongTimeout: 3000, presenceGrace: 500, closeTimeout: 3000 };

let redis: RedisServer;
let server: TestServer;
let at: string;

before(async () => {
  redis = await startRedis();
  const settings = { SOCKET_IO: 'on', DIALECT: 'telle2019', REDIS_URL: redis.url, JOIN_TIMEOUT: '3s' };
  server = await startServer({ timing: TIMING, settings });
  at = await server.listen();
});
after(async () => {
  closeClients();
  await server?.close();
  await redis?.stop();
});

/** Cases that do not pass. */
async function failing(transport?: Transport): Promise<Result[]> {
  const results: Result[] = [];
  const access = { url: `ws://${at}/ws`, secret: SECRET, ...(transport && { transport }) };
  for await (const result of conformance(access)) results.push(result);
  assert.ok(results.length >= 90, `${results.length} cases`);
  return results.filter(({ outcome }) => outcome !== 'pass');
}

describe('[P-19.2] the conformance of a server that understands 2019', () => {
  test('is whole over WebSocket', async () => assert.deepEqual(await failing(), []));

  test('is whole over Socket.IO, for who says objects', async () =>
    assert.deepEqual(await failing(overSocketIo('4.8', at, ['websocket'])), []));
});
