/** [P-9] A close reaches the other side at once, though nothing more is read of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withServer } from '../support/server.ts';

/** How long a server waits for the other side's own close, in ms: that of a server that is not a test's. */
const PATIENCE = 3_000;

describe('[P-9] a socket that is closed for its conduct', () => {
  for (const [what, text] of [
    ['garbage', 'garbage'],
    ['channels that nobody has', JSON.stringify({ channel: 'nonsense', payload: {} })],
  ] as const) {
    test(`is closed at once after a burst of ${what}`, () =>
      withServer({ timing: { closeTimeout: PATIENCE } }, async (server) => {
        const client = await server.dial(await server.listen());
        client.send('client_join', { type: 'CLIENT_JOIN', dealerId: 'd1' });
        await client.next('session');
        const began = performance.now();
        for (let sent = 0; sent < 25; sent += 1) client.socket.send(text);
        assert.equal(await client.closed, 4400);
        assert.ok(performance.now() - began < PATIENCE / 3, `it took ${performance.now() - began} ms`);
      }));
  }
});
