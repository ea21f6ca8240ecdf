/** Several nodes on one Postgres: they start together, write together, and outlive it. */
import assert from 'node:assert/strict';
import { after, before, describe, it, mock } from 'node:test';
import pg from 'pg';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { MAX_INTENTS } from '../../src/domain/records.ts';
import type { Command } from '../../src/domain/state.ts';
import type { Ack, Outcome } from '../../src/journal/batch.ts';
import type { Store } from '../../src/store/store.ts';
import { journalOn } from '../support/journal.ts';
import { makeDatabase, type PostgresServer, startPostgres } from '../support/postgres.ts';
import { RedisProxy } from '../support/proxy.ts';
import { readSeqs } from '../support/rows.ts';

const server = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

const open = (url: string) => openStore(readSettings({ DATABASE_URL: url }));
const ignoring = { onFault: () => {} };

/** Stores of so many nodes, for the length of `use`, on a database that is migrated. */
async function withNodes(count: number, use: (stores: Store[]) => Promise<void>): Promise<void> {
  const url = await makeDatabase(server);
  const stores = Array.from({ length: count }, () => open(url));
  try {
    await stores[0]?.migrate();
    await use(stores);
  } finally {
    await Promise.all(stores.map((store) => store.close()));
  }
}

const say = (groupId: string, key: string | null, dealerId = 'd1'): Command => ({
  role: 'server',
  sender: 'server:crm',
  key,
  body: { type: 'UPDATE_MSG', dealerId, groupId, user: 'customer', message: `${groupId} ${key}` },
});

function ackOf(outcome: Outcome): Ack {
  if ('refusal' in outcome) assert.fail(`refused: ${JSON.stringify(outcome.refusal)}`);
  return outcome.ack ?? assert.fail('no ack');
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe('nodes on one Postgres', () => {
  it('migrate an empty database at the same time, each to its end', async () => {
    const url = await makeDatabase(server);
    const stores = upTo(4).map(() => open(url));
    try {
      await Promise.all(stores.map((store) => store.migrate()));
      for (const store of stores) assert.deepEqual(await store.dealers('', 10), []);
    } finally {
      await Promise.all(stores.map((store) => store.close()));
    }
  });

  it('together take as many intents of a group as it may have, however they come at once', () =>
    withNodes(2, async (stores) => {
      const [store = assert.fail('no store')] = stores;
      const journals = stores.map((each) => journalOn(each, ignoring));
      const adding = upTo(60).map((n) => {
        const body = {
          type: 'CREATE_LEAD_INTENT',
          dealerId: 'd1',
          groupId: 'g1',
          message: { intent: `wish ${n}` },
        } as const;
        return journals[n % 2]?.append({ role: 'server', sender: 'server:crm', key: null, body });
      });
      const outcomes = await Promise.all(adding);
      const refused = outcomes.map((outcome) => outcome && 'refusal' in outcome && outcome.refusal.code);
      assert.equal(refused.filter((code) => code === 'too_large').length, 60 - MAX_INTENTS);
      const kept = await store.records('lead_intents', 'd1', { limit: 100 });
      assert.equal(kept.length, MAX_INTENTS);
    }));

  it('number what they write at once to old and new groups without a gap, and lose and double nothing', () =>
    withNodes(2, async (stores) => {
      const [store] = stores;
      assert.ok(store);
      const faults: unknown[] = [];
      const journals = stores.map((each) => journalOn(each, { onFault: (fault) => faults.push(fault) }));
      await journals[0]?.append(say('old', null));
      const ROUNDS = 25;
      const rounds = upTo(ROUNDS).map(async (round) => {
        // Two nodes at once: each its own keys, one key that both have, and a group and a dealer that nobody had.
        const outcomes = await Promise.all(
          journals.flatMap((journal, node) => [
            journal.append(say('old', `${round}-${node}`)),
            journal.append(say('old', `${round}-both`)),
            journal.append(say(`new-${round}`, `${round}-${node}`)),
            journal.append(say(`new-${round}`, `${round}-both`)),
            journal.append(say('first', `${round}-${node}`, `dealer-${round}`)),
          ]),
        );
        const receipts = outcomes.map(ackOf);
        const both = receipts.filter(({ id }) => id === `${round}-both`);
        for (const scope of ['old', `new-${round}`]) {
          const [one, other] = both.filter((receipt) => receipt.scope === scope);
          assert.equal(one?.seq, other?.seq, 'one key, one seq');
          assert.deepEqual([one?.duplicate, other?.duplicate].sort(), [false, true]);
        }
        return receipts;
      });
      const receipts = (await Promise.all(rounds)).flat();
      assert.deepEqual(await readSeqs(store, 'd1', 'old'), upTo(1 + 3 * ROUNDS));
      for (const round of upTo(ROUNDS)) {
        assert.deepEqual(await readSeqs(store, 'd1', `new-${round}`), upTo(3));
        assert.deepEqual(await readSeqs(store, `dealer-${round}`, 'first'), upTo(2));
      }
      const stored = await store.events('d1', 'old', { limit: 1000 });
      const byKey = new Map(stored.map(({ id, seq }) => [id, seq]));
      assert.equal(byKey.size, stored.length, 'each key once');
      for (const { id, scope, seq } of receipts.filter((each) => each.scope === 'old')) {
        assert.equal(byKey.get(id), seq, `${scope} ${id}`);
      }
      assert.deepEqual(faults, []);
    }));

  it('ask the database as often for a batch of many as for one of one', () =>
    withNodes(1, async ([store]) => {
      assert.ok(store);
      const journal = journalOn(store, ignoring);
      const asked = mock.method(pg.Client.prototype, 'query');
      try {
        const queriesOf = async (commands: readonly Command[]) => {
          const before = asked.mock.callCount();
          const outcomes = await Promise.all(commands.map((command) => journal.append(command)));
          outcomes.forEach(ackOf);
          return asked.mock.callCount() - before;
        };
        await queriesOf(upTo(7).map((n) => say('warm', `k${n}`, `d${n % 7}`)));
        const one = await queriesOf([say('new', 'k')]);
        assert.ok(one > 0, 'they are counted');
        const many = await queriesOf(upTo(200).map((n) => say(`new-${n % 50}`, `many-${n}`, `d${n % 7}`)));
        assert.equal(many, one);
      } finally {
        asked.mock.restore();
      }
    }));
});

describe('a store whose Postgres halts', () => {
  let postgres: PostgresServer;
  before(async () => {
    postgres = await startPostgres();
  });
  after(() => postgres?.stop());

  it('rejects within 5 s, crashes nothing, and goes on by itself when Postgres is back', async () => {
    const store = open(await makeDatabase(postgres.url));
    try {
      await store.migrate();
      const journal = journalOn(store, ignoring);
      assert.equal(ackOf(await journal.append(say('g1', 'k1'))).seq, 1);
      await postgres.halt();
      const haltedAt = Date.now();
      const outcome = await journal.append(say('g1', 'k2'));
      assert.ok(Date.now() - haltedAt < 5_000, `it took ${Date.now() - haltedAt} ms`);
      assert.deepEqual('refusal' in outcome && outcome.refusal.code, 'unavailable');
      await assert.rejects(store.check());
      await assert.rejects(store.events('d1', 'g1', { limit: 1 }));
      await postgres.resume();
      assert.equal(ackOf(await journal.append(say('g1', 'k2'))).seq, 2);
      assert.deepEqual(await readSeqs(store, 'd1', 'g1'), [1, 2]);
    } finally {
      await store.close();
    }
  });

  it('commits all or nothing of what was under way when it halted, and knows its keys again', async () => {
    const store = open(await makeDatabase(postgres.url));
    try {
      await store.migrate();
      const journal = journalOn(store, ignoring);
      await journal.append(say('g1', null));
      const keys = upTo(300).map((n) => `k${n}`);
      const underWay = Promise.all(keys.map((key) => journal.append(say('g1', key))));
      await postgres.halt();
      const outcomes = await underWay;
      await postgres.resume();
      const again = (await Promise.all(keys.map((key) => journal.append(say('g1', key))))).map(ackOf);
      assert.deepEqual(await readSeqs(store, 'd1', 'g1', { limit: 1000 }), upTo(301));
      for (const [index, outcome] of outcomes.entries()) {
        if ('refusal' in outcome) assert.equal(outcome.refusal.code, 'unavailable');
        else assert.deepEqual({ ...outcome.ack, duplicate: true }, again[index]);
      }
    } finally {
      await store.close();
    }
  });
});

describe('a store whose connections break', () => {
  // A transaction of Drizzle's on a pool keeps the connection whose `begin` fails.
  it('works and closes after more of them broke at the beginning of a transaction than it has', async () => {
    const proxy = await RedisProxy.to(server);
    const { port } = new URL(proxy.url);
    const store = open(Object.assign(new URL(await makeDatabase(server)), { port }).href);
    try {
      await store.migrate();
      proxy.cut('begin');
      for (let n = 0; n < 12; n += 1) await assert.rejects(store.deleteDealer('d1'));
      proxy.mend();
      assert.equal(await store.deleteDealer('d1'), false);
      await store.close();
    } finally {
      await proxy.close();
    }
  });
});
