/**
 * Makes `dist/telle`, the one executable: Node.js itself, with the program and all that it carries inside (a "single
 * executable application" of Node.js 24), and beside it the licences of what is inside. For the platform that it is made
 * on; needs no network.
 */
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { licenseOfNode, licensesOf } from './licenses.ts';
import { BuildError, ROOT, run, step } from './step.ts';
import { makeWeb } from './web.ts';

const require = createRequire(import.meta.url);

/** The addon that better-sqlite3 carries for this platform. */
function addonPath(): string {
  const binding = join(require.resolve('better-sqlite3'), '../binding.js');
  const path: string | null = require(binding).getPrebuildPath();
  if (path === null) throw new BuildError(`better-sqlite3 has no addon for ${process.platform}-${process.arch}`);
  return path;
}

/** Made by the build, and gone after it. */
const THREAD_SQLITE = 'dist/executable/better-sqlite3.cjs';
/** Contents besides the code: the name inside, and the file or folder that it is. */
const ASSETS = {
  'package.json': 'package.json',
  'drizzle/sqlite/migrations': 'drizzle/sqlite/migrations',
  'drizzle/postgres/migrations': 'drizzle/postgres/migrations',
  'dist/web': 'dist/web',
  'native/better-sqlite3.cjs': THREAD_SQLITE,
  'native/better_sqlite3.node': addonPath(),
};

/** Modules, as they are imported, that are others inside. */
const EMBEDDED = {
  '\\.{1,2}(/.*)?/assets\\.ts': 'build/embedded/assets.ts',
  '\\./binding': 'build/embedded/binding.ts',
};
const EMBEDDED_IN_THREAD = { '\\./binding': 'build/embedded/thread-binding.ts' };

/** Native packages that `ws` looks for, unless told not to, and does without. */
const WITHOUT = { 'process.env.WS_NO_BUFFER_UTIL': '"on"', 'process.env.WS_NO_UTF_8_VALIDATE': '"on"' };

const EXECUTABLE = 'dist/telle';
const LICENSES = 'dist/telle.licenses.txt';
/** Mark of a Node.js that can be made into an executable, and where postject puts the blob. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
const isMac = process.platform === 'darwin';

const embed = (modules: Readonly<Record<string, string>>): Plugin => ({
  name: 'embed',
  setup({ onResolve }) {
    for (const [name, path] of Object.entries(modules)) {
      onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: join(ROOT, path) }));
    }
  },
});

/** One CommonJS file of everything that is code. @returns the paths of what is in it */
async function bundle(outfile: string): Promise<string[]> {
  const { metafile } = await build({
    metafile: true,
    entryPoints: ['build/embedded/main.ts'],
    outfile,
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    define: WITHOUT,
    external: ['pg-native'], // loaded by nobody here
    plugins: [embed(EMBEDDED)],
    // Inside there is no file beside the code to point to.
    logOverride: { 'empty-import-meta': 'error' },
    logLevel: 'warning',
  });
  return Object.keys(metafile.inputs);
}

/** better-sqlite3 alone, for a thread: what is inside an executable, its threads cannot load. */
async function bundleSqlite(): Promise<void> {
  await build({
    entryPoints: ['better-sqlite3'],
    outfile: THREAD_SQLITE,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    plugins: [embed(EMBEDDED_IN_THREAD)],
    logLevel: 'warning',
  });
}

/** Every file of {@link ASSETS}: its name inside, and its path. */
function assets(): Record<string, string> {
  const files = Object.entries(ASSETS).flatMap(([name, path]) => {
    if (!statSync(path, { throwIfNoEntry: false })) throw new BuildError(`${path} is missing: run npm ci`);
    if (!statSync(path).isDirectory()) return [[name, path] as const];
    const found = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    return found.map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return [name + file.slice(path.length), file] as const;
    });
  });
  return Object.fromEntries(files);
}

/** Blob that Node.js reads at its start: the code and the assets in one. */
function makeBlob(folder: string): string {
  const files = assets();
  const index = join(folder, 'assets.json');
  writeFileSync(index, JSON.stringify(Object.keys(files)));
  const output = join(folder, 'telle.blob');
  const config = {
    main: join(folder, 'telle.cjs'),
    output,
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    assets: { ...files, 'assets.json': index },
  };
  writeFileSync(join(folder, 'sea.json'), JSON.stringify(config));
  run(process.execPath, '--experimental-sea-config', join(folder, 'sea.json'));
  return output;
}

/** A Node.js without the symbols that only a debugger reads. */
function copyNode(executable: string): void {
  if (!readFileSync(process.execPath).includes(FUSE)) {
    throw new BuildError(`${process.execPath} cannot carry a program: use the Node.js 24 of nodejs.org`);
  }
  copyFileSync(process.execPath, executable);
  chmodSync(executable, 0o755);
  if (isMac) run('codesign', '--remove-signature', executable);
  try {
    run('strip', ...(isMac ? ['-x'] : []), executable);
  } catch {
    step('without `strip` (binutils) it stays 12 MB larger');
  }
}

function inject(executable: string, blob: string): void {
  const postject = require.resolve('postject/dist/cli.js');
  const segment = isMac ? ['--macho-segment-name', 'NODE_SEA'] : [];
  run(process.execPath, postject, executable, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE, ...segment);
  if (isMac) run('codesign', '--sign', '-', executable);
}

const megabytes = (path: string) => `${(statSync(path).size / 1e6).toFixed(1)} MB`;

async function makeExecutable(): Promise<void> {
  if (process.platform === 'win32') throw new BuildError('an executable can be made on Linux and macOS');
  const folder = 'dist/executable';
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    const inputs = [...(await makeWeb()), ...(await bundle(join(folder, 'telle.cjs')))];
    await bundleSqlite();
    step(`bundled the program: ${megabytes(join(folder, 'telle.cjs'))}`);
    const blob = makeBlob(folder);
    step(`put its assets beside it: ${megabytes(blob)}`);
    const executable = join(folder, 'telle');
    copyNode(executable);
    step(`took Node.js ${process.versions.node}: ${megabytes(executable)}`);
    inject(executable, blob);
    const version = run(executable, '--version').trim();
    // One that runs is not written over: it is replaced.
    renameSync(executable, EXECUTABLE);
    writeFileSync(LICENSES, `${licenseOfNode()}\n${licensesOf(inputs)}`);
    step(`made ${EXECUTABLE} ${version} for ${process.platform}-${process.arch}: ${megabytes(EXECUTABLE)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.chdir(ROOT);
await makeExecutable();
