/**
 * A secret that can be guessed from one token signs nothing [RFC 7518, 3.2], where anybody but this machine's developer
 * could try: every command that signs is asked with one.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { command } from '../support/command.ts';
import { startProcess, telle } from '../support/process.ts';
import { inFolder } from '../support/server.ts';
import { Tally } from '../support/tally.ts';

type Env = Readonly<Record<string, string>>;

const GOOD = 'a secret of 32 bytes and no more';
/** What starts all the same is ended after this, in ms. */
const PATIENCE = 60_000;
const NOWHERE = ['--url', 'http://127.0.0.1:1'];

/** Where a server may be reached by others, or is run for them. */
const EXPOSED: readonly Env[] = [
  { NODE_ENV: 'production' },
  { HOST: '0.0.0.0' },
  { HOST: '::' },
  { HOST: '192.0.2.1' },
  { HOST: 'chat.example' },
];
const LOOPBACK: readonly Env[] = [
  {},
  { HOST: 'localhost' },
  { HOST: '127.0.0.2' },
  { NODE_ENV: 'test', HOST: '127.0.0.1' },
];

/** What is too short, and which part of it, with how many bytes. */
const SHORT: readonly (readonly [secret: string, part: number, bytes: string])[] = [
  ['x', 1, '1 byte'],
  [GOOD.slice(0, -1), 1, '31 bytes'],
  [`${GOOD},x`, 2, '1 byte'],
  [`a password, with a comma that its generator put there,${GOOD}`, 1, '10 bytes'],
  [`${GOOD},${GOOD},äöü`, 3, '6 bytes'],
];

const sentenceOf = (part: number, bytes: string): string =>
  `part ${part} of AUTH_SECRET has ${bytes}: each part between its commas must have at least 32; make one with openssl rand -base64 32`;

/** Each command that signs, as it signs. */
const SIGNING: readonly (readonly string[])[] = [
  ['token', '--role', 'admin', '--dealer', 'd1', '--sub', 'a1'],
  ['chat', '--dealer', 'd1', '--admin', 'a1', '--group', 'g1', ...NOWHERE],
  ['tail', '--dealer', 'd1', ...NOWHERE],
  ['publish', ...NOWHERE, '{"type":"SYS_MSG"}'],
];

describe('Short secrets', { timeout: 300_000 }, () => {
  const tally = new Tally('Short secrets');
  after(() => tally.print());

  test('start no server that others may reach', () =>
    tally.scenario('serve, exposed', async (attempt) => {
      const [[worst]] = SHORT as readonly [readonly [string, ...unknown[]], ...unknown[]];
      const tries = [
        ...SHORT.map((short) => [{ NODE_ENV: 'production' }, ...short] as const),
        ...EXPOSED.map((env) => [env, worst, 1, '1 byte'] as const),
      ];
      for (const [env, AUTH_SECRET, part, bytes] of tries) {
        await attempt(`${JSON.stringify(env)} ${AUTH_SECRET}`, () =>
          inFolder(async (cwd) => {
            const { code, stdout, stderr } = await telle(['serve', '--port', '0'], {
              cwd,
              env: { ...env, AUTH_SECRET },
              patience: PATIENCE,
            });
            assert.deepEqual([code, stdout, stderr], [2, '', `telle: ${sentenceOf(part, bytes)}\n`]);
          }),
        );
      }
    }));

  test('sign nothing where such a server would not start', () =>
    tally.scenario('signing, exposed', async (attempt) => {
      for (const args of SIGNING) {
        for (const env of EXPOSED.slice(0, 2)) {
          await attempt(`${JSON.stringify(env)} ${args[0]}`, () =>
            inFolder(async (cwd) => {
              const options = { cwd, env: { ...env, AUTH_SECRET: 'x' }, patience: PATIENCE };
              const { code, stdout, stderr } = await telle(args, options);
              assert.deepEqual([code, stdout, stderr], [2, '', `telle: ${sentenceOf(1, '1 byte')}\n`]);
            }),
          );
        }
      }
    }));

  test('are told of where they serve a developer', () =>
    tally.scenario('on loopback', async (attempt) => {
      for (const env of LOOPBACK) {
        await attempt(`serve ${JSON.stringify(env)}`, () =>
          inFolder(async (cwd) => {
            const server = await startProcess({ cwd, env: { ...env, AUTH_SECRET: `${GOOD},x` }, patience: PATIENCE });
            await server.kill('SIGTERM');
            const told = server.stderr
              .trim()
              .split('\n')
              .map((line) => JSON.parse(line));
            assert.deepEqual(
              told.map(({ level, msg }) => [level, msg]),
              [[40, sentenceOf(2, '1 byte')]],
            );
          }),
        );
        await attempt(`token ${JSON.stringify(env)}`, async () => {
          const { code, stdout, stderr } = await command(SIGNING[0] ?? [], { ...env, AUTH_SECRET: 'x' });
          assert.deepEqual([code, stderr], [0, `telle: warning: ${sentenceOf(1, '1 byte')}\n`]);
          assert.match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
        });
      }
    }));

  test('are no better in the file beside the database', () =>
    tally.scenario('a file written by hand', async (attempt) => {
      for (const env of [...EXPOSED, ...LOOPBACK]) {
        await attempt(JSON.stringify(env), () =>
          inFolder(async (folder) => {
            const [DATABASE_URL, file] = [`sqlite:${join(folder, 'telle.db')}`, join(folder, 'telle.secret')];
            await writeFile(file, 'short\n', { mode: 0o600 });
            const { code, stderr } = await command(SIGNING[0] ?? [], { ...env, DATABASE_URL });
            const sentence = `${file} has 5 bytes: a secret must have at least 32; remove the file to have one made\n`;
            const isExposed = EXPOSED.includes(env);
            assert.deepEqual([code, stderr], [isExposed ? 2 : 0, `telle: ${isExposed ? '' : 'warning: '}${sentence}`]);
          }),
        );
      }
    }));

  test('are what the doctor finds, as grave as the server takes them', () =>
    tally.scenario('doctor', async (attempt) => {
      for (const env of [...EXPOSED, ...LOOPBACK]) {
        await attempt(JSON.stringify(env), async () => {
          const nowhere = { DATABASE_URL: 'sqlite:nowhere/telle.db', MAX_CONNECTIONS: '10' };
          const { code, stdout } = await command(['doctor'], { ...env, ...nowhere, AUTH_SECRET: `${GOOD},x` });
          const isExposed = EXPOSED.includes(env);
          assert.match(
            stdout,
            isExposed
              ? /^✗ secret .*part 2 of AUTH_SECRET has 1 byte/m
              : /^! secret .*part 2 of AUTH_SECRET has 1 byte/m,
          );
          assert.equal(code, isExposed ? 1 : 0);
        });
      }
    }));

  test('are counted in bytes, and 32 are enough', () =>
    tally.scenario('long enough', async (attempt) => {
      for (const AUTH_SECRET of [GOOD, 'ä'.repeat(16), ` ${GOOD} , ${GOOD}`]) {
        await attempt(AUTH_SECRET, async () => {
          const { code, stderr } = await command(SIGNING[0] ?? [], { NODE_ENV: 'production', AUTH_SECRET });
          assert.deepEqual([code, stderr], [0, '']);
        });
      }
    }));
});
