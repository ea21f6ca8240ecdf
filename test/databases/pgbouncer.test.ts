/** A Postgres that is reached by PgBouncer, in transaction mode: nothing that one transaction leaves behind is there for the next. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openStore } from '../../src/app.ts';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { describeStore } from '../conformance/store.ts';
import { type NodeProcess, startNode } from '../support/node.ts';
import { type Bouncer, startPgbouncer } from '../support/pgbouncer.ts';
import { borrowDatabase, makeDatabase, withClient } from '../support/postgres.ts';
import { changesOf, needsFor } from '../support/rows.ts';

const server = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

let bouncer: Bouncer;
before(async () => {
  bouncer = await startPgbouncer(server, 3);
});
after(() => bouncer?.stop());

describeStore('Postgres, by PgBouncer', async () => {
  const { url, giveBack } = await borrowDatabase(server);
  const store = openStore(readSettings({ DATABASE_URL: bouncer.by(url) }));
  return { store, close: () => store.close().then(giveBack) };
});

describe('nodes that have their database by PgBouncer', { timeout: 120_000 }, () => {
  const SECRET = 'a secret that all of the nodes share and nobody else';
  const token = new Tokens([SECRET]).sign({ role: 'server', dealer: '*', sub: 'crm', exp: secondsFromNow(600) });

  it('start one after the other, are ready, store, and leave nothing in any session', async () => {
    const url = await makeDatabase(server);
    const nodes: NodeProcess[] = [];
    try {
      for (let n = 0; n < 3; n += 1) {
        nodes.push(await startNode({ DATABASE_URL: bouncer.by(url), AUTH_SECRET: SECRET, RATE_LIMIT: 'off' }));
      }
      const ready = await Promise.all(nodes.map(({ at }) => fetch(`http://${at}/ready`)));
      assert.deepEqual(
        ready.map(({ status }) => status),
        [200, 200, 200],
      );
      const posted = Array.from({ length: 300 }, async (_, n) => {
        const event = { type: 'UPDATE_MSG', dealerId: `d${n % 5}`, groupId: 'g1', user: 'customer', message: `${n}` };
        const answer = await fetch(`http://${nodes[n % 3]?.at}/v1/events`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify(event),
        });
        await answer.arrayBuffer();
        return answer.ok;
      });
      assert.ok((await Promise.all(posted)).every((isOk) => isOk));
      await withClient(url, async (client) => {
        const { rows } = await client.query(
          'select count(*)::int as all, max(seq)::int as last, count(distinct (dealer_id, scope))::int as scopes from events',
        );
        assert.deepEqual(rows, [{ all: 300, last: 60, scopes: 5 }]);
        const locks = await client.query(`select from pg_locks join pg_database on oid = database
          where locktype = 'advisory' and datname = current_database()`);
        assert.equal(locks.rowCount, 0);
      });
      // Each of its sessions is asked, again and again.
      for (let n = 0; n < 20; n += 1) {
        await withClient(bouncer.by(url), async (client) => {
          const { rows } = await client.query(`select current_setting('lock_timeout') as lock,
            current_setting('statement_timeout') as statement, current_setting('idle_in_transaction_session_timeout') as idle,
            (select count(*)::int from pg_prepared_statements) as prepared`);
          assert.deepEqual(rows, [{ lock: '0', statement: '0', idle: '0', prepared: 0 }]);
        });
      }
    } finally {
      await Promise.all(nodes.map((node) => node.kill()));
    }
  });

  it('are bounded in each transaction: who waits for a lock, or asks for too much, is told', async () => {
    const url = await makeDatabase(server);
    const store = openStore(readSettings({ DATABASE_URL: bouncer.by(url) }));
    try {
      await store.migrate();
      await store.putDealer('d1', { origins: [] });
      await withClient(url, async (stranger) => {
        await stranger.query('begin');
        await stranger.query("select from dealers where dealer_id = 'd1' for update");
        const needs = needsFor({ dealers: [['d1']] }, ['d1']);
        const began = performance.now();
        assert.deepEqual(await store.commit(needs, () => changesOf({})), new Set(['d1']));
        assert.ok(performance.now() - began < 2_000);
        await stranger.query('rollback');
        assert.deepEqual(await store.commit(needs, () => changesOf({})), new Set());
        await stranger.query(
          "insert into leads (dealer_id, group_id, fields, created_at, updated_at) values ('d1', 'g1', '{}', 0, 0)",
        );
        await stranger.query('alter table leads rename to slow');
        await stranger.query('create view leads as select slow.* from pg_sleep(30), slow');
        await assert.rejects(store.records('leads', 'd1', { limit: 1 }), { name: 'Error', message: /stopped/ });
      });
    } finally {
      await store.close();
    }
  });
});
