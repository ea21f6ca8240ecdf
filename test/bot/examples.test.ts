/** The bots of `examples/`, as they stand there: each a process, beside a whole server and what stands in for a model's endpoint. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildBot } from '../../build/bot.ts';
import { programOf } from '../support/debian.ts';
import { Process, type Program } from '../support/process.ts';
import { Place } from '../support/sdk.ts';
import { DEALER, inFolder } from '../support/server.ts';

let place: Place;
let model: Model;
before(async () => {
  place = await Place.open();
  await place.server.store.putDealer(DEALER, { origins: ['*'], bot: true });
  model = await Model.start();
});
after(async () => {
  await place.close();
  model.close();
});

/** A server that speaks OpenAI's streaming chat completions: it answers the last message with these parts. */
class Model {
  readonly asked: { messages: { role: string; content: string }[] }[] = [];
  parts: readonly string[] = [];
  /** True where it breaks off before the end. */
  breaks = false;
  /** Is awaited before the last part. */
  gate: Promise<void> = Promise.resolve();
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response));

  static async start(): Promise<Model> {
    const model = new Model();
    await new Promise<void>((resolve) => model.#server.listen(0, '127.0.0.1', resolve));
    return model;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/v1`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    assert.deepEqual([request.url, request.headers.authorization], ['/v1/chat/completions', 'Bearer key']);
    let body = '';
    for await (const part of request) body += part;
    this.asked.push(JSON.parse(body));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const put = (delta: object) => response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`);
    put({ role: 'assistant', content: '' });
    for (const [index, content] of this.parts.entries()) {
      if (index === this.parts.length - 1) await this.gate;
      put({ content });
    }
    response.end(this.breaks ? undefined : 'data: [DONE]\n\n');
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** Runs an example in a project that has the package, until `use` is through. */
const running = (file: string, program: Program, use: (bot: Process) => Promise<void>) =>
  inFolder(async (folder) => {
    const installed = join(folder, 'node_modules/telle');
    await mkdir(installed, { recursive: true });
    await cp('package.json', join(installed, 'package.json'));
    await buildBot(join(installed, 'dist/bot'));
    await cp(join('examples', file), join(folder, file));
    const env = {
      TELLE_URL: place.directUrl,
      TELLE_TOKEN: place.server.token('server', file),
      OPENAI_BASE_URL: model.url,
      OPENAI_API_KEY: 'key',
    };
    const bot = new Process(program, [file], { cwd: folder, env, patience: 60_000 });
    try {
      await use(bot);
    } finally {
      await bot.kill();
    }
  });

async function customerWho(asks: string) {
  const { client, heard, groupId } = await place.customer();
  await client.send('customer_message', { type: 'UPDATE_MSG', message: asks });
  const hears = async (count = 1) =>
    (await heard.first(count, ({ payload }) => payload?.type === 'CHAT_MSG')).at(-1)?.payload;
  return { client, heard, groupId, hears };
}

const PYTHON = programOf({ binary: 'usr/bin/python3', packages: ['python3'], formula: 'python' });
/** Python itself, where the PATH has something that looks for it: the bot's environment has no PATH. */
const python = execFileSync(PYTHON.path, ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
const php = programOf({ binary: 'usr/bin/php', packages: ['php-cli'], formula: 'php' }).path;

describe('examples/', () => {
  test('echo.js says again what the customer said', () =>
    running('echo.js', [process.execPath], async () => {
      const { hears, client } = await customerWho('hello');
      assert.equal((await hears()).message, 'You said: hello');
      await client.send('customer_message', { type: 'UPDATE_MSG', message: 'again' });
      assert.equal((await hears(2)).message, 'You said: again');
    }));

  const ON_A_MODEL: Readonly<Record<string, Program>> = {
    'openai.js': [process.execPath],
    'openai.py': [python],
    'openai.php': [php],
  };
  for (const [file, program] of Object.entries(ON_A_MODEL)) {
    test(`${file} streams a model's answer, asks for a person, and stops for one`, () =>
      running(file, program, async (bot) => {
        await grows();
        await handsOff();
        await stops();
        await fails(bot);
      }));
  }
});

async function grows(): Promise<void> {
  let resume = () => {};
  Object.assign(model, {
    parts: ['It is', ' 🚗 there', '.'],
    gate: new Promise<void>((resolve) => (resume = resolve)),
  });
  const { heard, hears } = await customerWho('Is it there?');
  await heard.first(1, ({ payload }) => payload?.text?.startsWith('It is'));
  resume();
  const { message, user } = await hears();
  assert.deepEqual([message, user], ['It is 🚗 there.', 'bot']);
  const asked = model.asked.at(-1)?.messages ?? [];
  assert.deepEqual([asked[0]?.role, asked.at(-1)], ['system', { role: 'user', content: 'Is it there?' }]);
}

async function handsOff(): Promise<void> {
  model.parts = ['HAND', 'OFF'];
  const { heard, hears } = await customerWho('A person, please.');
  const { message, waiting } = await hears();
  assert.deepEqual([message, waiting.for], ['I am getting somebody for you.', 'admin']);
  assert.deepEqual(
    heard.items.filter(({ payload }) => payload?.text?.startsWith('HAND')),
    [],
  );
}

async function stops(): Promise<void> {
  let resume = () => {};
  Object.assign(model, { parts: ['I am', ' late.'], gate: new Promise<void>((resolve) => (resume = resolve)) });
  const admin = await place.admin();
  const { heard, groupId, hears } = await customerWho('Anybody?');
  await heard.first(1, ({ payload }) => payload?.text === 'I am');
  await admin.client.send('admin_message', { type: 'UPDATE_MSG', groupId, message: 'Here.' });
  assert.equal((await hears()).user, 'admin');
  resume();
  model.parts = ['Yes.'];
  const other = await customerWho('And now?');
  assert.equal((await other.hears()).message, 'Yes.');
  assert.equal(heard.items.filter(({ payload }) => payload?.type === 'CHAT_MSG').length, 1);
  admin.client.close();
}

/** What breaks off is not said: a person is asked for, and nothing of it is in the log. */
async function fails(bot: Process): Promise<void> {
  Object.assign(model, { parts: ['Half of a secret'], breaks: true });
  const crm = await place.crm();
  const { groupId, heard } = await customerWho('Tell me!');
  await crm.heard.first(1, ({ payload }) => payload?.type === 'HANDOFF' && payload.groupId === groupId);
  assert.deepEqual(
    heard.items.filter(({ payload }) => String(payload?.message).includes('secret')),
    [],
  );
  const said = bot.stdout + bot.stderr;
  assert.match(said, /^bot: (OSError|Error|Unreachable)/m);
  assert.doesNotMatch(said, /secret|Tell me/);
  model.breaks = false;
}
