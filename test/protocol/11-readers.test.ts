/** [P-11.6] Who may read what a dealer has; to anybody else it is as if there were nothing. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { overriding } from '../support/faulty-store.ts';
import { at, erase, fill, LIST_NAMES } from '../support/lists.ts';
import { assertProblem } from '../support/problem.ts';
import { DEALER, startServer, type TestServer, withServer } from '../support/server.ts';

let server: TestServer;
/** The token of a server of the dealer, whose requests are not counted. */
let crm: string;
const read = (list: string, token = crm, from = server) => from.http('GET', at(list), { token });

const seenByAll = (body: unknown) =>
  JSON.parse(JSON.stringify(body, (name, value) => (name === 'readByMe' ? undefined : value)));

describe('[P-11.6] who may read', () => {
  const PATHS = [...LIST_NAMES, 'groups/g1', 'groups/g1/transcript', 'groups/g1/export', 'export'];

  before(async () => {
    server = await startServer({ timing: { closeTimeout: 5 } });
    crm = await server.token('server', 'crm');
    await server.store.putDealer('d2', {});
    await fill(server, ['g1', 'gone']);
    await erase(server, ['gone']);
  });
  after(() => server.close());

  for (const list of PATHS) {
    // [P-12.7] How far it has read is told to an admin alone.
    test(`${list}: an admin of the dealer, a server of it, and a server of all`, async () => {
      const readers = [await server.token('admin', 'a1'), crm, await server.token('server', 'ops', { dealer: '*' })];
      const [first, ...others] = await Promise.all(readers.map((token) => read(list, token)));
      assert.equal(first?.status, 200);
      for (const other of others) assert.deepEqual([other.status, other.body], [200, seenByAll(first?.body)]);
    });

    test(`${list}: no customer, not even of its own conversation`, async () => {
      const own = await server.token('customer', 'g1');
      assertProblem(await read(list, own), 403, 'forbidden');
    });

    test(`${list}: nobody of another dealer, to whom it is as if there were none`, async () => {
      const operator = await server.token('server', 'ops', { dealer: '*' });
      const none = await server.http('GET', at(list, '', 'nobody'), { token: operator });
      const nothing = assertProblem(none, 404, 'unknown_dealer');
      for (const [role, sub] of [
        ['admin', 'a1'],
        ['server', 'crm'],
        ['customer', 'g1'],
      ] as const) {
        const foreign = await server.token(role, sub, { dealer: 'd2' });
        for (const dealerId of [DEALER, 'nobody']) {
          const answer = await server.http('GET', at(list, '', dealerId), { token: foreign });
          assert.deepEqual(assertProblem(answer, 404, 'unknown_dealer'), nothing);
        }
      }
    });

    test(`${list}: nobody without a good token`, async () => {
      for (const dealerId of [DEALER, 'nobody']) {
        const url = at(list, '', dealerId);
        assertProblem(await server.http('GET', url), 401, 'unauthorized');
        assertProblem(await server.http('GET', url, { token: 'not.a.token' }), 401, 'unauthorized');
        const expired = await server.token('admin', 'a1', { ttl: -10 });
        assertProblem(await server.http('GET', url, { token: expired }), 401, 'token_expired');
      }
    });
  }

  test('a group that there is not, or no longer, is 404 unknown_group', async () => {
    for (const list of ['groups/nobody', 'groups/gone', 'groups/nobody/transcript', 'groups/gone/transcript']) {
      assertProblem(await read(list), 404, 'unknown_group');
    }
  });

  test('while the database is away everything is 503 with Retry-After', () => {
    const away = () => Promise.reject(new Error('disk I/O error'));
    const methods = { groups: away, records: away, pageviews: away, erasures: away, group: away };
    return withServer({ wrapStore: (store) => overriding(store, methods) }, async (own) => {
      for (const list of [...LIST_NAMES, 'groups/g1']) {
        const { detail } = assertProblem(await read(list, crm, own), 503, 'unavailable');
        assert.ok(!detail.includes('disk'));
      }
    });
  });
});
