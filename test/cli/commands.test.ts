/** The command line, as somebody who types it meets it: each command is a process of its own. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openStore } from '../../src/app.ts';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { flagOf, readSettings, SETTING_NAMES } from '../../src/cli/settings.ts';
import { makeOldFile } from '../support/old-database.ts';
import { type ServerProcess, startProcess, telle } from '../support/process.ts';
import { eventRow } from '../support/rows.ts';
import { inFolder } from '../support/server.ts';

const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));

/** What is wrong with what was typed, and what stderr must say of it. */
const MISUSES: readonly (readonly [sentence: string, args: string, says: RegExp])[] = [
  ['a command that there is not', 'sevre', /unknown command 'sevre'/],
  ['a wrong setting', 'serve --port http', /^telle: PORT is "http": it must be a whole number from 0 to 65535\n$/],
];

describe('telle', { timeout: 60_000, concurrency: 2 }, () => {
  it('without a command shows what there is, and ends well', async () => {
    const { code, stdout } = await telle([]);
    assert.equal(code, 0);
    for (const command of ['serve', 'migrate', 'token']) assert.match(stdout, new RegExp(`^ {2}${command} .*\\S`, 'm'));
  });

  it('shows of serve every setting: its flag, its variable and its default', async () => {
    const { code, stdout } = await telle(['serve', '--help']);
    assert.equal(code, 0);
    const text = stdout.replace(/\s+/g, ' ');
    for (const name of SETTING_NAMES) {
      assert.ok(text.includes(`${flagOf(name)} <value>`), flagOf(name));
      assert.ok(text.includes(`(env: ${name})`), name);
    }
    assert.match(text, /port to listen on[^()]* \(default: 8080\)/);
    assert.match(text, /mutes the bot[^()]* \(default: on\)/);
    assert.match(text, /Example: telle serve /);
  });

  it('shows of migrate and token their flags and an example', async () => {
    const [migrate, token] = await Promise.all([telle(['migrate', '--help']), telle(['token', '--help'])]);
    assert.deepEqual([migrate.code, token.code], [0, 0]);
    assert.match(migrate.stdout, /--database-url <value>/);
    assert.match(migrate.stdout, /Example:\n {2}telle migrate /);
    for (const flag of ['--role', '--dealer', '--sub', '--ttl']) assert.ok(token.stdout.includes(`${flag} <`), flag);
    assert.match(token.stdout, /Example:\n {2}telle token /);
  });

  for (const [sentence, args, says] of MISUSES) {
    it(`refuses ${sentence} with 2, in words, and without a stack`, () =>
      inFolder(async (cwd) => {
        const { code, stdout, stderr } = await telle(args.split(' '), { cwd });
        assert.equal(code, 2, stderr);
        assert.equal(stdout, '');
        assert.match(stderr, says);
        assert.doesNotMatch(stderr, /^ {4}at /m);
      }));
  }

  it('prints a token and nothing else, which verifies with the secret that it was to make and holds as long as was asked', () =>
    inFolder(async (cwd) => {
      const { code, stdout, stderr } = await telle(
        'token --init --role admin --dealer d1 --sub a1 --ttl 30m'.split(' '),
        {
          cwd,
        },
      );
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
      assert.match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
      const secret = (await readFile(join(cwd, 'data', 'telle.secret'), 'utf8')).trim();
      const { claims, ours } = await new Tokens([secret]).verify(stdout.trim());
      const { exp, ...rest } = claims;
      assert.deepEqual({ ...rest, ours }, { role: 'admin', dealer: 'd1', sub: 'a1', ours: false });
      const left = exp - Date.now() / 1000;
      assert.ok(left > 1700 && left <= 1800, `${left} s are left of 1800`);
    }));

  it('prints a link to the desk that signs in once, shortly, in place of a token', () =>
    inFolder(async (cwd) => {
      const args = 'token --init --link --role admin --dealer d1 --sub a1 --url https://chat.example/'.split(' ');
      const { code, stdout, stderr } = await telle(args, { cwd });
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '-- this link opens the desk once, within a minute\n' });
      const [, link = ''] = /^https:\/\/chat\.example\/desk#code=([\w-]+\.[\w-]+\.[\w-]+)\n$/.exec(stdout) ?? [];
      const tokens = new Tokens([(await readFile(join(cwd, 'data', 'telle.secret'), 'utf8')).trim()]);
      const { claims, ttl } = await tokens.verifyCode(link);
      assert.deepEqual([claims.role, claims.dealer, claims.sub, ttl], ['admin', 'd1', 'a1', 43_200]);
      assert.ok(claims.exp - Date.now() / 1000 <= 60);
      assert.throws(() => tokens.verify(link), { message: 'a code is no token' });
    }));

  it('migrates a database that is not there yet, and makes no dealer in it', () =>
    inFolder(async (cwd) => {
      const DATABASE_URL = `sqlite:${join(cwd, 'new', 'telle.db')}`;
      const { code, stdout, stderr } = await telle(['migrate'], { env: { DATABASE_URL } });
      assert.deepEqual(
        { code, stdout, stderr },
        { code: 0, stdout: `${DATABASE_URL} was made, and is up to date\n`, stderr: '' },
      );
      const store = openStore(readSettings({ DATABASE_URL }));
      try {
        await store.check();
        assert.deepEqual(await store.dealers('', 10), []);
      } finally {
        await store.close();
      }
    }));

  it('says that it brings an earlier version’s database up to date, once, and not where data is printed', () =>
    inFolder(async (cwd) => {
      const [file, other] = [join(cwd, 'telle.db'), join(cwd, 'other.db')];
      for (const each of [file, other]) await makeOldFile(each, [eventRow('d1', 'g1', 1)]);
      const [DATABASE_URL, ofOther] = [`sqlite:${file}`, `sqlite:${other}`];
      const told = (url: string) =>
        new RegExp(`^${url} is given .*migrations?, which takes minutes where its log is large\n`);
      const first = await telle(['migrate'], { env: { DATABASE_URL } });
      assert.match(first.stdout, told(DATABASE_URL));
      const again = await telle(['migrate'], { env: { DATABASE_URL } });
      assert.equal(again.stdout, `${DATABASE_URL} is up to date\n`);
      const { stdout, stderr } = await telle(['dealer', 'list', '--json'], { env: { DATABASE_URL: ofOther } });
      assert.deepEqual(JSON.parse(stdout), { dealerId: 'd1', origins: [] });
      assert.match(stderr, told(ofOther));
    }));

  it('ends with 1 where it fails: the database is none', () =>
    inFolder(async (cwd) => {
      const file = join(cwd, 'telle.db');
      await writeFile(file, 'no database, but long enough to be looked at as if it were one'.repeat(100));
      const { code, stdout, stderr } = await telle(['migrate', '--database-url', `sqlite:${file}`]);
      assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
      assert.match(stderr, /^telle: .*not a database: restore a back-up, or name another\n$/);
    }));
});

describe('telle serve', { timeout: 60_000 }, () => {
  let cwd = '';
  let server: ServerProcess | undefined;
  let secret = '';

  /** The server that runs; it fails where none does. */
  const running = (): ServerProcess => server ?? assert.fail('no server runs');
  const secretFile = () => join(cwd, 'data', 'telle.secret');
  /** What the operator is told of `/v1/dealers` and below. */
  const askOperator = async (method: string, path = ''): Promise<{ status: number; body: string }> => {
    const exp = secondsFromNow(60);
    const token = await new Tokens([secret.trim()]).sign({ role: 'server', dealer: '*', sub: 'crm', exp });
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${running().http}/v1/dealers${path}`, { method, headers });
    return { status: response.status, body: await response.text() };
  };

  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'telle-'));
    server = await startProcess({ cwd, env: { PORT: '1' } }, ['--port', '0']);
    secret = await readFile(secretFile(), 'utf8');
  });
  after(async () => {
    await server?.kill();
    await rm(cwd, { recursive: true, force: true });
  });

  it('says where it is, which database it keeps, and how to try it', async () => {
    const { stdout, http } = running();
    await running().says(/admin_message.*\n/);
    const [where, database] = stdout.split('\n');
    const at = '127\\.0\\.0\\.1:\\d+';
    assert.match(where ?? '', new RegExp(`^telle ${version} {2}ws://${at}/ws {2}http://${at}/health$`));
    assert.equal(database, 'database  sqlite:data/telle.db');
    const frames = (running().stdout.match(/^\{.*$/gm) ?? []).map((line) => JSON.parse(line));
    assert.deepEqual(
      frames.map(({ channel }) => channel),
      ['client_join', 'customer_message', 'admin_join', 'admin_message'],
    );
    assert.equal((await fetch(`${http}/health`)).status, 200);
    assert.ok((await stat(join(cwd, 'data', 'telle.db'))).size > 0);
  });

  it('takes a flag before the environment', () => {
    assert.doesNotMatch(running().url, /:1\//);
  });

  it('makes a secret that its owner alone may read, and does not print it', async () => {
    assert.ok(secret.trim().length >= 32);
    assert.equal((await stat(secretFile())).mode & 0o777, 0o600);
    assert.ok(!(running().stdout + running().stderr).includes(secret.trim()));
  });

  it('makes the dealer demo in a new database', async () => {
    const { status, body } = await askOperator('GET');
    assert.equal(status, 200);
    assert.deepEqual(
      JSON.parse(body).items.map(({ dealerId }: { dealerId: string }) => dealerId),
      ['demo'],
    );
  });

  it('refuses to be a second server of the same file, and a port that is taken; the first goes on', async () => {
    const port = new URL(running().http).port;
    const [second, elsewhere] = await Promise.all([
      telle(['serve', '--port', '0'], { cwd }),
      telle(['serve', '--port', port, '--database-url', 'sqlite:other.db'], { cwd, env: { AUTH_SECRET: 'x' } }),
    ]);
    const why = 'which cannot be opened: another telle serves data/telle.db: end it first';
    assert.equal(second.stderr, `telle: DATABASE_URL is "sqlite:data/telle.db", ${why}\n`);
    assert.deepEqual([second.code, second.stdout], [2, '']);
    assert.match(
      elsewhere.stderr,
      new RegExp(`^telle: cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE.*$`, 'm'),
    );
    assert.deepEqual([elsewhere.code, elsewhere.stdout], [1, '']);
    assert.equal((await fetch(`${running().http}/ready`)).status, 200);
  });

  it('ends well when it is asked to, and can be started again with the secret that it had', async () => {
    assert.equal((await askOperator('DELETE', '/demo')).status, 204);
    assert.deepEqual(await running().kill('SIGINT'), { code: 0, signal: null });
    server = await startProcess({ cwd });
    assert.equal(await readFile(secretFile(), 'utf8'), secret);
    assert.equal((await askOperator('GET')).status, 200);
  });

  it('does not bring back the dealer demo that was removed', async () => {
    assert.deepEqual(JSON.parse((await askOperator('GET')).body).items, []);
    assert.doesNotMatch(running().stdout, /Try it/);
  });
});
