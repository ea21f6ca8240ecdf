/** `docs/benchmarks.md`. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { RESUMED, TURN } from './measures.ts';
import { PEERS } from './peers.ts';
import { targetsTold } from './report.ts';
import { SHAPES } from './shapes.ts';
import type { Sizes } from './sizes.ts';

const require = createRequire(import.meta.url);
const VERSIONED = ['better-sqlite3', 'ws', 'socket.io', 'pg', 'ioredis'];
/** What only a reader of the figures can write: it is kept when they are written again. */
const KEPT = ['## What bounds what', '## Where Telle loses'];
const FILE = 'docs/benchmarks.md';

const versionOf = (name: string): string => {
  try {
    return JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
  } catch {
    return require(`${name}/package.json`).version;
  }
};

const diskOf = (folder: string): string =>
  execFileSync('df', ['--output=fstype,source', folder], { encoding: 'utf8' }).trim().split('\n').at(-1)?.trim() ?? '';

/** What the measuring of a shape gave, as Markdown. */
export interface Measured {
  readonly section: string;
  /** Lines of the table of targets. */
  readonly targets: readonly string[];
}

const standing = (): string => (existsSync(FILE) ? readFileSync(FILE, 'utf8') : '');

/** A section as it stands, with its heading; nothing but the heading where there is none. */
function sectionOf(text: string, heading: string): string {
  const from = text.indexOf(`${heading}\n`);
  const end = from < 0 ? -1 : text.indexOf('\n## ', from + 1);
  return from < 0 ? `${heading}\n` : `${text.slice(from, end < 0 ? undefined : end).trim()}\n`;
}

/** A shape that was not measured, as it stands. */
const asItStands = (text: string, name: string): Measured => ({
  section: sectionOf(text, `## ${name}`),
  targets: text.split('\n').filter((line) => line.startsWith(`| ${name}: `)),
});

/** The whole file: what was measured now, and what stands there of the other shapes. */
export function documentOf(sizes: Sizes, measured: ReadonlyMap<string, Measured>): string {
  const text = standing();
  const shapes = Object.keys(SHAPES).map((name) => measured.get(name) ?? asItStands(text, name));
  const { model } = cpus()[0] ?? { model: 'unknown' };
  return [
    '# Benchmarks\n',
    'Telle beside what people would use instead, on the same work: parse, validate, store, ack after commit, deliver.',
    'Server and load generator are a process each. `npm run build && npm run bench -- --write docs/benchmarks.md` wrote this',
    'file; medians, with the least and the most in brackets. The ratio in the last column is the median of the rounds’.\n',
    '| peer | what it is |\n| --- | --- |',
    ...Object.entries(PEERS).map(([name, { what }]) => `| ${name} | ${what} |`),
    '\n## The machine\n',
    `- ${model}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB; disk: ${diskOf(tmpdir())}`,
    `- Node ${process.version}; ${VERSIONED.map((name) => `${name} ${versionOf(name)}`).join(', ')}`,
    `- Rounds with the peers in turns; ${sizes.window} s measured after ${sizes.warmup} s of warm-up, latencies for ${sizes.paced} s. But in idle and storm they`,
    `  take turns of ${TURN} s within a round, too, each after ${RESUMED} s more: what machine and disk are at does not fall on one of them.\n`,
    '## Targets\n',
    targetsTold(shapes.flatMap(({ targets }) => targets)),
    ...KEPT.map((heading) => sectionOf(text, heading)),
    ...shapes.map(({ section }) => section),
  ].join('\n');
}
