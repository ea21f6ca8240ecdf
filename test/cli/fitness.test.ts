/** Databases that this program cannot use, or not yet: refused at the start in a sentence, which `telle doctor` says too. */
import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { command } from '../support/command.ts';
import { makeDatabase, withClient } from '../support/postgres.ts';
import { startProcess } from '../support/process.ts';
import { inFolder } from '../support/server.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');
/** SQLite's, in bytes. */
const PAGE = 4096;
const AUTH_SECRET = 'a secret of this test that nobody else has';

const envOf = (DATABASE_URL: string) => ({ DATABASE_URL, AUTH_SECRET, PORT: '0', MAX_CONNECTIONS: '10' });

const sqlOn = (url: string, ...statements: readonly string[]): Promise<void> =>
  withClient(url, async (client) => {
    for (const statement of statements) await client.query(statement);
  });

async function migrated(DATABASE_URL: string): Promise<string> {
  const { code, stderr } = await command(['migrate'], { DATABASE_URL });
  assert.deepEqual([code, stderr], [0, '']);
  return DATABASE_URL;
}

/** That nothing starts, and doctor says why, in the same words. @returns what is to be done about it */
async function assertUnfit(
  DATABASE_URL: string,
  says: RegExp,
  commands = [['serve'], ['migrate'], ['dealer', 'list']],
) {
  for (const args of commands) {
    const { code, stdout, stderr } = await command(args, envOf(DATABASE_URL));
    assert.deepEqual([code, stdout], [2, ''], stderr);
    assert.match(stderr, /^telle: DATABASE_URL is "[^\n]*", which [^\n]*\n$/);
    assert.match(stderr, says);
  }
  const { code, stdout } = await command(['doctor'], envOf(DATABASE_URL));
  assert.equal(code, 1, stdout);
  const [, found = '', advice = ''] = /^✗ database +(.*)\n +→ (.*)$/m.exec(stdout) ?? assert.fail(stdout);
  assert.match(found, says);
  return advice;
}

const NEWER = /has tables of a later version, by a migration up to 2099-01-01/;
const LATER = `insert into TABLE (hash, created_at) values ('later', ${Date.UTC(2099, 0, 1)})`;

describe('a database of a later version', { timeout: 60_000 }, () => {
  it('is refused on SQLite', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'telle.db');
      await migrated(`sqlite:${file}`);
      const client = new Database(file);
      client.exec(LATER.replace('TABLE', '__drizzle_migrations'));
      client.close();
      assert.match(await assertUnfit(`sqlite:${file}`, NEWER), /run that version, or restore a back-up/);
    }));

  it('is refused on Postgres', async () => {
    const url = await migrated(await makeDatabase(postgres));
    await sqlOn(url, LATER.replace('TABLE', 'drizzle.__drizzle_migrations'));
    assert.match(await assertUnfit(url, NEWER), /run that version, or restore a back-up/);
  });
});

describe('a damaged file', () => {
  it('is told of by doctor', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'telle.db');
      await migrated(`sqlite:${file}`);
      assert.equal((await command(['doctor'], envOf(`sqlite:${file}`))).code, 0);
      for (const [page, says] of [
        [pageOf(file, 'events'), / is damaged: .*\n +→ restore a back-up/],
        [1, /file is not a database: restore a back-up/],
      ] as const) {
        const handle = await open(file, 'r+');
        await handle.write(Buffer.alloc(PAGE, 0x5a), 0, undefined, (page - 1) * PAGE);
        await handle.close();
        const { code, stdout } = await command(['doctor'], envOf(`sqlite:${file}`));
        assert.equal(code, 1, stdout);
        assert.match(stdout, new RegExp(`^✗ database +sqlite:\\S+.*${says.source}`, 'm'));
      }
    }));
});

/** The first page of a table, counted from 1. */
function pageOf(file: string, table: string): number {
  const client = new Database(file, { readonly: true });
  const page = client.prepare<[string], number>('select rootpage from sqlite_master where name = ?').pluck().get(table);
  client.close();
  return page ?? assert.fail(`no ${table}`);
}

describe('a Postgres', { timeout: 120_000 }, () => {
  it('is refused whose encoding lacks characters', async () => {
    const url = new URL(await makeDatabase(postgres));
    url.pathname += '_latin1';
    const name = url.pathname.slice(1);
    await sqlOn(postgres, `create database ${name} encoding 'LATIN1' template template0 lc_collate 'C' lc_ctype 'C'`);
    const advice = await assertUnfit(url.href, /has the encoding LATIN1, which lacks characters/);
    assert.match(advice, /createdb --encoding UTF8/);
  });

  it('is served by a role that may make nothing, once another has migrated, and it is granted what doctor says', async () => {
    const url = await makeDatabase(postgres);
    const role = `serves_${new URL(url).pathname.slice(1)}`;
    await sqlOn(url, `create role ${role} login`, 'revoke create on schema public from public');
    const as = url.replace('telle@', `${role}@`);
    const advice = await assertUnfit(
      as,
      new RegExp(`needs \\d+ migrations, .* ${role} lacks CREATE on DATABASE telle_`, 'i'),
    );
    assert.match(
      advice,
      /GRANT CREATE ON DATABASE \S+ TO \S+; GRANT CREATE ON SCHEMA public TO \S+, or run telle migrate/,
    );
    await migrated(url);
    const lacks =
      /cannot be used: the role \S+ lacks SELECT on drizzle\.__drizzle_migrations, and DELETE, INSERT, SELECT/;
    const grants = await assertUnfit(as, lacks);
    await sqlOn(url, grants.replace(', as the owner of the tables', ''));
    const { code, stdout } = await command(['doctor'], envOf(as));
    assert.equal(code, 0, stdout);
    const server = await startProcess({ env: { ...envOf(as), LOG_LEVEL: 'silent' }, patience: 60_000 });
    assert.equal((await fetch(`${server.http}/ready`)).status, 200);
    await server.kill();
    await sqlOn(
      url,
      `revoke insert on all tables in schema public from ${role}`,
      `revoke delete on events from ${role}`,
    );
    await assertUnfit(as, /lacks DELETE, INSERT on public\.\w+ and \d+ more/);
  });
});
