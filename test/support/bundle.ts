/** Tests and the program as JavaScript, made of their source: a process of one starts several times as fast. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** How a source says where it is; put together, so that it is not taken for this one's own where a test is bundled that bundles. */
const WHERE = ['import', 'meta', 'url'].join('.');

/** What lies beside a source is looked for there, and not beside what was made of it. */
const whereItWas = (read: (path: string) => Promise<string>): Plugin => ({
  name: 'where it was',
  setup({ onLoad }) {
    onLoad({ filter: /\.tsx?$/ }, async ({ path }) => {
      const source = await read(path);
      const url = JSON.stringify(pathToFileURL(path).href);
      return { loader: path.endsWith('x') ? 'tsx' : 'ts', contents: source.replaceAll(WHERE, url) };
    });
  },
});

const fromDisk = (path: string): Promise<string> => readFile(path, 'utf8');

/**
 * Bundles sources, with all that the program depends on but its addon, which is loaded from where it lies.
 * @param sources paths from the project's root
 * @param folder one in the project: what is not bundled is looked for from there
 * @param read gives the text of a source
 * @returns the paths of what was made, in the same order
 */
export async function bundle(sources: readonly string[], folder: string, read = fromDisk): Promise<string[]> {
  const { devDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  await build({
    absWorkingDir: ROOT,
    entryPoints: [...sources],
    outdir: folder,
    outbase: '.',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    // Drizzle is in the program, as it is in the package.
    external: ['better-sqlite3', 'pg-native', ...Object.keys(devDependencies).filter((name) => name !== 'drizzle-orm')],
    plugins: [whereItWas(read)],
    banner: {
      js: `import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(${WHERE});`,
    },
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
  });
  return sources.map((source) => join(folder, source.replace(/\.ts$/, '.mjs')));
}
