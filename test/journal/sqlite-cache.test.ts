import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { MEMORY } from '../../schemas/settings.ts';
import { RowCache } from '../../src/store/sqlite/cache.ts';
import { groupRow } from '../support/rows.ts';

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
