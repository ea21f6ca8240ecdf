/** npm packages that few tests need and that are heavy: fetched, as `test/fetched` locks them, by the first test that needs one. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SETS = fileURLToPath(new URL('../fetched', import.meta.url));
const CACHE = fileURLToPath(new URL('../../node_modules/.cache', import.meta.url));

/** Which of them: those of `npm test`, of `npm run test:package`, or of `npm run mutate`. Each set is a folder with a lockfile. */
type SetName = 'tests' | 'package' | 'mutants';

/** Test files run side by side: each installs in a folder of its own, and the first to be done is the one that is kept. */
function install(set: SetName, kept: string): void {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(`${kept}-`);
  try {
    for (const file of ['package.json', 'package-lock.json']) cpSync(join(SETS, set, file), join(folder, file));
    // Postgres comes without the links between its libraries: a script of its package makes them.
    execFileSync('npm', ['ci', '--ignore-scripts=false', '--loglevel=error'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    });
    if (!existsSync(kept)) renameSync(folder, kept);
  } catch (cause) {
    throw new Error(`the packages of test/fetched/${set} could not be installed: is the npm registry within reach?`, {
      cause,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The folder in whose `node_modules` they are. */
export function fetched(set: SetName): string {
  const lock = readFileSync(join(SETS, set, 'package-lock.json'));
  const kept = join(CACHE, `fetched-${createHash('sha256').update(lock).digest('hex').slice(0, 12)}`);
  if (!existsSync(kept)) install(set, kept);
  return kept;
}

/** `require`, for what is fetched. */
export const requireFetched = (set: SetName): NodeJS.Require => createRequire(join(fetched(set), 'package.json'));
