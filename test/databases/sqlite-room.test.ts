/** The embedded database's room: a disk that is full, and a write-ahead log that a reader keeps from being carried over. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { LogSink } from '../support/log.ts';
import { DEALER, inFolder, startServer } from '../support/server.ts';
import { onSmallDisk } from '../support/small-disk.ts';
import { until } from '../support/until.ts';

const MIB = 1024 * 1024;
const say = (message: string) => ({ type: 'UPDATE_MSG', message });

/** Writes so many MiB into the log, as much traffic does. */
function write(file: string, mib: number): void {
  const writer = new Database(file);
  writer.exec('create table if not exists ballast (bytes blob)');
  const insert = writer.prepare('insert into ballast values (zeroblob(?))');
  writer.transaction(() => {
    for (let index = 0; index < mib; index += 1) insert.run(MIB);
  })();
  writer.close();
}

describe('a disk that is full', () => {
  it('is told by /ready with 503; and once there is room it is 200 again', () =>
    onSmallDisk(async ({ folder, fill, free }) => {
      const server = await startServer({ settings: { DATABASE_URL: `sqlite:${join(folder, 'telle.db')}` } });
      const ready = async () => (await server.http('GET', '/ready')).status;
      try {
        const customer = await server.customer('g1');
        assert.equal(await ready(), 200);
        fill();
        await until('it is told', async () => (await ready()) === 503);
        const { body } = await server.http('GET', '/ready');
        assert.equal(body.detail, 'the database does not answer, or cannot be written to');
        assert.equal((await customer.ask('customer_message', say('x'.repeat(4000)))).code, 'unavailable');
        free();
        const freed = performance.now();
        await until('it is seen', async () => (await ready()) === 200);
        assert.ok(performance.now() - freed < 2_000, `after ${performance.now() - freed} ms`);
        assert.equal((await customer.ask('customer_message', say('one'))).seq, 1);
      } finally {
        await server.close();
      }
    }));
});

describe('a load balancer that never stops asking', () => {
  it('has the database written to once a second, and every question answered', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'telle.db');
      const server = await startServer({ settings: { DATABASE_URL: `sqlite:${file}` } });
      const reader = new Database(file, { readonly: true });
      try {
        let version = reader.pragma('data_version', { simple: true });
        let commits = 0;
        const from = performance.now();
        for (let asked = 0; asked < 200; asked += 1) {
          assert.equal((await server.http('GET', '/ready')).status, 200);
          const now = reader.pragma('data_version', { simple: true });
          if (now !== version) commits += 1;
          version = now;
        }
        const seconds = (performance.now() - from) / 1000;
        // The node says that it lives by itself, which may fall in between.
        assert.ok(commits >= 1 && commits <= 3 + 2 * seconds, `${commits} commits in ${seconds} s`);
      } finally {
        reader.close();
        await server.close();
      }
    }));
});

describe('a reader that stays', () => {
  it('has the write-ahead log grow, which is told with what to do; once it has gone the file shrinks', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'telle.db');
      const log = new LogSink();
      const server = await startServer({
        settings: { DATABASE_URL: `sqlite:${file}`, RATE_LIMIT: 'off' },
        timing: { walInterval: 20 },
        logTo: log,
      });
      const reader = new Database(file, { readonly: true });
      const size = () => statSync(`${file}-wal`).size;
      const told = () => log.records().filter(({ msg }) => String(msg).includes('write-ahead log'));
      try {
        reader.exec('begin');
        reader.prepare('select count(*) from dealers').get();
        write(file, 100);
        const customer = await server.customer('g1');
        await customer.ask('customer_message', say('one'));
        assert.deepEqual(told(), []);
        write(file, 170);
        await until('it is told', async () => told().length > 0);
        const [line] = told();
        assert.match(
          String(line?.msg),
          /^the write-ahead log has 2\d\d MiB and grows: another program reads from the database and does not end \(a shell, telle export, telle backup\): end it$/,
        );
        assert.equal(line?.level, 40);
        const { body } = await server.http('GET', '/metrics');
        assert.match(String(body), new RegExp(`^telle_sqlite_wal_bytes ${size()}$`, 'm'));
        reader.close();
        await until('it is carried over', async () => {
          await customer.ask('customer_message', say('more'));
          return size() <= 64 * MIB;
        });
        assert.equal(told().length, 1, 'once, and not at every look');
        assert.equal(
          (await server.http('GET', `/v1/dealers/${DEALER}/groups`, { token: server.token('admin', 'a1') })).status,
          200,
        );
      } finally {
        reader.close();
        await server.close();
      }
    }));
});
