/** Bundles `telle/client`: as a module, and as one file for a script tag, whose global is `telle`. */
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const FILES = [
  { outfile: 'index.js', format: 'esm', entry: 'src/client/index.ts' },
  { outfile: 'telle.js', format: 'iife', entry: 'src/client/global.ts' },
] as const;

/** Writes `index.js` and `telle.js` into a folder. */
export async function buildClient(folder: string): Promise<void> {
  for (const { outfile, entry, ...how } of FILES) {
    await build({
      ...how,
      entryPoints: [entry],
      outfile: `${folder}/${outfile}`,
      bundle: true,
      minify: true,
      target: 'es2022',
    });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildClient('dist/client');
