/**
 * The npm package, as somebody meets it who installs it: packed, installed into an empty project, and used as the README
 * says. The dependencies come from the registry, or from npm's cache of it.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { WebSocket } from 'ws';
import { Client } from '../support/client.ts';
import { fetched } from '../support/fetched.ts';

const { version } = JSON.parse(await readFile('package.json', 'utf8'));

/** What may be in it. */
const WANTED = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|PROTOCOL\.md|deploy\/Caddyfile)$/,
  /^docs\/(?!releasing\.md)([\w-]+\.md|images\/[\w-]+\.png)$/,
  /^dist\/drizzle\/(sqlite|postgres)\/migrations\/(\d{4}_\w+\.sql|meta\/_journal\.json)$/,
  /^dist\/schemas\/[\w-]+(\.d\.ts|\.js)$/,
  /^dist\/src\/[\w-]+\.js$/,
  /^dist\/src\/client\/[\w-]+\.d\.ts$/,
  /^dist\/client\/(index|telle)\.js$/,
  /^dist\/web\//,
];

/** What must be in it. */
const NEEDED = [
  'dist/src/main.js',
  'dist/schemas/index.d.ts',
  'dist/client/index.js',
  'dist/client/telle.js',
  'dist/web/widget.js',
];

/** How a user's compiler may look for modules. */
const RESOLUTIONS = [
  { module: 'node16', moduleResolution: 'node16' },
  { module: 'nodenext', moduleResolution: 'nodenext' },
  { module: 'esnext', moduleResolution: 'bundler' },
];

/** A user's program: what is wrong in it is found, so that what is right is known not to be `any`. */
const PROGRAM = `
import { connect } from 'telle/client';
import { type Body, ChatMsg, CLOSE, DELIVERIES, ERRORS, type ErrorCode, type Event, SENDS } from 'telle/schemas';

const event: Event = { type: 'MUTE_STATUS', dealerId: 'd1', groupId: 'g1', adminId: 'a1', muted: true };
const body: Body = { type: 'UPDATE_MSG', dealerId: 'd1', groupId: 'g1', user: 'bot', message: 'Hello' };
const code: ErrorCode = 'bot_muted';
const chat: typeof ChatMsg.static.muted = true;
const restart: 1012 = CLOSE.restart;
const channel: 'MUTE_STATE' = DELIVERIES[event.type].channel;
const status: 409 = ERRORS[code].status;
const client = connect({ url: 'ws://127.0.0.1:8080/ws', role: 'customer', dealerId: 'd1' });
client.on('CHAT_MESSAGE', ({ message }, { seq }) => console.log(message.length + seq));
// @ts-expect-error: an event has its fields
const wrong: Event = { type: 'MUTE_STATUS', dealerId: 'd1' };
// @ts-expect-error: and no other codes
const none: ErrorCode = 'bot_mutde';
// @ts-expect-error: a customer has no such channel
client.send('admin_message', body);
console.log(body, chat, restart, channel, status, wrong, none, SENDS);
`;

const execute = promisify(execFile);

/** Runs a command to its end. @returns its stdout; rejects, with all that it said, where it fails */
async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute(command, args, { cwd, maxBuffer: 2 ** 24 }).catch((error) => {
    throw new Error(`${command} ${args.join(' ')} failed (${error.code}):\n${error.stdout}${error.stderr}`);
  });
  return stdout;
}

/** The command of a package of this project's own, by its whole path. */
const tool = (name: string) => resolve('node_modules', '.bin', name);

/** Starts `npx telle serve`, and stops it with all that npx started. */
async function serve(cwd: string) {
  const child = spawn('npx', ['--no', 'telle', 'serve', '--port', '0', '--log-level', 'warn'], { cwd, detached: true });
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  for await (const text of child.stdout) {
    said += text;
    const [, url] = /(ws:\/\/\S+)[\s\S]*admin_message/.exec(said) ?? [];
    const [join = '', asks = ''] = said.match(/^\{.*$/gm) ?? [];
    const stop = async () => {
      if (child.pid) process.kill(-child.pid, 'SIGKILL');
      await once(child, 'close');
    };
    if (url) return { url, join: JSON.parse(join), asks: JSON.parse(asks), stop };
  }
  throw new Error(`npx telle serve ended: ${said}`);
}

describe('the npm package', { timeout: 300_000 }, () => {
  let folder = '';
  let tarball = '';
  let files: string[] = [];
  let installing = '';
  const project = () => join(folder, 'project');
  const inProject = (name: string, text: string) => writeFile(join(project(), name), text);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'telle-'));
    await run('.', 'npm', 'run', 'build');
    const packed = await run('.', 'npm', 'pack', '--json', '--silent', '--pack-destination', folder);
    const [{ filename, files: list }] = JSON.parse(packed);
    tarball = join(folder, filename);
    files = list.map(({ path }: { path: string }) => path);
    await mkdir(project());
    await inProject('package.json', JSON.stringify({ name: 'project', private: true, type: 'module' }));
    const flags = ['--loglevel=warn', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
    const { stderr } = await execute('npm', ['install', ...flags, tarball], { cwd: project() });
    installing = stderr;
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('holds what a user needs, and nothing else', () => {
    assert.deepEqual(
      files.filter((file) => !WANTED.some((pattern) => pattern.test(file))),
      [],
    );
    assert.deepEqual(
      NEEDED.filter((file) => !files.includes(file)),
      [],
    );
  });

  it('is what publint and attw ask of a package of ES modules', async () => {
    await run('.', tool('publint'), 'run', tarball, '--strict');
    const flags = ['--profile', 'esm-only', '--no-definitely-typed', '--exclude-entrypoints', './client/telle.js'];
    await run('.', join(fetched(), 'node_modules/.bin/attw'), tarball, ...flags);
  });

  it('installs on this Node.js without a word about engines', () => {
    assert.doesNotMatch(installing, /EBADENGINE/);
  });

  it('is the command `npx telle`, which serves and carries a message', async () => {
    assert.equal(await run(project(), 'npx', '--no', '--', 'telle', '--version'), `${version}\n`);
    const { url, join, asks, stop } = await serve(project());
    try {
      const client = new Client(new WebSocket(url));
      await once(client.socket, 'open');
      client.send(join.channel, join.payload);
      await client.next('session');
      const ack = await client.ask(asks.channel, asks.payload);
      assert.deepEqual([ack.channel, ack.seq], ['ack', 1]);
    } finally {
      await stop();
    }
  });

  it('gives `telle/schemas`, with which a payload can be checked', async () => {
    await inProject(
      'check.js',
      `import { Value } from '@sinclair/typebox/value';
       import { ChatMsg, ERRORS } from 'telle/schemas';
       const event = { type: 'CHAT_MSG', dealerId: 'd1', groupId: 'g1', user: 'bot', muted: false, unread: 0, message: 'Hello' };
       const checks = [event, { ...event, message: '' }].map((payload) => Value.Check(ChatMsg, payload));
       console.log(JSON.stringify([...checks, ERRORS.bot_muted.status]));`,
    );
    assert.deepEqual(JSON.parse(await run(project(), process.execPath, 'check.js')), [true, false, 409]);
  });

  it('gives `telle/client`, with which a program chats', async () => {
    await inProject(
      'chat.js',
      `import { connect } from 'telle/client';
       import { WebSocket } from 'ws';
       const customer = connect({ url: process.argv[2], role: 'customer', dealerId: 'demo', WebSocket });
       const { seq } = await customer.send('customer_message', { type: 'UPDATE_MSG', message: 'Hello' });
       customer.close();
       console.log(seq);`,
    );
    const { url, stop } = await serve(project());
    try {
      assert.equal(await run(project(), process.execPath, 'chat.js', url), '1\n');
    } finally {
      await stop();
    }
  });

  it('gives a file to script tags, whose global is `telle`, and which needs no other', async () => {
    await inProject('tag.js', `console.log(import.meta.resolve('telle/client/telle.js'));`);
    const file = await run(project(), process.execPath, 'tag.js');
    const page: { telle?: { connect?: unknown } } = createContext({});
    runInContext(await readFile(new URL(file.trim()), 'utf8'), page);
    assert.equal(typeof page.telle?.connect, 'function');
  });

  it('gives nothing else to import', async () => {
    for (const path of ['telle', 'telle/dist/src/app.js', 'telle/schemas/table']) {
      await inProject('deep.js', `import('${path}').catch(({ code }) => console.log(code));`);
      const code = await run(project(), process.execPath, 'deep.js');
      assert.equal(code, 'ERR_PACKAGE_PATH_NOT_EXPORTED\n', path);
    }
  });

  for (const compilerOptions of RESOLUTIONS) {
    it(`has types that a compiler finds which resolves modules as ${compilerOptions.moduleResolution} does`, async () => {
      await inProject('program.ts', PROGRAM);
      const options = { ...compilerOptions, strict: true, noEmit: true, target: 'es2022', types: [] };
      const file = `${compilerOptions.moduleResolution}.json`;
      await inProject(file, JSON.stringify({ compilerOptions: options, files: ['program.ts'] }));
      await run(project(), tool('tsc'), '-p', file);
    });
  }
});
