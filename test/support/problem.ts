import assert from 'node:assert/strict';
import type { TestServer } from './server.ts';

type Response = Awaited<ReturnType<TestServer['http']>>;

/**
 * [P-11.6] That a response is a problem of RFC 9457 with this status and this code of section 9.
 * @returns its body, for what more is to be said of it
 */
export function assertProblem({ status, headers, body }: Response, expected: number, code: string): Response['body'] {
  assert.deepEqual([status, body?.code], [expected, code], JSON.stringify(body));
  assert.match(String(headers['content-type']), /^application\/problem\+json/);
  assert.deepEqual([body.status, body.type.split('/').at(-1)], [expected, code]);
  assert.deepEqual([typeof body.title, typeof body.detail], ['string', 'string']);
  assert.equal(headers['retry-after'] !== undefined, [429, 503].includes(expected), 'retry-after');
  assert.equal(headers['www-authenticate'] !== undefined, expected === 401, 'www-authenticate');
  return body;
}
