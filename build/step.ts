/** Parts that the builds share: where they are, how they say what they do, and how they end where they cannot. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** One line of progress. */
export function step(done: string): void {
  process.stdout.write(`· ${done}\n`);
}

/** Ends the build with one sentence; what was begun is cleaned up on the way out. */
export class BuildError extends Error {}

process.on('uncaughtException', (error) => {
  process.stderr.write(`${error instanceof BuildError ? `build: ${error.message}` : error.stack}\n`);
  process.exitCode = 1;
});

/** Runs a command to its end, and shows what it says only where it fails. @returns its stdout */
export function run(command: string, ...args: string[]): string {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error) throw new BuildError(`${command} cannot be run: ${error.message}`);
  if (status !== 0) throw new BuildError(`${command} failed (${status}):\n${stdout}${stderr}`);
  return stdout;
}
