/** [P-7.5] Which nodes live: who is buried, when, and who is told gone with it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { Membership } from '../../src/journal/membership.ts';
import type { Store } from '../../src/store/store.ts';
import { overriding } from '../support/faulty-store.ts';
import { makeDatabase } from '../support/postgres.ts';
import { write } from '../support/rows.ts';
import { Inbox, until } from '../support/until.ts';

const server = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

const INTERVAL = 20;
const SILENCE = 1000;

/** What one node tells: who is gone with whom, that somebody died, that it must tell again who is here. */
interface Told {
  readonly what: 'gone' | 'died' | 'revived';
  readonly who?: string;
  readonly from?: string;
  /** When, in ms since 1970. */
  readonly at: number;
}

class World {
  readonly store: Store;
  readonly #url: string;
  readonly #members = new Map<string, Membership>();
  /** How many were being told gone at once, at most. */
  atOnce = 0;
  #now = 0;
  /** Whether the database fails all nodes. */
  isAway = false;
  /** Every successful look for silent nodes, by the node that looked; and every beat that failed. */
  readonly looks = new Inbox<{ readonly nodeId: string; readonly found: readonly string[]; readonly at: number }>();
  readonly failures = new Inbox<string>();

  constructor(url: string) {
    this.#url = url;
    this.store = openStore(readSettings({ DATABASE_URL: url }));
  }

  /** A node that lives. @returns what it tells @param takes how long it takes to store that somebody has gone, in ms */
  join(nodeId: string, { fails = (_sender: string): boolean => false, takes = 0 } = {}): Inbox<Told> {
    const told = new Inbox<Told>();
    const tell = (fact: Omit<Told, 'at'>) => told.put({ ...fact, at: Date.now() });
    const store = overriding(this.store, {
      beat: async (id) => {
        if (this.isAway) {
          this.failures.put(id);
          throw new Error('the database is away');
        }
        return this.store.beat(id);
      },
      silentNodes: async (id, ms) => {
        const found = await this.store.silentNodes(id, ms);
        this.looks.put({ nodeId: id, found, at: Date.now() });
        return found;
      },
    });
    const member = new Membership({
      store,
      nodeId,
      interval: INTERVAL,
      silence: SILENCE,
      hearing: (living) => living,
      gone: async ({ dealerId, sender }, from) => {
        this.#now += 1;
        this.atOnce = Math.max(this.atOnce, this.#now);
        await pause(takes);
        this.#now -= 1;
        if (fails(sender)) {
          told.put({ what: 'gone', who: 'could not be stored', at: Date.now() });
          throw new Error('the database is away');
        }
        tell({ what: 'gone', who: `${dealerId}/${sender}`, from });
      },
      beaten: async () => {},
      died: () => tell({ what: 'died' }),
      revived: async () => tell({ what: 'revived' }),
    });
    this.#members.set(nodeId, member);
    return told;
  }

  /** A node is heard of no more. */
  async leave(nodeId: string): Promise<void> {
    await this.#members.get(nodeId)?.close();
  }

  /** A node that was last heard of an hour ago, and these sockets of its. */
  async dead(nodeId: string, ...senders: string[]): Promise<void> {
    await this.store.beat(nodeId);
    const client = new pg.Client({ connectionString: this.#url });
    await client.connect();
    await client.query('update nodes set seen_at = seen_at - 3600000 where node_id = $1', [nodeId]);
    await client.end();
    await write(this.store, {
      arrivals: senders.map((sender) => ({ dealerId: 'd1', sender, nodeId, online: true })),
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#members.values()].map((member) => member.close()));
    await this.store.close();
  }
}

const withWorld = (use: (world: World) => Promise<void>) => async () => {
  const world = new World(await makeDatabase(server));
  try {
    await world.store.migrate();
    await use(world);
  } finally {
    await world.close();
  }
};

describe('[P-7.5] a node among others', { concurrency: true }, () => {
  it(
    'buries one that is silent, tells who went with it, and not before it has lived itself for as long as the silence',
    withWorld(async (world) => {
      await world.dead('dead', 'customer:g1', 'admin:a1');
      await world.dead('empty');
      const startedAt = Date.now();
      const told = world.join('n1');
      const facts = await told.first(4);
      const gone = facts.filter(({ what }) => what === 'gone');
      assert.deepEqual(gone.map(({ who, from }) => `${who} ${from}`).sort(), [
        'd1/admin:a1 dead',
        'd1/customer:g1 dead',
      ]);
      assert.equal(facts.filter(({ what }) => what === 'died').length, 2);
      for (const { at } of facts) assert.ok(at - startedAt >= SILENCE, `after ${at - startedAt} ms`);
      const looked = world.looks.items.length;
      // The first may have been under way while the last was struck off.
      const [next] = (await world.looks.first(looked + 2)).slice(-1);
      assert.deepEqual([next?.found, told.items.length], [[], 4], 'nobody is buried twice');
    }),
  );

  it(
    'does not bury one that says that it lives',
    withWorld(async (world) => {
      const [first, second] = [world.join('n1'), world.join('n2')];
      for (const nodeId of ['n1', 'n2']) {
        for (const { found } of await world.looks.first(10, (look) => look.nodeId === nodeId))
          assert.deepEqual(found, []);
      }
      assert.deepEqual([first.items, second.items], [[], []]);
    }),
  );

  it(
    'buries one again, where who went with it could not be stored',
    withWorld(async (world) => {
      await world.dead('dead', 'customer:g1');
      let failures = 1;
      const told = world.join('n1', { fails: () => failures-- > 0 });
      const facts = await told.first(3);
      assert.deepEqual(
        facts.map(({ what, who }) => who ?? what),
        ['could not be stored', 'd1/customer:g1', 'died'],
      );
    }),
  );

  it(
    'leaves it to the first of those that live, which tells each of those who went once, in parts',
    withWorld(async (world) => {
      const senders = Array.from({ length: 2_100 }, (_, index) => `customer:g${index}`);
      await world.dead('dead', ...senders);
      const [second, first] = [world.join('n2'), world.join('n1')];
      await first.first(1, ({ what }) => what === 'died');
      const gone = first.items.filter(({ what }) => what === 'gone').map(({ who }) => who);
      assert.deepEqual(gone.toSorted(), senders.map((sender) => `d1/${sender}`).toSorted());
      assert.deepEqual(second.items, []);
      assert.ok(world.atOnce <= 50, `${world.atOnce} at once`);
    }),
  );

  it(
    'says that it lives while it buries: who buries for long is not taken for dead',
    withWorld(async (world) => {
      await world.dead('dead', ...Array.from({ length: 100 }, (_, index) => `customer:g${index}`));
      const told = world.join('n1', { takes: 2 * SILENCE });
      const other = world.join('n2');
      await told.first(1, ({ what }) => what === 'died');
      assert.deepEqual(other.items, []);
      assert.deepEqual(
        told.items.filter(({ what }) => what === 'revived'),
        [],
      );
    }),
  );

  it(
    'goes on where the one that was burying died itself',
    withWorld(async (world) => {
      await world.dead('dead', ...Array.from({ length: 60 }, (_, index) => `customer:g${index}`));
      const first = world.join('n1', { fails: (sender) => sender === 'customer:g0' });
      await first.first(1, ({ who }) => who === 'could not be stored');
      const second = world.join('n2');
      await world.leave('n1');
      await second.first(2, ({ what }) => what === 'died');
      assert.equal(second.items.filter(({ what, from }) => what === 'gone' && from === 'dead').length, 60);
    }),
  );

  it(
    'that is taken for dead and lives after all tells again who is here, and is buried no further',
    withWorld(async (world) => {
      await world.dead('n0', ...Array.from({ length: 1_500 }, (_, index) => `customer:g${index}`));
      const burier = world.join('n1');
      await burier.first(60, ({ what }) => what === 'gone');
      const back = world.join('n0');
      await burier.first(1, ({ what }) => what === 'died');
      await back.first(1, ({ what }) => what === 'revived');
      assert.ok(burier.items.filter(({ what }) => what === 'gone').length <= 1_000);
    }),
  );

  it(
    'that was struck off tells again who is here',
    withWorld(async (world) => {
      const told = world.join('n1');
      await world.looks.first(1);
      await world.store.removeNode('n1');
      assert.equal((await told.first(1))[0]?.what, 'revived');
      assert.equal(await world.store.beat('n1'), true);
    }),
  );

  it(
    'that was struck off while the database was away for it tells again who is here',
    withWorld(async (world) => {
      const told = world.join('n1');
      await world.looks.first(1);
      world.isAway = true;
      await world.failures.first(2);
      await world.store.removeNode('n1');
      world.isAway = false;
      const looked = world.looks.items.length;
      // It tells before it looks for the dead again.
      await world.looks.first(looked + 1);
      assert.deepEqual(
        told.items.map(({ what }) => what),
        ['revived'],
      );
    }),
  );

  it(
    'buries nobody at once after the database was away for all, and nobody who then says that it lives',
    withWorld(async (world) => {
      const [first, second] = [world.join('n1'), world.join('n2')];
      for (const nodeId of ['n1', 'n2']) await world.looks.first(1, (look) => look.nodeId === nodeId);
      world.isAway = true;
      // So many beats failed that each has been silent for longer than the silence.
      for (const nodeId of ['n1', 'n2']) {
        await world.failures.first((2 * SILENCE) / INTERVAL, (id) => id === nodeId);
      }
      await world.dead('dead', 'customer:g1');
      const looked = world.looks.items.length;
      const backAt = Date.now();
      world.isAway = false;
      const looks = (await world.looks.first(looked + 8)).slice(looked);
      for (const { found, at } of looks) {
        assert.ok(at - backAt >= SILENCE, `looked after ${at - backAt} ms`);
        assert.ok(
          found.every((nodeId) => nodeId === 'dead'),
          `buried ${found}`,
        );
      }
      const gone = () => [...first.items, ...second.items].filter(({ what }) => what === 'gone');
      await until('who went with it is told gone', async () => gone().length >= 1);
      assert.ok(gone().every(({ from }) => from === 'dead'));
    }),
  );
});
