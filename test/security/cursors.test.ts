/** [P-11.3] A cursor is a word of the list that gave it: any other is the sender's fault, and never the server's. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { fillAll, LIST_NAMES, page, read } from '../support/lists.ts';
import { makeDatabase } from '../support/postgres.ts';
import { assertProblem } from '../support/problem.ts';
import { startServer, type TestServer } from '../support/server.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

let server: TestServer;

/** What is no place in any list, though some of it is one in another shape. */
const NO_PLACES = [
  ...['x', '', '{}', 'null', 'true', '""', '[]', '[[]]', '{"at":1}', '-1', '1.5', '1e3', '5-', ' 5', '5\n', '\0'],
  ...['[1]', '["1"]', '[1,2]', '["a","b"]', '["1","a"]', '[1.5,"a"]', '[null,"a"]', '[1,"a","b","c"]', '[1,null,"a"]'],
  ...['[1e400,"a"]', '[9007199254740993,"a"]', '[1,"\\u0000"]', '[1,"a","\\u0000"]', '[1,"\\u0000","a"]'],
  ...['[1.5,"a","b"]', '["1","a","b"]', '[1,2,"a"]', '[1,"a"', '1234567890123456', '99999999999999999999'],
];

const base64url = (text: string) => Buffer.from(text).toString('base64url');

/** A cursor that a list gives: what each of its own begins with, and its place. */
async function cursorOf(list: string): Promise<{ beginning: string; rest: string }> {
  const { next } = await page(server, list, '?limit=1');
  const text = Buffer.from(next ?? assert.fail(`${list} has but one page`), 'base64url').toString();
  const end = text.indexOf(':') + 1;
  assert.ok(end > 0, text);
  return { beginning: text.slice(0, end), rest: text.slice(end) };
}

for (const [database, settings] of [
  ['SQLite', async () => ({})],
  ['Postgres', async () => ({ DATABASE_URL: await makeDatabase(postgres) })],
] as const) {
  describe(`[P-11.3] a cursor that its list did not give, on ${database}`, () => {
    before(async () => {
      server = await startServer({ timing: { closeTimeout: 5 }, settings: await settings() });
      await fillAll(server, 'g', 2);
    });
    after(() => server.close());

    const isRefused = async (list: string, cursor: string) => {
      const { details } = assertProblem(
        await read(server, list, `?cursor=${encodeURIComponent(cursor)}`),
        400,
        'invalid_payload',
      );
      assert.equal(details[0].path, '/cursor');
    };

    for (const list of LIST_NAMES) {
      test(`is refused by ${list} where it is of another list`, async () => {
        for (const other of [...LIST_NAMES.filter((name) => name !== list), 'scopes/@desk/events']) {
          const { next } = await page(server, other, '?limit=1');
          await isRefused(list, next ?? assert.fail(`${other} has but one page`)).catch((cause: unknown) =>
            assert.fail(new Error(`${list} took a cursor of ${other}`, { cause })),
          );
        }
      });

      test(`is refused by ${list} where its place is none, though it begins as the list's own do`, async () => {
        const { beginning, rest } = await cursorOf(list);
        assert.equal((await read(server, list, `?cursor=${base64url(beginning + rest)}`)).status, 200);
        for (const place of NO_PLACES) await isRefused(list, base64url(beginning + place));
      });

      test(`is refused by ${list} where it is nobody's`, async () => {
        for (const place of NO_PLACES) await isRefused(list, base64url(place));
        for (const cursor of ['', '=', '?', '😀', '\0', 'x'.repeat(513)]) await isRefused(list, cursor);
      });

      test(`is never a fault of the server's in ${list}, whatever it is`, async () => {
        const { beginning } = await cursorOf(list);
        const time = fc.oneof(fc.integer(), fc.double(), fc.maxSafeInteger());
        const word = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\ud800', "'; --", '%', '\\'));
        const place = fc.oneof(
          fc.json(),
          fc.array(fc.oneof(time, word)).map((parts) => JSON.stringify(parts)),
          fc.tuple(time, word, word).map((parts) => JSON.stringify(parts)),
          word,
        );
        await fc.assert(
          fc.asyncProperty(fc.constantFrom('', beginning), place, async (start, text) => {
            const { status } = await read(server, list, `?cursor=${base64url(start + text)}`);
            assert.ok(status === 200 || status === 400, `${status}`);
          }),
          { numRuns: 100 },
        );
      });
    }
  });
}
