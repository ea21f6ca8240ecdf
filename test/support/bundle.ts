/** The program in one file, made of its source: a process of it starts several times as fast. */
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** It loads its addon from where it lies. */
const SQLITE = join(ROOT, 'node_modules/better-sqlite3/lib/index.js');

/** Bundles the program into a folder, from where it carries what lies in the project. @returns the path of the file */
export async function bundleProgram(folder: string): Promise<string> {
  const outfile = join(folder, 'telle.mjs');
  await build({
    entryPoints: [join(ROOT, 'src/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    alias: { 'better-sqlite3': SQLITE },
    external: [SQLITE, 'pg-native'],
    banner: {
      js: "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);",
    },
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(join(ROOT, 'src/assets.ts')).href) },
    logLevel: 'warning',
  });
  return outfile;
}
