/** [P-11.5] Thousands of conversations are too old: they go quickly, many in a transaction, and behind those who speak. */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { prune } from '../../src/journal/retention.ts';
import type { Client } from '../support/client.ts';
import { DATABASES, openDatabase } from '../support/database.ts';
import { overriding } from '../support/faulty-store.ts';
import { journalOn } from '../support/journal.ts';
import { fillLarge } from '../support/large.ts';
import { percentile } from '../support/percentile.ts';
import { startServer } from '../support/server.ts';

const DAY = 24 * 3_600_000;
const GROUPS = 3_000;
/** What loaded machines do; an idle one does ten times as much. Erased one by one it was 17 to 50 a second. */
const LEAST_A_SECOND = 100;

/** Has somebody speak for as long as something lasts. @returns how long each had to wait for its ack, in ms */
async function waitsDuring(talker: Client, work: Promise<unknown>): Promise<number[]> {
  const waits: number[] = [];
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  for (let n = 0; !isOver; n += 1) {
    const began = performance.now();
    await talker.ask('customer_message', { type: 'UPDATE_MSG', message: `word ${n}` });
    waits.push(performance.now() - began);
    await pause(5);
  }
  await over;
  return waits;
}

describe('3,000 conversations that are too old', { timeout: 180_000 }, () => {
  for (const kind of DATABASES) {
    it(`go from ${kind} many in a transaction, and nobody who speaks waits for them`, async () => {
      const database = await openDatabase(kind);
      const settings = { DATABASE_URL: database.url, RATE_LIMIT: 'off' };
      let commits = 0;
      const server = await startServer({
        settings,
        wrapStore: (store) =>
          overriding(store, {
            commit: (needs, work) => {
              if (needs.groups.size > 1) commits += 1;
              return store.commit(needs, work);
            },
          }),
      });
      try {
        const at = Date.now() - 90 * DAY;
        await fillLarge(database.url, { name: 'old', dealers: 1, groups: GROUPS, events: 5, at, retentionDays: 30 });
        const talker = await server.customer('talker');
        const before = await waitsDuring(talker, pause(1_500));
        const began = performance.now();
        const token = server.token('server', 'ops', { dealer: '*' });
        const pruning = server.http('POST', '/v1/retention', { token });
        const meanwhile = await waitsDuring(talker, pruning);
        const perSecond = (GROUPS / (performance.now() - began)) * 1000;
        const last: unknown = JSON.parse(
          String((await pruning).body)
            .trim()
            .split('\n')
            .at(-1) ?? '',
        );
        // Some may have gone by the server's own look at its start.
        const { failed, done } = Object(last);
        assert.deepEqual({ failed, done }, { failed: 0, done: true });
        assert.ok(commits <= GROUPS / 10, `${commits} transactions`);
        const [quiet, busy] = [percentile(before, 0.99), percentile(meanwhile, 0.99)];
        console.log(
          `${kind}: ${Math.round(perSecond)} a second; acks: p99 ${quiet.toFixed(1)} ms, meanwhile ${busy.toFixed(1)} ms`,
        );
        assert.ok(perSecond >= LEAST_A_SECOND, `${perSecond} a second`);
        assert.ok(busy < Math.max(250, 4 * quiet), `p99 ${busy} ms, and ${quiet} ms before`);
        assert.deepEqual((await server.store.groups('old1', {}, { limit: 1 })).groups, []);
        const receipts = await server.store.erasures('old1', { limit: 2 * GROUPS });
        assert.equal(receipts.length, GROUPS);
        for (const { events, pageviews, users, leads, intents, by } of receipts)
          assert.deepEqual([events, pageviews, users, leads, intents, by], [5, 1, 1, 1, 1, 'server:retention']);
        const desk = await server.store.events('old1', '@desk', { limit: 2 * GROUPS });
        assert.deepEqual(
          new Set(desk.map(({ groupId }) => groupId)),
          new Set(receipts.map(({ erasureId }) => erasureId)),
        );
        assert.ok(desk.every(({ sender, payload }) => sender === 'erased' && !payload.includes('cars.example')));
      } finally {
        await server.close();
        await database.close();
      }
    });

    it(`of which some are longer than a part go whole from ${kind}, too`, async () => {
      const database = await openDatabase(kind);
      const store = openStore(readSettings({ DATABASE_URL: database.url }));
      try {
        await store.migrate();
        const at = Date.now() - 90 * DAY;
        await fillLarge(database.url, { name: 'old', dealers: 1, groups: 60, events: 40, at, retentionDays: 30 });
        const journal = journalOn(store);
        let erased = 0;
        for await (const { groups } of prune(store, journal, Date.now())) erased = groups;
        assert.equal(erased, 60);
        let parts = 0;
        while (await store.erasePart()) parts += 1;
        assert.ok(parts > 1, 'they have more events than go at once');
        await store.scrub();
        const left = (await database.rowsOf('old1')).filter((row) => /^(events|erasing) /.test(row));
        assert.equal(left.filter((row) => !row.includes('"@desk"')).length, 0);
        assert.equal(left.filter((row) => !row.includes('"sender":"erased"')).length, 0);
        await journal.close();
      } finally {
        await store.close();
        await database.close();
      }
    });
  }
});
