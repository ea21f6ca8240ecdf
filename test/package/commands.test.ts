/** Every command of the package, run for real from where it was installed: by each way to install it, and on each Node.js. */
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { listening, Process, type ServerProcess, telle } from '../support/process.ts';
import { type Installed, install, NPM, otherNode, program, QUIET, type Way } from './installed.ts';

const { version } = JSON.parse(await readFile('package.json', 'utf8'));
/** Longer than any command takes, in ms; the server is stopped at the end. */
const PATIENCE = 60_000;

/** Both managers, with install scripts and without, on both versions of Node.js. pnpm runs none of itself. */
const WAYS: readonly (readonly [how: string, way: () => Way, skip?: string | false])[] = [
  ['by npm', () => NPM],
  ['by pnpm', () => ({ command: [program('pnpm'), 'add', '--prefer-offline'], node: process.execPath })],
  [
    'by npm without install scripts, on Node.js 22',
    () => ({ command: ['npm', 'install', '--ignore-scripts', ...QUIET], node: otherNode(22) }),
    process.platform !== 'linux' && 'npm has that version for Linux alone',
  ],
];

/** A server that runs from the package, and commands beside it, in its folder. */
interface House {
  readonly server: ServerProcess;
  /** Starts a command. */
  start(...args: string[]): Process;
  /** Runs one to its end, which must be a good one. @returns its stdout */
  run(...args: string[]): Promise<string>;
}

const inWords = (type: string, message: string) => [
  `type=${type}`,
  'dealerId=demo',
  'groupId=g2',
  `message=${message}`,
];

/** Each command, and what shows that it did its work. They run in this order. */
const RUNS: Readonly<Record<string, (house: House) => Promise<void>>> = {
  help: async ({ run }) => assert.match(await run('help', 'serve'), /^Usage: telle serve /),
  serve: async ({ server }) => {
    assert.match(server.stdout, new RegExp(`^telle ${version} `));
    for (const page of ['ready', 'widget.js', 'desk', 'docs', 'openapi.json'])
      assert.equal((await fetch(`${server.http}/${page}`)).status, 200, page);
  },
  migrate: async ({ run }) => assert.match(await run('migrate'), / is up to date\n$/),
  token: async ({ run }) => {
    const token = await run('token', '--role', 'admin', '--dealer', 'demo', '--sub', 'bob');
    assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  },
  chat: async ({ server, start }) => {
    const args = ['chat', '--url', server.http, '--dealer', 'demo', '--group', 'g1'];
    const [customer, admin] = [start(...args), start(...args, '--admin', 'alice')];
    await Promise.all([customer, admin].map((chat) => chat.says(/^-- in the chat at demo$/m, 'stderr')));
    customer.tell('Is the blue one there?');
    await admin.says(/customer: Is the blue one there\?\n/);
    admin.tell('It is.');
    await customer.says(/alice: It is\.\n/);
    for (const chat of [customer, admin]) {
      chat.tell('/quit');
      assert.deepEqual(await chat.ended, { code: 0, signal: null }, chat.stderr);
    }
  },
  tail: async ({ server, start, run }) => {
    const tail = start('tail', '--dealer', 'demo', '--json', '--url', server.http);
    await tail.says(/^-- listening at demo$/m, 'stderr');
    await run('publish', '--url', server.http, ...inWords('UPDATE_MSG', 'Hello'), 'user=bot');
    await tail.says(/"message":"Hello".*\n/);
    assert.deepEqual(await tail.kill('SIGTERM'), { code: 0, signal: null }, tail.stderr);
  },
  publish: async ({ server, run }) => {
    assert.match(await run('publish', '--url', server.http, ...inWords('UPDATE_MSG', 'Bye'), 'user=bot'), /\b1\b/);
  },
  export: async ({ run }) => {
    const lines = (await run('export', '--dealer', 'demo')).trim().split('\n');
    const said = lines.map((line) => JSON.stringify(JSON.parse(line)));
    for (const text of ['Is the blue one there?', 'It is.', 'Hello', 'Bye'])
      assert.ok(
        said.some((line) => line.includes(`"message":"${text}"`)),
        text,
      );
  },
  'dealer add': async ({ run }) => {
    await run('dealer', 'add', 'main-street', '--name', 'Main Street Cars');
  },
  'dealer list': async ({ run }) => assert.match(await run('dealer', 'list', '--json'), /"dealerId":"main-street"/),
  revoke: async ({ run }) => assert.match(await run('revoke', '--dealer', 'main-street'), /^tokens of .* are taken /),
  'dealer remove': async ({ run }) => {
    await run('dealer', 'remove', 'main-street', '--yes');
    assert.doesNotMatch(await run('dealer', 'list', '--json'), /main-street/);
  },
  conformance: async ({ start }) => {
    const tried = start('conformance', 'ws://127.0.0.1:1/ws', '--dealer', 'demo');
    assert.deepEqual(await tried.ended, { code: 2, signal: null }, tried.stderr);
    assert.match(tried.stderr, /^telle: 127\.0\.0\.1:1: .*ECONNREFUSED/);
  },
  prune: async ({ server, run }) =>
    assert.match(await run('prune', '--url', server.http), /^0 conversations of 0 dealers /),
  doctor: async ({ server, run }) =>
    assert.match(await run('doctor', '--port', new URL(server.http).port), /telle\.db answers\n/),
  backup: async ({ run }) => {
    assert.match(await run('backup', 'copy.db'), /^copy\.db is a copy of data\/telle\.db, \d+ bytes\n$/);
    assert.match(await run('export', '--dealer', 'demo', '--database-url', 'sqlite:copy.db'), /It is\./);
  },
  restore: async ({ run }) => {
    const elsewhere = ['--database-url', 'sqlite:restored/telle.db'];
    assert.equal(await run('restore', 'copy.db', ...elsewhere), 'restored/telle.db now holds what copy.db holds\n');
    assert.match(await run('export', '--dealer', 'demo', ...elsewhere), /It is\./);
  },
  move: async ({ run }) => {
    await run('move', '--to', 'sqlite:moved/telle.db', '--database-url', 'sqlite:restored/telle.db');
    assert.match(await run('export', '--dealer', 'demo', '--database-url', 'sqlite:moved/telle.db'), /It is\./);
  },
  import: async ({ run }) => {
    const elsewhere = ['--database-url', 'sqlite:imported/telle.db'];
    await run('export', '--dealer', 'demo', '--output', 'demo.ndjson');
    await run('migrate', ...elsewhere);
    await run('import', 'demo.ndjson', ...elsewhere);
    assert.match(await run('export', '--dealer', 'demo', ...elsewhere), /It is\./);
  },
};

/** The commands that a help lists. */
const listedIn = (help: string): string[] =>
  [...help.slice(help.indexOf('\nCommands:\n')).matchAll(/^ {2}([\w-]+)/gm)].map(([, name = '']) => name);

/** Every command there is; in place of one that only holds others, those. */
async function commandsOf({ run }: House): Promise<string[]> {
  const found: string[] = [];
  for (const name of listedIn(await run('--help'))) {
    const below = name in RUNS ? [] : listedIn(await run(name, '--help')).filter((each) => each !== 'help');
    found.push(...(below.length > 0 ? below.map((each) => `${name} ${each}`) : [name]));
  }
  return found;
}

for (const [how, way, skip = false] of WAYS) {
  describe(`telle, installed ${how}`, { timeout: 600_000, skip }, () => {
    let installed: Installed;
    let house: House;
    const started: Process[] = [];

    before(async () => {
      installed = await install(way());
      const cwd = join(installed.project, 'house');
      await mkdir(cwd);
      const options = { cwd, env: installed.env, patience: PATIENCE };
      const begin = (args: readonly string[], patience: number) => {
        const child = new Process([installed.telle], args, { ...options, patience });
        started.push(child);
        return child;
      };
      const start = (...args: string[]) => begin(args, PATIENCE);
      const run = async (...args: string[]) => {
        const { code, stdout, stderr } = await telle(args, options, [installed.telle]);
        assert.equal(code, 0, `telle ${args.join(' ')}: ${stdout}${stderr}`);
        return stdout;
      };
      const server = await listening(begin(['serve', '--port', '0', '--log-level', 'warn'], 0));
      house = { server, start, run };
    });
    after(async () => {
      await Promise.all(started.map((each) => each.kill()));
      await installed?.remove();
    });

    it('comes without a word about engines or what is deprecated', () => {
      assert.doesNotMatch(installed.said, /EBADENGINE|unsupported engine|deprecated/i);
    });

    it('is of this version', async () => {
      assert.equal(await house.run('--version'), `${version}\n`);
    });

    it('has no command but those that are run here', async () => {
      assert.deepEqual((await commandsOf(house)).sort(), Object.keys(RUNS).sort());
    });

    for (const [words, tried] of Object.entries(RUNS)) it(`runs telle ${words}`, () => tried(house));
  });
}
