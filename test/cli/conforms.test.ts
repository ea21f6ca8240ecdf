/** `telle/conformance` on a server of ours: it keeps every promise. That others are found out is in `conformance.test.ts`. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { conformance, type Options, type Result } from '../../conformance/index.ts';
import { DEALER, SECRET, startServer, type TestServer } from '../support/server.ts';

/** What waits for the server's clock need not wait long. */
const TIMING = { pingInterval: 1000, pongTimeout: 3000, presenceGrace: 500, closeTimeout: 500 };

let server: TestServer;
let at: string;

before(async () => {
  server = await startServer({ timing: TIMING, settings: { JOIN_TIMEOUT: '3s' } });
  at = await server.listen();
});
after(() => server.close());

async function resultsOf(options: Options): Promise<Result[]> {
  const results: Result[] = [];
  for await (const result of conformance(options)) results.push(result);
  return results;
}

const dealers = async (): Promise<unknown> =>
  (await server.http('GET', '/v1/dealers', { token: server.token('server', 'crm', { dealer: '*' }) })).body.items.map(
    ({ dealerId }: { dealerId: string }) => dealerId,
  );
const groups = async (): Promise<unknown[]> =>
  (await server.http('GET', `/v1/dealers/${DEALER}/groups`, { token: server.token('server', 'crm') })).body.items;

describe('the conformance of a server of ours', () => {
  test('is whole, with its secret alone, and leaves nothing behind', async () => {
    const results = await resultsOf({ url: `ws://${at}/ws`, secret: SECRET });
    assert.deepEqual(
      results.filter(({ outcome }) => outcome !== 'pass'),
      [],
    );
    assert.ok(results.length >= 100, `${results.length} cases`);
    assert.deepEqual(await dealers(), [DEALER]);
  });

  test('is seen of a dealer that there is, by ready tokens; what needs others is not run, and says so', async () => {
    const tokens = { serverToken: server.token('server', 'crm'), adminToken: server.token('admin', 'a1') };
    const results = await resultsOf({ url: `ws://${at}/ws`, dealer: DEALER, ...tokens });
    assert.deepEqual(
      results.filter(({ outcome }) => outcome === 'fail'),
      [],
    );
    const missed = results.filter(({ outcome }) => outcome === 'not run');
    assert.ok(missed.length > 0 && missed.length < results.length / 4, `${missed.length} are not run`);
    for (const { why } of missed) assert.equal(why, "needs the server's secret");
    assert.deepEqual(await dealers(), [DEALER]);
    assert.deepEqual(await groups(), []);
  });
});
