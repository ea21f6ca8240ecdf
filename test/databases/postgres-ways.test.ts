/** What a Postgres URL may say of encryption and of several hosts, as libpq understands it; and what each connection is told. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { openPool, withPatientClient } from '../../src/store/postgres/pool.ts';
import { makeAuthority } from '../support/certificates.ts';
import { command } from '../support/command.ts';
import { freePort } from '../support/port.ts';
import { makeDatabase, type PostgresServer, startPostgres } from '../support/postgres.ts';
import { telle } from '../support/process.ts';

const plain = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

const poolOf = (url: string) => openPool('readers', { url, connections: 12, onError: () => {} });

/** Asks one question over a pool of its own. */
async function asked<T>(url: string, query: string): Promise<T> {
  const pool = poolOf(url);
  try {
    const { rows } = await pool.query<{ answer: T }>(query);
    return rows[0]?.answer ?? assert.fail('no row');
  } finally {
    await pool.end();
  }
}

const isEncrypted = (url: string) =>
  asked<boolean>(url, 'select ssl as answer from pg_stat_ssl where pid = pg_backend_pid()');

/** `trust` for all, and one who comes in by TLS alone. */
const HBA = 'hostnossl all tls_only all reject\nhost all all all trust\nlocal all all trust\n';

describe('a Postgres URL', { timeout: 120_000 }, () => {
  let secure: PostgresServer;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'telle-ways-'));
    const [authority, stranger] = [makeAuthority(), makeAuthority('another authority')];
    const { cert, key } = authority.sign('localhost');
    await writeFile(join(folder, 'ca.crt'), authority.cert);
    await writeFile(join(folder, 'stranger.crt'), stranger.cert);
    const files = { 'server.crt': cert, 'server.key': key, 'pg_hba.conf': HBA };
    secure = await startPostgres({ settings: ['ssl=on'], files });
    const client = new pg.Client({ connectionString: secure.url });
    await client.connect();
    await client.query('create role tls_only login');
    await client.end();
  });
  after(async () => {
    await secure.stop();
    await rm(folder, { recursive: true });
  });

  /** The server with a certificate for localhost, by either of its names; `CA` and `OTHER` are files. */
  const at = (host: string, query: string) =>
    `${secure.url.replace('127.0.0.1', host)}${query === '' ? '' : `?${query}`}`
      .replace('CA', join(folder, 'ca.crt'))
      .replace('OTHER', join(folder, 'stranger.crt'));

  const CASES: readonly (readonly [host: string, query: string, encrypted: boolean | RegExp])[] = [
    ['127.0.0.1', '', false],
    ['127.0.0.1', 'sslmode=disable', false],
    ['127.0.0.1', 'sslmode=allow', false],
    ['127.0.0.1', 'sslmode=prefer', true],
    ['127.0.0.1', 'sslmode=require', true],
    ['127.0.0.1', 'sslmode=no-verify', true],
    ['127.0.0.1', 'ssl=true', /certificate|issuer/],
    ['127.0.0.1', 'sslrootcert=CA', /127\.0\.0\.1 is not in the cert's list/],
    ['localhost', 'sslrootcert=CA', true],
    ['127.0.0.1', 'sslmode=require&sslrootcert=CA', true],
    ['127.0.0.1', 'sslmode=require&sslrootcert=OTHER', /certificate|issuer/],
    ['127.0.0.1', 'sslmode=verify-ca&sslrootcert=CA', true],
    ['127.0.0.1', 'sslmode=verify-ca&sslrootcert=OTHER', /certificate|issuer/],
    ['127.0.0.1', 'sslmode=verify-ca', /certificate|issuer/],
    ['127.0.0.1', 'sslmode=verify-full&sslrootcert=CA', /127\.0\.0\.1 is not in the cert's list/],
    ['localhost', 'sslmode=verify-full&sslrootcert=CA', true],
    ['localhost', 'sslmode=verify-full&sslrootcert=system', /certificate|issuer/],
  ];

  for (const [host, query, encrypted] of CASES) {
    it(`means what libpq means by it: ${host}/?${query}`, async () => {
      if (encrypted instanceof RegExp) await assert.rejects(isEncrypted(at(host, query)), encrypted);
      else assert.equal(await isEncrypted(at(host, query)), encrypted);
    });
  }

  it('goes on without TLS where the server has none, if it may', async () => {
    for (const mode of ['allow', 'prefer']) assert.equal(await isEncrypted(`${plain}?sslmode=${mode}`), false);
    await assert.rejects(isEncrypted(`${plain}?sslmode=require`), /does not support SSL/);
  });

  it('tries TLS where it may and without it is not let in, and else says what to add', async () => {
    const url = at('127.0.0.1', '').replace('telle@', 'tls_only@');
    assert.equal(await isEncrypted(`${url}?sslmode=allow`), true);
    await assert.rejects(isEncrypted(url), (error: Error) => {
      assert.match(error.message, /does not let this user in.*add \?sslmode=require/);
      assert.doesNotMatch(error.message, /tls_only/);
      return true;
    });
  });

  it('never has the driver warn', async () => {
    const { code, stderr } = await telle(['migrate', '--database-url', at('127.0.0.1', 'sslmode=require')], {
      patience: 60_000,
    });
    assert.deepEqual([code, stderr], [0, '']);
  });

  it('is refused in a sentence where it asks for what there is not', async () => {
    for (const [query, says] of [
      [
        'sslmode=on',
        /its sslmode is "on", and must be one of disable, allow, prefer, require, no-verify, verify-ca, ver/,
      ],
      ['sslmode=constructor', /its sslmode is "constructor", and must be/],
      ['sslmode=verify-ca&sslrootcert=/nowhere', /its sslrootcert cannot be read: ENOENT/],
      [
        'target_session_attrs=read-only',
        /its target_session_attrs is "read-only", and must be one of any, read-write, pr/,
      ],
    ] as const) {
      const { code, stdout, stderr } = await command(['migrate'], { DATABASE_URL: at('h', query) });
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /^telle: DATABASE_URL is "postgres:.*", which cannot be opened: .*\n$/);
      assert.match(stderr, says);
    }
  });
});

describe('a Postgres URL with several hosts', { timeout: 120_000 }, () => {
  const PORT = 'select inet_server_port() as answer';
  let standby: PostgresServer;
  let writable: PostgresServer;
  before(async () => {
    [standby, writable] = await Promise.all([startPostgres({ files: { 'standby.signal': '' } }), startPostgres()]);
  });
  after(() => Promise.all([standby.stop(), writable.stop()]));

  const portOf = ({ url }: PostgresServer) => Number(new URL(url).port);
  const of = (ports: readonly number[], query = '') =>
    `postgres://telle@${ports.map((port) => `127.0.0.1:${port}`).join(',')}/postgres${query}`;

  it('leads to the first that answers', async () => {
    assert.equal(await asked(of([await freePort(), portOf(writable)]), PORT), portOf(writable));
    const away = [await freePort(), await freePort()];
    await assert.rejects(asked(of(away), PORT), (error: Error) => {
      assert.match(
        error.message,
        new RegExp(away.map((port) => `127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`).join('.*; ')),
      );
      return true;
    });
  });

  it('leads to the one that can be written to, or to any where it says so', async () => {
    const both = [portOf(standby), portOf(writable)];
    for (const query of ['', '?target_session_attrs=read-write', '?target_session_attrs=primary']) {
      assert.equal(await asked(of(both, query), PORT), portOf(writable), query);
    }
    assert.equal(await asked(of(both, '?target_session_attrs=any'), PORT), portOf(standby));
    await assert.rejects(asked(of(both.slice(0, 1), '?target_session_attrs=primary'), PORT), /it is a standby/);
  });

  it('leads elsewhere when the one that it led to has gone, and many ask at once', async () => {
    const other = await startPostgres();
    const pool = poolOf(of([portOf(other), portOf(standby), portOf(writable)]));
    try {
      assert.equal((await pool.query(PORT)).rows[0]?.answer, portOf(other));
      await other.halt();
      await pool.query(PORT).catch(() => {}); // a connection that was there may break while it is asked
      const answers = await Promise.all(Array.from({ length: 30 }, () => pool.query(PORT)));
      assert.deepEqual([...new Set(answers.map(({ rows }) => rows[0]?.answer))], [portOf(writable)]);
    } finally {
      await pool.end();
      await other.stop();
    }
  });
});

describe('each connection to Postgres', { timeout: 60_000 }, () => {
  const shown = (url: string, name: string) => asked(url, `select current_setting('${name}') as answer`);

  it('is told when to give up, unless somebody has set it', async () => {
    assert.equal(await shown(plain, 'idle_in_transaction_session_timeout'), '5s');
    assert.equal(await shown(plain, 'lock_timeout'), '3s');
    assert.equal(await shown(plain, 'statement_timeout'), '4s');
    assert.equal(await shown(plain, 'client_connection_check_interval'), '2s');
    assert.equal(await shown(plain, 'tcp_keepalives_idle'), '10');
    assert.equal(await shown(plain, 'tcp_user_timeout'), '20000');
    assert.equal(await shown(`${plain}?lock_timeout=1234`, 'lock_timeout'), '1234ms');
    assert.equal(await shown(`${plain}?options=-c%20lock_timeout%3D1235`, 'lock_timeout'), '1235ms');
  });

  it('has its locks for seconds only, when it stops within a transaction; who is patient waits for them', async () => {
    const pool = poolOf(await makeDatabase(plain));
    try {
      await pool.query('create table locked ()');
      const stopped = await pool.connect();
      const ended = new Promise((resolve) => stopped.once('error', resolve));
      await stopped.query('begin');
      await stopped.query('lock table locked');
      await assert.rejects(pool.query('select from locked'), { code: '55P03' });
      await withPatientClient(pool, (client) => client.query('select from locked'));
      await ended;
      stopped.release(true);
    } finally {
      await pool.end();
    }
  });
});
