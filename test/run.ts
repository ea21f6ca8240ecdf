/**
 * Runs the tests: brings Postgres and Redis of its own, bundles the program and every test file (or the files and folders
 * named), runs them, and ends the servers again. `POSTGRES_URL` and `REDIS_URL` name servers to be used instead.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { bundle, ROOT } from './support/bundle.ts';
import { startPostgres } from './support/postgres.ts';
import { startRedis } from './support/redis.ts';

const named = process.argv.slice(2);
/** Slow: each has a script of its own in package.json. */
const APART = /^(cli|client|cluster|executable|package|release|security|web|websocket)[/\\]|^crash\./;

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
const sources = ['src/main.ts', ...files.map((file) => relative(ROOT, file))];
/** Most of the tests wait most of the time; not those of browsers and attacks. */
const atOnce = (named.length > 0 ? 1 : 3) * availableParallelism();
const flags = ['--enable-source-maps', '--test', `--test-concurrency=${atOnce}`, '--test-reporter=spec'];

const cache = join(ROOT, 'node_modules/.cache');
await mkdir(cache, { recursive: true });
const folder = await mkdtemp(join(cache, 'tests-'));
const [postgres, redis, [program, ...tests]] = await Promise.all([
  given.postgres ? null : startPostgres(),
  given.redis ? null : startRedis(),
  bundle(sources, folder),
]);
const servers = { POSTGRES_URL: given.postgres ?? postgres?.url, REDIS_URL: given.redis ?? redis?.url };
const runner = spawn(process.execPath, [...flags, ...tests], {
  stdio: 'inherit',
  env: { ...process.env, ...servers, TELLE_PROGRAM: program },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal));
const [code] = await once(runner, 'exit');
await Promise.all([postgres?.stop(), redis?.stop(), rm(folder, { recursive: true })]);
process.exitCode = code ?? 1;
