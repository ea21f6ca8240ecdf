/** `telle restore`: a back-up in place of the embedded database, whatever was left of that. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { command } from '../support/command.ts';
import { makeOldFile } from '../support/old-database.ts';
import { inFolder } from '../support/server.ts';

interface House {
  readonly folder: string;
  readonly file: string;
  readonly env: { readonly DATABASE_URL: string };
}

/** A user that no test is. */
const NOBODY = 65_534;
const ENDS = ['', '-wal', '-shm'];

/** Opens the store of a house. */
const open = ({ env }: House, alone = false) => openStore(readSettings(env), { alone });

const dealersIn = async (DATABASE_URL: string): Promise<string[]> => {
  const store = openStore(readSettings({ DATABASE_URL }));
  const dealers = await store.dealers('', 10);
  await store.close();
  return dealers.map(({ dealerId }) => dealerId);
};

async function epochIn(DATABASE_URL: string): Promise<string> {
  const store = openStore(readSettings({ DATABASE_URL }));
  const epoch = await store.epoch();
  await store.close();
  return epoch;
}

/** A house whose database has a dealer `early`, a back-up of that, `copy.db`, and since then a dealer `late`. */
const inHouse = (use: (house: House & { readonly copy: string }) => Promise<void>): Promise<void> =>
  inFolder(async (folder) => {
    const file = join(folder, 'telle.db');
    const copy = join(folder, 'copy.db');
    const house = { folder, file, copy, env: { DATABASE_URL: `sqlite:${file}` } };
    const store = open(house);
    await store.migrate();
    await store.putDealer('early', {});
    await command(['backup', copy], house.env);
    await store.putDealer('late', {});
    await store.close();
    await use(house);
  });

/** The one file that was kept aside, with its other parts. */
const asideOf = ({ folder }: House): string[] => readdirSync(folder).filter((name) => name.includes('before'));

describe('telle restore', () => {
  it('puts a back-up in the database’s place, under another epoch, and keeps the one before, whole, aside', () =>
    inHouse(async (house) => {
      const { folder, file, copy, env } = house;
      const epoch = await epochIn(env.DATABASE_URL);
      const { code, stdout, stderr } = await command(['restore', copy], env);
      assert.deepEqual([code, stderr], [0, '']);
      const [aside = assert.fail('nothing is kept'), ...more] = asideOf(house);
      assert.deepEqual(more, []);
      assert.equal(
        stdout,
        `${file} now holds what ${copy} holds; what was there is kept as ${join(folder, aside)}: remove that once you are sure\n`,
      );
      assert.deepEqual(await dealersIn(env.DATABASE_URL), ['early']);
      assert.deepEqual(await dealersIn(`sqlite:${join(folder, aside)}`), ['early', 'late']);
      assert.deepEqual(await dealersIn(`sqlite:${copy}`), ['early'], 'the back-up stays as it is');
      assert.notEqual(await epochIn(env.DATABASE_URL), epoch);
      for (const each of [file, join(folder, aside)]) assert.equal(statSync(each).mode & 0o777, 0o600);
    }));

  it('does so where a server was killed: what its write-ahead log holds is the old one’s, and goes aside with it', () =>
    inHouse(async (house) => {
      const { folder, file, copy, env } = house;
      // As a kill leaves it: files copied while they are open.
      const store = open(house);
      await store.putDealer('unwritten', {});
      const killed = join(folder, 'killed.db');
      for (const end of ENDS) copyFileSync(`${file}${end}`, `${killed}${end}`);
      await store.close();
      for (const end of ENDS) if (existsSync(`${killed}${end}`)) copyFileSync(`${killed}${end}`, `${file}${end}`);
      assert.ok(existsSync(`${file}-wal`));
      assert.equal((await command(['restore', copy], env)).code, 0);
      assert.ok(!existsSync(`${file}-wal`));
      assert.deepEqual(await dealersIn(env.DATABASE_URL), ['early']);
      const [aside = ''] = asideOf(house);
      assert.deepEqual(await dealersIn(`sqlite:${join(folder, aside)}`), ['early', 'late', 'unwritten']);
    }));

  it('lays no write-ahead log over it that is left where the file itself was put away, and lets nobody else read it', () =>
    inHouse(async (house) => {
      const { folder, file, copy, env } = house;
      const store = open(house);
      await store.putDealer('unwritten', {});
      const killed = join(folder, 'killed.db-wal');
      copyFileSync(`${file}-wal`, killed);
      await store.close();
      rmSync(file);
      copyFileSync(killed, `${file}-wal`);
      chmodSync(copy, 0o644);
      assert.equal((await command(['restore', copy], env)).code, 0);
      assert.deepEqual(await dealersIn(env.DATABASE_URL), ['early']);
      assert.equal(statSync(file).mode & 0o777, 0o600);
    }));

  it('takes a stopped server’s file with its write-ahead log, as a copy by hand has both', () =>
    inHouse(async (house) => {
      const store = open(house);
      await store.putDealer('unwritten', {});
      const copy = join(house.folder, 'by-hand.db');
      for (const end of ['', '-wal']) copyFileSync(`${house.file}${end}`, `${copy}${end}`);
      await store.deleteDealer('unwritten');
      await store.close();
      assert.equal((await command(['restore', copy], house.env)).code, 0);
      assert.deepEqual(await dealersIn(house.env.DATABASE_URL), ['early', 'late', 'unwritten']);
    }));

  it('takes the place of what is damaged, which is kept as it is, and of nothing', () =>
    inHouse(async (house) => {
      const { folder, file, copy, env } = house;
      writeFileSync(file, 'what is left of it '.repeat(1000));
      writeFileSync(`${file}-wal`, 'and of this');
      assert.equal((await command(['restore', copy], env)).code, 0);
      assert.deepEqual(await dealersIn(env.DATABASE_URL), ['early']);
      const aside = asideOf(house);
      assert.equal(aside.length, 2, `${aside}`);
      const elsewhere = { DATABASE_URL: `sqlite:${join(folder, 'new', 'telle.db')}` };
      const { code, stdout } = await command(['restore', copy], elsewhere);
      assert.deepEqual([code, stdout], [0, `${join(folder, 'new', 'telle.db')} now holds what ${copy} holds\n`]);
      assert.deepEqual(await dealersIn(elsewhere.DATABASE_URL), ['early']);
    }));

  it('leaves what the user can serve whose folder it is, though root restores it there', () =>
    inHouse(async ({ folder, copy }) => {
      const own = join(folder, 'own');
      const file = join(own, 'telle.db');
      mkdirSync(own);
      // Who is not root has no other folders than its own.
      if (process.getuid?.() === 0) chownSync(own, NOBODY, NOBODY);
      const { code, stderr } = await command(['restore', copy], { DATABASE_URL: `sqlite:${file}` });
      assert.deepEqual([code, stderr], [0, '']);
      const { uid, gid } = statSync(own);
      for (const each of readdirSync(own).map((name) => join(own, name))) {
        const found = statSync(each);
        assert.deepEqual([found.uid, found.gid, found.mode & 0o777], [uid, gid, 0o600], each);
      }
      assert.deepEqual(readdirSync(own).toSorted(), ['telle.db', 'telle.db.lock']);
    }));

  it('takes an older version’s, which the next start brings up to date, and says so', () =>
    inHouse(async ({ folder, env }) => {
      const old = join(folder, 'old.db');
      await makeOldFile(old, []);
      const { code, stdout } = await command(['restore', old], env);
      assert.equal(code, 0);
      assert.match(stdout, /telle migrate, or the next start, brings it up to date\n$/);
      assert.equal((await command(['migrate'], env)).code, 0);
    }));

  it('refuses while a server has it, and while another program has it open', () =>
    inHouse(async (house) => {
      const { file, copy, env } = house;
      const server = open(house, true);
      const served = await command(['restore', copy], env);
      assert.deepEqual(served, {
        code: 2,
        stdout: '',
        stderr: `telle: DATABASE_URL is "${env.DATABASE_URL}", which cannot be restored: another telle serves ${file}: end it first\n`,
      });
      await server.close();
      const reader = new Database(file);
      reader.prepare('select count(*) from dealers').get();
      const read = await command(['restore', copy], env);
      reader.close();
      assert.deepEqual(
        [read.code, read.stderr],
        [
          2,
          `telle: DATABASE_URL is "${env.DATABASE_URL}", which cannot be restored: another program has ${file} open: end it first\n`,
        ],
      );
      assert.deepEqual(await dealersIn(env.DATABASE_URL), ['early', 'late']);
      assert.deepEqual(asideOf(house), []);
    }));

  it('refuses what is no back-up of Telle’s, in a sentence, and leaves everything as it was', () =>
    inHouse(async (house) => {
      const { folder, file, copy, env } = house;
      const named = (name: string) => join(folder, name);
      writeFileSync(
        named('text.db'),
        'some text that is longer than a hundred bytes, so that it is looked at '.repeat(9),
      );
      writeFileSync(named('empty.db'), '');
      const other = new Database(named('other.db'));
      other.exec('create table t (a)');
      other.close();
      copyFileSync(copy, named('later.db'));
      const later = new Database(named('later.db'));
      later.exec("insert into __drizzle_migrations (hash, created_at) values ('x', 1990000000000)");
      later.close();
      copyFileSync(copy, named('broken.db'));
      const bytes = Buffer.alloc(8192, 0xaa);
      const { size } = statSync(named('broken.db'));
      const fd = openSync(named('broken.db'), 'r+');
      writeSync(fd, bytes, 0, bytes.length, Math.floor(size / 8192) * 4096);
      closeSync(fd);
      for (const [name, says] of [
        ['text.db', /is no database of Telle's: name a file that telle backup made/],
        ['empty.db', /is no database of Telle's/],
        ['other.db', /is no database of Telle's/],
        ['later.db', /has tables of a later version/],
        ['broken.db', /is damaged/],
        ['nowhere.db', /there is no /],
        ['.', /^telle: \S+ is a folder: name a file that telle backup made\n$/],
        ['telle.db', /is the database itself/],
      ] as const) {
        const { code, stdout, stderr } = await command(['restore', named(name)], env);
        assert.deepEqual([code, stdout], [2, ''], `${name}: ${stderr}`);
        assert.match(stderr, says);
        assert.match(stderr, /^telle: [^\n]+\n$/);
      }
      assert.deepEqual(await dealersIn(env.DATABASE_URL), ['early', 'late']);
      const left = readdirSync(folder).filter((each) => each.startsWith('telle.db') && !ENDS.includes(each.slice(8)));
      assert.deepEqual(left, ['telle.db.lock']);
      assert.ok(existsSync(file));
    }));

  it('refuses Postgres and a database in memory', async () => {
    for (const [DATABASE_URL, says] of [
      ['postgres://127.0.0.1:1/telle', 'only an embedded database is restored so: for Postgres, use pg_restore'],
      ['sqlite::memory:', 'DATABASE_URL is "sqlite::memory:", which is its server\'s alone: set another'],
    ] as const) {
      const { code, stderr } = await command(['restore', 'copy.db'], { DATABASE_URL });
      assert.deepEqual([code, stderr], [2, `telle: ${says}\n`]);
    }
  });
});
