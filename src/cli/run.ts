/** The command line: how commands are found, and how they end. */
import { Command, CommanderError } from 'commander';
import { COMMANDS } from './commands.ts';
import { reasonOf } from './reason.ts';
import { UsageError } from './usage-error.ts';
import { version } from './version.ts';

/** Exit codes: 1, it failed, and may not when it is tried again; 2, it was asked wrongly, and would be again. */
const FAILED = 1;
const MISUSED = 2;

function build(): Command {
  const program = new Command('telle')
    .description('Live-chat middleware for car dealers: customers, agents, bots and other servers.')
    .version(version, '-v, --version')
    .exitOverride()
    .showHelpAfterError('Run with --help to see what is possible.');
  for (const add of COMMANDS) add(program);
  return program;
}

/** Runs one command. Faults go to stderr in one sentence, and end in an exit code. */
export async function run(args: readonly string[]): Promise<void> {
  // Whoever read it has gone, as `head` does: there is nobody to go on for.
  process.stdout.once('error', () => process.exit());
  try {
    await build().parseAsync(args.length === 0 ? ['help'] : [...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : MISUSED;
      return;
    }
    process.stderr.write(`telle: ${reasonOf(error)}\n`);
    process.exitCode = error instanceof UsageError ? MISUSED : FAILED;
  }
}
