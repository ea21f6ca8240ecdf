/** An embedded database with a large dealer in it: what reads at length gives way, page by page. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { exportOf } from '../../src/journal/export.ts';
import type { Mark } from '../../src/store/bounded.ts';
import type { Store } from '../../src/store/store.ts';
import { DEALER, inFolder, startServer } from '../support/server.ts';

const LARGE = 100_000;
const SMALL = 1000;
const settings = (file: string) => ({ DATABASE_URL: `sqlite:${file}` });

const FIELDS = JSON.stringify({
  firstName: 'Sam',
  email: 'sam@example.com',
  status: 'new',
  vehicle: { make: 'Ford', model: 'Focus', year: 2020 },
  note: 'x'.repeat(200),
});

/** Gives a dealer so many customers who have said nothing, each with a user and a lead of an e-mail of their own. */
function fill(file: string, dealerId: string, count: number): void {
  const client = new Database(file);
  const numbers = `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})`;
  client.exec(`insert into groups (dealer_id, group_id, created_at, updated_at, updated_minute)
    ${numbers} select '${dealerId}', printf('g%07d', i), i, i, i / 60000 from n`);
  for (const table of ['users', 'leads']) {
    client.exec(`insert into ${table} (dealer_id, group_id, fields, created_at, updated_at)
      ${numbers} select '${dealerId}', printf('g%07d', i), replace('${FIELDS}', 'sam@', printf('sam%d@', i)), i, i from n`);
  }
  client.close();
}

/** Does something, and counts the turns that the event loop had meanwhile. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isOver = true;
  return turns;
}

/** The shortest time of something, in ms. */
async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < 21; run += 1) {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  return Math.min(...times); // a machine that is busy with something else makes others slow, and none quick
}

describe('a dealer with 100,000 customers, on SQLite', { timeout: 120_000 }, () => {
  let store: Store;
  let close: () => void;
  let closed: Promise<void>;
  let file = '';

  before(async () => {
    await new Promise<void>((ready, failed) => {
      closed = inFolder(async (folder) => {
        file = join(folder, 'telle.db');
        store = openStore(readSettings(settings(file)));
        await store.migrate();
        for (const dealerId of [DEALER, 'small']) await store.putDealer(dealerId, { origins: ['*'] });
        fill(file, DEALER, LARGE);
        fill(file, 'small', SMALL);
        const done = new Promise<void>((resolve) => {
          close = resolve;
        });
        ready();
        await done;
        await store.close();
      });
      closed.catch(failed);
    });
  });
  after(async () => {
    close();
    await closed;
  });

  it('is searched in parts by a filter that finds nothing, or one at the very end, and some at a time', async () => {
    const filter = { open: false, muted: true, unread: true };
    let asked = 0;
    const turns = await turnsDuring(async () => {
      for (let after: Mark | null | undefined; after !== null; asked += 1) {
        const found = await store.groups(DEALER, filter, { limit: 50, ...(after && { after }) });
        assert.deepEqual(found.groups, []);
        after = found.lookedTo;
      }
    });
    assert.ok(turns >= LARGE / 1000, `${turns} turns`);
    assert.equal(asked, LARGE / 10_000 + 1, 'ten thousand are looked at, and then who asks is answered');
    const client = new Database(file);
    client.exec(
      `update groups set unread = 1 where dealer_id = '${DEALER}' and group_id in ('g0000001', 'g0050000', 'g0050001')`,
    );
    client.close();
    const found: string[] = [];
    for (let after: Mark | null | undefined; after !== null; ) {
      const page = await store.groups(DEALER, { unread: true }, { limit: 2, ...(after && { after }) });
      const last = page.groups.at(-1);
      found.push(...page.groups.map(({ groupId }) => groupId));
      after = last ? { at: last.updatedAt, key: [last.groupId] } : page.lookedTo;
    }
    assert.deepEqual(found, ['g0050001', 'g0050000', 'g0000001']);
  });

  it('is exported in parts, though nobody said anything', async () => {
    const turns = await turnsDuring(async () => assert.deepEqual(await store.log(DEALER, null, { limit: 100 }), []));
    assert.ok(turns > 20, `${turns} turns`);
    const lines = await exportOf(store, DEALER);
    let text = '';
    for await (const part of lines ?? []) text = part.text;
    assert.deepEqual(JSON.parse(text).counts, { group: LARGE, user: LARGE, lead: LARGE });
  });

  it('has the users of some leads found as fast as a small dealer', async () => {
    const groupIds = Array.from({ length: 100 }, (_, index) => `g${String(index + 1).padStart(7, '0')}`);
    const lookUp = (dealerId: string) => () => store.records('users', dealerId, { groupIds, limit: 1000 });
    const [large, small] = [await timeOf(lookUp(DEALER)), await timeOf(lookUp('small'))];
    assert.ok(large < 4 * small, `${large} ms, and ${small} ms of the small one`);
  });

  it('has its leads as CSV in ten seconds of the processor, each once', async () => {
    const server = await startServer({ settings: settings(file) });
    try {
      const at = await server.listen();
      const headers = { authorization: `Bearer ${server.token('admin', 'a1')}`, accept: 'text/csv' };
      const read = async () => {
        const [began, before] = [performance.now(), process.cpuUsage()];
        const response = await fetch(`http://${at}/v1/dealers/${DEALER}/leads`, { headers });
        const lines = (await response.text()).split('\r\n');
        const { user, system } = process.cpuUsage(before);
        const [took, spent] = [performance.now() - began, (user + system) / 1000];
        console.log(`${lines.length - 2} leads in ${Math.round(took)} ms, ${Math.round(spent)} on the processor`);
        return { lines, spent };
      };
      // Other processes may be as busy: what counts is what it takes of the processor, which is slower beside them, too.
      let { lines, spent } = await read();
      for (let again = 0; again < 2 && spent >= 10_000; again += 1) spent = (await read()).spent;
      const names = lines.slice(1, -1).map((line) => line.slice(0, 8));
      assert.deepEqual([names.length, new Set(names).size], [LARGE, LARGE]);
      assert.ok(spent < 10_000, `${spent} ms`);
    } finally {
      await server.close();
    }
  });
});
