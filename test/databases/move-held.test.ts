/** `telle move`: whoever writes while a database is moved is seen, or refused; and what it takes the place of is nobody else's. */
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { MOVED } from '../../drizzle/moved.ts';
import { openSource, openStore, openTarget } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import type { Held } from '../../src/store/moving.ts';
import { command } from '../support/command.ts';
import { makeDatabase, withClient } from '../support/postgres.ts';
import { eventRow, groupRow, write } from '../support/rows.ts';
import { DEALER, inFolder } from '../support/server.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

const move = (from: string, to: string) => command(['move', '--to', to], { DATABASE_URL: from });

const storeOf = (url: string) => openStore(readSettings({ DATABASE_URL: url }));

const tableOf = (name: string) => MOVED.find((table) => table.name === name) ?? assert.fail(`no table ${name}`);

/** A database with its tables, and a dealer. @returns its URL */
async function withDealer(url: string): Promise<string> {
  const store = storeOf(url);
  await store.migrate();
  await store.putDealer(DEALER, {});
  await store.close();
  return url;
}

const putDealer = async (url: string): Promise<void> => {
  const store = storeOf(url);
  await store.putDealer('late', {}).finally(() => store.close());
};

/** Numbers of rows of the pages in which a table is read. */
async function pagesOf(held: Held, name: string): Promise<number[]> {
  const pages: number[] = [];
  for await (const page of held.rows(tableOf(name))) pages.push(page.length);
  return pages;
}

describe('a database that is moved', { timeout: 120_000 }, () => {
  it('is moved with what a node of a Postgres stored until it ended, and a command that writes meanwhile is refused', async () => {
    const url = await withDealer(await makeDatabase(postgres));
    const node = storeOf(url);
    await node.beat('n1');
    const opening = openSource(readSettings({ DATABASE_URL: url }));
    await sleep(1500); // it watches for a sign of life
    await write(node, { groups: { [`${DEALER}/g1`]: groupRow({ lastSeq: 1 }) }, events: [eventRow(DEALER, 'g1', 1)] });
    await node.close();
    const source = await opening;
    try {
      for (const name of ['groups', 'events']) assert.equal(await source.count(tableOf(name)), 1, name);
      await assert.rejects(putDealer(url));
      await source.assertUnserved();
    } finally {
      await source.close();
    }
    await putDealer(url);
  });

  it('is not waited for without end where somebody writes to a Postgres: 2, and what to do', async () => {
    const [url, to] = [await withDealer(await makeDatabase(postgres)), await makeDatabase(postgres)];
    await withClient(url, async (client) => {
      await client.query("begin; update dealers set name = 'held'");
      const { code, stderr } = await move(url, to);
      assert.equal(code, 2);
      assert.match(
        stderr,
        /which cannot be moved: somebody writes to it, and has not ended in 6 s: end the transactions that select pid, query from pg_stat_activity shows\n$/,
      );
      await client.query('rollback');
    });
    assert.equal((await move(url, to)).code, 0);
  });

  it('is not written by a command where it is a file', () =>
    inFolder(async (folder) => {
      const url = await withDealer(`sqlite:${join(folder, 'telle.db')}`);
      const source = await openSource(readSettings({ DATABASE_URL: url }));
      try {
        await assert.rejects(putDealer(url), /locked/);
        assert.equal(await source.count(tableOf('dealers')), 1);
      } finally {
        await source.close();
      }
      await putDealer(url);
    }));

  for (const kind of ['Postgres', 'SQLite'])
    it(`is read in pages that are bounded in bytes, on ${kind}`, () =>
      inFolder(async (folder) => {
        const MiB = 1024 ** 2;
        const url = await withDealer(
          kind === 'SQLite' ? `sqlite:${join(folder, 'telle.db')}` : await makeDatabase(postgres),
        );
        const store = storeOf(url);
        const sizes = [1.5 * MiB, 1.5 * MiB, 1.5 * MiB, 5 * MiB, 10, 10, MiB];
        const events = sizes.map((size, index) =>
          eventRow(DEALER, 'g1', index + 1, { payload: `"${'é'.repeat(size / 2)}"` }),
        );
        await write(store, { groups: { [`${DEALER}/g1`]: groupRow({ lastSeq: sizes.length }) }, events });
        await store.close();
        const source = await openSource(readSettings({ DATABASE_URL: url }));
        try {
          assert.deepEqual(await pagesOf(source, 'events'), [2, 1, 1, 3]);
        } finally {
          await source.close();
        }
      }));
});

describe('the place that a database is moved to', { timeout: 120_000 }, () => {
  it('is not another program’s file', () =>
    inFolder(async (folder) => {
      const url = await withDealer(`sqlite:${join(folder, 'telle.db')}`);
      const orders = join(folder, 'orders.db');
      const client = new Sqlite(orders);
      client.exec("create table orders (what text); insert into orders values ('precious')");
      const { code, stderr } = await move(url, `sqlite:${orders}`);
      assert.equal(code, 2);
      assert.match(stderr, /^telle: --to is "sqlite:\S+", which is no database of Telle's: name one that is new\n$/);
      client.close();
      const left = new Sqlite(orders, { readonly: true });
      assert.equal(left.prepare('select what from orders').pluck().get(), 'precious');
      left.close();
      assert.ok(!readdirSync(folder).some((name) => name.includes('.moving')));
    }));

  it('is not the DATABASE_URL by another name', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'telle.db');
      const url = await withDealer(`sqlite:${file}`);
      symlinkSync(file, join(folder, 'link.db'));
      const linked = await move(url, `sqlite:${join(folder, 'link.db')}`);
      assert.deepEqual([linked.code, linked.stderr], [2, 'telle: --to is the DATABASE_URL: name another\n']);
      const one = await withDealer(await makeDatabase(postgres));
      const again = await move(one, `${one}${one.includes('?') ? '&' : '?'}application_name=other`);
      assert.equal(again.code, 2);
      assert.match(
        again.stderr,
        /^telle: --to is "postgres:\S+", which cannot be moved to: it is being migrated, or moved, by somebody else, or is the DATABASE_URL itself: try again\n$/,
      );
    }));

  if (process.getuid?.() === 0)
    it('belongs, where root moves, to whom its folder or the file there belongs', () =>
      inFolder(async (folder) => {
        const url = await withDealer(`sqlite:${join(folder, 'telle.db')}`);
        const [own, mixed] = [join(folder, 'own'), join(folder, 'mixed')];
        for (const each of [own, mixed]) mkdirSync(each);
        const owner = 65_534;
        chownSync(own, owner, owner);
        const there = storeOf(`sqlite:${join(mixed, 'telle.db')}`);
        await there.migrate().finally(() => there.close());
        chownSync(join(mixed, 'telle.db'), owner, owner);
        for (const each of [own, mixed]) {
          assert.equal((await move(url, `sqlite:${join(each, 'telle.db')}`)).code, 0);
          for (const name of readdirSync(each)) {
            const { uid, mode } = statSync(join(each, name));
            assert.deepEqual([name, uid, mode & 0o777], [name, owner, 0o600]);
          }
        }
      }));

  it('is, on Postgres, as empty as it was where it could not be given the epoch', async () => {
    const url = await makeDatabase(postgres);
    const target = await openTarget(readSettings({ DATABASE_URL: url }));
    try {
      await assert.rejects(
        target.keep('no text \0', () => {}),
        /invalid byte sequence/,
      );
    } finally {
      await target.close();
    }
    await withClient(url, async (client) => {
      const { rows } = await client.query("select to_regclass('events') as name");
      assert.equal(rows[0].name, null);
    });
  });

  it('is, on Postgres, as empty as it was where what is read there is not what was written', async () => {
    const [from, url] = [await withDealer(await makeDatabase(postgres)), await makeDatabase(postgres)];
    const store = storeOf(url);
    await store.migrate().finally(() => store.close());
    await withClient(url, async (client) => {
      await client.query(`create function renames() returns trigger language plpgsql as $$ begin
          new.name := 'another';
          return new;
        end $$; create trigger renames before insert on dealers for each row execute function renames()`);
      const { code, stdout, stderr } = await move(from, url);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /^telle: dealers is not the same there: .* were written, .* were read\n$/);
      const { rows } = await client.query('select from dealers');
      assert.equal(rows.length, 0);
    });
  });

  it('may have been emptied of another log, on Postgres, whose epoch it had', async () => {
    const [one, other] = [
      await withDealer(await makeDatabase(postgres)),
      await withDealer(await makeDatabase(postgres)),
    ];
    const url = await makeDatabase(postgres);
    assert.equal((await move(one, url)).code, 0);
    await withClient(url, (client) => client.query('truncate dealers'));
    assert.deepEqual((await move(other, url)).stderr, '');
    const [target, source] = [storeOf(url), storeOf(other)];
    assert.equal(await target.epoch(), await source.epoch());
    await Promise.all([target.close(), source.close()]);
  });

  it('is kept, on Postgres, with a warning where it cannot be analyzed', async () => {
    const [from, url] = [await withDealer(await makeDatabase(postgres)), await makeDatabase(postgres)];
    const store = storeOf(url);
    await store.migrate();
    await withClient(url, (client) =>
      client.query(`create function fails(id text) returns text immutable language plpgsql as $$ begin
          if current_query() ~ '^analyze' then raise 'no'; end if;
          return id;
        end $$; create index on dealers (fails(dealer_id))`),
    );
    const { code, stderr } = await move(from, url);
    assert.equal(code, 0);
    assert.equal(
      stderr,
      'telle: warning: all was copied, but the tables there could not be analyzed: run ANALYZE there\n',
    );
    const source = storeOf(from);
    assert.equal(await store.epoch(), await source.epoch());
    await Promise.all([store.close(), source.close()]);
  });
});
