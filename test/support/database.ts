/** A real database of a test's own, and a look into its tables past the server. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { makeDatabase } from './postgres.ts';

export const DATABASES = ['SQLite', 'Postgres'] as const;
export type DatabaseKind = (typeof DATABASES)[number];

type Row = Readonly<Record<string, unknown>>;

export interface TestDatabase {
  readonly url: string;
  /** Everything that the tables hold of a dealer, and what they hold of none: each row as text, in order. */
  rowsOf(dealerId: string): Promise<string[]>;
  /** Runs a statement that both databases understand, past the server. @returns the rows that it gives */
  run(statement: string): Promise<Row[]>;
  /** Those of the words that are anywhere in it: in the files of SQLite, with its indexes and its log; in any table of Postgres. */
  wordsIn(words: readonly string[]): Promise<string[]>;
  close(): Promise<void>;
}

/** Where nodes say that they live: it changes by itself. */
const UNSTEADY: ReadonlySet<string> = new Set(['nodes']);

/** A row as text. When it was last written says nothing of what it holds: it is left out. */
const textOf = ({ updated_at: _, ...row }: Row): string => JSON.stringify(row);

const isOf = (dealerId: string) => (row: Row) => row.dealer_id === undefined || row.dealer_id === dealerId;

export async function openDatabase(kind: DatabaseKind): Promise<TestDatabase> {
  return kind === 'SQLite' ? openSqliteFile() : openPostgresDatabase();
}

async function rowsOfAll(
  tables: readonly string[],
  dealerId: string,
  read: (table: string) => Promise<Row[]> | Row[],
): Promise<string[]> {
  const rows: string[] = [];
  for (const table of tables.filter((name) => !UNSTEADY.has(name))) {
    for (const row of (await read(table)).filter(isOf(dealerId))) rows.push(`${table} ${textOf(row)}`);
  }
  return rows.sort();
}

async function openSqliteFile(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'telle-'));
  const file = join(folder, 'telle.db');
  return {
    url: `sqlite:${file}`,
    async rowsOf(dealerId) {
      const client = new Sqlite(file, { readonly: true });
      try {
        const tables = client.prepare("select name from sqlite_master where type = 'table'").pluck().all();
        return await rowsOfAll(tables.map(String), dealerId, (table) => {
          return client.prepare<[], Row>(`select * from "${table}"`).all();
        });
      } finally {
        client.close();
      }
    },
    async run(statement) {
      const client = new Sqlite(file);
      try {
        const prepared = client.prepare<[], Row>(statement);
        if (prepared.reader) return prepared.all();
        prepared.run();
        return [];
      } finally {
        client.close();
      }
    },
    async wordsIn(words) {
      const parts = ['', '-wal', '-shm'].map((end) => readFile(`${file}${end}`, 'latin1').catch(() => ''));
      const texts = await Promise.all(parts);
      return words.filter((word) => texts.some((text) => text.includes(word)));
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

async function openPostgresDatabase(): Promise<TestDatabase> {
  const server = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');
  const url = await makeDatabase(server);
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pool.on('error', () => {});
  const tables = async () => {
    const found = await pool.query<{ name: string }>(
      "select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
    );
    return found.rows.map(({ name }) => name);
  };
  return {
    url,
    async rowsOf(dealerId) {
      return rowsOfAll(
        await tables(),
        dealerId,
        async (table) => (await pool.query<Row>(`select * from "${table}"`)).rows,
      );
    },
    run: async (statement) => (await pool.query<Row>(statement)).rows,
    async wordsIn(words) {
      const texts: string[] = [];
      for (const table of await tables())
        texts.push(JSON.stringify((await pool.query(`select * from "${table}"`)).rows));
      return words.filter((word) => texts.some((text) => text.includes(word)));
    },
    close: () => pool.end(),
  };
}
