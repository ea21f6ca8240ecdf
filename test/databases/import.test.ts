/** [P-20.1] `telle import`: Telle's own export, and lines of older systems; broken off and run again; told to nobody. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { command } from '../support/command.ts';
import { day } from '../support/day.ts';
import { makeDatabase } from '../support/postgres.ts';
import { Process, SOURCE } from '../support/process.ts';
import { DEALER, inFolder, SECRET, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

/** By which receipts are keyed: the secret of the tests has a comma in it, which a setting takes for the end of one. */
const AUTH_SECRET = 'a secret of these tests that nobody else has';
const secrets = [AUTH_SECRET, SECRET];

const DATABASES = {
  SQLite: async (folder: string) => `sqlite:${join(folder, `${Math.random()}.db`)}`,
  Postgres: () => makeDatabase(postgres),
};

const exportOf = async (url: string, file: string): Promise<string> => {
  const { code, stderr } = await command(['export', '--dealer', DEALER, '--output', file], { DATABASE_URL: url });
  assert.deepEqual([code, stderr], [0, '']);
  return readFileSync(file, 'utf8');
};

const importInto = (url: string, file: string, ...more: string[]) =>
  command(['import', file, ...more], { DATABASE_URL: url, AUTH_SECRET });

const rejectsOf = (file: string): { line: number; reason: string }[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map(({ line, reason }) => ({ line, reason }));

/** An event of a past that was long ago. */
const past = (minute: number, id: string, more: object = {}) => ({
  type: 'UPDATE_MSG',
  dealerId: 'old',
  groupId: 'g1',
  user: 'customer',
  message: id,
  at: Date.UTC(2019, 8, 30, 12, minute),
  id,
  ...more,
});

const fileOf = (folder: string, lines: readonly (object | string)[]): string => {
  const file = join(folder, 'past.ndjson');
  writeFileSync(file, `${lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')}\n`);
  return file;
};

const read = (url: string, scope: string, dealerId = 'old') => {
  const store = openStore(readSettings({ DATABASE_URL: url }));
  return store.events(dealerId, scope, { limit: 1000 }).finally(() => store.close());
};

for (const [kind, urlIn] of Object.entries(DATABASES)) {
  /** A database whose tables are there, and empty. */
  const empty = async (folder: string): Promise<string> => {
    const url = await urlIn(folder);
    assert.equal((await command(['migrate'], { DATABASE_URL: url })).code, 0);
    return url;
  };

  describe(`telle import, on ${kind}`, { timeout: 240_000 }, () => {
    it('reads an export back, so that its export is the same, and again without a double', () =>
      inFolder(async (folder) => {
        const [from, to] = [`sqlite:${join(folder, 'telle.db')}`, await empty(folder)];
        await withServer({ settings: { DATABASE_URL: from }, secrets }, day);
        const file = join(folder, 'day.ndjson');
        const text = await exportOf(from, file);
        const lines = text.trimEnd().split('\n').length;
        const first = await importInto(to, file);
        assert.deepEqual(first, {
          code: 0,
          stdout: `${lines} taken, 0 are there already, 0 not understood\n`,
          stderr: '',
        });
        assert.equal(await exportOf(to, join(folder, 'back.ndjson')), text);
        const again = await importInto(to, file);
        assert.equal(again.code, 0, again.stdout);
        assert.equal(await exportOf(to, join(folder, 'back.ndjson')), text);
        assert.ok(!existsSync(`${file}.rejected.ndjson`));
        // A server goes on with it: the next seq, and those who were there when it was made are found gone.
        await withServer(
          { settings: { DATABASE_URL: to }, secrets, timing: { nodeInterval: 50, nodeSilence: 300 } },
          async (server) => {
            const admin = await server.admin();
            const before = await server.store.tails(DEALER, ['g1']);
            const { seq } = await admin.ask('admin_message', { type: 'UPDATE_MSG', groupId: 'g1', message: 'next' });
            assert.equal(seq, (before.get('g1') ?? 0) + 1);
            // It may be told before anybody is here.
            await until('held is gone', async () => {
              const told = await server.store.events(DEALER, '@desk', { limit: 500 });
              return told.some(({ groupId, payload }) => groupId === 'held' && JSON.parse(payload).online === false);
            });
            const held = await server.customer('held', { token: server.token('customer', 'held') });
            assert.equal(held.session.groupId, 'held');
            const { body } = await server.http('GET', `/v1/dealers/${DEALER}/groups`, {
              token: server.token('server', 'crm'),
            });
            assert.deepEqual(
              body.items.filter(({ lastMessage }: { lastMessage?: object }) => lastMessage).length,
              body.items.length - 1,
            );
          },
        );
      }));

    it('goes on where it was killed, and what is then there is the same', () =>
      inFolder(async (folder) => {
        const to = await empty(folder);
        const lines = Array.from({ length: 6_000 }, (_, index) =>
          past(index % 60, `m${index}`, { groupId: `g${index % 500}` }),
        );
        const file = fileOf(folder, lines);
        const child = new Process(SOURCE, ['import', file], {
          env: { DATABASE_URL: to, AUTH_SECRET },
          patience: 120_000,
        });
        const store = openStore(readSettings({ DATABASE_URL: to }));
        try {
          while ((await store.logSize('old').catch(() => 0)) < 1000)
            await new Promise((resolve) => setTimeout(resolve, 200));
          await child.kill('SIGKILL');
          const reached = await store.logSize('old');
          assert.ok(reached < 6_000, 'it was done before it was killed');
          const { code, stdout } = await importInto(to, file);
          assert.equal(code, 0);
          assert.equal(stdout, `${6_000 - reached} taken, ${reached} are there already, 0 not understood\n`);
          assert.equal(await store.logSize('old'), 6_000);
        } finally {
          await store.close();
        }
      }));

    it('keeps lines of an older system in the order of their times, with those, by no rule of section 7', () =>
      inFolder(async (folder) => {
        const to = await empty(folder);
        const file = fileOf(folder, [
          past(5, 'late', { at: '2019-09-30T14:05:00+02:00' }),
          past(1, 'mute', { type: 'MUTE_BOT', adminId: 'ann', user: undefined, message: undefined }),
          past(2, 'bot', { user: 'bot' }),
          past(3, 'close', { type: 'CLOSE_CHAT', adminId: 'ann', user: undefined, message: undefined }),
          past(4, 'bot again', { id: 'bot-again', user: 'bot', muted: true, unread: 2 }),
          past(0, 'first', { groupId: 7 }),
          past(6, 'lead', { type: 'UPDATE_LEAD', user: undefined, message: { name: 'Ada' } }),
          past(6, 'intent', { type: 'UPDATE_LEAD_INTENT', user: undefined, message: { intent: 'buy' } }),
          past(2, 'bot', { user: 'bot' }),
        ]);
        const { code, stdout, stderr } = await importInto(to, file);
        assert.deepEqual([code, stdout, stderr], [0, '8 taken, 1 are there already, 0 not understood\n', '']);
        const events = await read(to, 'g1');
        assert.deepEqual(
          events.map(({ seq, id, type, at }) => [seq, id, type, new Date(at).getUTCMinutes()]),
          [
            [1, 'mute', 'MUTE_STATUS', 1],
            [2, 'bot', 'CHAT_MSG', 2],
            [3, 'close', 'CLOSE_CHAT', 3],
            [4, 'bot-again', 'CHAT_MSG', 4],
            [5, 'late', 'CHAT_MSG', 5],
          ],
        );
        const said = events.map(({ payload }) => JSON.parse(payload)).filter(({ type }) => type === 'CHAT_MSG');
        assert.deepEqual(
          said.map(({ muted, unread }) => [muted, unread]),
          [
            [true, 0],
            [true, 2],
            [true, 0],
          ],
        );
        assert.deepEqual(
          (await read(to, '@desk')).map(({ id, type }) => [id, type]),
          [
            ['lead', 'UPDATE_LEAD'],
            ['intent', 'CREATE_LEAD_INTENT'],
          ],
        );
        const store = openStore(readSettings({ DATABASE_URL: to }));
        const [group, seven] = [await store.group('old', 'g1'), await store.group('old', '7')];
        const [lead] = await store.records('leads', 'old', { limit: 1 });
        await store.close();
        assert.deepEqual(
          [group?.mutedBy, group?.closed, group?.online, group?.unread, group?.createdAt, group?.updatedAt],
          ['ann', false, false, 0, Date.UTC(2019, 8, 30, 12, 1), Date.UTC(2019, 8, 30, 12, 6)],
        );
        assert.equal(seven?.seq, 1);
        assert.deepEqual([lead?.fields, lead?.createdAt], [{ name: 'Ada' }, Date.UTC(2019, 8, 30, 12, 6)]);
      }));

    it('puts what is not understood into a file with the reason, and takes the rest; a dry run says so and keeps nothing', () =>
      inFolder(async (folder) => {
        const to = await empty(folder);
        const file = fileOf(folder, [
          past(1, 'good'),
          '{"type":',
          '[]',
          past(2, 'no time', { at: undefined }),
          past(2, 'no zone', { at: '2019-09-30 19:56:28.723526' }),
          past(2, 'later', { at: Date.now() + 3_600_000 }),
          past(2, 'x', { id: undefined }),
          past(2, 'x', { type: 'LOL' }),
          past(2, 'x', { message: '' }),
          past(2, 'x', { type: 'UPDATE_GROUP', online: true, message: undefined }),
          { kind: 'group', groupId: 'g1' },
          { kind: 'event', scope: 'g1', seq: 1, id: 'e', type: 'CHAT_MSG', groupId: 'g1', at: 1, payload: {} },
        ]);
        const trial = await importInto(to, file, '--dry-run');
        assert.equal(trial.code, 1);
        assert.match(
          trial.stdout,
          /^1 would be taken, 0 are there already, 11 not understood, with the reason in \S+past\.ndjson\.rejected\.ndjson\n$/,
        );
        assert.deepEqual(await read(to, 'g1'), []);
        const rejects = join(folder, 'no.ndjson');
        const { code, stdout } = await importInto(to, file, '--rejected', rejects);
        assert.deepEqual(
          [code, stdout],
          [1, `1 taken, 0 are there already, 11 not understood, with the reason in ${rejects}\n`],
        );
        const reasons = new Map(rejectsOf(rejects).map(({ line, reason }) => [line, reason]));
        assert.deepEqual(
          [...reasons.keys()].toSorted((one, other) => one - other),
          [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
        );
        for (const [line, reason] of [
          [2, /JSON/],
          [3, /^it is no JSON object$/],
          [4, /^at: expected RFC 3339 with a zone/],
          [5, /^at: expected RFC 3339 with a zone/],
          [6, /^at: is in the future$/],
          [7, /^id: expected/],
          [8, /^type: expected one of UPDATE_MSG/],
          [9, /^message: expected text/],
          [10, /^UPDATE_GROUP is of a moment that is over/],
          [11, /required/],
          [12, /^no line of a dealer comes before it$/],
        ] as const)
          assert.match(reasons.get(line) ?? '', reason);
        assert.equal((await read(to, 'g1')).length, 1);
      }));

    it('brings nothing back that was erased, and makes no dealer that was removed', () =>
      inFolder(async (folder) => {
        const to = await empty(folder);
        await importInto(to, fileOf(folder, [past(1, 'one'), past(1, 'two', { dealerId: 'gone' })]));
        await withServer({ settings: { DATABASE_URL: to }, secrets }, async (server) => {
          const token = server.token('server', 'ops', { dealer: '*' });
          assert.equal((await server.http('DELETE', '/v1/dealers/old/groups/g1', { token })).status, 200);
          assert.equal((await server.http('DELETE', '/v1/dealers/gone', { token })).status, 204);
        });
        const file = fileOf(folder, [past(1, 'one'), past(1, 'two', { dealerId: 'gone' })]);
        assert.equal((await importInto(to, file)).code, 1);
        assert.deepEqual(
          rejectsOf(`${file}.rejected.ndjson`).map(({ reason }) => reason),
          ['this conversation was erased', 'this dealer was removed: make it again first'],
        );
      }));

    it('says of an export that was cut off that it was, and of one that meets another log what has the place', () =>
      inFolder(async (folder) => {
        const to = await empty(folder);
        const file = fileOf(folder, [
          { kind: 'dealer', dealerId: 'old', origins: ['*'] },
          {
            kind: 'event',
            scope: '@dealer',
            seq: 1,
            id: 'a',
            type: 'SYS_MSG',
            groupId: null,
            at: 1,
            payload: { type: 'SYS_MSG' },
          },
        ]);
        const cut = await importInto(to, file);
        assert.deepEqual([cut.code, cut.stderr], [1, 'telle: the export of old has no last line: it was cut off\n']);
        const other = fileOf(folder, [
          { kind: 'dealer', dealerId: 'old', origins: ['*'] },
          {
            kind: 'event',
            scope: '@dealer',
            seq: 1,
            id: 'b',
            type: 'SYS_MSG',
            groupId: null,
            at: 1,
            payload: { type: 'SYS_MSG' },
          },
          { kind: 'end', counts: { event: 1 } },
        ]);
        assert.equal((await importInto(to, other)).code, 1);
        assert.deepEqual(rejectsOf(`${other}.rejected.ndjson`), [
          { line: 2, reason: '@dealer has another event at 1' },
        ]);
      }));
  });
}

describe('telle import', { timeout: 120_000 }, () => {
  it('reads stdin for -', () =>
    inFolder(async (folder) => {
      const DATABASE_URL = `sqlite:${join(folder, 'telle.db')}`;
      await command(['migrate'], { DATABASE_URL });
      const child = new Process(SOURCE, ['import', '-'], { env: { DATABASE_URL }, cwd: folder, patience: 60_000 });
      child.tell(JSON.stringify(past(1, 'one')));
      child.hush();
      assert.equal((await child.ended).code, 0, child.stderr);
      assert.equal((await read(DATABASE_URL, 'g1')).length, 1);
    }));

  it('is refused with 2 while a server has the SQLite file, and where there is no such file to read', () =>
    inFolder(async (folder) => {
      const DATABASE_URL = `sqlite:${join(folder, 'telle.db')}`;
      const store = openStore(readSettings({ DATABASE_URL }), { alone: true });
      await store.migrate();
      const file = fileOf(folder, [past(1, 'one')]);
      const served = await command(['import', file], { DATABASE_URL });
      await store.close();
      assert.equal(served.code, 2);
      assert.match(served.stderr, /^telle: DATABASE_URL is "\S+", which cannot be opened: another telle serves/);
      const absent = await command(['import', join(folder, 'none.ndjson')], { DATABASE_URL });
      assert.equal(absent.code, 2);
      assert.match(absent.stderr, /^telle: there is no \S+none\.ndjson\n$/);
      const nowhere = await command(['import', file], { DATABASE_URL: `sqlite:${join(folder, 'none.db')}` });
      assert.equal(nowhere.code, 1);
      assert.match(nowhere.stderr, /or make it with telle migrate\n$/);
    }));
});
