/** `telle dealer`: which dealers a database has. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import type { Store } from '../../src/store/store.ts';
import { command } from '../support/command.ts';
import { makeDatabase } from '../support/postgres.ts';
import { eventRow, groupRow, write } from '../support/rows.ts';
import { inFolder } from '../support/server.ts';
import { intoHead, startAtTerminal } from '../support/terminal.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

const PATIENCE = 60_000;
const DATABASES = {
  SQLite: async (folder: string) => `sqlite:${join(folder, 'telle.db')}`,
  Postgres: () => makeDatabase(postgres),
};

/** More dealers than are read at a time, and more than a pipe holds. */
const MANY = 2_000;

async function withStore<T>(DATABASE_URL: string, use: (store: Store) => Promise<T>): Promise<T> {
  const store = openStore(readSettings({ DATABASE_URL }));
  try {
    await store.migrate();
    return await use(store);
  } finally {
    await store.close();
  }
}

const dealerIn = (url: string, dealerId: string) => withStore(url, (store) => store.dealer(dealerId));

/** A dealer with a conversation of two messages. */
const converse = (url: string, dealerId: string) =>
  withStore(url, async (store) => {
    await store.putDealer(dealerId, {});
    const groups = { [`${dealerId}/g1`]: groupRow({ lastSeq: 2, lastMessageSeq: 2 }) };
    await write(store, { groups, events: [1, 2].map((seq) => eventRow(dealerId, 'g1', seq)) });
  });

/** What is wrong with a dealer that is asked for, and what is said of it. */
const WRONG: readonly (readonly [args: readonly string[], sentence: RegExp])[] = [
  [['a/b'], /^telle: "a\/b" cannot be a dealer's id: 1 to 64 of A-Z a-z 0-9 \. _ : @ -\n$/],
  [['x'.repeat(65)], /cannot be a dealer's id/],
  [['*'], /^telle: "\*" cannot be a dealer's id/],
  [['d1', '--retention-days', 'soon'], /^telle: --retention-days is "soon": it must be a whole number of days\n$/],
  [['d1', '--retention-days', '0'], /^telle: --retention-days: .*\n$/],
  [
    ['d1', '--origin', 'cars.example'],
    /^telle: --origin: expected \*, or scheme and host such as https:\/\/cars\.example, without a path or a slash at the end, got .*\n$/,
  ],
  [['d1', '--origin', 'https://cars.example/path/'], /^telle: --origin: expected \*, or scheme and host/],
  [['d1', '--email', 'nobody'], /^telle: --email: expected an email address such as /],
  [['d1', '--name', ''], /^telle: --name: .*\n$/],
];

describe('telle dealer', { timeout: 120_000 }, () => {
  for (const [database, urlIn] of Object.entries(DATABASES)) {
    it(`makes, changes, lists and removes dealers on ${database}, in a database that it is to make`, () =>
      inFolder(async (folder) => {
        const DATABASE_URL = await urlIn(folder);
        const dealer = (...args: string[]) => command(['dealer', ...args], { DATABASE_URL });
        const said = (stdout: string) => ({ code: 0, stdout, stderr: '' });
        const origins = ['https://cars.example', 'https://www.cars.example'];
        const typed = ['https://cars.example/', 'https://www.cars.example'];
        assert.deepEqual(
          await dealer(
            'add',
            '--init',
            'main',
            '--name',
            'Main Street Cars',
            '--origin',
            ...typed,
            '--retention-days',
            '30',
          ),
          said('main was made\n'),
        );
        const main = { dealerId: 'main', name: 'Main Street Cars', origins, retentionDays: 30 };
        assert.deepEqual(await dealerIn(DATABASE_URL, 'main'), main);
        const reach = { email: 'desk@cars.example', phone: '+1 555 0100' };
        assert.deepEqual(
          await dealer('add', 'main', '--email', reach.email, '--phone', reach.phone),
          said('main was changed\n'),
        );
        // What is not said stays as it was.
        assert.deepEqual(await dealerIn(DATABASE_URL, 'main'), { ...main, ...reach });
        await dealer('add', 'east', '--name', 'East', '--origin', '*');
        const line = (...words: string[]) =>
          words
            .map((word) => word.padEnd(26))
            .join('')
            .trimEnd();
        const listed = [line('east', 'East', '*'), line('main', 'Main Street Cars', origins.join(' '))];
        assert.deepEqual(await dealer('list'), said(`${listed.join('\n')}\n`));
        const lines = (await dealer('list', '--json')).stdout.trim().split('\n');
        assert.deepEqual(
          lines.map((line) => JSON.parse(line)),
          [
            { dealerId: 'east', name: 'East', origins: ['*'] },
            { ...main, ...reach },
          ],
        );
        await converse(DATABASE_URL, 'east');
        assert.deepEqual(await dealer('remove', 'east', '--yes'), said('east and its 2 events were removed\n'));
        assert.equal(await dealerIn(DATABASE_URL, 'east'), null);
        assert.deepEqual(await dealer('remove', 'east', '--yes'), {
          code: 1,
          stdout: '',
          stderr: 'telle: there is no dealer east\n',
        });
      }));
  }

  for (const [args, sentence] of WRONG) {
    it(`refuses to make one with 2 and a sentence: ${args.join(' ').slice(0, 40)}`, () =>
      inFolder(async (folder) => {
        const DATABASE_URL = `sqlite:${join(folder, 'telle.db')}`;
        const { code, stdout, stderr } = await command(['dealer', 'add', ...args], { DATABASE_URL });
        assert.deepEqual({ code, stdout }, { code: 2, stdout: '' }, stderr);
        assert.match(stderr, sentence);
      }));
  }

  it('does not remove one where nobody can be asked', () =>
    inFolder(async (folder) => {
      const DATABASE_URL = `sqlite:${join(folder, 'telle.db')}`;
      await converse(DATABASE_URL, 'east');
      assert.deepEqual(await command(['dealer', 'remove', 'east'], { DATABASE_URL }), {
        code: 2,
        stdout: '',
        stderr: 'telle: east was not removed: say --yes to remove it\n',
      });
      assert.notEqual(await dealerIn(DATABASE_URL, 'east'), null);
    }));

  it('asks whoever sits at the terminal, and takes only yes for yes', () =>
    inFolder(async (cwd) => {
      const DATABASE_URL = `sqlite:${join(cwd, 'telle.db')}`;
      await converse(DATABASE_URL, 'east');
      const remove = async (answer: string) => {
        const asked = startAtTerminal(['dealer', 'remove', 'east', '--database-url', DATABASE_URL], {
          cwd,
          patience: PATIENCE,
        });
        await asked.says(/Remove east with its 2 events, for ever\? \[y\/N\] /);
        asked.type(`${answer}\r`);
        const { code } = await asked.ended;
        return { code, stdout: asked.stdout };
      };
      const kept = await remove('');
      assert.equal(kept.code, 2, kept.stdout);
      assert.match(kept.stdout, /telle: east was not removed/);
      assert.notEqual(await dealerIn(DATABASE_URL, 'east'), null);
      const removed = await remove('y');
      assert.equal(removed.code, 0, removed.stdout);
      assert.match(removed.stdout, /east and its 2 events were removed/);
      assert.equal(await dealerIn(DATABASE_URL, 'east'), null);
    }));

  it('lists many, each once, and ends quietly where its reader has gone', () =>
    inFolder(async (folder) => {
      const DATABASE_URL = `sqlite:${join(folder, 'telle.db')}`;
      const idOf = (index: number) => `d${String(index).padStart(4, '0')}`;
      await withStore(DATABASE_URL, async (store) => {
        for (let index = 0; index < MANY; index += 1) await store.putDealer(idOf(index), { name: 'x'.repeat(60) });
      });
      const { stdout } = await command(['dealer', 'list', '--json'], { DATABASE_URL });
      const ids = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).dealerId);
      assert.deepEqual(
        ids,
        Array.from({ length: MANY }, (_, index) => idOf(index)),
      );
      const args = ['dealer', 'list', '--json', '--database-url', DATABASE_URL];
      const piped = intoHead(args, { cwd: folder, patience: PATIENCE });
      const { code } = await piped.ended;
      assert.deepEqual([code, piped.stdout, piped.stderr], [0, `${stdout.split('\n')[0]}\n`, '']);
    }));
});
