/** `telle export` and `GET …/export`: everything of a dealer, a line each. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { at, erase, fill, read } from '../support/lists.ts';
import { makeDatabase, withClient } from '../support/postgres.ts';
import { telle } from '../support/process.ts';
import { eventRow, groupRow, known, NOW, ODD_TEXT, write } from '../support/rows.ts';
import { DEALER, inFolder, type TestServer, withServer } from '../support/server.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

const DATABASES = {
  SQLite: async (folder: string) => `sqlite:${join(folder, 'telle.db')}`,
  Postgres: () => makeDatabase(postgres),
};

/** Changes something in a database, past the program. */
async function changed(url: string, statement: string): Promise<void> {
  if (!url.startsWith('sqlite:')) return withClient(url, async (client) => void (await client.query(statement)));
  const client = new Database(url.slice('sqlite:'.length));
  client.exec(statement);
  client.close();
}

type Line = Readonly<Record<string, unknown>> & { readonly kind: string };
/** Every line, each of which must be JSON, and the last of which must end. */
const linesOf = (text: string): Line[] => {
  assert.ok(text.endsWith('\n'));
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line));
};

const KINDS = ['group', 'user', 'lead', 'intent', 'erasure', 'event'];

/** That a document is whole: kinds in their order, and a last line that counts them. */
function assertWhole(lines: readonly Line[]): void {
  const counts = Object.fromEntries(
    KINDS.map((kind) => [kind, lines.filter((line) => line.kind === kind).length] as const).filter(([, n]) => n > 0),
  );
  assert.deepEqual(lines.at(-1), { kind: 'end', counts });
  const kinds = lines.map(({ kind }) => kind);
  assert.deepEqual([...new Set(kinds)], ['dealer', ...KINDS.filter((kind) => kind in counts), 'end']);
  assert.deepEqual(
    kinds,
    kinds.toSorted((one, other) => order(one) - order(other)),
  );
}
const order = (kind: string) => ['dealer', ...KINDS, 'end'].indexOf(kind);

for (const [database, urlIn] of Object.entries(DATABASES)) {
  describe(`telle export, on ${database}`, { timeout: 240_000 }, () => {
    /** A server that has something of everything, and something of another dealer. */
    const withFilled = (use: (server: TestServer, url: string, folder: string) => Promise<void>) => () =>
      inFolder(async (folder) => {
        const url = await urlIn(folder);
        await withServer({ settings: { DATABASE_URL: url } }, async (server) => {
          await server.store.putDealer('d2', { name: 'Other' });
          await server.store.putDealer(DEALER, { origins: ['*'], name: 'Åke’s "Cars"', retentionDays: 30 });
          await fill(server, ['g1', 'g2', 'whispered']);
          const foreign = { type: 'UPDATE_MSG', groupId: 'foreign', dealerId: 'd2', user: 'customer', message: 'x' };
          const token = await server.token('server', 'crm', { dealer: '*' });
          await server.http('POST', '/v1/events', { token, body: foreign });
          await (await server.admin()).ask('sys_message', { type: 'SYS_MSG', message: 'We close\nat "six"\u2028.' });
          await use(server, url, folder);
        });
      });

    it(
      'writes to a file or to stdout what GET …/export answers, while the server runs',
      withFilled(async (server, url, folder) => {
        await erase(server, ['whispered']);
        const file = join(folder, 'out.ndjson');
        await writeFile(file, 'what was there before');
        const env = { DATABASE_URL: url };
        const [shown, written] = await Promise.all([
          telle(['export', '--dealer', DEALER], { env }),
          telle(['export', '--dealer', DEALER, '--output', file], { env }),
        ]);
        const { status, headers, body } = await read(server, 'export');
        assert.deepEqual([status, headers['content-type']], [200, 'application/x-ndjson']);
        assert.deepEqual([shown.code, shown.stderr], [0, '']);
        assert.deepEqual(written, { code: 0, stdout: '', stderr: '' });
        assert.equal(shown.stdout, body);
        assert.equal(await readFile(file, 'utf8'), body);
        assert.deepEqual(
          (await readdir(folder)).filter((name) => name.startsWith('out')),
          ['out.ndjson'],
        );
      }),
    );

    it(
      'goes on with what was broken off, wherever that was',
      withFilled(async (server, url, folder) => {
        await erase(server, ['whispered']);
        const { body } = await read(server, 'export');
        const whole = Buffer.from(body);
        const file = join(folder, 'out.ndjson');
        const part = `${file}.part`;
        const env = { DATABASE_URL: url };
        const resume = ['export', '--dealer', DEALER, '--output', file, '--resume'];
        // Within the first line, behind it, within an event, and with all of it but a name.
        const first = whole.indexOf('\n') + 1;
        const places = [5, first, whole.indexOf('"kind":"event"') + 300, whole.length];
        for (const place of places) {
          await writeFile(part, whole.subarray(0, place));
          assert.deepEqual(await telle(resume, { env }), { code: 0, stdout: '', stderr: '' });
          assert.equal(await readFile(file, 'utf8'), body, `broken off at ${place}`);
          assert.equal((await readdir(folder)).includes('out.ndjson.part'), false);
        }
        const refusal = async (args: readonly string[]) => {
          const { code, stderr } = await telle(args, { env });
          return [code, stderr.trim()];
        };
        assert.deepEqual(await refusal(resume), [1, `telle: there is no ${part} to go on with: leave --resume out`]);
        assert.deepEqual(await refusal(['export', '--dealer', DEALER, '--resume']), [
          2,
          'telle: --resume goes on with a file: name it with --output',
        ]);
        for (const text of [body.replace(`"dealerId":"${DEALER}"`, '"dealerId":"d2"'), 'notes of mine\n']) {
          await writeFile(part, text);
          assert.deepEqual(await refusal(resume), [
            1,
            `telle: ${part} is no export of ${DEALER}: remove it, and leave --resume out`,
          ]);
        }
      }),
    );

    it(
      'does not go on with what is damaged: it says in which line, and what to do',
      withFilled(async (server, url, folder) => {
        const [dealer = '', ...lines] = (await read(server, 'export')).body.split('\n');
        const file = join(folder, 'out.ndjson');
        const part = `${file}.part`;
        for (const [number, begun] of [
          [3, [dealer, lines[0], 'nonsense', lines[1]]],
          [3, [dealer, lines[0], '{"kind":"notes","groupId":"g1"}', lines[1]]],
          [3, [dealer, lines[0], dealer, lines[1]]],
          [2, [dealer, '\0\0\0']],
          [2, [dealer, '{"kind":"group","groupId":"g1"']],
          [2, [dealer, '{"kind":"group"}']],
        ] as const) {
          await writeFile(part, `${begun.join('\n')}\n`);
          const { code, stderr } = await telle(['export', '--dealer', DEALER, '--output', file, '--resume'], {
            env: { DATABASE_URL: url },
          });
          assert.deepEqual(
            [code, stderr],
            [1, `telle: ${part} is damaged at line ${number}: remove it, and leave --resume out\n`],
          );
        }
      }),
    );

    it(
      'has everything of the dealer as it was stored, and nothing of another',
      withFilled(async (server) => {
        const { body } = await read(server, 'export');
        const lines = linesOf(body);
        assertWhole(lines);
        const of = (kind: string) => lines.filter((line) => line.kind === kind);
        const dealer = { kind: 'dealer', dealerId: DEALER, name: 'Åke’s "Cars"', origins: ['*'], retentionDays: 30 };
        assert.deepEqual(of('dealer'), [dealer]);
        assert.deepEqual(
          of('group').map(({ groupId }) => groupId),
          ['g1', 'g2', 'whispered'],
        );
        const named = of('user').map(({ groupId, fields }) => [groupId, fields]);
        assert.deepEqual(
          named,
          ['whispered', 'g2', 'g1'].map((name) => [name, { name }]),
        );
        assert.equal(of('lead').length, 3);
        assert.deepEqual(new Set(of('intent').map(({ intent }) => intent)), new Set(['buy', 'lease / "other"']));
        for (const scope of ['g1', 'g2', 'whispered', '@desk', '@dealer']) {
          const stored = await server.store.events(DEALER, scope, { limit: 1000 });
          assert.deepEqual(
            of('event').filter((line) => line.scope === scope),
            stored.map(({ seq, id, type, groupId, payload, at }) => {
              return { kind: 'event', scope, seq, id, type, groupId, at, payload: JSON.parse(payload) };
            }),
          );
        }
        assert.equal(of('event').length, await server.store.logSize(DEALER));
        assert.doesNotMatch(body, /foreign|Other/);
      }),
    );

    it(
      'is whole after an erasure, and knows nothing of what was erased',
      withFilled(async (server) => {
        const before = linesOf((await read(server, 'export')).body);
        await erase(server, ['whispered']);
        const { body } = await read(server, 'export');
        const after = linesOf(body);
        assertWhole(after);
        assert.doesNotMatch(body, /whispered/);
        const deskOf = (lines: readonly Line[]) =>
          lines.filter(({ scope }) => scope === '@desk').map(({ seq, type, at }) => [seq, type, at]);
        assert.deepEqual(deskOf(after), deskOf(before));
        const [receipt, ...others] = after.filter(({ kind }) => kind === 'erasure');
        assert.deepEqual([receipt?.events, receipt?.pageviews, receipt?.intents, others], [1, 1, 2, []]);
      }),
    );

    it(
      'says what it has written where it breaks off, and that it can go on',
      withFilled(async (server, url, folder) => {
        const { body } = await read(server, 'export');
        const file = join(folder, 'out.ndjson');
        const env = { DATABASE_URL: url };
        await changed(url, 'alter table leads rename to hidden');
        const { code, stderr } = await telle(['export', '--dealer', DEALER, '--output', file], { env });
        assert.equal(code, 1);
        assert.match(stderr, /leads/);
        assert.ok(stderr.trim().endsWith(`: ${file}.part has what was written, and --resume goes on with it`), stderr);
        assert.doesNotMatch(stderr, /select|g1/i);
        await changed(url, 'alter table hidden rename to leads');
        const begun = await readFile(`${file}.part`, 'utf8');
        assert.ok(body.startsWith(begun), begun);
        const resumed = await telle(['export', '--dealer', DEALER, '--output', file, '--resume'], { env });
        assert.deepEqual(resumed, { code: 0, stdout: '', stderr: '' });
        assert.equal(await readFile(file, 'utf8'), body);
      }),
    );

    it('has all of more than is read at a time, those of one moment too, and odd text as it was said', () =>
      inFolder(async (folder) => {
        const DATABASE_URL = await urlIn(folder);
        const store = openStore(readSettings({ DATABASE_URL }));
        try {
          await store.migrate();
          await store.putDealer(DEALER, {});
          const names = Array.from({ length: 1001 }, (_, index) => `${DEALER}/g${index}`);
          const all = <Row>(row: Row, suffix = '') => Object.fromEntries(names.map((name) => [name + suffix, row]));
          const payload = JSON.stringify({ type: 'CHAT_MSG', message: ODD_TEXT });
          const events = names.map((_, index) => eventRow(DEALER, 'g0', index + 1, { payload, at: NOW }));
          const fields = known({ text: ODD_TEXT });
          await write(store, {
            groups: all(groupRow()),
            users: all(fields),
            leads: all(fields),
            intents: { ...all(fields, '/buy'), ...all(fields, '/lease') },
            events,
          });
        } finally {
          await store.close();
        }
        const { code, stdout } = await telle(['export', '--dealer', DEALER], { env: { DATABASE_URL } });
        assert.equal(code, 0);
        const lines = linesOf(stdout);
        assertWhole(lines);
        assert.deepEqual(lines.at(-1)?.counts, { group: 1001, user: 1001, lead: 1001, intent: 2002, event: 1001 });
        for (const kind of ['group', 'user', 'lead']) {
          const found = lines.filter((line) => line.kind === kind).map(({ groupId }) => groupId);
          assert.equal(new Set(found).size, 1001, kind);
        }
        const said = lines.filter(({ kind }) => kind === 'event');
        assert.deepEqual(
          said.map(({ seq }) => seq),
          said.map((_, index) => index + 1),
        );
        assert.deepEqual(said.at(-1)?.payload, { type: 'CHAT_MSG', message: ODD_TEXT });
      }));

    it(
      'that cannot be put in its place ends with 1, and says where it is',
      withFilled(async (_, url, folder) => {
        const output = join(folder, 'out');
        await mkdir(output);
        const { code, stdout, stderr } = await telle(['export', '--dealer', DEALER, '--output', output], {
          env: { DATABASE_URL: url },
        });
        assert.deepEqual([code, stdout], [1, '']);
        assert.match(stderr, /^telle: .*out\.part has what was written, and --resume goes on with it\n$/);
        assert.deepEqual((await readdir(folder)).filter((name) => name.startsWith('out')).toSorted(), [
          'out',
          'out.part',
        ]);
      }),
    );

    it('of a dealer that there is not ends with 1, in one sentence, and leaves no file', () =>
      inFolder(async (folder) => {
        const DATABASE_URL = await urlIn(folder);
        const store = openStore(readSettings({ DATABASE_URL }));
        await store.migrate().finally(() => store.close());
        const before = await readdir(folder);
        const output = join(folder, 'out.ndjson');
        const ended = await telle(['export', '--dealer', 'nobody', '--output', output], { env: { DATABASE_URL } });
        assert.deepEqual(ended, { code: 1, stdout: '', stderr: 'telle: there is no dealer nobody\n' });
        assert.deepEqual(await readdir(folder), before);
      }));
  });
}

describe('telle export', { timeout: 60_000 }, () => {
  it('without a dealer is misused: 2, in words', async () => {
    const { code, stdout, stderr } = await telle(['export']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /--dealer <dealerId>/);
  });

  for (const command of [['export', '--dealer', DEALER], ['prune']]) {
    it(`ends with 1 and in one sentence where the database is away: ${command[0]}`, async () => {
      const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
      const { code, stdout, stderr } = await telle(command, { env });
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /^telle: .*ECONNREFUSED.*\n$/);
    });
  }

  it('over HTTP is a file to be saved, and of a dealer that there is not 404', () =>
    withServer({}, async (server) => {
      const { headers } = await read(server, 'export');
      assert.match(String(headers['content-disposition']), /^attachment; filename=".*\.ndjson"$/);
      const token = await server.token('server', 'ops', { dealer: '*' });
      assert.equal((await server.http('GET', at('export', '', 'nobody'), { token })).status, 404);
    }));
});
