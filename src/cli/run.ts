/** The command line: how commands are found, and how they end. */
import { Command, CommanderError } from 'commander';
import { DrizzleQueryError } from 'drizzle-orm/errors';
import { rootOf } from '../log.ts';
import { COMMANDS } from './commands.ts';
import { UsageError } from './usage-error.ts';
import { version } from './version.ts';

/** Exit codes: 1, it failed; 2, it was asked wrongly. */
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

/** What a driver wraps its faults in repeats the query and its parameters: that is for nobody's terminal. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof DrizzleQueryError ? rootOf(error).message : error.message;
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
    process.stderr.write(`telle: ${sentenceOf(error)}\n`);
    process.exitCode = error instanceof UsageError ? MISUSED : FAILED;
  }
}
