import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { MEMORY } from '../../schemas/settings.ts';
import { openStore } from '../../src/app.ts';
import { minuteOf } from '../../src/store/sql.ts';
import { RowCache } from '../../src/store/sqlite/cache.ts';
import { groupRow, NOW, write } from '../support/rows.ts';
import { settingsFor, withFile } from '../support/sqlite-file.ts';

const MOST = 20_000;

describe('the rows that are kept of an SQLite file', () => {
  it('are so many of a table at most: with one more it begins anew', () => {
    const client = new Database(MEMORY);
    const { groups } = new RowCache(client);
    const row = groupRow();
    const kept = () => Array.from({ length: MOST + 1 }, (_, index) => index).filter((index) => groups.peek(`${index}`));
    for (let index = 0; index < MOST; index += 1) groups.set(`${index}`, row);
    assert.equal(kept().length, MOST);
    groups.set(`${MOST}`, row);
    assert.deepEqual(kept(), [MOST]);
    client.close();
  });
});

describe("a group's row of an SQLite file", () => {
  it(
    'has the minute of its last change, whoever made it, and is listed by it',
    withFile(async (store, file) => {
      const other = openStore(settingsFor(file));
      const client = new Database(file);
      const minutes = client.prepare<[], unknown>(
        'SELECT group_id, updated_at / 60000 - updated_minute AS off FROM groups',
      );
      const turns = [
        [store, 'a', 0],
        [store, 'b', 1],
        [store, 'a', 2],
        [store, 'a', 60_000],
        [other, 'b', 60_001],
        [store, 'b', 60_002],
        [store, 'a', 120_000],
        [store, 'b', 59_000],
      ] as const;
      try {
        for (const [by, groupId, after] of turns) {
          await write(by, { groups: { [`d1/${groupId}`]: groupRow({ unread: after }) }, at: NOW + after });
          assert.ok(
            minutes.all().every((row) => Reflect.get(Object(row), 'off') === 0),
            `${groupId} ${after}`,
          );
          const listed = (await store.groups('d1', {}, { limit: 2 })).groups;
          assert.deepEqual(
            [listed[0]?.groupId, listed[0]?.updatedAt],
            after === 59_000 ? ['a', NOW + 120_000] : [groupId, NOW + after],
          );
        }
        const tails = new Map([
          ['a', 0],
          ['b', 0],
        ]);
        assert.deepEqual(await store.tailsSince('d1', NOW + 60_000), tails, 'a time of the past changes none');
        assert.equal(minuteOf(NOW + 59_000), minuteOf(NOW) + 1, 'in another minute');
      } finally {
        client.close();
        await other.close();
      }
    }),
  );
});

describe('a list of an SQLite file', { timeout: 20_000 }, () => {
  it(
    'that finds nothing comes to its end, whatever minutes somebody has written into the rows',
    withFile(async (store, file) => {
      await store.putDealer('d1', {});
      const client = new Database(file);
      client.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
        INSERT INTO groups (dealer_id, group_id, created_at, updated_at) SELECT 'd1', 'g' || i, i, i * 1000 FROM n`);
      client.close();
      assert.deepEqual((await store.groups('d1', { muted: true }, { limit: 10 })).groups, []);
    }),
  );

  it(
    'that finds nothing waits for no dealer who asks for thirty of them',
    withFile(async (store, file) => {
      const client = new Database(file);
      for (const dealerId of ['busy', 'other']) {
        await store.putDealer(dealerId, {});
        client.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3500)
          INSERT INTO groups (dealer_id, group_id, created_at, updated_at) SELECT '${dealerId}', 'g' || i, i, i FROM n`);
      }
      client.close();
      const answered: string[] = [];
      const search = (dealerId: string) =>
        store.groups(dealerId, { muted: true }, { limit: 10 }).then(() => answered.push(dealerId));
      await Promise.all([...Array.from({ length: 30 }, () => search('busy')), search('other')]);
      assert.equal(answered[0], 'other');
    }),
  );
});
