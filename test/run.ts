/**
 * Runs the tests: brings Postgres and Redis of its own, and the program in one file, runs every test file (or the files and
 * folders named) against them, and ends them again. `POSTGRES_URL` and `REDIS_URL` name servers to be used instead.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleProgram } from './support/bundle.ts';
import { startPostgres } from './support/postgres.ts';
import { startRedis } from './support/redis.ts';

const named = process.argv.slice(2);
/** Slow: each has a script of its own in package.json. */
const APART = /^(client|cluster|executable|package|security|web|websocket)\//;

const testsIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .sort();

/** A test file as it is, a folder as the tests in it. */
const filesOf = (name: string): string[] =>
  name.endsWith('.ts') ? [name] : testsIn(name).map((path) => `${name}/${path}`);
const allButSlow = () =>
  testsIn('test')
    .filter((path) => !APART.test(path))
    .map((path) => `test/${path}`);

const given = { postgres: process.env.POSTGRES_URL, redis: process.env.REDIS_URL };
const files = named.length > 0 ? named.flatMap(filesOf) : allButSlow();
const flags = ['--import', 'tsx', '--test', `--test-concurrency=${2 * availableParallelism()}`, '--test-reporter=spec'];

const folder = await mkdtemp(join(tmpdir(), 'telle-program-'));
const [postgres, redis, program] = await Promise.all([
  given.postgres ? null : startPostgres(),
  given.redis ? null : startRedis(),
  bundleProgram(folder),
]);
const servers = { POSTGRES_URL: given.postgres ?? postgres?.url, REDIS_URL: given.redis ?? redis?.url };
const runner = spawn(process.execPath, [...flags, ...files], {
  stdio: 'inherit',
  env: { ...process.env, ...servers, TELLE_PROGRAM: program },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal));
const [code] = await once(runner, 'exit');
await Promise.all([postgres?.stop(), redis?.stop(), rm(folder, { recursive: true })]);
process.exitCode = code ?? 1;
