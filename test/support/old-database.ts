/** Databases as an earlier version left them. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { migrate } from 'drizzle-orm/better-sqlite3/migrator';
import { drizzle as drizzlePostgres } from 'drizzle-orm/node-postgres';
import { migrate as migratePostgres } from 'drizzle-orm/node-postgres/migrator';
import { assetFolder } from '../../src/assets.ts';
import type { StoredEvent } from '../../src/store/rows.ts';
import { makeDatabase, withClient } from './postgres.ts';
import { inFolder } from './server.ts';

/** Copies the first migrations of a database to a folder, as they were before the others came. */
export async function copyFirstMigrations(from: string, count: number, to: string): Promise<void> {
  await cp(assetFolder(from), to, { recursive: true });
  const path = join(to, 'meta', '_journal.json');
  const journal: { entries: { idx: number }[] } = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...journal, entries: journal.entries.filter(({ idx }) => idx < count) }));
}

/** Makes a database on a Postgres that has had the first migrations. @returns its URL */
export const makeOldPostgres = (server: string, count: number): Promise<string> =>
  inFolder(async (folder) => {
    const url = await makeDatabase(server);
    const migrationsFolder = join(folder, 'migrations');
    await copyFirstMigrations('drizzle/postgres/migrations', count, migrationsFolder);
    await withClient(url, (client) => migratePostgres(drizzlePostgres(client), { migrationsFolder }));
    return url;
  });

/** A file with the first migrations, and what is done to it then. */
export async function makeFileOf(
  file: string,
  count: number,
  fill: (client: Database.Database) => void,
): Promise<void> {
  const old = `${file}.migrations`;
  await copyFirstMigrations('drizzle/sqlite/migrations', count, old);
  const client = new Database(file);
  try {
    migrate(drizzle(client), { migrationsFolder: old });
    fill(client);
  } finally {
    client.close();
  }
}

/** A file as it was before events had positions, with these events in it, and a row for each dealer and group of theirs. */
export const makeOldFile = (file: string, events: readonly StoredEvent[]): Promise<void> =>
  makeFileOf(file, 3, (client) => {
    const insert = client.prepare(
      `INSERT INTO events (dealer_id, scope, seq, id, keyed, sender, type, group_id, payload, at)
        VALUES (:dealerId, :scope, :seq, :id, :isKeyed, :sender, :type, :groupId, :payload, :at)`,
    );
    for (const event of events) insert.run({ ...event, isKeyed: event.keyed ? 1 : 0 });
    client.exec(
      `INSERT INTO dealers (dealer_id, created_at, desk_seq, dealer_seq) SELECT dealer_id, 1,
          coalesce(max(seq) FILTER (WHERE scope = '@desk'), 0), coalesce(max(seq) FILTER (WHERE scope = '@dealer'), 0)
          FROM events GROUP BY dealer_id;
        INSERT INTO groups (dealer_id, group_id, last_seq, last_message_seq, created_at, updated_at) SELECT dealer_id, scope,
          max(seq), coalesce(max(seq) FILTER (WHERE type = 'CHAT_MSG'), 0), 1, 1
          FROM events WHERE group_id = scope GROUP BY dealer_id, scope`,
    );
  });
