/** Makes what the npm package holds, in `dist`: the compiled program and schemas, the migrations, the client, the pages. */
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { buildClient } from './client.ts';
import { ROOT, run, step } from './step.ts';
import { makeWeb } from './web.ts';

/** What is made here, anew each time: nothing that was renamed or removed stays. */
const MADE = ['dist/src', 'dist/schemas', 'dist/drizzle', 'dist/client', 'dist/web'];
/** What the compiler does not see. */
const COPIED = ['drizzle/sqlite/migrations', 'drizzle/postgres/migrations'];

process.chdir(ROOT);
for (const folder of MADE) rmSync(folder, { recursive: true, force: true });
run(process.execPath, 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json');
step('compiled');
for (const folder of COPIED) cpSync(folder, `dist/${folder}`, { recursive: true });
step('copied the migrations');
await buildClient('dist/client');
step('bundled the client');
await makeWeb();
chmodSync('dist/src/main.js', 0o755);
