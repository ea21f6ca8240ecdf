/** Makes what the npm package holds, in `dist`: the program in one piece, the compiled schemas and conformance, the migrations, the client, the bot, the pages. */
import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build, type Plugin } from 'esbuild';
import { buildBot } from './bot.ts';
import { buildClient } from './client.ts';
import { licensesOf } from './licenses.ts';
import { ROOT, run, step } from './step.ts';
import { makeWeb } from './web.ts';

/** Folders that are made here, anew each time: nothing that was renamed or removed stays. */
const MADE = ['dist/src', 'dist/conformance', 'dist/schemas', 'dist/drizzle', 'dist/client', 'dist/bot', 'dist/web'];
/** Files that neither the compiler nor the bundler sees. */
const COPIED = ['drizzle/sqlite/migrations', 'drizzle/postgres/migrations'];
/** `src/main.ts` loads the program as it stands beside it in the build. */
const besideMain: Plugin = {
  name: 'beside main',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/program\.ts$/ }, () => ({ path: './program.js', external: true }));
  },
};

/**
 * One piece, with what `dependencies` does not name: Drizzle is in it, since Node.js 24 parses the package.json of a module's
 * package for each of its modules, and Drizzle's is of 180 KB, for some 200 of them. That took half of the time to start.
 * @returns the paths of what is in it
 */
async function bundleProgram(): Promise<string[]> {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  const common = { bundle: true, outdir: 'dist/src', platform: 'node', format: 'esm', logLevel: 'warning' } as const;
  await build({ ...common, entryPoints: ['src/main.ts'], target: 'node12.20', plugins: [besideMain] });
  const { metafile } = await build({
    ...common,
    metafile: true,
    entryPoints: ['src/program.ts'],
    splitting: true,
    target: 'node22',
    external: [...Object.keys(dependencies), 'pg-native'],
  });
  return Object.keys(metafile.inputs);
}

process.chdir(ROOT);
for (const folder of MADE) rmSync(folder, { recursive: true, force: true });
run(process.execPath, 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json');
step('compiled the schemas, and what tries the protocol');
const inputs = await bundleProgram();
step('bundled the program');
for (const folder of COPIED) cpSync(folder, `dist/${folder}`, { recursive: true });
step('copied the migrations');
await buildClient('dist/client');
await buildBot('dist/bot');
step('bundled the client and the bot');
inputs.push(...(await makeWeb()));
writeFileSync('dist/licenses.txt', licensesOf(inputs));
step('gathered the licences of what is bundled');
chmodSync('dist/src/main.js', 0o755);
