/** [P-8.5, P-11.1] What goes on, and what is told, while Redis or the database is away. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Client } from '../support/client.ts';
import { Outside } from '../support/outside.ts';
import { withPlatform } from '../support/platform.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { assertProblem } from '../support/problem.ts';
import { telle } from '../support/process.ts';
import { RedisProxy } from '../support/proxy.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { DEALER, inFolder, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe('a server', { concurrency: true }, () => {
  describe('[P-8.5] while Redis is away', { concurrency: true }, () => {
    let redis: RedisServer;
    before(async () => {
      redis = await startRedis();
    });
    after(() => redis?.stop());

    test('the sockets of one node go on, and on its return those of every node have all, in order, once', () =>
      withPlatform({ redis, count: 2 }, async ({ servers: [here, there], witnesses: [adminHere, adminThere] }) => {
        assert.ok(here && there && adminHere && adminThere);
        const customerHere = await here.customer('g1');
        const customerThere = await there.customer('g2');
        const say = (client: Client, message: string) =>
          client.ask('customer_message', { type: 'UPDATE_MSG', message });
        const hasSeq = (scope: string, seq: number) => (frame: { scope?: string; seq?: number }) =>
          frame.scope === scope && frame.seq === seq;

        await say(customerHere, 'before');
        await say(customerThere, 'before');
        for (const admin of [adminHere, adminThere]) {
          for (const scope of ['g1', 'g2']) await until(`${scope} is here`, async () => admin.seqs(scope).length === 1);
        }
        await redis.halt();
        for (let n = 2; n <= 20; n += 1) {
          const [acked] = await Promise.all([say(customerHere, `here ${n}`), say(customerThere, `there ${n}`)]);
          assert.deepEqual([acked.channel, acked.seq], ['ack', n]);
        }
        await adminHere.next(hasSeq('g1', 20));
        await adminThere.next(hasSeq('g2', 20));
        assert.equal(adminHere.seqs('g2').length, 1, 'nothing came from the other node');
        await redis.resume();
        await adminHere.next(hasSeq('g2', 20));
        await adminThere.next(hasSeq('g1', 20));
        for (const admin of [adminHere, adminThere]) {
          for (const scope of ['g1', 'g2']) assert.deepEqual(admin.seqs(scope), upTo(20));
        }
        assert.deepEqual([customerHere.seqs('g1'), customerThere.seqs('g2')], [upTo(20), upTo(20)]);

        await say(customerHere, 'after');
        await say(customerThere, 'after');
        await adminHere.next(hasSeq('g2', 21));
        await adminThere.next(hasSeq('g1', 21));
      }));

    test('a half-open connection counts as none: both doors take events again over new ones', async () => {
      const own = await startRedis();
      const proxy = await RedisProxy.to(own.url);
      const server = await startServer({ settings: { REDIS_URL: proxy.url } });
      const outside = new Outside(own.url, 'telle:');
      try {
        const admin = await server.admin();
        await outside.nodesListen(1);
        const said = { type: 'UPDATE_MSG', dealerId: DEALER, groupId: 'g1', user: 'bot' };
        await outside.redis.xadd('telle:ingress', '*', 'event', JSON.stringify({ ...said, message: 'before' }));
        await admin.next('CHAT_MSG');
        const hungUp = proxy.hungUp();
        proxy.swallow();
        await outside.redis.xadd('telle:ingress', '*', 'event', JSON.stringify({ ...said, message: 'by the stream' }));
        await hungUp;
        assert.equal((await admin.next('CHAT_MSG')).payload.message, 'by the stream');
      } finally {
        outside.close();
        await server.close();
        await proxy.close();
        await own.stop();
      }
    });

    test('a server starts, and serves its own sockets', async () => {
      const own = await startRedis();
      await own.halt();
      const server = await startServer({ settings: { REDIS_URL: own.url } });
      try {
        const [admin, customer] = [await server.admin(), await server.customer('g1')];
        const { channel, seq } = await customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'alone' });
        assert.deepEqual([channel, seq], ['ack', 1]);
        assert.equal((await admin.next('CHAT_MSG')).payload.message, 'alone');
      } finally {
        await server.close();
        await own.stop();
      }
    });
  });

  test('a server with a REDIS_URL and no AUTH_SECRET is refused at its start, with the reason', () =>
    inFolder(async (cwd) => {
      const { code, stdout, stderr } = await telle(['serve', '--port', '0'], {
        cwd,
        env: { REDIS_URL: 'redis://127.0.0.1:1' },
      });
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /^telle: AUTH_SECRET is missing: .*REDIS_URL.*\n$/);
    }));

  describe('[P-8.5, P-11.1] while Postgres is away', { concurrency: true }, () => {
    let postgres: PostgresServer;
    before(async () => {
      postgres = await startPostgres();
    });
    after(() => postgres?.stop());

    test('/ready says so with 503, a send is answered unavailable, and after its return both are well', async () => {
      const server = await startServer({ settings: { DATABASE_URL: postgres.url } });
      try {
        const ready = () => server.http('GET', '/ready');
        const customer = await server.customer('g1');
        const say = (message: string) => customer.ask('customer_message', { type: 'UPDATE_MSG', message });
        assert.equal((await ready()).status, 200);
        assert.equal((await say('before')).seq, 1);
        await postgres.halt();
        await until('a 503', async () => (await ready()).status === 503); // what was answered holds for a second
        assert.match(assertProblem(await ready(), 503, 'unavailable').detail, /database/);
        const { code, retryable } = await say('meanwhile');
        assert.deepEqual([code, retryable], ['unavailable', true]);
        assert.equal((await server.http('GET', '/health')).status, 200);
        await postgres.resume();
        await until('a 200', async () => (await ready()).status === 200);
        const { status, body } = await ready();
        assert.deepEqual([status, body.status, body.database], [200, 'ready', 'ok']);
        assert.equal((await say('after')).seq, 2);
        assert.deepEqual(await server.store.tails(DEALER, ['g1']), new Map([['g1', 2]]));
      } finally {
        await server.close();
      }
    });
  });
});
