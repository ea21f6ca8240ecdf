/** [P-11.1] `GET /metrics` of a server with a Redis: what comes over it, and what is refused or waits there. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask } from '../support/ask.ts';
import { readMetrics } from '../support/metrics.ts';
import { saying, withPlatform } from '../support/platform.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { DEALER } from '../support/server.ts';
import { until } from '../support/until.ts';

describe('[P-11.1] GET /metrics, with a Redis', () => {
  let redis: RedisServer;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis?.stop());

  test('counts dead letters by their code', () =>
    withPlatform({ redis }, async ({ server, outside }) => {
      await outside.add('no JSON');
      await outside.add(JSON.stringify({ type: 'NOTHING' }));
      await outside.add(JSON.stringify({ type: 'NOTHING', dealerId: DEALER }));
      await until('all are buried', async () => (await readMetrics(server)).sum('telle_dead_letters_total') === 3);
      const letters = (await readMetrics(server)).by('telle_dead_letters_total', 'code');
      assert.deepEqual(letters, { bad_frame: 1, invalid_payload: 2 });
    }));

  test('shows what of the stream is not stored yet', () =>
    withPlatform({ redis }, async ({ server, outside }) => {
      const waiting = async () =>
        (await readMetrics(server)).samples.find(({ name }) => name === 'telle_ingress_entries')?.value;
      assert.equal(await waiting(), 0);
      await server.store.close();
      await outside.add(
        JSON.stringify({ type: 'UPDATE_MSG', dealerId: DEALER, groupId: 'g1', user: 'bot', message: 'hi' }),
      );
      await until('it waits', async () => (await waiting()) === 1);
    }));

  test('counts how late an entry of the stream is stored, and shows that all is published', () =>
    withPlatform({ redis }, async ({ server, outside }) => {
      const event = { type: 'UPDATE_MSG', dealerId: DEALER, groupId: 'g1', user: 'bot', message: 'hi' };
      await outside.add(JSON.stringify(event));
      await until('it is stored', async () => (await readMetrics(server)).sum('telle_ingress_lag_seconds_count') === 1);
      const reading = await readMetrics(server);
      const late = reading.sum('telle_ingress_lag_seconds_sum');
      assert.ok(late >= 0 && late < 10, `${late} s`);
      assert.deepEqual([reading.sum('telle_unpublished_dealers'), reading.sum('telle_unpublished_seconds')], [0, 0]);
    }));

  test('counts what comes over the bus, and how late, on the node that hears it', () =>
    withPlatform({ redis, count: 2 }, async ({ servers, witnesses }) => {
      const [first, second] = servers;
      assert.ok(first && second && witnesses[1], 'there are two');
      const heard = async () => (await readMetrics(second)).sum('telle_bus_lag_seconds_count');
      const before = await heard();
      const texts = ['one', 'two', 'three'];
      for (const text of texts) {
        const body = { type: 'UPDATE_MSG', groupId: 'g1', user: 'bot', message: text };
        await ask(first, '/v1/events', { method: 'POST', token: first.token('server', 'crm'), body });
        await witnesses[1].next(saying(text));
      }
      const more = (await heard()) - before;
      assert.ok(more >= texts.length, `${more} came over the bus`);
      const lag = (await readMetrics(second)).sum('telle_bus_lag_seconds_sum');
      assert.ok(lag >= 0 && lag < 10 * texts.length, `${lag} s`);
    }));
});
