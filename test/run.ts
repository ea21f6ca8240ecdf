/**
 * Runs the tests: brings Postgres and Redis of its own, bundles the program and every test file (or the files and folders
 * named), runs them, and ends the servers again. `POSTGRES_URL` and `REDIS_URL` name servers to be used instead.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
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
  /^(bot|cli|client|cluster|databases|dialects|executable|package|release|security|socketio|stream|web|websocket)[/\\]|^crash\./;

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
const files = (named.length > 0 ? bySize(named.flatMap(filesOf)) : allButSlow()).map((file) => relative(ROOT, file));
/** Most of the tests wait most of the time, and those of commands and databases half of it; not those of browsers and attacks. */
const WAITING_HALF = /^test\/(cli|databases|dialects)\b/;
const share = named.length === 0 ? 3 : named.some((name) => WAITING_HALF.test(name)) ? 1.5 : 1;
const atOnce = Math.ceil(share * availableParallelism());
/** No test takes as long as the first, no run as the second: what waits for something that never comes is named, and ended. */
const PATIENCE_MS = { test: 10 * 60_000, run: 20 * 60_000 };
/** At most so many failed files are run again: more are no accident. */
const AGAIN = 3;

const cache = join(ROOT, 'node_modules/.cache');
await mkdir(cache, { recursive: true });
const folder = await mkdtemp(join(cache, 'tests-'));
const [postgres, redis, [program, ...tests]] = await Promise.all([
  given.postgres ? null : startPostgres(),
  given.redis ? null : startRedis(),
  bundle(['src/main.ts', ...files], folder),
]);
const servers = { POSTGRES_URL: given.postgres ?? postgres?.url, REDIS_URL: given.redis ?? redis?.url };
/** The test files of each process. */
const shared = named.length > 0 ? files.map((file) => [file]) : shares(files);
const run = await Promise.all(
  shared.map((paths, index) => {
    const bundled = paths.map((path) => tests[files.indexOf(path)] ?? '');
    return named.length > 0 ? inPlace(bundled[0] ?? '', index) : together(bundled, join(folder, `${index}.test.mjs`));
  }),
);
const noted = join(folder, 'failed');
const flags = [
  '--enable-source-maps',
  '--test',
  `--test-timeout=${PATIENCE_MS.test}`,
  '--test-reporter=spec',
  '--test-reporter-destination=stdout',
  `--test-reporter=${pathToFileURL(join(ROOT, 'test/support/failed.ts')).href}`,
  `--test-reporter-destination=${noted}`,
];

/** Runs test files, so many at once, and resolves to the exit code and the files in which a test failed. */
async function attempt(paths: readonly string[], concurrency: number) {
  const runner = spawn(process.execPath, [...flags, `--test-concurrency=${concurrency}`, ...paths], {
    stdio: 'inherit',
    env: { ...process.env, ...servers, TELLE_PROGRAM: program },
  });
  const end = () => runner.kill('SIGTERM');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  // A test that is over its time and goes on keeps its process alive: Node.js says so, and waits.
  const patience = setTimeout(end, PATIENCE_MS.run);
  const [code] = await once(runner, 'exit');
  clearTimeout(patience);
  return { code, failed: readFileSync(noted, 'utf8').split('\n').filter(Boolean) };
}

/** The processes of failed files: Node.js names a test's source or what was run, by where it failed. */
const processesOf = (failed: readonly string[]) =>
  run.filter((path, index) => failed.some((file) => file === path || shared[index]?.includes(relative(ROOT, file))));

let { code, failed } = await attempt(run, atOnce);
const again = processesOf(failed);
if (code === 1 && again.length > 0 && again.length <= AGAIN && again.length < run.length) {
  const names = failed.map((path) => relative(ROOT, path)).join(', ');
  console.log(`\nRed beside other files, run again alone: ${names}\n`);
  ({ code, failed } = await attempt(again, 1));
  if (code === 0) console.log(`\nUnsteady, to be mended: ${names}: red beside other files, green alone.`);
}
await Promise.all([postgres?.stop(), redis?.stop(), rm(folder, { recursive: true })]);
process.exitCode = code ?? 1;
