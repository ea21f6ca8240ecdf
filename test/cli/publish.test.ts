/** `telle publish`: events of another server, over HTTP and over Redis. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { command } from '../support/command.ts';
import { Outside } from '../support/outside.ts';
import { freePort } from '../support/port.ts';
import { Process, SOURCE } from '../support/process.ts';
import { DEALER, inFolder, SECRET, startServer, type TestServer } from '../support/server.ts';
import { startAtTerminal } from '../support/terminal.ts';

const redisUrl = process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set: run the tests with `npm test`');

const PATIENCE = 60_000;
/** The tests' own has a comma in it, which would make two of it. */
const AUTH_SECRET = 'a secret of this test that nobody else has';
/** Lines that go in three requests. */
const MANY = 1_200;

const message = (groupId: string, text: string) => ({
  type: 'UPDATE_MSG',
  dealerId: DEALER,
  groupId,
  user: 'customer',
  message: text,
});
const lines = (events: readonly (object | string)[]) =>
  events.map((event) => `${typeof event === 'string' ? event : JSON.stringify(event)}\n`).join('');

/** Five lines, of which three are refused; the third is empty, and is none. */
const MIXED = (groupId: string) =>
  lines([
    message(groupId, 'One'),
    'not JSON',
    '',
    '["an array"]',
    { ...message(groupId, 'Two'), type: 'UPDATE_MESSAGE' },
    message(groupId, 'Three'),
  ]);

describe('telle publish over HTTP', { timeout: 120_000 }, () => {
  let server: TestServer;
  let url = '';

  before(async () => {
    server = await startServer({ secrets: [SECRET, AUTH_SECRET] });
    url = `http://${await server.listen()}`;
  });
  after(() => server.close());

  const publish = (...args: string[]) => command(['publish', '--url', url, ...args], { AUTH_SECRET });
  const textsOf = async (groupId: string): Promise<string[]> => {
    const texts: string[] = [];
    for (let next = 0; ; next += 200) {
      const { body } = await server.http(
        'GET',
        `/v1/dealers/${DEALER}/scopes/${groupId}/events?limit=200&after=${next}`,
        {
          token: await server.token('server', 'crm'),
        },
      );
      texts.push(...body.items.map(({ payload }: { payload: { message: string } }) => payload.message));
      if (body.items.length < 200) return texts;
    }
  };
  const taken = (count: number) => ({ code: 0, stdout: `${count} taken, 0 refused\n`, stderr: '' });

  it('sends one event from field=value words: text stays text, also what looks like a number', async () => {
    const words = ['type=UPDATE_MSG', `dealerId=${DEALER}`, 'groupId=words', 'user=customer', 'message=1=1, = "so"'];
    assert.deepEqual(await publish(...words), taken(1));
    const closing = ['type=UPDATE_MSG', `dealerId=${DEALER}`, 'groupId=words', 'user=customer', 'message=42'];
    assert.deepEqual(await publish(...closing), taken(1));
    assert.deepEqual(await textsOf('words'), ['1=1, = "so"', '42']);
    const user = ['type=UPDATE_USER', `dealerId=${DEALER}`, 'groupId=words', 'message={"name":"Ann"}'];
    assert.deepEqual(await publish(...user), taken(1));
  });

  it('sends one event that is JSON, once however often it is sent under its id', async () => {
    const event = JSON.stringify({ ...message('json', 'Hello, "you"'), id: 'one' });
    for (const _ of [1, 2]) assert.deepEqual(await publish(event), taken(1));
    assert.deepEqual(await textsOf('json'), ['Hello, "you"']);
  });

  it('sends the lines of a file, and says of each that is refused its number and why', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'events.ndjson');
      await writeFile(file, MIXED('file'));
      const { code, stdout, stderr } = await publish('--file', file);
      assert.deepEqual([code, stdout], [1, '2 taken, 3 refused\n']);
      const [second, fourth, fifth, ...more] = stderr.split('\n');
      assert.deepEqual([second, fourth, more], ['line 2: not a JSON object', 'line 4: not a JSON object', ['']]);
      assert.match(fifth ?? '', /^line 5: invalid_payload: ./);
      assert.deepEqual(await textsOf('file'), ['One', 'Three']);
    }));

  it('sends many lines from stdin, in their order, and draws no bar where no terminal is', () =>
    inFolder(async (cwd) => {
      const args = ['publish', '--url', url];
      const piped = new Process(SOURCE, args, { cwd, env: { AUTH_SECRET }, patience: PATIENCE });
      const texts = Array.from({ length: MANY }, (_, index) => `Message ${index}`);
      piped.type(lines(texts.map((text) => message('many', text))).replaceAll('\n', '\r\n'));
      piped.hush();
      const { code } = await piped.ended;
      assert.deepEqual([code, piped.stdout, piped.stderr], [0, `${MANY} taken, 0 refused\n`, '']);
      assert.deepEqual(await textsOf('many'), texts);
    }));

  it('draws a bar at a terminal', () =>
    inFolder(async (cwd) => {
      const file = join(cwd, 'events.ndjson');
      await writeFile(file, lines([message('bar', 'One'), message('bar', 'Two')]));
      const token = await server.token('server', 'crm');
      const args = ['publish', '--url', url, '--token', token, '--file', file];
      const terminal = startAtTerminal(args, { cwd, patience: PATIENCE });
      const { code } = await terminal.ended;
      assert.equal(code, 0, terminal.stdout);
      assert.match(terminal.stdout, /2 events[\s\S]*2 taken, 0 refused/);
    }));

  it('ends with 1 and a sentence where the server is away, or takes no such token', async () => {
    const event = JSON.stringify(message('away', 'Hello'));
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    const away = await command(['publish', '--url', nowhere, event], { AUTH_SECRET });
    assert.deepEqual([away.code, away.stdout], [1, '']);
    assert.match(away.stderr, /^telle: http:\S+ does not answer: .*ECONNREFUSED.* \(0 were taken until then\)\n$/);
    for (const token of [
      'no token',
      await server.token('admin', 'a1'),
      await server.token('server', 'x', { ttl: -1 }),
    ]) {
      const refused = await publish('--token', token, event);
      assert.deepEqual([refused.code, refused.stdout], [1, ''], refused.stderr);
      assert.match(refused.stderr, /^telle: http:\S+ answers 40[13]: .+ \(0 were taken until then\)\n$/);
    }
  });

  it('refuses words that are no event with 2, and a file that there is not with 1, in a sentence', async () => {
    const why = [
      [['hello'], 2, 'telle: "hello" is not field=value, nor a JSON object\n'],
      [['a=b', 'message={"name"'], 2, 'telle: "{"name"" begins like JSON and is none\n'],
    ] as const;
    for (const [words, code, stderr] of why) {
      assert.deepEqual(await publish(...words), { code, stdout: '', stderr }, words.join(' '));
    }
    const { code, stdout, stderr } = await publish('--file', 'nowhere.ndjson');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^telle: ENOENT: no such file or directory, open 'nowhere\.ndjson'.*\n$/);
  });
});

describe('telle publish over Redis', { timeout: 60_000 }, () => {
  it('puts each event into the stream, in order, and says what is no JSON', () =>
    inFolder(async (folder) => {
      const REDIS_PREFIX = `publish-${randomUUID()}:`;
      const outside = new Outside(redisUrl, REDIS_PREFIX);
      try {
        const env = { REDIS_URL: redisUrl, REDIS_PREFIX };
        const file = join(folder, 'events.ndjson');
        await writeFile(file, MIXED('g1'));
        assert.deepEqual(await command(['publish', '--file', file], env), {
          code: 1,
          stdout: '3 taken, 2 refused\n',
          stderr: 'line 2: not a JSON object\nline 4: not a JSON object\n',
        });
        const words = ['type=MUTE_BOT', `dealerId=${DEALER}`, 'groupId=g1', 'adminId=a1'];
        assert.equal((await command(['publish', ...words], env)).stdout, '1 taken, 0 refused\n');
        const entries = await outside.redis.xrange(`${REDIS_PREFIX}ingress`, '-', '+');
        const events = entries.map(([, [name, text = '']]) => [name, JSON.parse(text)]);
        assert.deepEqual(events, [
          ['event', message('g1', 'One')],
          ['event', { ...message('g1', 'Two'), type: 'UPDATE_MESSAGE' }],
          ['event', message('g1', 'Three')],
          ['event', { type: 'MUTE_BOT', dealerId: DEALER, groupId: 'g1', adminId: 'a1' }],
        ]);
      } finally {
        await outside.redis.del(`${REDIS_PREFIX}ingress`);
        outside.close();
      }
    }));

  it('ends with 1 where Redis is away, and does not say its password', async () => {
    const REDIS_URL = `redis://:hidden-word@127.0.0.1:${await freePort()}`;
    const { code, stdout, stderr } = await command(['publish', JSON.stringify(message('g1', 'Hello'))], { REDIS_URL });
    assert.equal(code, 1, stdout);
    assert.doesNotMatch(stdout + stderr, /hidden-word/);
    assert.match(stderr, /^(line 1|telle): .+\n$/);
  });
});
