/** `telle conformance`, and that it finds out a server which breaks the protocol. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { conformance, type Options, type Result } from '../../conformance/index.ts';
import { type Breakage, startBroken } from '../support/broken-server.ts';
import { command } from '../support/command.ts';
import type { Frame } from '../support/frame.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** One without a comma, which would be two. */
const SECRET = 'the one secret of a server that is tried';

/** What waits for the server's clock need not wait long. */
const TIMING = { pingInterval: 1000, pongTimeout: 3000, presenceGrace: 500, closeTimeout: 500 };

let server: TestServer;
let at: string;

before(async () => {
  server = await startServer({ timing: TIMING, settings: { JOIN_TIMEOUT: '3s' }, secrets: [SECRET] });
  at = await server.listen();
});
after(() => server.close());

async function resultsOf(options: Options): Promise<Result[]> {
  const results: Result[] = [];
  for await (const result of conformance(options)) results.push(result);
  return results;
}

const clausesOf = (results: readonly Result[], outcome: Result['outcome']) => [
  ...new Set(results.filter((each) => each.outcome === outcome).map(({ clause }) => clause)),
];

const isEvent = ({ seq }: Frame) => seq !== undefined;
let passed = 0;

/** What a server does wrong, and clauses that it breaks so. */
const BREAKAGES: Readonly<Record<string, Breakage & { breaks: readonly string[] }>> = {
  'sends no ack': {
    frame: (frame) => (frame.channel === 'ack' ? [] : [frame]),
    breaks: ['2.3', '3.5', '8.1', '8.4'],
  },
  'sends each event twice': {
    frame: (frame) => (isEvent(frame) ? [frame, frame] : [frame]),
    breaks: ['3.6', '7', '8.2'],
  },
  'loses an event now and then': {
    frame: (frame) => (isEvent(frame) && ++passed % 7 === 0 ? [] : [frame]),
    breaks: ['3.6', '8.2'],
  },
  'gives another close code': { code: (code) => Math.min(code, 4000), breaks: ['3', '3.1', '4', '9'] },
  'says that each error may be tried again': {
    frame: (frame) =>
      frame.channel === 'error' ? [{ ...frame, payload: { ...frame.payload, retryable: true } }] : [frame],
    breaks: ['3', '5', '7.3', '7.4'],
  },
  'sends frames without "at"': {
    frame: ({ at: _, ...frame }) => [frame],
    breaks: ['2.3', '7', '8.2'],
  },
};

describe('the conformance of a server that', { concurrency: true }, () => {
  for (const [what, { breaks, ...breakage }] of Object.entries(BREAKAGES)) {
    test(`${what} is not whole: ${breaks.join(', ')} are told`, async () => {
      const broken = await startBroken(at, breakage);
      try {
        const results = await resultsOf({ url: broken.url, secret: SECRET, patience: 400 });
        const failed = clausesOf(results, 'fail');
        assert.deepEqual(
          breaks.filter((clause) => !failed.includes(clause)),
          [],
          `only ${failed} failed`,
        );
        assert.ok(clausesOf(results, 'pass').length > 0, 'everything failed');
      } finally {
        broken.close();
      }
    });
  }
});

describe('the conformance of a server of version 1', () => {
  test('is not judged by the epoch, which it does not have', async () => {
    const broken = await startBroken(at, {
      frame: ({ payload: { epoch: _, ...payload }, ...frame }) => [{ ...frame, payload }],
    });
    try {
      const results = await resultsOf({ url: broken.url, secret: SECRET, patience: 400 });
      const [{ outcome, why } = assert.fail('it is left out')] = results.filter(({ clause }) => clause === '21.1');
      assert.deepEqual([outcome, why], ['not run', 'needs a session with an epoch, which version 1 does not have']);
    } finally {
      broken.close();
    }
  });
});

describe('telle conformance', () => {
  test('writes a line a promise, and ends with 0 where all are kept', async () => {
    const { code, stdout, stderr } = await command(['conformance', `ws://${at}/ws`], { AUTH_SECRET: SECRET });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    const lines = stdout.trim().split('\n');
    assert.match(lines.at(-1) ?? '', /^1\d\d kept, 0 not kept, 0 not run$/);
    for (const line of lines.slice(0, -2)) assert.match(line, /^pass {5}\d+(\.\d)? +\S/);
  });

  test('ends with 1 where one is not, and says what came instead', async () => {
    const broken = await startBroken(at, { code: (code) => (code === 4401 ? 4000 : code) });
    try {
      const { code, stdout } = await command(['conformance', broken.url, '--secret', SECRET]);
      assert.equal(code, 1);
      assert.match(stdout, /^fail {5}3\.1 .*: the close code: 4000 instead of 4401$/m);
    } finally {
      broken.close();
    }
  });

  const MISUSES: readonly (readonly [args: readonly string[], sentence: RegExp])[] = [
    [['http://127.0.0.1/ws', '--dealer', 'd1'], /^telle: the address must be ws:/],
    [['ws://127.0.0.1:9/ws'], /^telle: say --secret \(or AUTH_SECRET\), the server's, or with --dealer a dealer/],
    [['ws://127.0.0.1:9/ws', '--dealer', 'd1'], /^telle: 127\.0\.0\.1:9: connect ECONNREFUSED/],
  ];
  for (const [args, sentence] of MISUSES) {
    test(`ends with 2 where nothing can be tried: ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await command(['conformance', ...args]);
      assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
      assert.match(stderr, sentence);
    });
  }

  test('ends with 2 where the secret is another, and never shows it', async () => {
    const secret = 'another secret, which is long enough as well';
    const { code, stdout, stderr } = await command(['conformance', `ws://${at}/ws`, '--secret', secret]);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
    assert.match(stderr, /answered 401: is it the secret of that server\? Else name a --dealer/);
    assert.ok(!stderr.includes(secret));
  });
});
