/**
 * The npm package, as somebody meets it who installs it: packed, installed into an empty project, and used as the README
 * says. The dependencies come from the registry, or from npm's cache of it.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { WebSocket } from 'ws';
import { Client } from '../support/client.ts';
import { telle } from '../support/process.ts';
import { environmentOf, type Installed, install, NPM, otherNode, program, run } from './installed.ts';

const { version, engines } = JSON.parse(await readFile('package.json', 'utf8'));

/** What may be in it. */
const WANTED = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|PROTOCOL\.md|deploy\/[\w.-]+)$/,
  /^docs\/(?!releasing\.md)([\w-]+\.md|images\/[\w-]+\.png)$/,
  /^dist\/drizzle\/(sqlite|postgres)\/migrations\/(\d{4}_\w+\.sql|meta\/_journal\.json)$/,
  /^dist\/conformance\/(cases\/)?[\w-]+(\.d\.ts|\.js)$/,
  /^dist\/schemas\/(events\/)?[\w-]+(\.d\.ts|\.js)$/,
  /^dist\/src\/[\w-]+\.js$/,
  /^dist\/src\/(client|bot)\/[\w-]+\.d\.ts$/,
  /^dist\/client\/(index|telle)\.js$/,
  /^dist\/bot\/index\.js$/,
  /^examples\/[\w-]+\.(js|php|py)$/,
  /^dist\/web\//,
  /^dist\/licenses\.txt$/,
];

/** What must be in it. */
const NEEDED = [
  'dist/src/main.js',
  'dist/conformance/index.d.ts',
  'dist/schemas/index.d.ts',
  'dist/bot/index.js',
  'dist/client/index.js',
  'dist/client/telle.js',
  'dist/web/widget.js',
  'dist/licenses.txt',
];

/** How a user's compiler may look for modules. */
const RESOLUTIONS = [
  { module: 'node16', moduleResolution: 'node16' },
  { module: 'nodenext', moduleResolution: 'nodenext' },
  { module: 'esnext', moduleResolution: 'bundler' },
];

/** A user's program: what is wrong in it is found, so that what is right is known not to be `any`. */
const PROGRAM = `
import { createBot } from 'telle/bot';
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
const bot = createBot({ url: 'ws://127.0.0.1:8080/ws', token: '', answer: ({ question }) => question.text });
// @ts-expect-error: an answer has text
createBot({ url: 'ws://127.0.0.1:8080/ws', token: '', answer: () => 7 });
// @ts-expect-error: an event has its fields
const wrong: Event = { type: 'MUTE_STATUS', dealerId: 'd1' };
// @ts-expect-error: and no other codes
const none: ErrorCode = 'bot_mutde';
// @ts-expect-error: a customer has no such channel
client.send('admin_message', body);
console.log(body, chat, restart, channel, status, wrong, none, SENDS, bot);
`;

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
  let installed: Installed;
  const project = () => installed.project;
  const inProject = (name: string, text: string) => writeFile(join(project(), name), text);
  /** Runs a command in the project. @returns its stdout */
  const says = async (command: string, ...args: string[]) => (await run(command, args, { cwd: project() })).stdout;

  before(async () => {
    installed = await install(NPM);
  });
  after(() => installed?.remove());

  it('holds what a user needs, and nothing else', () => {
    assert.deepEqual(
      installed.files.filter((file) => !WANTED.some((pattern) => pattern.test(file))),
      [],
    );
    assert.deepEqual(
      NEEDED.filter((file) => !installed.files.includes(file)),
      [],
    );
  });

  it('is what publint and attw ask of a package of ES modules', async () => {
    await run(tool('publint'), ['run', installed.tarball, '--strict']);
    const flags = ['--profile', 'esm-only', '--no-definitely-typed', '--exclude-entrypoints', './client/telle.js'];
    await run(program('attw'), [installed.tarball, ...flags]);
  });

  it('is the command `npx telle`, which serves and carries a message', async () => {
    assert.equal(await says('npx', '--no', '--', 'telle', '--version'), `${version}\n`);
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

  it('tells Node.js 20 in one sentence that it is too old', {
    skip: process.platform !== 'linux' && 'npm has it for Linux alone',
  }, async () => {
    const node = otherNode(20);
    const { stdout: found } = await run(node, ['-p', 'process.versions.node']);
    const ended = await telle(['serve'], { cwd: project(), env: environmentOf(node) }, [installed.telle]);
    assert.deepEqual([ended.code, ended.stdout], [1, '']);
    for (const named of [engines.node.replace('>=', ''), found.trim()])
      assert.ok(ended.stderr.includes(named), ended.stderr);
    assert.match(ended.stderr, /^telle: .*\n$/);
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
    assert.deepEqual(JSON.parse(await says(process.execPath, 'check.js')), [true, false, 409]);
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
      assert.equal(await says(process.execPath, 'chat.js', url), '1\n');
    } finally {
      await stop();
    }
  });

  it('gives a file to script tags, whose global is `telle`, and which needs no other', async () => {
    await inProject('tag.js', `console.log(import.meta.resolve('telle/client/telle.js'));`);
    const file = await says(process.execPath, 'tag.js');
    const page: { telle?: { connect?: unknown } } = createContext({});
    runInContext(await readFile(new URL(file.trim()), 'utf8'), page);
    assert.equal(typeof page.telle?.connect, 'function');
  });

  it('gives nothing else to import', async () => {
    for (const path of ['telle', 'telle/dist/src/app.js', 'telle/schemas/table']) {
      await inProject('deep.js', `import('${path}').catch(({ code }) => console.log(code));`);
      const code = await says(process.execPath, 'deep.js');
      assert.equal(code, 'ERR_PACKAGE_PATH_NOT_EXPORTED\n', path);
    }
  });

  for (const compilerOptions of RESOLUTIONS) {
    it(`has types that a compiler finds which resolves modules as ${compilerOptions.moduleResolution} does`, async () => {
      await inProject('program.ts', PROGRAM);
      const options = { ...compilerOptions, strict: true, noEmit: true, target: 'es2022', types: [] };
      const file = `${compilerOptions.moduleResolution}.json`;
      await inProject(file, JSON.stringify({ compilerOptions: options, files: ['program.ts'] }));
      await says(tool('tsc'), '-p', file);
    });
  }
});
