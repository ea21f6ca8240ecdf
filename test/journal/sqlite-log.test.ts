/** The log of the embedded database: found by positions and milestones, and made so from one that had a key of every event. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { IS_MILESTONE } from '../../drizzle/sqlite/schema.ts';
import { openStore } from '../../src/app.ts';
import { makeOldFile } from '../support/old-database.ts';
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
          /whose end is not written/,
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
