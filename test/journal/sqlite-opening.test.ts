/** Tables that cannot be made say why. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { migrateFile } from '../../src/store/sqlite/migrating.ts';
import { inFolder } from '../support/server.ts';

describe('migrations of a SQLite file', () => {
  it('say that the disk is full, leave nothing half done, and are done once there is room', () =>
    inFolder(async (folder) => {
      const client = new Database(join(folder, 'telle.db'));
      client.pragma('max_page_count = 8'); // as a disk that ends there
      assert.throws(() => migrateFile(client), {
        code: 'SQLITE_FULL',
        message: 'database or disk is full',
      });
      const tables = client.prepare("select name from sqlite_master where type = 'table'").pluck();
      assert.deepEqual(tables.all(), ['__drizzle_migrations']);
      client.pragma('max_page_count = 100000');
      migrateFile(client);
      assert.ok(tables.all().includes('events'));
      client.close();
    }));

  it('are each done once', () =>
    inFolder(async (folder) => {
      const client = new Database(join(folder, 'telle.db'));
      const done = client.prepare.bind(client, 'select count(*) from __drizzle_migrations');
      migrateFile(client);
      const count = done().pluck().get();
      migrateFile(client);
      assert.equal(done().pluck().get(), count);
      client.close();
    }));
});
