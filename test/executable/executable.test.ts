/** The one executable, as somebody who has nothing else meets it: an empty folder, an empty environment, no Node.js. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { WebSocket } from 'ws';
import { Client } from '../support/client.ts';
import type { Frame } from '../support/frame.ts';
import { makeDatabase, type PostgresServer, startPostgres } from '../support/postgres.ts';
import { listening, Process, type Program, type ServerProcess, telle } from '../support/process.ts';
import { inFolder } from '../support/server.ts';
import { asked, closeClients, connected, ioClient, told } from '../support/socketio.ts';
import { until } from '../support/until.ts';

const PROGRAM: Program = [resolve('dist/telle')];
const { version } = JSON.parse(await readFile('package.json', 'utf8'));
const run = (args: readonly string[], cwd: string, env = {}) => telle(args, { cwd, env }, PROGRAM);

/** Starts it in a folder on a free port, with nothing in its environment. @returns it, when `/health` has answered */
async function serve(cwd: string, ...flags: string[]): Promise<ServerProcess & { startTime: number }> {
  const started = performance.now();
  const args = ['serve', '--port', '0', '--log-level', 'warn', ...flags];
  const server = await listening(new Process(PROGRAM, args, { cwd }));
  assert.equal((await fetch(`${server.http}/health`)).status, 200);
  return Object.assign(server, { startTime: Math.round(performance.now() - started) });
}

/** A plain socket that has sent its join, and has its session. */
async function joined({ url }: ServerProcess, { channel, payload }: Pick<Frame, 'channel' | 'payload'>) {
  const client = new Client(new WebSocket(url));
  await once(client.socket, 'open');
  client.send(channel, payload);
  return Object.assign(client, { session: (await client.next('session')).payload });
}

/** The frames that a server prints for whoever tries it: two joins, and a message after each. */
async function printedFrames(server: ServerProcess): Promise<[Frame, Frame, Frame, Frame]> {
  await server.says(/admin_message.*\n/);
  const [join, asks, adminJoin, answers] = (server.stdout.match(/^\{.*$/gm) ?? []).map((line) => JSON.parse(line));
  return [join, asks, adminJoin, answers];
}

const chatMessages = (client: Client, groupId: string): string[] =>
  client.events(groupId).flatMap(({ payload }) => (payload.type === 'CHAT_MSG' ? [payload.message] : []));

/** The local ports of all the internet sockets that a process has. */
async function localPorts(pid: number): Promise<number[]> {
  const files = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')));
  const inodes = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const tables = ['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'raw6'].map((kind) =>
    readFile(`/proc/${pid}/net/${kind}`, 'utf8'),
  );
  const rows = (await Promise.all(tables)).flatMap((table) => table.trim().split('\n').slice(1));
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((columns) => inodes.has(columns[9]))
    .map(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16));
}

/** What a process has in memory, in MB. */
const residentMemory = async (pid: number): Promise<number> =>
  Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);

/** Where it unpacks to when nothing is said: what a test adds there is removed. */
const USERS_CACHE = join(userInfo().homedir, '.cache', 'telle');
const unpackedFor = (cache: string): Promise<string[]> => readdir(cache).catch(() => []);

describe('the one executable', { timeout: 180_000 }, () => {
  let cached: string[] = [];

  before(async () => {
    cached = await unpackedFor(USERS_CACHE);
    execFileSync('npm', ['run', '--silent', 'build:executable'], { stdio: ['ignore', 'ignore', 'inherit'] });
  });
  after(async () => {
    for (const name of await unpackedFor(USERS_CACHE)) {
      if (!cached.includes(name)) await rm(join(USERS_CACHE, name), { recursive: true });
    }
  });

  it('carries a chat over Socket.IO, polled and then over WebSocket', () =>
    inFolder(async (folder) => {
      const server = await serve(folder, '--socket-io', 'on');
      try {
        const client = ioClient('4.8', new URL(server.http).host);
        await connected(client);
        client.emit('client_join', { type: 'CLIENT_JOIN', dealerId: 'demo' });
        await told(client, 'session');
        const ack = await asked(client, 'customer_message', { type: 'UPDATE_MSG', message: 'hello' });
        assert.equal(Object(ack).seq, 1);
      } finally {
        closeClients();
        await server.kill();
      }
    }));

  it('serves in an empty folder, carries a chat, is killed with kill -9, and has every message when it is back', (t) =>
    inFolder(async (cwd) => {
      const first = await serve(cwd);
      try {
        const [join, asks, adminJoin, answers] = await printedFrames(first);
        const [admin, customer] = [await joined(first, adminJoin), await joined(first, join)];
        const { groupId } = join.payload;
        await customer.ask(asks.channel, asks.payload);
        await admin.next('CHAT_MSG');
        await admin.ask(answers.channel, answers.payload);
        await customer.next('CHAT_MSG');
        const said = [asks.payload.message, answers.payload.message];
        const memory = process.platform === 'linux' ? await residentMemory(first.pid) : Number.NaN;
        assert.deepEqual(await first.kill('SIGKILL'), { code: null, signal: 'SIGKILL' });
        assert.equal(first.stderr, '');

        const second = await serve(cwd);
        try {
          const { token } = customer.session;
          const back = await joined(second, { ...join, payload: { ...join.payload, token, since: { [groupId]: 0 } } });
          await back.settled();
          assert.deepEqual(chatMessages(back, groupId), said);
        } finally {
          await second.kill();
        }
        const size = ((await stat(PROGRAM[0])).size / 1e6).toFixed(1);
        t.diagnostic(`size ${size} MB, in memory ${memory} MB`);
        t.diagnostic(`from start to /health: ${first.startTime} ms in an empty folder, ${second.startTime} ms again`);
      } finally {
        await first.kill();
      }
    }));

  it('serves when nothing is asked of it', () =>
    inFolder(async (cwd) => {
      const server = await listening(new Process(PROGRAM, [], { cwd, env: { PORT: '0' } }));
      assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null });
    }));

  it('has what browsers are served', () =>
    inFolder(async (folder) => {
      const server = await serve(folder);
      const response = await fetch(`${server.http}/widget.js`);
      assert.deepEqual([response.status, response.headers.get('content-encoding')], [200, 'gzip']);
      assert.match(await response.text(), /data-dealer/);
      await server.kill();
    }));

  it('ends with 0 on SIGTERM, having told its sockets to come back, and warns of nothing', () =>
    inFolder(async (cwd) => {
      const server = await serve(cwd);
      const [join] = await printedFrames(server);
      const customer = await joined(server, join);
      assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null });
      assert.equal(await customer.closed, 1012);
      assert.equal(server.stderr, '');
    }));

  it('has no connection but those to its own port', { skip: process.platform !== 'linux' && 'needs /proc' }, () =>
    inFolder(async (cwd) => {
      const server = await serve(cwd);
      try {
        const [join] = await printedFrames(server);
        await joined(server, join);
        const own = Number(new URL(server.http).port);
        const ports = await localPorts(server.pid);
        assert.ok(ports.length >= 2, 'one that listens, and one to the customer');
        assert.deepEqual(new Set(ports), new Set([own]));
      } finally {
        await server.kill();
      }
    }),
  );

  it('shows its commands and its version, and prints a token that its server takes', () =>
    inFolder(async (cwd) => {
      const help = await run(['--help'], cwd);
      assert.deepEqual([help.code, help.stderr], [0, '']);
      for (const command of ['serve', 'migrate', 'token'])
        assert.match(help.stdout, new RegExp(`^ {2}${command} `, 'm'));
      assert.equal((await run(['--version'], cwd)).stdout, `${version}\n`);
      const { stdout } = await run('token --init --role admin --dealer demo --sub bob'.split(' '), cwd);
      const server = await serve(cwd);
      try {
        const payload = { type: 'ADMIN_JOIN', dealerId: 'demo', adminId: 'bob', token: stdout.trim() };
        const { session } = await joined(server, { channel: 'admin_join', payload });
        assert.equal(session.adminId, 'bob');
      } finally {
        await server.kill();
      }
    }));

  it('carries what it has stored into its file while it serves, on a thread', () =>
    inFolder(async (cwd) => {
      const { stdout } = await run('token --init --role server --dealer demo --sub crm'.split(' '), cwd);
      const server = await serve(cwd);
      try {
        const said = { type: 'UPDATE_MSG', groupId: 'g1', user: 'customer', message: 'x'.repeat(100) };
        const say = (count: number) =>
          fetch(`${server.http}/v1/events`, {
            method: 'POST',
            headers: { authorization: `Bearer ${stdout.trim()}`, 'content-type': 'application/json' },
            body: JSON.stringify(Array.from({ length: count }, () => said)),
          });
        for (let thousand = 0; thousand < 20; thousand += 1) assert.equal((await say(1000)).status, 200);
        // The log holds them all; the file by itself holds them only once they have been carried over.
        const file = join(cwd, 'data/telle.db');
        await until('what was said is in the file', async () => (await stat(file)).size > 20_000 * 100);
        assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null });
        assert.equal(server.stderr, '');
      } finally {
        await server.kill();
      }
    }));
});

describe('the one executable on Postgres', { timeout: 120_000 }, () => {
  let postgres: PostgresServer | undefined;
  before(async () => {
    postgres = await startPostgres();
  });
  after(() => postgres?.stop());

  it('makes the tables, and serves on them', () =>
    inFolder(async (cwd) => {
      const url = await makeDatabase(postgres?.url ?? assert.fail('no Postgres runs'));
      const { code, stdout, stderr } = await run(['migrate', '--database-url', url], cwd);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
      assert.match(stdout, / is up to date\n$/);
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      assert.deepEqual((await client.query('select * from events')).rows, []);
      await client.end();
      const server = await serve(cwd, '--database-url', url, '--auth-secret', 'only this test knows it');
      try {
        assert.equal((await fetch(`${server.http}/ready`)).status, 200);
      } finally {
        await server.kill();
      }
    }));
});

/** What somebody else may have put in the place of an unpacked file, and it would be loaded as code. */
const PLANTED: readonly (readonly [sentence: string, plant: (file: string, elsewhere: string) => Promise<void>])[] = [
  ['other bytes', (file) => writeFile(file, 'no addon')],
  ['nothing any more', (file) => rm(file)],
  ['a link to the same bytes elsewhere', (file, elsewhere) => linkInstead(file, elsewhere)],
];

async function linkInstead(file: string, elsewhere: string): Promise<void> {
  await writeFile(elsewhere, await readFile(file));
  await rm(file);
  await symlink(elsewhere, file);
}

describe('what the one executable unpacks', { timeout: 120_000 }, () => {
  const ADDON = 'better_sqlite3.node';

  /** Its caches, of which the second is taken where the first is not to be trusted. */
  const cachesIn = (folder: string) => ({ XDG_CACHE_HOME: join(folder, 'cache'), TMPDIR: join(folder, 'tmp') });

  async function migrate(folder: string, name = 'telle'): Promise<void> {
    await mkdir(join(folder, 'tmp'), { recursive: true });
    const args = ['migrate', '--database-url', `sqlite:${join(folder, name)}.db`];
    const { code, stderr } = await run(args, folder, cachesIn(folder));
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  }

  /** The path of each unpacked file, below a cache. */
  async function unpacked(cache: string): Promise<string[]> {
    const entries = await readdir(cache, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
  }

  async function addonIn(folder: string): Promise<string> {
    const files = await unpacked(join(folder, 'cache', 'telle'));
    return files.find((file) => file.endsWith(ADDON)) ?? assert.fail('the addon was not unpacked');
  }

  it('is in folders that are named by what they hold, for the user alone, and is not written again', () =>
    inFolder(async (folder) => {
      await migrate(folder);
      const addon = await addonIn(folder);
      assert.match(addon, /\/telle\/[0-9a-f]{64}\/better_sqlite3\.node$/);
      for (const path of ['cache/telle', 'cache']) assert.equal((await stat(join(folder, path))).mode & 0o777, 0o700);
      const { mtimeMs, ino } = await stat(addon);
      const files = await unpacked(join(folder, 'cache'));
      await migrate(folder);
      const again = await stat(addon);
      assert.deepEqual([again.mtimeMs, again.ino], [mtimeMs, ino]);
      assert.deepEqual(await unpacked(join(folder, 'cache')), files);
      assert.deepEqual(await readdir(join(folder, 'tmp')), []);
    }));

  for (const [sentence, plant] of PLANTED) {
    it(`is put right where there is ${sentence}`, () =>
      inFolder(async (folder) => {
        await migrate(folder);
        const addon = await addonIn(folder);
        const bytes = await readFile(addon);
        await plant(addon, join(folder, 'elsewhere'));
        await migrate(folder);
        assert.ok((await readFile(addon)).equals(bytes));
        assert.equal(await readlink(addon).catch(() => null), null);
      }));
  }

  it('goes elsewhere where others may write to the cache', () =>
    inFolder(async (folder) => {
      const cache = join(folder, 'cache', 'telle');
      await mkdir(cache, { recursive: true });
      await chmod(cache, 0o777);
      await migrate(folder);
      assert.deepEqual(await readdir(cache), []);
      assert.deepEqual(await readdir(join(folder, 'tmp')), [`telle-${userInfo().uid}`]);
    }));

  it('is said to have no place, in one sentence, where there is none', () =>
    inFolder(async (folder) => {
      for (const name of ['cache', 'tmp']) await writeFile(join(folder, name), '');
      const { code, stderr } = await run(['migrate'], folder, cachesIn(folder));
      assert.equal(code, 1);
      assert.match(stderr, /^telle: no folder to unpack into: set XDG_CACHE_HOME to one .*\n$/);
    }));

  it('is whole for each of several processes that start at once', () =>
    inFolder(async (folder) => {
      await Promise.all(['one', 'two', 'three', 'four'].map((name) => migrate(folder, name)));
      const names = (await unpacked(join(folder, 'cache'))).filter((file) => file.includes(ADDON));
      assert.equal(names.length, 1);
    }));
});
