/** Bundles `telle/bot`, with the client that it speaks by: one module, which needs Node.js and nothing else. */
import { build } from 'esbuild';

/** Writes `index.js` into a folder. */
export async function buildBot(folder: string): Promise<void> {
  await build({
    entryPoints: ['src/bot/index.ts'],
    outfile: `${folder}/index.js`,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    logLevel: 'warning',
  });
}
