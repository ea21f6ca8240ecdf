/** The account that is kept of what a dealer may have to answer for: in the database, and as a stream of the log. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Audit } from '../../src/journal/audit.ts';
import { LogSink } from '../support/log.ts';
import { DEALER, type TestServer, withServer } from '../support/server.ts';

const timing = { closeTimeout: 5 };
const acts = async (server: TestServer, dealerId = DEALER) =>
  (await server.store.acts(dealerId, '', 100)).map(({ auditId: _, at: __, ...act }) => act);

/** The lines of the audit's stream, of which each says the request or the connection that it is about. */
const linesOf = (log: LogSink) =>
  log
    .records()
    .filter((line) => line.stream === 'audit')
    .map(({ level: _, time: __, stream: ___, reqId, connection, ...line }) => {
      assert.equal(typeof (reqId ?? connection), 'string');
      return line;
    });

const withAudited = (use: (server: TestServer, log: LogSink) => Promise<void>) => () => {
  const log = new LogSink();
  return withServer({ timing, logTo: log, settings: { LOG_LEVEL: 'info' } }, (server) => use(server, log));
};

describe('the audit', () => {
  test(
    'has who took what out, erased and changed, over which route and from where, and names no customer',
    withAudited(async (server, log) => {
      const [alice, operator] = [server.token('admin', 'alice'), server.token('server', 'ops', { dealer: '*' })];
      const customer = await server.customer('customer-4711');
      await customer.ask('customer_update', { type: 'UPDATE_LEAD', message: { name: 'Ann' } });
      const of = `/v1/dealers/${DEALER}`;
      await server.http('GET', `${of}/export`, { token: alice });
      await server.http('GET', `${of}/groups/customer-4711/export`, { token: alice });
      await server.http('GET', `${of}/groups/customer-4711/transcript`, { token: alice });
      await server.app.inject({
        url: `${of}/leads`,
        headers: { authorization: `Bearer ${alice}`, accept: 'text/csv' },
      });
      await server.http('GET', `${of}/leads`, { token: alice });
      const { body } = await server.http('DELETE', `${of}/groups/customer-4711`, { token: alice });
      await server.http('PUT', of, { token: operator, body: { name: 'Demo', origins: ['*'], phone: '+1 555 0100' } });
      const from = { address: '127.0.0.1' };
      const expected = [
        { by: 'admin:alice', action: 'export', route: '/v1/dealers/:dealerId/export', ...from, detail: null },
        {
          by: 'admin:alice',
          action: 'export',
          route: '/v1/dealers/:dealerId/groups/:groupId/export',
          ...from,
          detail: null,
        },
        {
          by: 'admin:alice',
          action: 'transcript',
          route: '/v1/dealers/:dealerId/groups/:groupId/transcript',
          ...from,
          detail: null,
        },
        { by: 'admin:alice', action: 'csv', route: '/v1/dealers/:dealerId/leads', ...from, detail: null },
        {
          by: 'admin:alice',
          action: 'erase_group',
          route: '/v1/dealers/:dealerId/groups/:groupId',
          ...from,
          detail: body.erasureId,
        },
        { by: 'server:ops', action: 'change_dealer', route: '/v1/dealers/:dealerId', ...from, detail: 'name phone' },
      ];
      assert.deepEqual(await acts(server), expected);
      assert.deepEqual(
        linesOf(log),
        expected.map(({ detail, ...act }) => ({
          dealerId: DEALER,
          ...act,
          ...(detail !== null && { detail }),
          msg: 'done',
        })),
      );
      assert.doesNotMatch(JSON.stringify(linesOf(log)), /4711|Ann|555|Demo/);
    }),
  );

  test(
    'goes with its dealer, but for who removed it',
    withAudited(async (server) => {
      const operator = server.token('server', 'ops', { dealer: '*' });
      await server.http('GET', `/v1/dealers/${DEALER}/export`, { token: operator });
      await server.http('DELETE', `/v1/dealers/${DEALER}`, { token: operator });
      assert.deepEqual(await acts(server), []);
      const [act, ...others] = await acts(server, '*');
      assert.deepEqual([act?.action, act?.by, act?.detail, others], ['remove_dealer', 'server:ops', DEALER, []]);
    }),
  );

  test(
    'has refusals for who somebody is in the log alone, a line a second for an address and a code',
    withAudited(async (server, log) => {
      const ask = (token?: string, dealerId = DEALER) =>
        server.http('GET', `/v1/dealers/${dealerId}/groups`, token === undefined ? {} : { token });
      for (let n = 0; n < 50; n += 1) await ask('no token');
      await ask(server.token('customer', 'customer-4711'));
      await ask(server.token('admin', 'alice'), 'other');
      const route = '/v1/dealers/:dealerId/groups';
      const refused = linesOf(log);
      const codes = refused.map(({ code }) => code);
      assert.ok(codes.filter((code) => code === 'unauthorized').length < 5, `${codes}`);
      const [forbidden] = refused.filter(({ code }) => code === 'forbidden');
      const who = { dealerId: DEALER, by: 'customer', route, address: '127.0.0.1' };
      assert.deepEqual(forbidden, { code: 'forbidden', ...who, msg: 'refused' });
      const [foreign] = refused.filter(({ code }) => code === 'unknown_dealer');
      assert.deepEqual(foreign, { code: 'unknown_dealer', ...who, by: 'admin:alice', msg: 'refused' });
      assert.deepEqual(await acts(server), []);
    }),
  );

  test(
    'has refused joins, and says how many more there were',
    withAudited(async (server, log) => {
      const join = async () => {
        const client = await server.connect();
        client.send('admin_join', {
          type: 'ADMIN_JOIN',
          dealerId: DEALER,
          adminId: 'alice',
          user: 'admin',
          token: 'x',
        });
        await client.next('error');
      };
      for (let n = 0; n < 5; n += 1) await join();
      await new Promise((resolve) => setTimeout(resolve, 1001)); // the quiet after a line
      await join();
      const [first, last] = [linesOf(log).at(0), linesOf(log).at(-1)];
      assert.deepEqual(first, { code: 'unauthorized', address: null, route: '/ws', msg: 'refused' });
      assert.ok(last && typeof last.more === 'number' && last.more > 0, JSON.stringify(last));
    }),
  );
});

describe('what is done in one turn of the event loop', () => {
  const act = (by: string) => ({ dealerId: DEALER, by, action: 'export', route: '/export', address: null }) as const;

  test('is kept in one transaction, and the next turn in another', async () => {
    const kept: string[][] = [];
    const audit = new Audit({ keepActs: async (acts) => void kept.push(acts.map(({ by }) => by)) }, null);
    await Promise.all(['a', 'b', 'c'].map((by) => audit.record(act(by))));
    await audit.record(act('d'));
    assert.deepEqual(kept, [['a', 'b', 'c'], ['d']]);
  });

  test('is told to each as not kept where the database fails, and what comes later is kept', async () => {
    let isAway = true;
    const keepActs = async () => {
      if (isAway) throw new Error('away');
    };
    const audit = new Audit({ keepActs }, null);
    const outcomes = await Promise.allSettled(['a', 'b'].map((by) => audit.record(act(by))));
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    isAway = false;
    await audit.record(act('c'));
  });
});
