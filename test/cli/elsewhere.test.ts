/** Commands that are run where no server is: they say so, and make nothing, unless they are told to. */
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Tokens } from '../../src/auth/tokens.ts';
import { startProcess, telle } from '../support/process.ts';
import { inFolder } from '../support/server.ts';

const PATIENCE = 60_000;
const TOKEN = ['token', '--role', 'admin', '--dealer', 'd1', '--sub', 'a1'];
const GOOD = 'a secret of this test that nobody else has';

const NO_DATABASE =
  /^telle: there is no data\/telle\.db in \S+: run this in the server's folder, or set its DATABASE_URL/;
const NO_SECRET =
  /^telle: there is no data\/telle\.secret in \S+, the server's secret: run this in .*, or set its DATABASE_URL, or its AUTH_SECRET/;

/** What is run in an empty folder, and what is said; also what else could be done. */
const ELSEWHERE: readonly (readonly [args: readonly string[], says: RegExp, otherwise: string])[] = [
  [TOKEN, NO_SECRET, ', or say --init to make a new one'],
  [['dealer', 'add', 'd1'], NO_DATABASE, ', or say --init to make a new one'],
  [['dealer', 'list'], NO_DATABASE, ''],
  [['dealer', 'remove', 'd1', '--yes'], NO_DATABASE, ''],
  [['revoke', '--dealer', 'd1'], NO_DATABASE, ''],
  [['export', '--dealer', 'd1'], NO_DATABASE, ''],
  [['backup', 'copy.db'], NO_DATABASE, ''],
  [['prune'], NO_DATABASE, ''],
  [['tail', '--dealer', 'd1'], NO_SECRET, ', or say --token'],
  [['chat', '--dealer', 'd1', '--admin', 'a1', '--group', 'g1'], NO_SECRET, ', or say --token'],
  [['publish', '{"type":"SYS_MSG"}'], NO_SECRET, ', or say --token'],
];

describe('a command where no server is', { timeout: 170_000, concurrency: 2 }, () => {
  for (const [args, says, otherwise] of ELSEWHERE) {
    it(`says so with 1, and makes nothing: telle ${args.join(' ')}`, () =>
      inFolder(async (cwd) => {
        const { code, stdout, stderr } = await telle(args, { cwd, patience: PATIENCE });
        assert.deepEqual([code, stdout], [1, ''], stderr);
        assert.match(stderr, says);
        assert.ok(stderr.endsWith(`${otherwise}\n`), stderr);
        assert.deepEqual(await readdir(cwd), []);
      }));
  }

  it('signs no token with a new secret beside a database whose server has another', () =>
    inFolder(async (cwd) => {
      await (await startProcess({ cwd, env: { AUTH_SECRET: GOOD }, patience: PATIENCE })).kill('SIGTERM');
      const made = await readdir(join(cwd, 'data'));
      for (const args of [TOKEN, ['revoke', '--dealer', 'demo']]) {
        const { code, stderr } = await telle(args, { cwd, patience: PATIENCE });
        assert.equal(code, 1, stderr);
        assert.match(stderr, NO_SECRET);
      }
      assert.deepEqual(await readdir(join(cwd, 'data')), made);
      const given = await telle(TOKEN, { cwd, env: { AUTH_SECRET: GOOD }, patience: PATIENCE });
      assert.equal((await new Tokens([GOOD]).verify(given.stdout.trim())).claims.sub, 'a1');
    }));

  it('makes what it is told to, for a server that starts later: that one takes the token, and has the dealer', () =>
    inFolder(async (cwd) => {
      const options = { cwd, patience: PATIENCE };
      const added = await telle(['dealer', 'add', 'd1', '--init', '--origin', 'https://cars.example'], options);
      assert.deepEqual(added, { code: 0, stdout: 'd1 was made\n', stderr: '' });
      const token = (await telle([...TOKEN, '--init'], options)).stdout.trim();
      const server = await startProcess(options);
      try {
        const headers = { authorization: `Bearer ${token}` };
        assert.equal((await fetch(`${server.http}/v1/dealers/d1/groups`, { headers })).status, 200);
        assert.doesNotMatch(server.stdout, /demo/);
      } finally {
        await server.kill();
      }
    }));

  for (const [what, around] of Object.entries({
    nothing: '',
    'a line break': '\n',
    'Windows’ line break': '\r\n',
    blanks: '  ',
  })) {
    it(`takes the same secret out of a file that somebody wrote with ${what} at its end`, () =>
      inFolder(async (cwd) => {
        await writeFile(join(cwd, 'telle.secret'), `${GOOD}${around}`, { mode: 0o600 });
        const env = { DATABASE_URL: 'sqlite:telle.db' };
        const { stdout, stderr } = await telle(TOKEN, { cwd, env, patience: PATIENCE });
        assert.equal(stderr, '');
        assert.equal((await new Tokens([GOOD]).verify(stdout.trim())).claims.sub, 'a1');
      }));
  }
});
