/**
 * Runs the tests: brings Postgres and Redis of its own, bundles the program and every test file (or the files and folders
 * named), runs them, and ends the servers again. `POSTGRES_URL` and `REDIS_URL` name servers to be used instead.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundle, ROOT } from './support/bundle.ts';
import { startPostgres } from './support/postgres.ts';
import { startRedis } from './support/redis.ts';

const named = process.argv.slice(2);
/** Slow: each has a script of its own in package.json. */
const APART =
  /^(bot|cli|client|cluster|databases|dialects|executable|package|release|security|socketio|web|websocket)[/\\]|^crash\./;

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

/** How many test files share a process in the everyday run: to load and warm up a server takes longer than most of them. */
const SHARED = 6;

/** Files of one folder, a few at a time. */
function shares(paths: readonly string[]): string[][] {
  return [...new Set(paths.map(dirname))].flatMap((folder) => {
    const all = paths.filter((path) => dirname(path) === folder);
    const count = Math.ceil(all.length / SHARED);
    return Array.from({ length: count }, (_, share) => all.filter((_, index) => index % count === share));
  });
}

/** A test file that runs another, by a name that keeps its place: Node.js takes files in the order of their names. */
async function inPlace(path: string, place: number): Promise<string> {
  const name = relative(folder, path).replaceAll('/', '-');
  const file = join(folder, `${String(place).padStart(3, '0')}-${name}`);
  await writeFile(file, `import ${JSON.stringify(pathToFileURL(path).href)};\n`);
  return file;
}

/** A test file that runs several, each as a suite with hooks of its own. */
async function together(paths: readonly string[], path: string): Promise<string> {
  const suites = paths.map((each) => {
    const [name, url] = [relative(folder, each).replace(/mjs$/, 'ts'), pathToFileURL(each).href].map((text) =>
      JSON.stringify(text),
    );
    return `describe(${name}, async () => void (await import(${url})));\n`;
  });
  await writeFile(path, `import { describe } from 'node:test';\n${suites.join('')}`);
  return path;
}

const given = { postgres: process.env.POSTGRES_URL, redis: process.env.REDIS_URL };
/** The largest first: none that takes long is begun when all others are done. */
const bySize = (paths: readonly string[]): string[] =>
  paths.toSorted((one, other) => statSync(join(ROOT, other)).size - statSync(join(ROOT, one)).size);
const files = named.length > 0 ? bySize(named.flatMap(filesOf)) : allButSlow();
const sources = ['src/main.ts', ...files.map((file) => relative(ROOT, file))];
/** Most of the tests wait most of the time, and those of commands and databases half of it; not those of browsers and attacks. */
const WAITING_HALF = /^test\/(cli|databases|dialects)\b/;
const share = named.length === 0 ? 3 : named.some((name) => WAITING_HALF.test(name)) ? 1.5 : 1;
const atOnce = Math.ceil(share * availableParallelism());
/** No test takes as long as the first, no run as the second: what waits for something that never comes is named, and ended. */
const PATIENCE_MS = { test: 10 * 60_000, run: 20 * 60_000 };
const flags = [
  '--enable-source-maps',
  '--test',
  `--test-concurrency=${atOnce}`,
  `--test-timeout=${PATIENCE_MS.test}`,
  '--test-reporter=spec',
];

const cache = join(ROOT, 'node_modules/.cache');
await mkdir(cache, { recursive: true });
const folder = await mkdtemp(join(cache, 'tests-'));
const [postgres, redis, [program, ...tests]] = await Promise.all([
  given.postgres ? null : startPostgres(),
  given.redis ? null : startRedis(),
  bundle(sources, folder),
]);
const servers = { POSTGRES_URL: given.postgres ?? postgres?.url, REDIS_URL: given.redis ?? redis?.url };
const run =
  named.length > 0
    ? await Promise.all(tests.map(inPlace))
    : await Promise.all(shares(tests).map((paths, index) => together(paths, join(folder, `${index}.test.mjs`))));
const runner = spawn(process.execPath, [...flags, ...run], {
  stdio: 'inherit',
  env: { ...process.env, ...servers, TELLE_PROGRAM: program },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal));
// A test that is over its time and goes on keeps its process alive: Node.js says so, and waits.
const patience = setTimeout(() => runner.kill('SIGTERM'), PATIENCE_MS.run);
const [code] = await once(runner, 'exit');
clearTimeout(patience);
await Promise.all([postgres?.stop(), redis?.stop(), rm(folder, { recursive: true })]);
process.exitCode = code ?? 1;
