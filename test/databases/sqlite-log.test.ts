/** The log of the embedded database: found by positions and milestones, and made so from one that had a key of every event. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { IS_MILESTONE } from '../../drizzle/sqlite/schema.ts';
import { openStore } from '../../src/app.ts';
import { makeFileOf, makeOldFile } from '../support/old-database.ts';
import { changesOf, eventRow, eventRows, groupRow, NOW, needsFor, readSeqs, seqsOf, write } from '../support/rows.ts';
import { inFolder } from '../support/server.ts';
import { settingsFor, withFile } from '../support/sqlite-file.ts';

/** Works on the file with a connection of its own. */
function onFile<Found>(file: string, work: (client: Database.Database) => Found): Found {
  const client = new Database(file);
  try {
    return work(client);
  } finally {
    client.close();
  }
}

/** The refusals of a seq: by the trigger, or by the key of the part of the log that has it. */
const TAKEN = /an event of this seq or a later one is there|UNIQUE constraint failed: index 'events_place'/;

/** Writes another event of a seq to the end of a scope of d1, or after `previous`. */
function again(client: Database.Database, scope: string, seq: number, previous?: number): void {
  const end = client
    .prepare(
      `SELECT coalesce((SELECT last_position FROM groups WHERE dealer_id = 'd1' AND group_id = :scope),
        CASE :scope WHEN '@desk' THEN desk_position ELSE dealer_position END) FROM dealers WHERE dealer_id = 'd1'`,
    )
    .pluck()
    .get({ scope });
  client
    .prepare(
      `INSERT INTO events (previous, dealer_id, scope, seq, id, sender, type, payload, at)
        VALUES (?, 'd1', ?, ?, 'again', 'admin:a1', 'CHAT_MSG', '{}', 1)`,
    )
    .run(previous ?? end, scope, seq);
}

describe('a seq of an SQLite file', () => {
  const scopes = ['g1', '@desk', '@dealer'];

  it(
    'is refused a second time by the database, be the first near or far',
    withFile(async (store, file) => {
      await write(store, { events: scopes.flatMap((scope) => eventRows('d1', scope, 3)) });
      onFile(file, (client) => {
        for (const scope of scopes) {
          for (const seq of [1, 2, 3]) assert.throws(() => again(client, scope, seq), TAKEN, `${scope} ${seq}`);
          assert.throws(() => again(client, scope, 9, 0), TAKEN, 'nor one that does not follow the last');
        }
      });
      // So many that no index of a part of the log has both.
      const others = Array.from({ length: 10 }, (_, index) => eventRows('d1', `other${index}`, 500)).flat();
      await write(store, { events: others });
      onFile(file, (client) => {
        for (const scope of scopes) {
          assert.throws(() => again(client, scope, 3), TAKEN, scope);
          again(client, scope, 4);
          assert.throws(() => again(client, scope, 4), TAKEN, scope);
        }
        assert.throws(() => again(client, 'nobody', 1), TAKEN, 'a scope without a row');
      });
    }),
  );

  it(
    'stays that of its event, and its event in its scope',
    withFile(async (store, file) => {
      await write(store, { events: [...eventRows('d1', 'g1', 2), ...eventRows('d1', 'g2', 3)] });
      onFile(file, (client) => {
        for (const column of ['seq', 'position', 'previous']) {
          const move = `UPDATE events SET ${column} = 7 WHERE scope = 'g1' AND seq = 1`;
          assert.throws(() => client.exec(move), /stays where it is/, column);
        }
        assert.throws(() => client.exec("UPDATE events SET dealer_id = 'd2'"), /stays where it is/);
        for (const scope of ['g1', '@desk', '@dealer']) {
          const move = `UPDATE events SET scope = '${scope}' WHERE scope = 'g2' AND seq = 3`;
          assert.throws(() => client.exec(move), /has events of its own/, scope);
        }
      });
    }),
  );

  it(
    'is not given again while the conversation that had it is being erased',
    withFile(async (store, file) => {
      await write(store, { events: eventRows('d1', 'g1', 1200) });
      const by = 'admin:a1';
      const erasure = { dealerId: 'd1', groupId: 'g1', erasureId: 'e1', reason: 'request', by, lastSeq: 1200 } as const;
      await write(store, { erasures: [erasure] });
      onFile(file, (client) => {
        const left = client.prepare("SELECT max(seq) FROM events WHERE scope = 'g1'").pluck().get();
        assert.equal(left, 700);
        client.exec("INSERT INTO groups (dealer_id, group_id, created_at, updated_at) VALUES ('d1', 'g1', 1, 1)");
        assert.throws(() => again(client, 'g1', 700, 0), TAKEN);
        again(client, 'g1', 701, 0);
      });
    }),
  );
});

describe('the views of an SQLite file', () => {
  const QUERIES: readonly (readonly [query: string, plan: RegExp])[] = [
    [
      "messages WHERE dealer_id = 'd1' AND group_id = 'g1' ORDER BY seq",
      /^SEARCH events USING INDEX events_place \(ANY\(<expr>\) AND dealer_id=\? AND scope=\?\)$/,
    ],
    [
      "messages WHERE dealer_id = 'd1' AND group_id = 'g1' AND seq > 7",
      /^SEARCH events USING INDEX events_place \(ANY\(<expr>\) AND dealer_id=\? AND scope=\? AND seq>\?\)$/,
    ],
    [
      "messages WHERE dealer_id = 'd1' ORDER BY at DESC",
      /^SEARCH events USING INDEX events_place \(ANY\(<expr>\) AND dealer_id=\?\)$/,
    ],
    ['messages ORDER BY at DESC', /^SCAN events USING INDEX events_messages_at$/],
    ['messages WHERE at > 7', /^SEARCH events USING INDEX events_messages_at \(at>\?\)$/],
    [
      "pageviews WHERE dealer_id = 'd1' AND group_id = 'g1' ORDER BY seq",
      /^SEARCH events USING INDEX events_desk \(dealer_id=\? AND group_id=\?\)$/,
    ],
    ["pageviews WHERE dealer_id = 'd1' ORDER BY seq", /^SEARCH events USING INDEX events_pageviews \(dealer_id=\?\)$/],
    ['pageviews ORDER BY at DESC', /^SCAN events USING INDEX events_pageviews_at$/],
    [
      "events WHERE dealer_id = 'd1' AND scope = 'g1' AND seq = 7",
      /^SEARCH events USING INDEX events_place \(ANY\(<expr>\) AND dealer_id=\? AND scope=\? AND seq=\?\)$/,
    ],
  ];

  it(
    'are answered by an index: by dealer, by group and by time, in a copy, too',
    withFile(async (store, file) => {
      await store.copyTo?.(`${file}.copy`);
      for (const each of [file, `${file}.copy`]) {
        onFile(each, (client) => {
          for (const [query, expected] of QUERIES) {
            const [plan] = client.prepare(`EXPLAIN QUERY PLAN SELECT * FROM ${query} LIMIT 100`).all();
            assert.match(String(Reflect.get(Object(plan), 'detail')), expected, query);
          }
        });
      }
    }),
  );
});

/** A file of before: a conversation set aside, one being erased, and one whose name has begun anew while it is erased. */
function fillOld(client: Database.Database): void {
  client.exec(`INSERT INTO events (position, previous, dealer_id, scope, seq, id, sender, type, group_id, payload, at)
      SELECT column1, column2, 'd1', column3, column4, 'old-' || column1, 'admin:a1', 'CHAT_MSG', column3, '{}', 1 FROM (VALUES
        (1, 0, 'erased', 1), (2, 1, 'erased', 2), (3, 0, 'renewed', 1), (4, 3, 'renewed', 2), (5, 0, 'renewed', 3),
        (6, 5, 'renewed', 4), (7, 0, 'aside', 1), (8, 7, 'aside', 2), (9, 0, 'g1', 1), (10, 0, '@desk', 1));
    INSERT INTO dealers (dealer_id, created_at, desk_seq, desk_position) VALUES ('d1', 1, 1, 10);
    INSERT INTO erasing (dealer_id, erasure_id, group_id, last_seq, last_position)
      VALUES ('d1', 'e1', 'erased', 2, 2), ('d1', 'e2', 'renewed', 2, 4);
    INSERT INTO groups (dealer_id, group_id, last_seq, last_position, formerly, created_at, updated_at)
      VALUES ('d1', 'renewed', 4, 6, NULL, 1, 120001), ('d1', 'aside', 2, 8, 'digest', 1, 60000), ('d1', 'g1', 1, 9, NULL, 1, 59999)`);
}

describe('a log without the seqs that it ends with', () => {
  it('is migrated with what was set aside, and with what is being erased', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'telle.db');
      await makeFileOf(file, 5, fillOld);
      const store = openStore(settingsFor(file));
      try {
        await store.migrate();
        onFile(file, (client) => {
          for (const [scope, last] of Object.entries({ renewed: 4, aside: 2, g1: 1, '@desk': 1 })) {
            for (let seq = 1; seq <= last; seq += 1) assert.throws(() => again(client, scope, seq), TAKEN, scope);
          }
        });
        const names = (await store.groups('d1', {}, { limit: 9 })).groups.map(({ groupId }) => groupId);
        assert.deepEqual(names, ['renewed', 'aside', 'g1']);
        const next = { renewed: 5, aside: 3, g1: 2, '@desk': 2, erased: 3 };
        await write(store, { events: Object.entries(next).map(([scope, seq]) => eventRow('d1', scope, seq)) });
        for (let isMore = true; isMore; ) isMore = await store.erasePart();
        const left = { renewed: [3, 4, 5], aside: [1, 2, 3], g1: [1, 2], '@desk': [1, 2], erased: [3] };
        for (const [scope, seqs] of Object.entries(left))
          assert.deepEqual(await readSeqs(store, 'd1', scope), seqs, scope);
        assert.equal(await store.logSize('d1'), 11);
      } finally {
        await store.close();
      }
    }));
});

describe('a log that had a key of every event', () => {
  it('is migrated whole, goes on after its last, and is erased and removed as any other', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'telle.db');
      const scopes = ['@dealer', '@desk', 'g1', 'g10', 'G1', '0'];
      const long = ['d1', 'd10'].flatMap((dealerId) => scopes.flatMap((scope) => eventRows(dealerId, scope, 70)));
      const after = Array.from({ length: 40 }, (_, index) => eventRow('d1', 'erased-once', 100 + index));
      const keyed = eventRow('d2', 'g1', 1, { id: 'k1', keyed: true });
      const read = eventRow('d2', 'g1', 2, { type: 'READ' });
      const events = [...long, ...after, keyed, read];
      await makeOldFile(file, events.toReversed());
      const store = openStore(settingsFor(file));
      try {
        await store.migrate();
        for (const { dealerId, scope } of new Map(
          events.map((event) => [`${event.dealerId}/${event.scope}`, event]),
        ).values()) {
          const expected = events.filter((event) => event.dealerId === dealerId && event.scope === scope);
          assert.deepEqual(await store.events(dealerId, scope, { limit: 1000 }), expected, `${dealerId}/${scope}`);
          const [last] = expected.slice(-1);
          const next = eventRow(dealerId, scope, (last?.seq ?? 0) + 1);
          await write(store, { events: [next] });
          assert.deepEqual(await store.events(dealerId, scope, { after: (last?.seq ?? 0) - 1, limit: 9 }), [
            last,
            next,
          ]);
        }
        assert.deepEqual([await store.logSize('d1'), await store.logSize('d2')], [6 * 71 + 41, 3]);
        const group = await store.group('d2', 'g1');
        assert.deepEqual(group?.lastMessage, { seq: 1, at: keyed.at, payload: keyed.payload });
        await assert.rejects(write(store, { events: [{ ...keyed, seq: 9 }] }), /events\.id/);
        onFile(file, (client) => {
          for (const scope of scopes) assert.throws(() => again(client, scope, 30), TAKEN, scope);
        });
        const erasure = {
          dealerId: 'd1',
          groupId: 'g1',
          erasureId: 'e1',
          reason: 'request',
          by: 'admin:a1',
          lastSeq: 71,
        } as const;
        await write(store, { erasures: [erasure] });
        assert.deepEqual([await readSeqs(store, 'd1', 'g1'), (await store.erasure('d1', 'e1'))?.events], [[], 71]);
        await store.deleteDealer('d1');
        const left = onFile(file, (client) => client.prepare('SELECT DISTINCT dealer_id FROM events').pluck().all());
        assert.deepEqual(left, ['d10', 'd2']);
      } finally {
        await store.close();
      }
    }));
});

describe('the log of an SQLite file', () => {
  it(
    'is searched for a milestone in its index, which has one event in 32',
    withFile(async (store, file) => {
      await write(store, { events: eventRows('d1', 'g1', 100) });
      onFile(file, (client) => {
        const query = `SELECT seq FROM events WHERE dealer_id = 'd1' AND scope = 'g1' AND seq >= 5 AND ${IS_MILESTONE} ORDER BY seq`;
        const [plan] = client.prepare(`EXPLAIN QUERY PLAN ${query}`).all();
        assert.match(String(Reflect.get(Object(plan), 'detail')), /SEARCH .* INDEX events_milestones .*seq>\?/);
        assert.deepEqual(client.prepare(query).pluck().all(), [32, 64, 96]);
      });
    }),
  );

  it(
    'takes no event whose scope has no row to keep its end',
    withFile(async (store) => {
      for (const scope of ['g1', '@desk', '@dealer']) {
        const changes = changesOf({ events: [eventRow('d1', scope, 1)] });
        const needs = needsFor({ dealers: [['d1']], groups: [['d1', 'g1']] }, ['d1']);
        await assert.rejects(
          store.commit(needs, () => changes),
          /the scope has no row/,
        );
        assert.deepEqual(await readSeqs(store, 'd1', scope), []);
      }
    }),
  );

  it(
    'keeps its end where a row is written that nothing has happened in',
    withFile(async (store, file) => {
      await write(store, {
        events: [...eventRows('d1', 'g1', 3), ...eventRows('d1', '@desk', 2)],
        dealers: { d1: seqsOf(0, 2) },
        groups: { 'd1/g1': groupRow({ lastSeq: 3, lastMessageSeq: 2 }) },
      });
      const later = openStore(settingsFor(file));
      try {
        for (const each of [store, later]) {
          const groups = { 'd1/g1': groupRow({ lastSeq: 3, lastMessageSeq: 2, unread: 1, online: each === later }) };
          await write(each, { dealers: { d1: seqsOf(0, 2) }, groups });
          assert.deepEqual(await readSeqs(each, 'd1', 'g1'), [1, 2, 3]);
          assert.deepEqual(await readSeqs(each, 'd1', '@desk'), [1, 2]);
          assert.equal((await each.group('d1', 'g1'))?.lastMessage?.seq, 2);
        }
      } finally {
        await later.close();
      }
    }),
  );

  it(
    'is read as it is, though another process has just written or erased',
    withFile(async (store, file) => {
      await write(store, { events: eventRows('d1', 'g1', 40) });
      const other = openStore(settingsFor(file));
      try {
        // All in one turn of the event loop: nothing is awaited that is not done at once.
        await store.events('d1', 'g1', { limit: 1 });
        await write(other, { events: [eventRow('d1', 'g1', 41)] });
        assert.deepEqual(await readSeqs(store, 'd1', 'g1', { after: 38 }), [39, 40, 41]);
        const erasure = {
          dealerId: 'd1',
          groupId: 'g1',
          erasureId: 'e1',
          reason: 'request',
          by: 'admin:a1',
          lastSeq: 41,
        } as const;
        await write(other, { erasures: [erasure], at: NOW });
        assert.deepEqual(await readSeqs(store, 'd1', 'g1'), []);
        assert.deepEqual(await store.firstAfter('d1', new Map([['g1', 0]])), new Map());
      } finally {
        await other.close();
      }
    }),
  );

  it(
    'says that it is broken, and which, rather than leave an event out; others are read',
    withFile(async (store, file) => {
      await write(store, { events: [...eventRows('d1', 'g1', 40), ...eventRows('d1', 'g2', 2)] });
      onFile(file, (client) => client.exec("DELETE FROM events WHERE scope = 'g1' AND seq = 20"));
      await assert.rejects(store.events('d1', 'g1', { limit: 100 }), /the log of d1\/g1 is broken/);
      await assert.rejects(store.log('d1', null, { limit: 100 }), /the log of d1\/g1 is broken/);
      assert.deepEqual(await readSeqs(store, 'd1', 'g1', { after: 30 }), seqsFrom(31, 40));
      assert.deepEqual(await readSeqs(store, 'd1', 'g2'), [1, 2]);
    }),
  );

  it(
    'is read from the milestone behind what is asked for, whatever lies beyond it',
    withFile(async (store, file) => {
      await write(store, { events: eventRows('d1', 'g1', 100) });
      onFile(file, (client) => client.exec('DELETE FROM events WHERE seq = 70'));
      assert.deepEqual(await readSeqs(store, 'd1', 'g1', { before: 60, limit: 3 }), [57, 58, 59]);
      assert.deepEqual(await readSeqs(store, 'd1', 'g1', { after: 3, limit: 60 }), seqsFrom(4, 63));
      await assert.rejects(store.events('d1', 'g1', { before: 66, limit: 3 }), /the log of d1\/g1 is broken/);
    }),
  );

  it(
    'is erased and removed without an event of another dealer, though a row leads to one',
    withFile(async (store, file) => {
      await write(store, { events: [...eventRows('d1', 'g1', 3), ...eventRows('d2', 'g1', 3)] });
      const last = "SELECT last_position FROM groups WHERE dealer_id = 'd2'";
      onFile(file, (client) => client.exec(`UPDATE groups SET last_position = (${last}) WHERE dealer_id = 'd1'`));
      const erasure = {
        dealerId: 'd1',
        groupId: 'g1',
        erasureId: 'e1',
        reason: 'request',
        by: 'admin:a1',
        lastSeq: 3,
      } as const;
      await write(store, { erasures: [erasure] });
      await store.deleteDealer('d1');
      assert.deepEqual(await readSeqs(store, 'd2', 'g1'), [1, 2, 3]);
    }),
  );
});

const seqsFrom = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);
