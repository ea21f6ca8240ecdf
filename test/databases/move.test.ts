/** `telle move`: all of a database in another, in both directions, while nobody serves either. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Sqlite from 'better-sqlite3';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { command } from '../support/command.ts';
import { day } from '../support/day.ts';
import { erase, fill } from '../support/lists.ts';
import { makeDatabase, withClient } from '../support/postgres.ts';
import { eventRow, groupRow, write } from '../support/rows.ts';
import { DEALER, inFolder, SECRET, startServer, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

type Row = Readonly<Record<string, unknown>>;

/** Columns that are a file's own: where events lie in it, and what it makes of others. */
const OWN = /position$|^previous$|logged$|^updated_minute$/;
/** Tables about a database itself. */
const ITSELF = /^(epochs|__drizzle_migrations|sqlite_.*)$/;

/** A value, whichever of the two databases it is read from. */
function plain(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

const textOf = (row: Row): string =>
  JSON.stringify(
    Object.entries(row)
      .filter(([column]) => !OWN.test(column))
      .map(([column, value]) => [column, plain(value)])
      .toSorted(([one], [other]) => (String(one) < String(other) ? -1 : 1)),
  );

/** Every row of every table, past the program. */
async function tablesOf(url: string): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  const keep = (table: string, rows: readonly Row[]) => {
    if (!ITSELF.test(table)) found[table] = rows.map(textOf).toSorted();
  };
  if (url.startsWith('sqlite:')) {
    const client = new Sqlite(url.slice('sqlite:'.length), { readonly: true });
    const names = client.prepare<[], string>("select name from sqlite_master where type = 'table'").pluck().all();
    for (const name of names) keep(name, client.prepare<[], Row>(`select * from "${name}"`).all());
    client.close();
  } else {
    await withClient(url, async (client) => {
      const { rows: names } = await client.query("select tablename from pg_tables where schemaname = 'public'");
      for (const { tablename } of names) keep(tablename, (await client.query(`select * from "${tablename}"`)).rows);
    });
  }
  return found;
}

/** What an export says. It is noted in the audit: tables are compared before. */
const exported = async (url: string, file: string): Promise<string> => {
  const { code } = await command(['export', '--dealer', DEALER, '--output', file], { DATABASE_URL: url });
  assert.equal(code, 0);
  return readFileSync(file, 'utf8');
};

const move = (from: string, to: string) => command(['move', '--to', to], { DATABASE_URL: from });

const TIMING = { nodeInterval: 50, nodeSilence: 300 };

/** A SQLite file that has had such a day. */
async function withDay(use: (url: string, folder: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const url = `sqlite:${join(folder, 'telle.db')}`;
    await withServer({ settings: { DATABASE_URL: url } }, day);
    await use(url, folder);
  });
}

describe('telle move', { timeout: 180_000 }, () => {
  it('takes a day from SQLite to Postgres, from there to another, and back: the same rows, and the same export', () =>
    withDay(async (sqlite, folder) => {
      const [one, two] = [await makeDatabase(postgres), await makeDatabase(postgres)];
      const [back, copy] = [`sqlite:${join(folder, 'new', 'back.db')}`, `sqlite:${join(folder, 'copy.db')}`];
      const before = await tablesOf(sqlite);
      for (const [table, rows] of Object.entries(before))
        assert.ok(rows.length > 0 || table === 'erasing', `nothing of ${table} is moved`);
      for (const [from, to] of [
        [sqlite, one],
        [one, two],
        [two, back],
        [back, copy],
      ] as const) {
        const { code, stdout, stderr } = await move(from, to);
        assert.deepEqual([code, stderr], [0, '']);
        assert.match(stdout, /^Copied all of (\S+) to \S+; \1 is unchanged\. Rows and checksums, equal in both:\n/);
        assert.match(stdout, new RegExp(`\\n {2}events +${before.events?.length} {2}[0-9a-f]{64}\\n`));
        assert.match(stdout, /Now set DATABASE_URL to it/);
        assert.deepEqual(await tablesOf(to), await tablesOf(from));
      }
      assert.deepEqual(await tablesOf(sqlite), before);
      assert.deepEqual(await tablesOf(copy), before);
      const file = join(folder, 'export.ndjson');
      const text = await exported(sqlite, file);
      assert.match(text, /"kind":"end"/);
      for (const url of [one, two, back, copy]) assert.equal(await exported(url, file), text);
      assert.equal(statSync(join(folder, 'copy.db')).mode & 0o777, 0o600);
    }));

  for (const kind of ['Postgres', 'SQLite']) {
    it(`leaves a log on ${kind} that goes on: the next seq, what was missed, who was erased, and who was cut off`, () =>
      inFolder(async (folder) => {
        const files = [join(folder, 'one.db'), join(folder, 'two.db')].map((file) => `sqlite:${file}`);
        const [from = '', to = ''] =
          kind === 'SQLite' ? [await makeDatabase(postgres), files[1]] : [files[0], await makeDatabase(postgres)];
        const first = await startServer({ settings: { DATABASE_URL: from }, timing: TIMING });
        const customer = await first.customer('g1');
        const { epoch, token } = customer.session;
        for (const message of ['one', 'two', 'three'])
          await customer.ask('customer_message', { type: 'UPDATE_MSG', message }, message);
        await first.customer('cut-off');
        await fill(first, ['erased']);
        await erase(first, ['erased']);
        await first.close();
        assert.equal((await move(from, to)).code, 0);
        const second = await startServer({ settings: { DATABASE_URL: to }, timing: TIMING });
        try {
          const back = await second.customer('g1', { token, since: { g1: 1 }, epoch });
          assert.equal(back.session.epoch, epoch);
          assert.deepEqual(back.session.recovered, { g1: true });
          for (const message of ['two', 'three'])
            assert.equal((await back.next('CHAT_MESSAGE')).payload.message, message);
          const repeated = await back.ask('customer_message', { type: 'UPDATE_MSG', message: 'three' }, 'three');
          assert.deepEqual([repeated.seq, repeated.duplicate], [3, true]);
          const next = await back.ask('customer_message', { type: 'UPDATE_MSG', message: 'four' });
          assert.equal(next.seq, 4);
          const body = { type: 'UPDATE_MSG', groupId: 'erased', user: 'customer', message: 'again' };
          const { body: again } = await second.http('POST', '/v1/events', {
            token: second.token('server', 'crm'),
            body,
          });
          assert.equal(again.results[0].seq, 2, 'a name that was erased counts on');
          // It may be told before anybody is here.
          await until('cut-off is gone', async () => {
            const told = await second.store.events(DEALER, '@desk', { limit: 500 });
            return told.some(({ groupId, payload }) => groupId === 'cut-off' && JSON.parse(payload).online === false);
          });
        } finally {
          await second.close();
        }
      }));
  }

  it('keeps the epoch as long as the log there is the same, and no longer', () =>
    withDay(async (sqlite, folder) => {
      const epochIn = async (url: string) => {
        const store = openStore(readSettings({ DATABASE_URL: url }));
        return store.epoch().finally(() => store.close());
      };
      const [one, back] = [await makeDatabase(postgres), `sqlite:${join(folder, 'back.db')}`];
      await move(sqlite, one);
      await move(one, back);
      for (const url of [one, back]) assert.equal(await epochIn(url), await epochIn(sqlite));
      const saved = join(folder, 'saved.db');
      await command(['backup', saved], { DATABASE_URL: back });
      assert.equal((await command(['restore', saved], { DATABASE_URL: back })).code, 0);
      assert.notEqual(await epochIn(back), await epochIn(sqlite));
      await withClient(one, (client) =>
        client.query('alter table events rename to old; create table events (like old including all)'),
      );
      assert.notEqual(await epochIn(one), await epochIn(sqlite));
    }));

  it('is refused while somebody serves either, with 2, and changes nothing', () =>
    withDay(async (sqlite, folder) => {
      const [one, file] = [await makeDatabase(postgres), join(folder, 'other.db')];
      assert.equal((await move(sqlite, one)).code, 0);
      const server = await startServer({ settings: { DATABASE_URL: one } });
      const held = openStore(readSettings({ DATABASE_URL: sqlite }), { alone: true });
      const empty = openStore(readSettings({ DATABASE_URL: `sqlite:${file}` }), { alone: true });
      try {
        for (const [from, to, sentence] of [
          [
            sqlite,
            `sqlite:${join(folder, 'new.db')}`,
            /^telle: DATABASE_URL is "sqlite:\S+", which cannot be moved: another telle serves \S+: end it first\n$/,
          ],
          [
            one,
            `sqlite:${join(folder, 'new.db')}`,
            /^telle: DATABASE_URL is "postgres:\S+", which cannot be moved: a server serves it: end it first\n$/,
          ],
          [one, `sqlite:${file}`, /^telle: (DATABASE_URL|--to) is/],
        ] as const) {
          const { code, stdout, stderr } = await move(from, to);
          assert.deepEqual([code, stdout], [2, '']);
          assert.match(stderr, sentence);
        }
        assert.ok(!existsSync(join(folder, 'new.db')));
      } finally {
        await Promise.all([server.close(), held.close(), empty.close()]);
      }
    }));

  it('is refused where the target is served, holds something, or is none, with 2 and a way out', () =>
    withDay(async (sqlite, folder) => {
      const one = await makeDatabase(postgres);
      const text = join(folder, 'text.db');
      const served = openStore(readSettings({ DATABASE_URL: `sqlite:${join(folder, 'served.db')}` }), { alone: true });
      await move(sqlite, one);
      await withServer({ settings: { DATABASE_URL: `sqlite:${text}` } }, async () => {});
      for (const [to, sentence] of [
        [
          one,
          /^telle: --to is "postgres:\S+", which is not empty: its table dealers has rows: name one that is new\n$/,
        ],
        [`sqlite:${text}`, /^telle: --to is "sqlite:\S+text.db", which is not empty: its table dealers has rows/],
        [
          `sqlite:${join(folder, 'served.db')}`,
          /^telle: --to is "\S+", which cannot be moved to: another telle serves/,
        ],
        [sqlite, /^telle: --to is the DATABASE_URL: name another\n$/],
        ['sqlite::memory:', /^telle: --to is "sqlite::memory:", which would be gone at once: name a file\n$/],
        ['mysql://u:hunter2@h/d', /^telle: --to is not as it must be, and not shown/],
      ] as const) {
        const { code, stdout, stderr } = await move(sqlite, to);
        assert.deepEqual([code, stdout], [2, ''], stderr);
        assert.match(stderr, sentence);
        assert.doesNotMatch(stderr, /hunter2/);
      }
      await served.close();
      assert.equal((await command(['move'], { DATABASE_URL: sqlite })).code, 2);
    }));

  it('leaves nothing of itself where it fails on the way, and can be tried again', () =>
    withDay(async (sqlite, folder) => {
      const store = openStore(readSettings({ DATABASE_URL: sqlite }));
      const [one, file] = [await makeDatabase(postgres), join(folder, 'new.db')];
      // What no Postgres can hold: the last table but one fails.
      const client = new Sqlite(sqlite.slice('sqlite:'.length));
      client.prepare("insert into presences values ('d1', 'customer:' || char(0), 'n', 1)").run();
      const failed = await move(sqlite, one);
      assert.equal(failed.code, 1);
      assert.match(failed.stderr, /^telle: .*\n$/);
      assert.deepEqual(await tablesOf(one), {});
      client.prepare("delete from presences where node_id = 'n'").run();
      client.close();
      await store.close();
      for (const to of [one, `sqlite:${file}`]) assert.equal((await move(sqlite, to)).code, 0);
      assert.deepEqual(
        readdirSync(folder).filter((name) => name.startsWith('new.db')),
        ['new.db', 'new.db.lock'],
      );
    }));

  it('is refused where an erasure is not finished, until telle prune has done so', () =>
    inFolder(async (folder) => {
      const [url, to] = [`sqlite:${join(folder, 'telle.db')}`, `sqlite:${join(folder, 'new.db')}`];
      const store = openStore(readSettings({ DATABASE_URL: url }), { secrets: [SECRET] });
      await store.migrate();
      await store.putDealer(DEALER, {});
      const events = Array.from({ length: 1200 }, (_, index) => eventRow(DEALER, 'long', index + 1));
      await write(store, { groups: { [`${DEALER}/long`]: groupRow({ lastSeq: 1200 }) }, events });
      const erasure = {
        dealerId: DEALER,
        groupId: 'long',
        erasureId: 'e1',
        reason: 'request',
        by: 'cli',
        lastSeq: 1200,
      } as const;
      await write(store, { erasures: [erasure] });
      await store.close();
      const refused = await move(url, to);
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /which has erasures that are not finished: finish them with telle prune\n$/);
      await command(['prune'], { DATABASE_URL: url, AUTH_SECRET: SECRET });
      assert.equal((await move(url, to)).code, 0);
      assert.equal((await tablesOf(to)).events?.length, 0);
    }));
});
