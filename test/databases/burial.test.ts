/** [P-7.5] A node dies with 40,000 sockets: that they are gone is told behind those who speak and join. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Client } from '../support/client.ts';
import { percentile } from '../support/percentile.ts';
import { makeDatabase } from '../support/postgres.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { DEALER, startServer, type TestServer } from '../support/server.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');
const DEALERS = 200;
const GROUPS = 200;

/** What a node that died an hour ago left behind: a customer in each of many groups of many dealers. */
async function leaveBehind(client: pg.Client): Promise<void> {
  const at = Date.now() - 3_600_000;
  const each = `generate_series(1, ${DEALERS}) d, generate_series(1, ${GROUPS}) g`;
  await client.query(`
    insert into nodes values ('dead', ${at});
    insert into dealers (dealer_id, created_at) select 'dead' || d, ${at} from generate_series(1, ${DEALERS}) d;
    insert into groups (dealer_id, group_id, online, last_seq, created_at, updated_at)
      select 'dead' || d, 'g' || g, true, 1, ${at}, ${at} from ${each};
    insert into events (dealer_id, scope, seq, id, sender, type, group_id, payload, at)
      select 'dead' || d, 'g' || g, 1, d || '.' || g, 'customer:g' || g, 'USER_STATUS', 'g' || g, '{}', ${at} from ${each};
    insert into presences select 'dead' || d, 'customer:g' || g, 'dead', ${at} from ${each};
    analyze`);
}

async function timed(what: Promise<unknown>): Promise<number> {
  const began = performance.now();
  await what;
  return performance.now() - began;
}

/** Has somebody speak, and others join, for as long as something lasts. @returns how long each had to wait, in ms, the longest last */
async function waitsDuring(server: TestServer, talker: Client, lasts: () => Promise<boolean>) {
  const [acks, joins]: [number[], number[]] = [[], []];
  for (let n = 0; await lasts(); n += 1) {
    acks.push(await timed(talker.ask('customer_message', { type: 'UPDATE_MSG', message: `word ${n}` })));
    if (n % 10 === 0) joins.push(await timed(server.customer(randomUUID())));
    await pause(5);
  }
  return { acks: acks.toSorted((a, b) => a - b), joins: joins.toSorted((a, b) => a - b) };
}

const p99 = (waits: readonly number[]): number => percentile(waits, 0.99);

describe('when a node dies with 40,000 sockets', () => {
  let redis: RedisServer;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis?.stop());

  test('each of them is told gone once, and nobody waits for it', async () => {
    const url = await makeDatabase(postgres);
    const settings = { DATABASE_URL: url, REDIS_PREFIX: `${randomUUID()}:`, REDIS_URL: redis.url, RATE_LIMIT: 'off' };
    const timing = { nodeSilence: 3_000 };
    const [one, other] = [await startServer({ settings, timing }), await startServer({ settings, timing })];
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await leaveBehind(client);
      const left = async () =>
        Number((await client.query(`select count(*) from presences where node_id = 'dead'`)).rows[0].count);
      const talker = await one.customer('talker');
      const isLess = async () => (await left()) > DEALERS * GROUPS - 4_000;
      const { acks, joins } = await waitsDuring(one, talker, isLess);
      assert.ok(p99(acks) < 250, `acks: p99 ${p99(acks)} ms`);
      assert.ok((joins.at(-1) ?? 0) < 1_000, `joins: up to ${joins.at(-1)} ms`);
      const { rows } = await client.query(`select count(*)::int as left,
        (select count(*)::int from events where dealer_id like 'dead%' and scope = '@desk') as told,
        (select count(distinct (dealer_id, group_id))::int from events where dealer_id like 'dead%' and scope = '@desk') as once
        from presences where node_id = 'dead'`);
      const [{ told, once, left: staying }] = rows;
      assert.deepEqual([told, once], [DEALERS * GROUPS - staying, told]);
      assert.equal((await other.customer('late')).session.dealerId, DEALER);
    } finally {
      await client.end();
      await Promise.all([one.close(), other.close()]);
    }
  });
});
