/** [P-11.6] A handshake that is refused on the bare socket, as where the routes hear of nothing any more. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { refused } from '../../schemas/errors.ts';
import { refusalOf, refuseHandshake } from '../../src/doors/http/problem.ts';
import { type RawAnswer, rawHttp } from '../support/raw-http.ts';

/** What a handshake is answered that failed with a fault, and what the log has of it. */
async function answerTo(fault: unknown): Promise<{ answer: RawAnswer; code: unknown; logged: unknown[] }> {
  const logged: unknown[] = [];
  const log = { error: (of: unknown) => void logged.push(of) };
  const server = createServer().listen(0, '127.0.0.1');
  server.on('upgrade', (request, socket) => refuseHandshake(socket, request, refusalOf(fault, log)));
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const headers = { connection: 'upgrade', upgrade: 'websocket' };
    const answer = await rawHttp(`127.0.0.1:${port}`, { path: '/ws', headers });
    return { answer, code: JSON.parse(answer.body).code, logged };
  } finally {
    server.close();
  }
}

describe('a handshake that is refused on the bare socket', () => {
  it('is told when to try again, where that may help', async () => {
    for (const [fault, status, after] of [
      [refused('unavailable', 'this node is about to end'), 503, '1'],
      [refused('rate_limited', 'too many', { retryAfter: 7 }), 429, '7'],
      [refused('forbidden', 'not from there'), 403, undefined],
    ] as const) {
      const { answer, logged } = await answerTo(fault);
      assert.deepEqual([answer.status, answer.headers['retry-after'], logged], [status, after, []]);
    }
  });

  it('is no fault of who sent it where the server failed, and the log says how', async () => {
    const fault = new Error('a fault of ours');
    const { answer, code, logged } = await answerTo(fault);
    assert.deepEqual([answer.status, code, logged], [500, 'internal', [{ err: fault }]]);
    assert.doesNotMatch(answer.body, /of ours/);
  });
});
