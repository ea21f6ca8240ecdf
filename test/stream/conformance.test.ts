/** [P-22.1] Every promise of the protocol holds over a stream. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { conformance, type Result } from '../../conformance/index.ts';
import { SECRET, startServer, type TestServer } from '../support/server.ts';
import { overStream } from '../support/stream.ts';

/** What waits for the server's clock need not wait long. */
const TIMING = { pingInterval: 1000, pongTimeout: 3000, presenceGrace: 500, closeTimeout: 3000 };

let server: TestServer;
let at: string;

before(async () => {
  server = await startServer({ timing: TIMING, settings: { JOIN_TIMEOUT: '3s' } });
  at = await server.listen();
});
after(() => server.close());

test('the conformance of a server of ours is whole over a stream', async () => {
  const results: Result[] = [];
  for await (const result of conformance({ url: `ws://${at}/ws`, secret: SECRET, transport: overStream(at) }))
    results.push(result);
  assert.deepEqual(
    results.filter(({ outcome }) => outcome !== 'pass'),
    [],
  );
  assert.ok(results.length >= 90, `${results.length} cases`);
});
