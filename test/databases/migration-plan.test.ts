/** `telle migrate --plan`: what it says before, is what a migration does, and saying it changes nothing. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { drizzle as drizzleSqlite } from 'drizzle-orm/better-sqlite3';
import { migrate as migrateSqlite } from 'drizzle-orm/better-sqlite3/migrator';
import { pendingIn } from '../../src/store/migrations.ts';
import { secondsFor, type Works } from '../../src/store/planning.ts';
import { WORKS as ON_POSTGRES } from '../../src/store/postgres/migrating.ts';
import { WORKS as ON_SQLITE } from '../../src/store/sqlite/migrating.ts';
import { command } from '../support/command.ts';
import { copyFirstMigrations, makeOldFile, makeOldPostgres } from '../support/old-database.ts';
import { makeDatabase, withClient } from '../support/postgres.ts';
import { eventRow } from '../support/rows.ts';
import { inFolder } from '../support/server.ts';

const server = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

const SQLITE = 'drizzle/sqlite/migrations';
const POSTGRES = 'drizzle/postgres/migrations';

const plan = async (url: string) => {
  const { code, stdout, stderr } = await command(['migrate', '--plan'], { DATABASE_URL: url });
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  return stdout.split('\n').slice(1, -1);
};

const tablesThat = (works: Works, name: string, ...manners: readonly string[]): string[] =>
  (works[name] ?? assert.fail(`nothing is said of ${name}`))
    .filter(({ manner }) => manners.length === 0 || manners.includes(manner))
    .map(({ table }) => table)
    .sort();

describe('telle migrate --plan', { timeout: 120_000 }, () => {
  it('says of an old SQLite file what is pending, how large that is and how long it takes, and changes nothing', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'telle.db');
      await makeOldFile(file, [eventRow('d1', 'g1', 1), eventRow('d1', 'g1', 2), eventRow('d1', 'g2', 1)]);
      const client = new Database(file);
      client.pragma('journal_mode = WAL'); // as a server left it
      client.close();
      const before = await readFile(file);
      assert.deepEqual(await plan(`sqlite:${file}`), [
        '0003_positions',
        '  events: the table is written anew; some 3 rows: about a second (1,000,000 took 14 s, 10,000,000 took 4 min 45 s)',
        '  dealers: each of its rows is written; some 1 row: how long that takes was not measured',
        '  groups: each of its rows is written; some 2 rows: how long that takes was not measured',
        '0004_generations',
        '  groups: an index of it is made; some 2 rows: how long that takes was not measured',
        '0005_ends',
        '  events: an index of it is made; some 3 rows: about a second (1,000,000 took 2 s)',
        '  dealers: each of its rows is written; some 1 row: how long that takes was not measured',
        '  groups: each of its rows is written; some 2 rows: how long that takes was not measured',
        '  groups: an index of it is made; some 2 rows: how long that takes was not measured',
        '0006_epochs',
        '  only what is not there yet is made',
        '0007_settings',
        '  only what is not there yet is made',
        '0008_waiting',
        '  dealers: each of its rows is written; some 1 row: how long that takes was not measured',
        '  dealers: an index of it is made; some 1 row: how long that takes was not measured',
        '  groups: each of its rows is written; some 2 rows: how long that takes was not measured',
        '  groups: an index of it is made; some 2 rows: how long that takes was not measured',
        '  presences: an index of it is made; some 0 rows: how long that takes was not measured',
        '0009_views',
        '  only what is not there yet is made',
        '0010_contacts',
        '  leads: an index of it is made; some 0 rows: how long that takes was not measured',
        'All of it is one transaction, and nobody else can write meanwhile: end the server, and back up first.',
      ]);
      assert.ok(before.equals(await readFile(file)), 'the file is another');
      await command(['migrate'], { DATABASE_URL: `sqlite:${file}` });
      const { code, stdout } = await command(['migrate', '--plan'], { DATABASE_URL: `sqlite:${file}` });
      assert.deepEqual([code, stdout], [0, `sqlite:${file} is up to date: no migration is pending\n`]);
    }));

  it('says so of an old Postgres, by its own estimate of rows, and that there is none where there is none', async () => {
    const url = await makeOldPostgres(server, 3);
    const rest = [
      '0004_generations',
      '  groups: an index of it is made; some 2,000 rows: how long that takes was not measured',
      ...['dealers', 'erasures', 'lead_intents', 'leads', 'users'].map(
        (table) => `  ${table}: it gets columns, which takes a moment whatever its size`,
      ),
      '0005_epochs',
      '  only what is not there yet is made',
      '0006_settings',
      '  dealers: it gets columns, which takes a moment whatever its size',
      '0007_waiting',
      '  dealers: each of its rows is written; how many rows it has is not known: ANALYZE dealers has them estimated',
      '  groups: each of its rows is written; some 2,000 rows: how long that takes was not measured',
      '0008_views',
      '  only what is not there yet is made',
      '0009_contacts',
      '  leads: the table is written anew; how many rows it has is not known: ANALYZE leads has them estimated',
      'All of it is one transaction: whoever reads or writes a table that is named waits from then on until its end. Back up first.',
    ];
    await withClient(url, (client) =>
      client.query(`alter table groups set (autovacuum_enabled = off);
        insert into groups (dealer_id, group_id, created_at, updated_at) select 'd1', 'g' || n, 1, 1 from generate_series(1, 2000) n`),
    );
    assert.deepEqual((await plan(url)).slice(0, 2), [
      '0003_groups_by_minute',
      '  groups: the table is written anew; how many rows it has is not known: ANALYZE groups has them estimated',
    ]);
    await withClient(url, (client) => client.query('analyze groups'));
    assert.deepEqual(await plan(url), [
      '0003_groups_by_minute',
      '  groups: the table is written anew; some 2,000 rows: about a second (1,000,000 took 3 s, 2,000,000 took 50 s)',
      ...rest,
    ]);
    const had = await withClient(url, (client) => client.query('select 1 from drizzle.__drizzle_migrations'));
    assert.equal(had.rows.length, 3);
    await command(['migrate'], { DATABASE_URL: url });
    const { code, stdout } = await command(['migrate', '--plan'], { DATABASE_URL: url });
    assert.equal(code, 0);
    assert.match(stdout, / is up to date: no migration is pending\n$/);
  });

  it('names no table of a Postgres that is empty, and makes no file where there is none', async () => {
    const lines = await plan(await makeDatabase(server));
    assert.equal(lines.length, 2 * Object.keys(ON_POSTGRES).length + 1);
    assert.ok(
      lines.slice(1).every((line, at) => at % 2 === 1 || /^ {2}only what|^All/.test(line)),
      lines.join('\n'),
    );
    await inFolder(async (folder) => {
      const DATABASE_URL = `sqlite:${join(folder, 'none', 'telle.db')}`;
      const { code, stderr } = await command(['migrate', '--plan'], { DATABASE_URL });
      assert.equal(code, 1);
      assert.match(stderr, /^telle: there is no /);
    });
  });
});

describe('what is said of a migration is what it does', { timeout: 120_000 }, () => {
  for (const [index, { name, sql }] of pendingIn(POSTGRES, []).entries()) {
    it(`on Postgres: ${name}`, async () => {
      const url = await makeOldPostgres(server, index);
      await withClient(url, async (client) => {
        const tables = async () => {
          const { rows } = await client.query<{ name: string; at: number; locked: boolean }>(
            `select relname as name, relfilenode as at, exists (select from pg_locks where relation = c.oid
              and pid = pg_backend_pid() and mode = 'AccessExclusiveLock') as locked
              from pg_class c where relkind = 'r' and relnamespace = 'public'::regnamespace order by relname`,
          );
          return rows;
        };
        const before = await tables();
        await client.query('begin');
        for (const statement of sql) await client.query(statement);
        const after = (await tables()).filter((each) => before.some((old) => old.name === each.name));
        const anew = after.filter((each) => before.every((old) => old.at !== each.at));
        await client.query('rollback');
        const namesOf = (found: readonly { name: string }[]) => found.map((each) => each.name);
        assert.deepEqual(namesOf(after.filter(({ locked }) => locked)), tablesThat(ON_POSTGRES, name));
        assert.deepEqual(namesOf(anew), tablesThat(ON_POSTGRES, name, 'rewrites'));
      });
    });
  }

  for (const [index, { name, sql }] of pendingIn(SQLITE, []).entries()) {
    it(`on SQLite: ${name}`, () =>
      inFolder(async (folder) => {
        await copyFirstMigrations(SQLITE, index, join(folder, 'old'));
        const client = new Database(join(folder, 'telle.db'));
        try {
          migrateSqlite(drizzleSqlite(client), { migrationsFolder: join(folder, 'old') });
          const roots = (type: string) => {
            type Root = { table: string; name: string; at: string };
            const all = client.prepare<[string], Root>(
              // A new index may begin where the old one did.
              `select tbl_name as "table", name, rootpage || iif(type = 'index', sql, '') as at
                from sqlite_master where type = ? order by name`,
            );
            return all.all(type);
          };
          const [tables, indexes] = [roots('table'), roots('index')];
          for (const statement of sql) client.exec(statement);
          const wasThere = ({ table }: { table: string }) => tables.some((old) => old.name === table);
          const isNew =
            (olds: ReturnType<typeof roots>) =>
            ({ name: found, at }: { name: string; at: string }) =>
              olds.every((old) => old.name !== found || old.at !== at);
          const anew = roots('table').filter(wasThere).filter(isNew(tables));
          const indexed = roots('index').filter(wasThere).filter(isNew(indexes));
          const written = [...sql.join('\n').matchAll(/^UPDATE `(\w+)`/gm)].map(([, table = '']) => table);
          const namesOf = (found: readonly { table: string }[]) => [...new Set(found.map(({ table }) => table))];
          assert.deepEqual(namesOf(anew), tablesThat(ON_SQLITE, name, 'rewrites'));
          assert.deepEqual(
            namesOf(indexed).filter((table) => !namesOf(anew).includes(table)),
            tablesThat(ON_SQLITE, name, 'indexes'),
          );
          assert.deepEqual(written.sort(), tablesThat(ON_SQLITE, name, 'writes'));
        } finally {
          client.close();
        }
      }));
  }
});

describe('how long a migration takes', () => {
  const measured = [
    { rows: 1000, seconds: 10 },
    { rows: 10_000, seconds: 200 },
  ];
  for (const [rows, seconds] of [
    [0, 0],
    [500, 5],
    [1000, 10],
    [5000, 100],
    [100_000, 2000],
  ] as const) {
    it(`is what the next larger table took, for its part of the rows: ${rows}`, () => {
      assert.equal(secondsFor(rows, measured), seconds);
    });
  }

  it('is not known where nothing was measured', () => assert.equal(secondsFor(1000, []), null));
});
