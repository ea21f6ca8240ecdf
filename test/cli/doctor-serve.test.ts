/** `telle doctor` beside `telle serve`: where the one cannot start, the other says so, for the same reason. */
import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { roomOf } from '../../src/cli/doctor-database.ts';
import { bundle } from '../support/bundle.ts';
import { freePort } from '../support/port.ts';
import { type Program, startProcess, telle } from '../support/process.ts';
import { inFolder } from '../support/server.ts';

const PATIENCE = 60_000;
const AUTH_SECRET = 'a secret of this test that nobody else has';

type Env = Readonly<Record<string, string>>;

/** Runs both with the same settings, one after the other. */
async function both(cwd: string, given: Env, program?: Program) {
  const env = { PORT: '0', MAX_CONNECTIONS: '10', LOG_LEVEL: 'silent', ...given };
  const options = { cwd, env, patience: PATIENCE };
  const doctor = await telle(['doctor'], options, program);
  const serve = await telle(['serve'], options, program);
  return { doctor, serve };
}

/** What keeps a server from starting: the settings for it, the exit code, and the words that both say. */
interface Hindrance {
  readonly what: string;
  readonly env: (cwd: string) => Env | Promise<Env>;
  readonly code: number;
  readonly topic: string;
  readonly says: RegExp;
  readonly advice: RegExp;
}

let taken = 0;
const HINDRANCES: readonly Hindrance[] = [
  {
    what: 'a port that is taken',
    env: () => ({ PORT: String(taken) }),
    code: 1,
    topic: 'port',
    says: /cannot listen on 127\.0\.0\.1:\d+: listen EADDRINUSE/,
    advice: /another process has that port: end it, or set another PORT/,
  },
  {
    what: 'a port for the metrics that is taken',
    env: () => ({ METRICS_PORT: String(taken) }),
    code: 1,
    topic: 'port',
    says: /EADDRINUSE/,
    advice: /set another METRICS_PORT/,
  },
  {
    what: 'an address of another machine',
    env: () => ({ HOST: '192.0.2.1', AUTH_SECRET }),
    code: 1,
    topic: 'port',
    says: /cannot listen on 192\.0\.2\.1:0: listen EADDRNOTAVAIL/,
    advice: /this machine has no such address: set another HOST/,
  },
  {
    what: 'a folder in which nothing can be made',
    env: () => ({ DATABASE_URL: 'sqlite:/proc/telle.db', AUTH_SECRET }),
    code: 1,
    topic: 'database',
    says: /sqlite:\/proc\/telle\.db.*ENOENT/,
    advice: /may this user write to \/proc\/telle\.db/,
  },
  {
    what: 'a file in the place of the folder',
    env: async (cwd) => {
      await writeFile(join(cwd, 'data'), '');
      return { AUTH_SECRET };
    },
    code: 1,
    topic: 'database',
    says: /sqlite:data\/telle\.db.*(ENOTDIR|EEXIST): .*: name a file, in a folder/,
    advice: /may this user write to data/,
  },
  {
    what: 'a database that is none',
    env: async (cwd) => {
      await writeFile(join(cwd, 'telle.db'), 'no database, but long enough to be looked at'.repeat(100));
      return { DATABASE_URL: 'sqlite:telle.db' };
    },
    code: 1,
    topic: 'database',
    says: /sqlite:telle\.db.*file is not a database/,
    advice: /telle\.db/,
  },
  {
    what: 'a secret of three bytes in production',
    env: () => ({ NODE_ENV: 'production', AUTH_SECRET: 'abc' }),
    code: 2,
    topic: 'secret',
    says: /part 1 of AUTH_SECRET has 3 bytes: each part .* must have at least 32/,
    advice: /openssl rand -base64 32/,
  },
  {
    what: 'a lock that is a link',
    env: async (cwd) => {
      await mkdir(join(cwd, 'data'));
      await telle(['migrate'], { cwd });
      await symlink('elsewhere', join(cwd, 'data', 'telle.db.lock'));
      await writeFile(join(cwd, 'data', 'elsewhere'), '');
      return {};
    },
    code: 2,
    topic: 'database',
    says: /telle\.db\.lock is not a file of this user's/,
    advice: /telle\.db/,
  },
];

describe('telle doctor and telle serve', { timeout: 170_000 }, () => {
  const holder = createServer();
  before(async () => {
    await new Promise<void>((done) => holder.listen(0, '127.0.0.1', done));
    const address = holder.address();
    taken = typeof address === 'object' && address !== null ? address.port : assert.fail('no port');
  });
  after(() => holder.close());

  for (const { what, env, code, topic, says, advice } of HINDRANCES) {
    it(`agree that nothing starts with ${what}`, () =>
      inFolder(async (cwd) => {
        const { doctor, serve } = await both(cwd, await env(cwd));
        assert.deepEqual([serve.code, serve.stdout], [code, ''], serve.stderr);
        assert.match(serve.stderr, /^telle: .*\n$/);
        assert.match(serve.stderr, says);
        assert.equal(doctor.code, 1, doctor.stdout);
        const lines = doctor.stdout.split('\n');
        const at = lines.findIndex((line) => line.startsWith(`✗ ${topic}`) && says.test(line));
        assert.notEqual(at, -1, doctor.stdout);
        assert.match(lines[at + 1] ?? '', advice);
      }));
  }

  it('agree that a short secret may be a developer’s', () =>
    inFolder(async (cwd) => {
      const env = { PORT: '0', MAX_CONNECTIONS: '10', AUTH_SECRET: 'abc' };
      const doctor = await telle(['doctor'], { cwd, env, patience: PATIENCE });
      assert.equal(doctor.code, 0, doctor.stdout);
      assert.match(doctor.stdout, /^! secret +part 1 of AUTH_SECRET has 3 bytes/m);
      const server = await startProcess({ cwd, env, patience: PATIENCE });
      await server.kill();
      assert.match(server.stderr, /part 1 of AUTH_SECRET has 3 bytes/);
    }));

  it('agree on a server that runs: with its own settings it is told of, with another port it is in the way', () =>
    inFolder(async (cwd) => {
      const port = String(await freePort());
      const server = await startProcess({ cwd, patience: PATIENCE }, ['--port', port]);
      try {
        const own = await both(cwd, { PORT: port });
        assert.equal(own.serve.code, 2);
        assert.equal(own.doctor.code, 0, own.doctor.stdout);
        assert.match(own.doctor.stdout, /^! port .* is taken by the server of these settings, which runs$/m);
        assert.match(own.doctor.stdout, /^✓ running +the server says ok of database, (disk, )?drain$/m);
        const other = await both(cwd, {});
        assert.equal(other.serve.code, 2);
        assert.equal(other.doctor.code, 1, other.doctor.stdout);
        assert.match(other.doctor.stdout, /^✗ database +another telle serves data\/telle\.db$/m);
        const elsewhere = await both(cwd, { PORT: port, DATABASE_URL: 'sqlite:other.db' });
        assert.deepEqual([elsewhere.serve.code, elsewhere.doctor.code], [1, 1], elsewhere.doctor.stdout);
        assert.match(elsewhere.doctor.stdout, /^✗ port .*EADDRINUSE/m);
        assert.equal((await fetch(`${server.http}/ready`)).status, 200);
      } finally {
        await server.kill();
      }
    }));

  it('agree on a database in memory', () =>
    inFolder(async (cwd) => {
      const env = { DATABASE_URL: 'sqlite::memory:', PORT: '0', MAX_CONNECTIONS: '10' };
      const { code, stdout } = await telle(['doctor'], { cwd, env, patience: PATIENCE });
      assert.equal(code, 0, stdout);
      assert.match(stdout, /^✓ secret +made at each start/m);
      await (await startProcess({ cwd, env, patience: PATIENCE })).kill();
      assert.deepEqual(await readdir(cwd), []);
    }));

  it('say of a disk how much is left: little is a warning, too little for a start a fault', () => {
    const states = [2 ** 31, 2 ** 29, 2 ** 19, 0].map((free) => roomOf(free, '/data').state);
    assert.deepEqual(states, ['ok', 'warning', 'fault', 'fault']);
  });
});

describe('without SQLite’s addon', { timeout: 120_000 }, () => {
  /** The program in a folder of its own, beside a better-sqlite3 whose addon is another file, or none. */
  async function programIn(folder: string, addon: string | null): Promise<Program> {
    const [main = ''] = await bundle(['src/main.ts'], folder);
    const [from, to] = [resolve('node_modules/better-sqlite3'), join(folder, 'node_modules/better-sqlite3')];
    await cp(join(from, 'package.json'), join(to, 'package.json'), { recursive: true });
    await cp(join(from, 'lib'), join(to, 'lib'), { recursive: true });
    const { dependencies } = JSON.parse(await readFile(join(from, 'package.json'), 'utf8'));
    for (const name of [...Object.keys(dependencies), 'file-uri-to-path']) {
      await symlink(resolve('node_modules', name), join(folder, 'node_modules', name));
    }
    await mkdir(join(to, 'build/Release'), { recursive: true });
    if (addon !== null) await writeFile(join(to, 'build/Release/better_sqlite3.node'), addon);
    return [process.execPath, main];
  }

  for (const [what, addon, says] of [
    ['missing', null, /SQLite's addon \(better_sqlite3\.node\) is missing/],
    ['broken', 'no addon', /SQLite's addon \(better_sqlite3\.node\) cannot be loaded: .*better_sqlite3\.node/],
  ] as const) {
    it(`all that needs it says that it is ${what}, and blames no setting`, () =>
      inFolder(async (folder) => {
        const cwd = join(folder, 'empty');
        await mkdir(cwd);
        const program = await programIn(folder, addon);
        const { doctor, serve } = await both(cwd, { AUTH_SECRET }, program);
        assert.deepEqual([serve.code, serve.stdout], [1, '']);
        assert.match(
          serve.stderr,
          /^telle: SQLite's addon .*: install it anew: npm ci, or remove node_modules\/better-sqlite3 and npm install\n$/,
        );
        assert.match(serve.stderr, says);
        assert.doesNotMatch(serve.stderr, /DATABASE_URL/);
        assert.equal(doctor.code, 1);
        assert.match(doctor.stdout, new RegExp(`^✗ database +${says.source}.*\\n +→ install it anew`, 'm'));
        const dealer = await telle(['migrate'], { cwd }, program);
        assert.deepEqual([dealer.code, dealer.stderr], [1, serve.stderr]);
        assert.deepEqual(await readdir(cwd), []);
      }));
  }
});
