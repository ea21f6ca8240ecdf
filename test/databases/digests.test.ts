/** [P-11.4] A receipt names nobody: who has the database, and not the server's secret, cannot find out by guessing either. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { DATABASES, openDatabase, type TestDatabase } from '../support/database.ts';
import { load, write } from '../support/rows.ts';

const NAME = ['d1', 'customer-4711'] as const;
const guessed = createHash('sha256').update(NAME.join('/')).digest('base64url');

/** A store on the database with these secrets, for the length of `use`; migrated, as a server does first. */
async function withSecrets<T>({ url }: TestDatabase, secrets: readonly string[], use: (store: Opened) => Promise<T>) {
  const store = openStore(readSettings({ DATABASE_URL: url }), { secrets });
  try {
    await store.migrate();
    return await use(store);
  } finally {
    await store.close();
  }
}
type Opened = ReturnType<typeof openStore>;

const erase = (erasureId: string, lastSeq: number) => (store: Opened) =>
  write(store, {
    erasures: [{ dealerId: NAME[0], groupId: NAME[1], erasureId, reason: 'request', by: 'admin:a1', lastSeq }],
  });

/** How far the conversation of that name went that was erased, as a new one is told. */
const lastSeq = async (store: Opened) => (await load(store, { groups: [NAME] })).erased.get(NAME.join('/'));

const digestsIn = async (database: TestDatabase): Promise<string[]> =>
  (await database.rowsOf(NAME[0])).flatMap((row) => /"digest":"([^"]*)"/.exec(row)?.[1] ?? []);

describe('the digest of a name in a receipt', { timeout: 60_000 }, () => {
  for (const kind of DATABASES) {
    const withDatabase = (use: (database: TestDatabase) => Promise<void>) => async () => {
      const database = await openDatabase(kind);
      try {
        await use(database);
      } finally {
        await database.close();
      }
    };

    describe(`on ${kind}`, () => {
      it(
        'is of a key that is not in the database: nobody finds it who guesses the name, and the server does',
        withDatabase(async (database) => {
          await withSecrets(database, ['one'], erase('e1', 7));
          const [digest, ...others] = await digestsIn(database);
          assert.match(digest ?? '', /^k1\.[\w-]{43}$/);
          assert.deepEqual(others, []);
          assert.ok(!(await database.rowsOf(NAME[0])).join().includes(guessed));
          assert.equal(await withSecrets(database, ['one'], lastSeq), 7);
          assert.equal(await withSecrets(database, ['another'], lastSeq), undefined);
        }),
      );

      it(
        'is found by every secret of the list and written with the first',
        withDatabase(async (database) => {
          await withSecrets(database, ['old'], erase('e1', 7));
          assert.equal(await withSecrets(database, ['old', 'new'], lastSeq), 7);
          assert.equal(await withSecrets(database, ['new', 'old'], lastSeq), 7);
          await withSecrets(database, ['new', 'old'], erase('e2', 9));
          assert.equal(await withSecrets(database, ['new'], lastSeq), 9);
          assert.equal(await withSecrets(database, ['old'], lastSeq), 7);
        }),
      );

      it(
        'that an older version left, or a command without a secret, is keyed at the next start, once, and found before and after',
        withDatabase(async (database) => {
          await withSecrets(database, [], erase('e1', 7));
          assert.deepEqual(await digestsIn(database), [guessed]);
          const keyed = await withSecrets(database, ['one'], async (store) => {
            assert.equal(await lastSeq(store), 7);
            return digestsIn(database);
          });
          assert.match(keyed.join(), /^k1\.[\w-]{43}$/);
          await withSecrets(database, ['another', 'one'], async (store) => assert.equal(await lastSeq(store), 7));
          assert.deepEqual(await digestsIn(database), keyed);
          await withSecrets(database, ['one'], async (server) => {
            await withSecrets(database, [], erase('e2', 9));
            assert.equal(await lastSeq(server), 9, 'one who runs already finds it too');
          });
        }),
      );

      it(
        'is keyed however many there are',
        withDatabase(async (database) => {
          const erasuresFrom = (first: number) =>
            Array.from({ length: 210 }, (_, index) => {
              const name = `${first + index}`;
              return {
                dealerId: NAME[0],
                groupId: name,
                erasureId: name,
                reason: 'request',
                by: 'admin:a1',
                lastSeq: 1,
              } as const;
            });
          await withSecrets(database, [], async (store) => {
            for (let first = 0; first < 420; first += 210) await write(store, { erasures: erasuresFrom(first) });
          });
          await withSecrets(database, ['one'], async () => {});
          const digests = await digestsIn(database);
          assert.equal(new Set(digests).size, 420);
          assert.ok(digests.every((digest) => digest.startsWith('k1.')));
        }),
      );
    });
  }
});
