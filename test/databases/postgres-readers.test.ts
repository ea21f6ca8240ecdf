/** Reading of one dealer, as much as there may be of it: nobody's chat waits for that, and the node is as healthy as before. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import type { Store } from '../../src/store/store.ts';
import { journalOn } from '../support/journal.ts';
import { percentile } from '../support/percentile.ts';
import { makeDatabase } from '../support/postgres.ts';
import { DEALER, type TestServer, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const server = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');
const LARGE = 200_000;

/** A database with its tables, and a connection of somebody else's. */
async function withStore(use: (store: Store, stranger: pg.Client, url: string) => Promise<void>): Promise<void> {
  const url = await makeDatabase(server);
  const store = openStore(readSettings({ DATABASE_URL: url }));
  const stranger = new pg.Client({ connectionString: url });
  try {
    await store.migrate();
    await stranger.connect();
    await use(store, stranger, url);
  } finally {
    await stranger.end();
    await store.close();
  }
}

/** Stores something of a dealer every few ms, for so many ms. @returns how long each took, sorted */
async function chat(store: Store, ms: number): Promise<number[]> {
  const journal = journalOn(store, { onFault: () => {} });
  const said: Promise<number>[] = [];
  for (const began = performance.now(); performance.now() - began < ms; ) {
    const at = performance.now();
    const body = { type: 'UPDATE_MSG', dealerId: 'other', groupId: 'g1', user: 'customer', message: 'Hello' } as const;
    const outcome = journal.append({ role: 'server', sender: 'server:crm', key: null, body });
    said.push(
      outcome.then((told) => {
        assert.ok('ack' in told, `refused: ${JSON.stringify(told)}`);
        return performance.now() - at;
      }),
    );
    await pause(5);
  }
  const took = await Promise.all(said);
  await journal.close();
  return took.sort((a, b) => a - b);
}

const p99Of = (took: readonly number[]) => percentile(took, 0.99);

describe('the connections of a node', { timeout: 60_000 }, () => {
  it('are apart: what is stored, and what tells that it lives, do not wait for readers', () =>
    withStore(async (store, stranger) => {
      await chat(store, 200);
      await stranger.query('begin');
      await stranger.query('lock table leads');
      const readings = Array.from({ length: 40 }, () => store.records('leads', 'd1', { limit: 1 }));
      const read = Promise.allSettled(readings);
      await pause(100);
      const began = performance.now();
      await store.check();
      assert.equal(await store.beat('this'), false);
      assert.deepEqual(await store.livingNodes(10_000), ['this']);
      // What each heartbeat asks: another log, and tokens that are good no longer, must not go unseen.
      await Promise.all([store.now(), store.revokedSince(0), store.epoch()]);
      const took = await chat(store, 1_500);
      assert.ok(performance.now() - began < 2_500, 'nothing has waited');
      assert.ok(p99Of(took) < 1_000, `p99 ${p99Of(took)} ms`);
      const { rows } = await stranger.query(
        "select count(*)::int as count from pg_stat_activity where datname = current_database() and application_name = 'telle'",
      );
      assert.ok(rows[0]?.count <= 12, `${rows[0]?.count} connections`);
      await stranger.query('rollback');
      await read;
    }));

  it('are as many as the setting says', () =>
    withStore(async (store, stranger, url) => {
      const few = openStore(readSettings({ DATABASE_URL: url, DATABASE_CONNECTIONS: '8' }));
      await stranger.query('begin');
      await stranger.query('lock table leads');
      const waiting = async () => {
        await stranger.query('select pg_stat_clear_snapshot()');
        const { rows } = await stranger.query(
          "select count(*)::int as count from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
        );
        return Number(rows[0]?.count);
      };
      const read = Promise.allSettled(Array.from({ length: 10 }, () => few.records('leads', 'd1', { limit: 1 })));
      await pause(1_000);
      assert.equal(await waiting(), 2);
      await stranger.query('rollback');
      await read;
      await few.close();
      assert.equal(await store.dealer('nobody'), null);
      assert.throws(
        () => readSettings({ DATABASE_CONNECTIONS: '7' }),
        /DATABASE_CONNECTIONS is "7": it must be a whole number from 8 to 1000/,
      );
    }));

  it('give up what takes too long, and whoever asked for it is told so', async () => {
    const url = await makeDatabase(server);
    await withServer({ settings: { DATABASE_URL: url } }, async (node) => {
      const stranger = new pg.Client({ connectionString: url });
      await stranger.connect();
      await stranger.query(
        "insert into leads (dealer_id, group_id, fields, created_at, updated_at) values ('d1', 'g1', '{}', 0, 0)",
      );
      await stranger.query('alter table leads rename to slow');
      await stranger.query('create view leads as select slow.* from pg_sleep(30), slow');
      const answer = await node.http('GET', `/v1/dealers/${DEALER}/leads`, { token: node.token('admin', 'a1') });
      assert.equal(answer.status, 503);
      assert.equal(answer.body.detail, 'reading this takes the database too long: ask for less of it at a time');
      try {
        await until('only whoever asks this: the database does not go on with it', async () => {
          const asked = "select from pg_stat_activity where query like '%leads%' and state = 'active'";
          return (await stranger.query(asked)).rows.length === 1;
        });
      } finally {
        await stranger.end();
      }
    });
  });
});

/** Conversations that are all closed and muted, and read, one every two seconds. */
const MANY = `insert into groups (dealer_id, group_id, muted, closed, created_at, updated_at)
  select $1, 'g' || n, true, true, n * 2000::bigint, n * 2000::bigint from generate_series(1, $2::integer) n`;

const search = (node: TestServer, more = '') =>
  node.http('GET', `/v1/dealers/${DEALER}/groups?open=false&muted=true&unread=true${more}`, {
    token: node.token('admin', 'a1'),
  });

describe('a list that finds nothing in a dealer with 200,000 conversations', { timeout: 120_000 }, () => {
  it('asked twenty times at once delays no other dealer, and is answered', async () => {
    const url = await makeDatabase(server);
    await withServer({ settings: { DATABASE_URL: url, RATE_LIMIT: 'off' } }, async (node) => {
      const stranger = new pg.Client({ connectionString: url });
      await stranger.connect();
      await stranger.query(MANY, [DEALER, LARGE]);
      await stranger.query('vacuum analyze groups');
      await stranger.end();
      await chat(node.store, 500);
      const quiet = p99Of(await chat(node.store, 3_000));
      const at = performance.now();
      const searches = Promise.all(Array.from({ length: 20 }, () => search(node)));
      let isSearching = true;
      let slowest = 0;
      const look = async () => {
        while (isSearching) {
          const asked = performance.now();
          const standing = await node.store.standing('other', 'g1');
          assert.ok(standing.dealer);
          assert.equal((await node.http('GET', '/ready')).status, 200);
          slowest = Math.max(slowest, performance.now() - asked);
          await pause(20);
        }
      };
      const looking = look();
      const searching = p99Of(await chat(node.store, 3_000));
      const answers = await searches;
      const seconds = (performance.now() - at) / 1000;
      isSearching = false;
      await looking;
      console.log({ p99: { quiet, searching }, joinAndReadySlowest: slowest, seconds });
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
      assert.deepEqual(answers[0]?.body.items, []);
      const counted: number[] = [];
      for (let { next } = answers[0]?.body ?? {}; next !== null; ) {
        const asked = performance.now();
        const { body } = await search(node, `&cursor=${next}`);
        counted.push(performance.now() - asked);
        assert.deepEqual(body.items, []);
        next = body.next;
      }
      assert.equal(
        counted.length,
        LARGE / 10_000,
        'a page is empty where ten thousand were looked at, and the last one ends it',
      );
      console.log({ page: counted.toSorted((a, b) => a - b)[counted.length / 2] });
      // Of two cores, another test may have one.
      assert.ok(searching < Math.max(2 * quiet, 250), `p99 ${searching} ms, and ${quiet} before`);
      assert.ok(slowest < 500, `a join, and /ready, took ${slowest} ms`);
    });
  });

  it('finds what there is of it, wherever that is, page by page', async () => {
    const url = await makeDatabase(server);
    await withServer({ settings: { DATABASE_URL: url, RATE_LIMIT: 'off' } }, async (node) => {
      const stranger = new pg.Client({ connectionString: url });
      await stranger.connect();
      await stranger.query(MANY, [DEALER, 20_000]);
      const unread = [1, 2, 9_999, 10_000, 10_001, 19_000, 20_000].map((n) => `g${n}`);
      await stranger.query('update groups set unread = 1 where group_id = any($1)', [unread]);
      await stranger.end();
      const found: string[] = [];
      for (let cursor = ''; ; ) {
        const query = `open=false&muted=true&unread=true&limit=2${cursor && `&cursor=${cursor}`}`;
        const { body } = await node.http('GET', `/v1/dealers/${DEALER}/groups?${query}`, {
          token: node.token('admin', 'a1'),
        });
        found.push(...body.items.map(({ groupId }: { groupId: string }) => groupId));
        if (body.next === null) break;
        cursor = body.next;
      }
      assert.deepEqual(found, unread.toReversed());
    });
  });
});
