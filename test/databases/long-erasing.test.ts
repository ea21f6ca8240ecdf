/** [P-11.4] A long conversation is erased at once for whoever reads, and out of the tables part by part. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import type { Command } from '../../src/domain/state.ts';
import type { PendingErasure } from '../../src/store/rows.ts';
import type { Store } from '../../src/store/store.ts';
import { DATABASES, openDatabase, type TestDatabase } from '../support/database.ts';
import { journalOn } from '../support/journal.ts';
import { eventRow, groupRow, known, load, readSeqs, seqsOf, write } from '../support/rows.ts';
import { withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/** More than two parts of each of the two logs. */
const SAID = 1_500;
const SEEN = 1_100;
/** In everything of the customer, and in nothing else. */
const WORD = 'zebra';
const GROUP = `${WORD}-1`;
const SENDER = `customer:${GROUP}`;
const NAME = `d1/${GROUP}`;

const erasure: PendingErasure = {
  dealerId: 'd1',
  groupId: GROUP,
  erasureId: 'e1',
  reason: 'request',
  by: 'admin:a1',
  lastSeq: SAID,
};

/** What a customer has said, from a seq on, each under a key of its own. */
const said = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => {
    const seq = from + index;
    const payload = JSON.stringify({ type: 'CHAT_MSG', message: `${WORD} ${seq}` });
    return eventRow('d1', GROUP, seq, { id: `k${index + 1}`, keyed: true, sender: SENDER, payload });
  });

/** What the desk was told of it. */
const seen = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => {
    const seq = from + index;
    const payload = JSON.stringify({ type: 'UPDATE_PAGEVIEW', message: { url: `https://${WORD}.example/${seq}` } });
    const more = { type: 'UPDATE_PAGEVIEW', groupId: GROUP, payload } as const;
    return eventRow('d1', '@desk', seq, { id: `v${index + 1}`, keyed: true, sender: SENDER, ...more });
  });

async function converse(store: Store): Promise<void> {
  await store.putDealer('d1', {});
  await write(store, {
    events: [...said(1, SAID), ...seen(1, SEEN), eventRow('d1', 'g2', 1)],
    dealers: { d1: seqsOf(0, SEEN) },
    groups: { [NAME]: groupRow({ lastSeq: SAID, lastMessageSeq: SAID }), 'd1/g2': groupRow({ lastSeq: 1 }) },
    users: { [NAME]: known({ name: WORD }) },
  });
}

const priorsOf = async (store: Store) => {
  const keys = [
    ['d1', GROUP, SENDER, 'k1'],
    ['d1', '@desk', SENDER, 'v1'],
  ];
  return Object.values(Object.fromEntries((await load(store, { priors: keys })).priors)).map(({ seq }) => seq);
};

/** Everything that can be read of a dealer, as text. */
async function readAll(store: Store): Promise<string> {
  const found: unknown[] = [];
  for (let after = 0; ; after += 1000) {
    const desk = await store.events('d1', '@desk', { after, limit: 1000 });
    if (desk.length === 0) break;
    found.push(...desk);
  }
  for (let after: { scope: string; seq: number } | null = null; ; ) {
    const part: { scope: string; seq: number }[] = await store.log('d1', after, { limit: 1000 });
    found.push(...part);
    after = part.at(-1) ?? null;
    if (!after) break;
  }
  found.push((await store.groups('d1', {}, { limit: 100 })).groups, await store.records('users', 'd1', { limit: 100 }));
  found.push(await store.pageviews('d1', { limit: 100 }), await store.erasures('d1', { limit: 100 }));
  for (const stretch of [{ after: 0 }, { after: 490 }, { before: 40 }, { before: SAID + 1 }]) {
    found.push(await store.events('d1', GROUP, { ...stretch, limit: 100 }));
  }
  return JSON.stringify(found);
}

const finish = async (store: Store): Promise<number> => {
  let parts = 0;
  while (await store.erasePart()) parts += 1;
  return parts;
};

for (const kind of DATABASES) {
  const withDatabase = (use: (store: Store, database: TestDatabase) => Promise<void>) => async () => {
    const database = await openDatabase(kind);
    const store = openStore(readSettings({ DATABASE_URL: database.url }), { secrets: ['a secret'] });
    try {
      await store.migrate();
      await converse(store);
      await use(store, database);
    } finally {
      await store.close();
      await database.close();
    }
  };
  const left = async (database: TestDatabase) =>
    (await database.rowsOf('d1')).filter((row) => row.includes(WORD)).length;

  describe(`a long conversation that is erased from ${kind}`, { timeout: 300_000 }, () => {
    it(
      'is not out of the tables at once, and nothing of it can be read all the same',
      withDatabase(async (store, database) => {
        const before = await store.events('d1', '@desk', { limit: 5_000 });
        await write(store, { erasures: [erasure] });
        assert.ok((await left(database)) > 500, 'the rest goes later');
        const { by, events, pageviews, users } = (await store.erasure('d1', 'e1')) ?? assert.fail();
        assert.deepEqual([by, events, pageviews, users], ['admin:a1', SAID, SEEN, 1]);
        for (let isMore = true; isMore; isMore = await store.erasePart()) {
          assert.doesNotMatch(await readAll(store), new RegExp(WORD));
          assert.deepEqual(await priorsOf(store), []);
          assert.deepEqual(await store.tails('d1', [GROUP]), new Map([[GROUP, 0]]));
          assert.equal(await store.logSize('d1'), SEEN + 1);
          const desk = await store.events('d1', '@desk', { limit: 5_000 });
          assert.deepEqual(
            desk.map(({ seq, type, at, groupId, id }) => [seq, type, at, groupId, id]),
            before.map(({ seq, type, at }) => [seq, type, at, 'e1', `e1.${seq}`]),
          );
        }
        assert.equal(await left(database), 0);
        assert.deepEqual(await readSeqs(store, 'd1', 'g2'), [1]);
      }),
    );

    it(
      'makes way for a new one of its name, which counts on, may use its keys, and is not touched by what still goes',
      withDatabase(async (store, database) => {
        await write(store, { erasures: [erasure] });
        assert.equal((await load(store, { groups: [['d1', GROUP]] })).erased.get(NAME), SAID);
        await write(store, {
          events: [...said(SAID + 1, 40), ...seen(SEEN + 1, 3)],
          dealers: { d1: seqsOf(0, SEEN + 3) },
          groups: { [NAME]: groupRow({ lastSeq: SAID + 40 }) },
        });
        for (let isMore = true; isMore; isMore = await store.erasePart()) {
          assert.deepEqual(await priorsOf(store), [SAID + 1, SEEN + 1]);
          for (const stretch of [{}, { after: 0 }, { after: 5 }, { before: SAID + 30 }, { before: 64 }]) {
            const { after = 0, before = Number.MAX_SAFE_INTEGER } = stretch as { after?: number; before?: number };
            const expected = said(SAID + 1, 40)
              .map(({ seq }) => seq)
              .filter((seq) => seq > after && seq < before);
            assert.deepEqual(await readSeqs(store, 'd1', GROUP, { ...stretch, limit: 50 }), expected);
          }
          assert.deepEqual(await store.firstAfter('d1', new Map([[GROUP, 3]])), new Map([[GROUP, SAID + 1]]));
          const views = await store.pageviews('d1', { groupId: GROUP, limit: 100 });
          assert.deepEqual(
            views.map(({ seq }) => seq),
            [SEEN + 3, SEEN + 2, SEEN + 1],
          );
        }
        assert.equal(await left(database), 40 + 3 + 1, 'its events, and its row');
      }),
    );

    it(
      'takes the keys of the forgotten from whoever begins anew, as new ones',
      withDatabase(async (store) => {
        await write(store, { erasures: [erasure] });
        const journal = journalOn(store);
        const send = async (key: string, body: Command['body']) => {
          const outcome = await journal.append({ role: 'server', sender: SENDER, key, body });
          return 'ack' in outcome && outcome.ack ? [outcome.ack.seq, outcome.ack.duplicate] : outcome;
        };
        const at = { dealerId: 'd1', groupId: GROUP };
        const say: Command['body'] = { type: 'UPDATE_MSG', ...at, user: 'customer', message: 'Hello' };
        const view: Command['body'] = { type: 'UPDATE_PAGEVIEW', ...at, message: { url: 'https://cars.example/' } };
        assert.deepEqual(await send('k1', say), [SAID + 1, false]);
        assert.deepEqual(await send('v1', view), [SEEN + 1, false]);
        assert.deepEqual(await send('k1', say), [SAID + 1, true]);
        assert.deepEqual(await send('v1', view), [SEEN + 1, true]);
      }),
    );

    it(
      'may be erased again under its name while the first still goes: each by its own receipt',
      withDatabase(async (store, database) => {
        await write(store, { erasures: [erasure] });
        await write(store, {
          events: [...said(SAID + 1, 40), ...seen(SEEN + 1, 3)],
          dealers: { d1: seqsOf(0, SEEN + 3) },
          groups: { [NAME]: groupRow({ lastSeq: SAID + 40 }) },
        });
        await write(store, { erasures: [{ ...erasure, erasureId: 'e2', lastSeq: SAID + 40 }] });
        const { events, pageviews } = (await store.erasure('d1', 'e2')) ?? assert.fail();
        assert.deepEqual([events, pageviews], [40, 3]);
        assert.doesNotMatch(await readAll(store), new RegExp(WORD));
        await finish(store);
        assert.equal(await left(database), 0);
        const names = (await store.events('d1', '@desk', { limit: 5_000 })).map(({ groupId }) => groupId);
        assert.deepEqual(names, [...new Array(SEEN).fill('e1'), 'e2', 'e2', 'e2']);
      }),
    );

    it(
      'is finished by whoever looks next, and by two at once',
      withDatabase(async (store, database) => {
        await write(store, { erasures: [erasure] });
        const other = openStore(readSettings({ DATABASE_URL: database.url }));
        try {
          await Promise.all([finish(store), finish(other)]);
          await finish(store);
          assert.equal(await left(database), 0);
          assert.equal(await other.scrub(), true);
          assert.ok(!(await database.rowsOf('d1')).some((row) => row.startsWith('erasing')), 'nor is its mark');
        } finally {
          await other.close();
        }
      }),
    );

    it(
      'is finished by a server that starts',
      withDatabase(async (store, database) => {
        await write(store, { erasures: [erasure] });
        assert.equal(await store.erasePart(), true);
        const settings = { DATABASE_URL: database.url };
        await withServer({ settings, timing: { presenceGrace: 5 } }, () =>
          until('nothing is left', async () => (await left(database)) === 0),
        );
      }),
    );

    it(
      'goes with its dealer',
      withDatabase(async (store, database) => {
        await write(store, { erasures: [erasure] });
        await store.deleteDealer('d1');
        while (await store.erasePart()); // on Postgres a dealer goes in parts, too
        await store.scrub();
        assert.equal(await left(database), 0);
        assert.ok(!(await database.rowsOf('d1')).some((row) => row.startsWith('eras')));
        assert.equal(await store.erasePart(), false);
      }),
    );
  });
}
