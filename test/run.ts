/**
 * Runs the tests: brings Postgres and Redis of its own, runs every test file (or the files and folders named) against
 * them, and ends them again. `POSTGRES_URL` and `REDIS_URL` name servers to be used instead.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
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
const [postgres, redis] = await Promise.all([
  given.postgres ? null : startPostgres(),
  given.redis ? null : startRedis(),
]);

const files = named.length > 0 ? named.flatMap(filesOf) : allButSlow();
const flags = ['--import', 'tsx', '--test', `--test-concurrency=${availableParallelism()}`, '--test-reporter=spec'];
const runner = spawn(process.execPath, [...flags, ...files], {
  stdio: 'inherit',
  env: { ...process.env, POSTGRES_URL: given.postgres ?? postgres?.url, REDIS_URL: given.redis ?? redis?.url },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal));
const [code] = await once(runner, 'exit');
await Promise.all([postgres?.stop(), redis?.stop()]);
process.exitCode = code ?? 1;
