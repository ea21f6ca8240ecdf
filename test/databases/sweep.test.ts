/** [P-12.2, P-12.5] What falls due among very many, past servers that are killed, and by clocks that are set. */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import type { Command } from '../../src/domain/state.ts';
import type { Store } from '../../src/store/store.ts';
import { DATABASES, type DatabaseKind, openDatabase, type TestDatabase } from '../support/database.ts';
import { startProcess } from '../support/process.ts';
import { TimedNode, type Told } from '../support/timed-node.ts';
import { until } from '../support/until.ts';

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];

/** Lends an empty database with its tables. */
async function withDatabase(kind: DatabaseKind, use: (database: TestDatabase) => Promise<void>) {
  const database = await openDatabase(kind);
  try {
    const store = openStore(readSettings({ DATABASE_URL: database.url }));
    await store.migrate().finally(() => store.close());
    await use(database);
  } finally {
    await database.close();
  }
}

/** Lends a store on such a database, too. */
const withStore = (kind: DatabaseKind, use: (store: Store, database: TestDatabase) => Promise<void>) =>
  withDatabase(kind, async (database) => {
    const store = openStore(readSettings({ DATABASE_URL: database.url }));
    await use(store, database).finally(() => store.close());
  });

/** Puts so many rows into a table, numbered from 1. @param values the columns and what they hold, of a row `i` */
const fill = ({ run }: TestDatabase, table: string, rows: number, values: Readonly<Record<string, string>>) =>
  run(`insert into ${table} (${Object.keys(values)}) with recursive numbers(i) as
    (select 1 union all select i + 1 from numbers where i < ${rows}) select ${Object.values(values)} from numbers`);

/** Dealers `d0`, `d1`, … that have a bot. */
const fillDealers = (database: TestDatabase, dealers: number, at: number) =>
  fill(database, 'dealers', dealers, { dealer_id: `'d' || (i - 1)`, settings: `'{"bot":true}'`, created_at: `${at}` });

/** Columns of a conversation whose customer has waited for the bot since then. */
const waiting = (since: number, due: string) => ({
  ...{ waiting_since: `${since}`, waiting_for: `'bot'`, turned_at: `${since}`, due },
  ...{ created_at: `${since}`, updated_at: `${since}` },
});

const namesIn = (told: readonly Told[], type: string) =>
  told.filter((each) => each.type === type).map(({ payload }) => `${payload.dealerId}/${payload.groupId}`);

/** The quickest of many looks that find nothing, in ms. */
async function quickestLook(node: TimedNode): Promise<number> {
  let quickest = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 40; look += 1) {
    const began = performance.now();
    await node.look();
    quickest = Math.min(quickest, performance.now() - began);
  }
  return quickest;
}

/** Looks through so many open conversations, of which 20 are due. @returns how long a look takes once they are not */
async function lookThrough(kind: DatabaseKind, open: number): Promise<number> {
  let took = 0;
  await withStore(kind, async (store, database) => {
    const now = Date.now();
    await fillDealers(database, 1_000, now);
    const due = `case when i <= 20 then ${now - MINUTE} else ${now + DAY} end`;
    await fill(database, 'groups', open, {
      ...{ dealer_id: `'d' || (i % 1000)`, group_id: `'g' || i` },
      ...waiting(now - HOUR, due),
    });
    const told: Told[] = [];
    const node = new TimedNode(store, { now }, (each) => told.push(each));
    await node.look();
    const due20 = Array.from({ length: 20 }, (_, index) => `d${index + 1}/g${index + 1}`);
    assert.deepEqual(namesIn(told, 'OVERDUE').sort(), due20.sort());
    took = await quickestLook(node);
    assert.equal(node.read, 20, 'nothing is read but what is due');
    await node.close();
  });
  return took;
}

describe('[P-12.2] a look for what is due', { timeout: 120_000 }, () => {
  for (const kind of DATABASES) {
    it(`costs no more with 100,000 open conversations than with 20, on ${kind}`, async () => {
      const [small, large] = [await lookThrough(kind, 20), await lookThrough(kind, 100_000)];
      console.log(`${kind}: ${large.toFixed(2)} ms, and ${small.toFixed(2)} ms with 20`);
      assert.ok(large < 3 * small + 1, `${large} ms, and ${small} ms with 20`);
    });
  }
});

/** Dealers of the server that is killed, and conversations of each: of every two, one waits, and one is muted. */
const [DEALERS, EACH, KILLS] = [4, 1_000, 2];

/** Fills a database with conversations that all fell due while no server ran. */
async function fillLate(database: TestDatabase): Promise<void> {
  const since = Date.now() - HOUR;
  await fillDealers(database, DEALERS, since);
  const of = (offset: number) => ({
    ...{ dealer_id: `'d' || ((i - 1) % ${DEALERS})`, group_id: `'g' || (2 * i + ${offset})` },
    ...waiting(since, `${since}`),
  });
  const half = (DEALERS * EACH) / 2;
  await fill(database, 'groups', half, of(0));
  const muted = { muted: 'true', muted_by: `'a1'`, acted_at: `${since}`, waiting_since: 'null', waiting_for: 'null' };
  await fill(database, 'groups', half, { ...of(1), ...muted });
}

async function killWhileSweeping(kind: DatabaseKind): Promise<void> {
  await withDatabase(kind, async (database) => {
    await fillLate(database);
    const began = Date.now();
    const count = async (from: string) => Number((await database.run(`select count(*) as n from ${from}`))[0]?.n);
    const left = () => count(`groups where due <= ${began}`);
    const env = { DATABASE_URL: database.url, AUTH_SECRET: 'a secret that only this test knows' };
    const all = DEALERS * EACH;
    const leftAt: number[] = [];
    for (let last = all; leftAt.length < KILLS; last = leftAt.at(-1) ?? 0) {
      const server = await startProcess({ env });
      await until('it has begun', async () => (await left()) < last);
      await server.kill();
      leftAt.push(await left());
    }
    console.log({ kind, leftAt });
    assert.ok(
      leftAt.every((each) => each > 0 && each < all),
      'killed in the middle',
    );
    const server = await startProcess({ env });
    await until('all is done', async () => (await left()) === 0);
    assert.equal((await server.kill('SIGTERM')).code, 0);
    const told = `select type, count(*) as n, count(distinct dealer_id || group_id) as names from events
      where type = 'MUTE_STATUS' or payload like '%"for":"bot"%' group by type order by type`;
    const rows = (await database.run(told)).map(({ type, n, names }) => [type, Number(n), Number(names)]);
    const half = all / 2;
    assert.deepEqual(rows, [
      ['MUTE_STATUS', half, half],
      ['OVERDUE', half, half],
    ]);
  });
}

describe('[P-12.2, P-12.5] a server that is killed while it looks through what is due', { timeout: 120_000 }, () => {
  for (const kind of DATABASES) {
    it(`tells of each wait and ends each mute, once, after it is back, on ${kind}`, () => killWhileSweeping(kind));
  }
});

/** People of one dealer, by a clock that is set. */
class People {
  readonly told: Told[] = [];
  readonly clock = { now: Date.UTC(2027, 0, 4, 12) };
  readonly node: TimedNode;

  constructor(store: Store) {
    this.node = new TimedNode(store, this.clock, (each) => this.told.push(each));
  }

  async #do(role: Command['role'], sender: string, body: object): Promise<void> {
    const outcome = await this.node.journal.append({ role, sender, key: null, body: body as Command['body'] });
    assert.ok('happened' in outcome);
  }

  write = (groupId: string) =>
    this.#do('server', 'server:crm', { ...this.#message(groupId), user: 'customer', message: 'Hello' });

  answer = (groupId: string) =>
    this.#do('admin', 'admin:a1', { ...this.#message(groupId), user: 'admin', adminId: 'a1', message: 'Hello' });

  #message = (groupId: string) => ({ type: 'UPDATE_MSG', dealerId: 'd1', groupId });

  /** Sets the clock, and has what is due looked for, twice. */
  async set(now: number): Promise<void> {
    this.clock.now = now;
    await this.node.look();
    await this.node.look();
  }
}

describe('[P-12.2, P-12.5] a clock that is set', { timeout: 60_000 }, () => {
  for (const kind of DATABASES) {
    it(`a month ahead and back again has nothing lost, and nothing told twice, on ${kind}`, () =>
      withStore(kind, async (store) => {
        await store.putDealer('d1', { bot: true });
        const people = new People(store);
        const { told, clock, node, write, answer } = people;
        const begin = clock.now;
        const later = begin + 30 * DAY;
        const of = (type: string, side?: string) =>
          namesIn(
            told.filter(({ payload }) => side === undefined || payload.for === side),
            type,
          ).sort();

        await write('before');
        await write('answered');
        await answer('answered');
        await people.set(later);
        assert.deepEqual(of('OVERDUE'), ['d1/before']);
        assert.deepEqual(of('MUTE_STATUS'), ['d1/answered', 'd1/answered']);
        await write('ahead');
        await write('taken');
        await answer('taken');

        await people.set(begin + MINUTE);
        await write('back');
        await people.set(begin + 2 * MINUTE);
        assert.deepEqual(of('OVERDUE', 'bot'), ['d1/back', 'd1/before']);
        for (const past of [HOUR, DAY, 29 * DAY]) await people.set(begin + past);
        for (let past = 0; past < HOUR; past += 30 * SECOND) await people.set(later + past);

        const waits = ['d1/ahead', 'd1/back', 'd1/before'];
        assert.deepEqual([of('OVERDUE', 'bot'), of('OVERDUE', 'admin')], [waits, waits]);
        const mutes = ['d1/answered', 'd1/answered', 'd1/taken', 'd1/taken'];
        assert.deepEqual(of('MUTE_STATUS'), mutes, 'begun, and ended, once');
        await node.close();
      }));
  }
});
