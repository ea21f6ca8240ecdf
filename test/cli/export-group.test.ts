/** `telle export --group` and `GET …/groups/{groupId}/export`: everything of one customer, a line each. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { erase, fill } from '../support/lists.ts';
import { makeDatabase } from '../support/postgres.ts';
import { telle } from '../support/process.ts';
import { DEALER, inFolder, withServer } from '../support/server.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

const DATABASES = {
  SQLite: async (folder: string) => `sqlite:${join(folder, 'telle.db')}`,
  Postgres: () => makeDatabase(postgres),
};

type Line = Readonly<Record<string, unknown>> & { readonly kind: string };

const linesOf = (text: string): Line[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

for (const [database, urlIn] of Object.entries(DATABASES)) {
  describe(`an export of one customer, on ${database}`, { timeout: 120_000 }, () => {
    const ofGroup = (groupId: string) => `/v1/dealers/${DEALER}/groups/${groupId}/export`;

    it('is all that an export of the dealer has of that customer, and nothing of anybody else', () =>
      inFolder(async (folder) => {
        const settings = { DATABASE_URL: await urlIn(folder) };
        await withServer({ settings }, async (server) => {
          await fill(server, ['g1', 'g2', 'gone']);
          await erase(server, ['gone']);
          const token = server.token('admin', 'a1');
          const read = async (path: string) => linesOf((await server.http('GET', path, { token })).body);
          const [own, all] = [await read(ofGroup('g1')), await read(`/v1/dealers/${DEALER}/export`)];
          const counts = {
            group: 1,
            user: 1,
            lead: 1,
            intent: 2,
            event: own.filter(({ kind }) => kind === 'event').length,
          };
          assert.deepEqual(own.at(-1), { kind: 'end', counts });
          const isOfOne = ({ kind, groupId, scope }: Line) =>
            kind !== 'erasure' && (groupId === 'g1' || scope === 'g1');
          const sorted = (lines: readonly Line[]) => lines.map((line) => JSON.stringify(line)).sort();
          assert.deepEqual(own[0], { kind: 'dealer', dealerId: DEALER });
          assert.deepEqual(sorted(own.slice(1, -1)), sorted(all.filter(isOfOne)));
          assert.ok(own.some(({ scope }) => scope === '@desk'));
          assert.equal((await server.http('GET', ofGroup('gone'), { token })).status, 404);
        });
      }));

    it('is for who may read the dealer’s lists: not for a customer, nor for another dealer’s agent', () =>
      inFolder(async (folder) => {
        await withServer({ settings: { DATABASE_URL: await urlIn(folder) } }, async (server) => {
          await fill(server, ['g1']);
          const ask = async (token: string) => (await server.http('GET', ofGroup('g1'), { token })).status;
          assert.equal(await ask(server.token('customer', 'g1')), 403);
          assert.equal(await ask(server.token('admin', 'a1', { dealer: 'other' })), 404);
        });
      }));

    it('is written by `telle export --group`, and read back by `telle import`', () =>
      inFolder(async (folder) => {
        const [one, other] = [await urlIn(folder), `sqlite:${join(folder, 'other.db')}`];
        await withServer({ settings: { DATABASE_URL: one } }, (server) => fill(server, ['g1', 'g2']));
        const run = async (args: readonly string[], DATABASE_URL: string) => {
          const { code, stderr } = await telle(args, { env: { DATABASE_URL, AUTH_SECRET: 'x'.repeat(32) } });
          assert.equal(code, 0, stderr);
        };
        const write = (url: string, file: string) =>
          run(['export', '--dealer', DEALER, '--group', 'g1', '--output', join(folder, file)], url);
        await write(one, 'one.ndjson');
        await run(['migrate'], other);
        await run(['import', join(folder, 'one.ndjson')], other);
        await write(other, 'other.ndjson');
        const [first, second] = ['one', 'other'].map((name) => readFile(join(folder, `${name}.ndjson`), 'utf8'));
        assert.equal(await second, await first);
        const { code, stderr } = await telle(['export', '--dealer', DEALER, '--group', 'none'], {
          env: { DATABASE_URL: one },
        });
        assert.deepEqual([code, stderr], [1, `telle: ${DEALER} has no conversation none\n`]);
      }));
  });
}
