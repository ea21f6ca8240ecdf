/** [P-10] Two platforms on one Redis, of two databases: pub/sub knows no databases, and yet neither shows the other's words. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask } from '../support/ask.ts';
import { makeDatabase } from '../support/postgres.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { startServer } from '../support/server.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

describe('two platforms on one Redis', () => {
  let redis: RedisServer;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis?.stop());

  for (const [what, makeAnother] of [
    ['of two Postgres databases', () => makeDatabase(postgres)],
    ['of two SQLite databases', async () => 'sqlite::memory:'],
  ] as const)
    test(`${what}: what is said on one is not shown on the other, which tells of it`, async () => {
      const node = async (database: number) =>
        startServer({ settings: { DATABASE_URL: await makeAnother(), REDIS_URL: `${redis.url}/${database}` } });
      const [production, staging] = await Promise.all([node(0), node(1)]);
      try {
        const [agent, tester] = [await production.admin(), await staging.admin()];
        const [customer, guest] = [await production.customer('g1'), await staging.customer('g1')];
        const said = { type: 'UPDATE_MSG', message: 'of staging' };
        for (const message of ['of staging', 'again']) await guest.ask('customer_message', { ...said, message });
        await tester.next((frame) => frame.payload?.message === 'again');
        const deadline = Date.now() + 15_000;
        const strangers = async () => (await ask(production, '/ready')).body.troubles?.strangers;
        while ((await strangers()) === undefined) {
          assert.ok(Date.now() < deadline, 'it does not tell of strangers');
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        assert.match(await strangers(), /another platform, .* REDIS_PREFIX/);
        assert.match((await ask(production, '/metrics')).text, /^telle_redis_strangers_total\{kind="frame"\} [1-9]/m);
        await customer.ask('customer_message', { ...said, message: 'of production' });
        await agent.next((frame) => frame.payload?.message === 'of production');
        for (const client of [agent, customer])
          assert.ok(
            client.frames.every(({ payload }) => payload?.message !== 'of staging'),
            'a stranger is heard',
          );
      } finally {
        await Promise.all([production.close(), staging.close()]);
      }
    });
});
