/** [P-11.4] Two nodes on one Postgres erase and write at once. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import pg from 'pg';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import type { Command } from '../../src/domain/state.ts';
import type { Outcome } from '../../src/journal/batch.ts';
import { journalOn } from '../support/journal.ts';
import { makeDatabase } from '../support/postgres.ts';
import { readSeqs } from '../support/rows.ts';
import { until } from '../support/until.ts';

const server = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

const ROUNDS = 40;
const at = { dealerId: 'd1', groupId: 'g1' };
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

const byServer = (body: Command['body'], key: string | null = null, sender = 'server:crm'): Command => ({
  role: 'server',
  sender,
  key,
  body,
});
const say = (key: string, sender?: string) =>
  byServer({ type: 'UPDATE_MSG', ...at, user: 'customer', message: key }, key, sender);
const introduce = (name: string) => byServer({ type: 'UPDATE_USER', ...at, message: { name } });
const erase = () => byServer({ type: 'ERASE_GROUP', ...at, erasureId: randomUUID(), reason: 'request' });

const seqOf = (outcome: Outcome | undefined) => (outcome && 'ack' in outcome ? (outcome.ack?.seq ?? null) : null);
const codeOf = (outcome: Outcome | undefined) => (outcome && 'refusal' in outcome ? outcome.refusal.code : null);

/** What `server:slow` writes waits, before it is in the log, for whoever holds the advisory lock 1. */
const SLOW = `create function wait_if_slow() returns trigger language plpgsql as $$ begin
    if new.sender = 'server:slow' then perform pg_advisory_xact_lock(1); end if;
    return new;
  end $$;
  create trigger slow before insert on events for each row execute function wait_if_slow()`;

describe('nodes on one Postgres that erase a conversation while it goes on', () => {
  it('give no seq twice, though one begins a conversation that another begins and erases meanwhile', async () => {
    const url = await makeDatabase(server);
    const stores = [1, 2].map(() => openStore(readSettings({ DATABASE_URL: url })));
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const waiting = async () => {
      const { rows } = await client.query(`select count(*)::int as waiting from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`);
      return Number(rows[0]?.waiting);
    };
    try {
      await stores[0]?.migrate();
      await stores[0]?.putDealer('d1', {});
      await client.query(SLOW);
      await client.query('select pg_advisory_lock(1)');
      const faults: unknown[] = [];
      const [slow, quick] = stores.map((store) => journalOn(store, { onFault: (fault) => faults.push(fault) }));
      assert.ok(slow && quick);
      const first = slow.append(say('slow', 'server:slow'));
      await until('it waits to be written', async () => (await waiting()) === 1);
      let isErased = false;
      const second = quick.append(say('quick'));
      const erased = second
        .then(() => quick.append(erase()))
        .finally(() => {
          isErased = true;
        });
      await until('the other has begun and erased it, or waits, too', async () => isErased || (await waiting()) === 2);
      await client.query('select pg_advisory_unlock(1)');
      const seqs = [seqOf(await first), seqOf(await second)];
      assert.deepEqual(seqs.toSorted(), [1, 2]);
      assert.equal(codeOf(await erased), null);
      assert.deepEqual(faults, []);
    } finally {
      await client.end();
      await Promise.all(stores.map((each) => each.close()));
    }
  });

  it('give no seq twice and leave none out, and every event is in a receipt or in the log', async () => {
    const url = await makeDatabase(server);
    const stores = [1, 2].map(() => openStore(readSettings({ DATABASE_URL: url })));
    const [store] = stores;
    assert.ok(store);
    try {
      await store.migrate();
      await store.putDealer('d1', {});
      const faults: unknown[] = [];
      const journals = stores.map((each) => journalOn(each, { onFault: (fault) => faults.push(fault) }));
      const rounds = upTo(ROUNDS).map((round) =>
        journals.map(async (journal, node) => {
          const key = `${round}-${node}`;
          const said = await Promise.all([
            journal.append(say(key)),
            journal.append(introduce(key)),
            ...(round % 2 === node ? [journal.append(erase())] : []),
            journal.append(say(`${key}-after`)),
          ]);
          return { said: [said[0], said.at(-1)], erased: said.length === 4 ? said[2] : undefined };
        }),
      );
      const outcomes = await Promise.all(rounds.flat());
      const seqs = outcomes.flatMap(({ said }) => said.map(seqOf));
      const total = 4 * ROUNDS;
      assert.deepEqual(
        seqs.toSorted((one, other) => Number(one) - Number(other)),
        upTo(total),
      );
      const refusals = new Set(outcomes.map(({ erased }) => codeOf(erased)));
      refusals.delete(null);
      assert.ok(refusals.size === 0 || (refusals.size === 1 && refusals.has('unknown_group')), [...refusals].join());
      const left = await readSeqs(store, 'd1', 'g1');
      assert.deepEqual(left, upTo(total).slice(total - left.length), 'what is left is the end of the log');
      const receipts = await store.erasures('d1', { limit: 1000 });
      assert.ok(receipts.length > 1, `${receipts.length} erasures`);
      assert.equal(
        receipts.reduce((sum, { events }) => sum + events, left.length),
        total,
      );
      assert.deepEqual(await readSeqs(store, 'd1', '@desk'), upTo(2 * ROUNDS), 'the desk has no gap');
      const users = await store.records('users', 'd1', { limit: 10 });
      const erasedUsers = receipts.reduce((sum, each) => sum + each.users, 0);
      assert.ok(erasedUsers + users.length <= 2 * ROUNDS && users.length <= 1);
      assert.deepEqual(faults, []);
    } finally {
      await Promise.all(stores.map((each) => each.close()));
    }
  });
});
