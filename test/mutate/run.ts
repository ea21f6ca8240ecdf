/**
 * `npm run mutate`: changes one thing of a source at a time, and sees whether a test fails. `--only src/domain` takes what
 * begins so, rooms or files, `--sample 100` so many mutants of each, drawn by `--seed 1`. Ends with 1 where fewer than 90 % of all are killed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundle, ROOT } from '../support/bundle.ts';
import { anySeed, Dice } from '../support/chance.ts';
import { startPostgres } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';
import { ALIVE, described, type Mutant, mutantsOf } from './mutants.ts';
import { ROOMS, roomOf } from './rooms.ts';

/** The share that is to be killed, in percent. */
const WANTED = 90;
/** How much longer than without a mutant a test file may take, and so many ms more: the machine may be busy. */
const [TIMES, MORE] = [4, 15_000];

const { values } = parseArgs({
  options: { only: { type: 'string' }, sample: { type: 'string' }, seed: { type: 'string' } },
});
const seed = Number(values.seed ?? anySeed());
const sample = Number(values.sample ?? Number.POSITIVE_INFINITY);
const only = values.only ?? '';
const rooms = Object.keys(ROOMS).filter((room) => room.startsWith(only) || only.startsWith(`${room}/`));

const FATES = ['killed', 'timed out', 'survived', 'not reached'] as const;
type Fate = (typeof FATES)[number];

/** A test file without a mutant: which it comes by, and how long it takes, in ms; and how it has done with mutants so far. */
interface Test {
  readonly file: string;
  readonly reaches: ReadonlySet<string>;
  readonly takes: number;
  shown: number;
  killed: number;
}

/** About how long it takes by a test to kill one. */
const costOf = ({ takes, shown, killed }: Test): number => (takes * (shown + 2)) / (killed + 1);

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

async function filesIn(path: string, ending: string): Promise<string[]> {
  if (path.endsWith('.ts')) return [path];
  const found = await readdir(join(ROOT, path), { recursive: true });
  return found.filter((name) => name.endsWith(ending)).map((name) => `${path}/${name.replaceAll('\\', '/')}`);
}

/** Runs a test file. @returns its exit code, or null where it took longer than it may */
async function runs(file: string, env: Readonly<Record<string, string>>, limit = 600_000): Promise<number | null> {
  const flags = [`--test-reporter=${here('first-failure.ts')}`, '--test-reporter-destination=stderr'];
  const output = env[ALIVE] ? 'ignore' : 'inherit';
  const child = spawn(process.execPath, [...flags, file], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', output],
    detached: true,
  });
  // With all that it has started.
  const kill = () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL');
  const timer = setTimeout(kill, limit);
  const [code] = await once(child, 'exit');
  clearTimeout(timer);
  try {
    kill();
  } catch {
    // Nothing of it is left.
  }
  return code;
}

/** Runs a test file without a mutant. @returns null where it fails, twice: it answers for nothing then */
async function tried(file: string, env: Readonly<Record<string, string>>): Promise<Test | null> {
  return (await triedOnce(file, env)) ?? (await triedOnce(file, env));
}

async function triedOnce(file: string, env: Readonly<Record<string, string>>): Promise<Test | null> {
  const covered = await mkdtemp(`${file}-`);
  const from = performance.now();
  const flags = `--import=${here('cover.ts')}`;
  if ((await runs(file, { ...env, COVERED: covered, NODE_OPTIONS: flags })) !== 0) return null;
  const takes = performance.now() - from;
  const parts = await Promise.all((await readdir(covered)).map((name) => readFile(join(covered, name), 'utf8')));
  const reaches = new Set(parts.flatMap((part): string[] => JSON.parse(part)));
  return { file, takes, reaches, shown: 0, killed: 0 };
}

async function fateOf({ id }: Mutant, tests: readonly Test[], env: Readonly<Record<string, string>>): Promise<Fate> {
  const reaching = tests.filter(({ reaches }) => reaches.has(id)).sort((one, other) => costOf(one) - costOf(other));
  for (const test of reaching) {
    test.shown += 1;
    const code = await runs(test.file, { ...env, [ALIVE]: id }, test.takes * TIMES + MORE);
    if (code === 0) continue;
    test.killed += 1;
    return code === null ? 'timed out' : 'killed';
  }
  return reaching.length > 0 ? 'survived' : 'not reached';
}

/** Does something with each, so many at a time. */
async function each<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

/** The mutants of each room, as many as are drawn. */
function drawn(mutants: readonly Mutant[]): Map<string, readonly Mutant[]> {
  const dice = new Dice(seed);
  return new Map(
    rooms.map((room) => {
      const own = mutants.filter(({ fileName }) => roomOf(fileName) === room);
      return [room, dice.shuffled(own).slice(0, sample)];
    }),
  );
}

/** @returns what became of the mutants, by room */
async function mutate(folder: string, servers: Record<string, string>): Promise<Map<string, readonly Fate[]>> {
  const sources = (await Promise.all(rooms.map((room) => filesIn(room, '.ts')))).flat();
  const { mutants, texts } = await mutantsOf([...new Set(sources)].filter((file) => file.startsWith(only)));
  const chosen = [...drawn(mutants)].filter(([, own]) => own.length > 0);
  const filesOf = async (room: string) =>
    (await Promise.all((ROOMS[room] ?? []).map((name) => filesIn(name, '.test.ts')))).flat();
  const files = new Map(await Promise.all(chosen.map(async ([room]) => [room, await filesOf(room)] as const)));
  const named = [...new Set([...files.values()].flat())];
  const read = async (path: string) => texts.get(path) ?? (await readFile(path, 'utf8'));
  const [program = '', ...bundled] = await bundle(['src/main.ts', ...named], folder, read);
  const env = { ...servers, TELLE_PROGRAM: program };
  const tests = new Map<string, Test>();
  await each([...named.entries()], async ([index, name]) => {
    const test = await tried(bundled[index] ?? '', env);
    if (test) tests.set(name, test);
    else console.log(`left out, as it fails without a mutant: ${name}`);
  });
  const fates = new Map<string, Fate[]>();
  const all = chosen.flatMap(([room, own]) => own.map((mutant) => ({ room, mutant })));
  await each(all, async ({ room, mutant }) => {
    const own = (files.get(room) ?? []).flatMap((name) => tests.get(name) ?? []);
    const fate = await fateOf(mutant, own, env);
    fates.set(room, [...(fates.get(room) ?? []), fate]);
    if (fate === 'survived' || fate === 'not reached') console.log(`${fate}: ${await described(mutant)}`);
  });
  return fates;
}

const percent = (fates: readonly Fate[]) => (100 * count(fates, 'killed', 'timed out')) / Math.max(1, fates.length);
const count = (fates: readonly Fate[], ...of: readonly Fate[]) => fates.filter((fate) => of.includes(fate)).length;
const rowOf = (room: string, fates: readonly Fate[]) => ({
  room,
  mutants: fates.length,
  ...Object.fromEntries(FATES.map((fate) => [fate, count(fates, fate)])),
  '%': percent(fates).toFixed(1),
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const cache = join(ROOT, 'node_modules/.cache');
await mkdir(cache, { recursive: true });
const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
const servers = { POSTGRES_URL: postgres.url, REDIS_URL: redis.url };
const folder = await mkdtemp(join(cache, 'mutants-'));
console.log(`seed ${seed}`);
let fates: Awaited<ReturnType<typeof mutate>>;
try {
  fates = await mutate(folder, servers);
} finally {
  await Promise.all([postgres.stop(), redis.stop(), rm(folder, { recursive: true, force: true })]);
}
const all = [...fates.values()].flat();
console.table([...[...fates].map(([room, own]) => rowOf(room, own)), rowOf('all', all)]);
if (percent(all) < WANTED) {
  console.error(`fewer than ${WANTED} % were killed: give each that survived a test, or a reason in docs/mutation.md`);
  process.exitCode = 1;
}
