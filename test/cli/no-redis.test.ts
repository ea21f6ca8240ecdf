/** What `REDIS_URL` may not be: refused at the start, in a sentence that names it and shows no password. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { telle } from '../support/process.ts';
import { inFolder } from '../support/server.ts';

const AUTH_SECRET = 'a secret of this test that nobody else has';
const postgres = new URL(
  process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`'),
);

const refused = (REDIS_URL: string, sentence: RegExp) =>
  inFolder(async (cwd) => {
    for (const command of ['serve', 'doctor']) {
      const env = { AUTH_SECRET, REDIS_URL, PORT: '0', MAX_CONNECTIONS: '10' };
      const { code, stdout, stderr } = await telle([command], { cwd, env, patience: 60_000 });
      const said = command === 'serve' ? stderr : stdout + stderr;
      assert.match(said, sentence);
      assert.doesNotMatch(said, /hidden-word|\n +at /);
      assert.equal(code, command === 'serve' || !/redis .*REDIS_URL/.test(stdout) ? 2 : 1);
    }
  });

test('a web server is none', async () => {
  const server = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    await refused(
      `redis://:hidden-word@127.0.0.1:${port}`,
      /REDIS_URL leads to a server that is no Redis: name a Redis/,
    );
  } finally {
    server.close();
  }
});

test('a Postgres is none', () =>
  refused(`redis://:hidden-word@${postgres.host}`, /REDIS_URL leads to a Postgres: name a Redis/));

for (const several of ['10.0.0.1:6379,10.0.0.2:6379', 'redis://10.0.0.1,10.0.0.2:6379'])
  test(`several are none: ${several}`, () => refused(several, /REDIS_URL is .*redis\+sentinel:\/\//));
