/** A command as a shell runs it: at a real pseudo-terminal (of util-linux, else of python3), or before a pipe. */
import { spawnSync } from 'node:child_process';
import { Process, type Program, SOURCE } from './process.ts';

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

const isThere = (name: string, ...args: string[]): boolean => spawnSync(name, args).status === 0;

/** What gives its child a terminal, and has the child's exit code. */
function atTerminal(words: readonly string[]): Program {
  if (spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux'))
    return ['script', '-qfec', words.map(quoted).join(' '), '/dev/null'];
  if (isThere('python3', '-c', 'import pty')) {
    const spawn = 'import pty, sys, os; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
    return ['python3', '-c', spawn, ...words];
  }
  throw new Error('no pseudo-terminal: install util-linux (script) or python3');
}

interface Options {
  readonly cwd: string;
  /** How long it may run, in ms. */
  readonly patience: number;
}

/** Starts `telle … | head -1`, whose exit code is that of `telle`. */
export function intoHead(args: readonly string[], { cwd, patience }: Options): Process {
  const shell = ['bash', '--norc', '-o', 'pipefail', '-c', '"$0" "$@" | head -1'] as const;
  return new Process([...shell, ...SOURCE], args, { env: { PATH: process.env.PATH ?? '' }, cwd, patience });
}

/** Starts `telle` where somebody sits: its colours are those of an xterm. */
export function startAtTerminal(args: readonly string[], { cwd, patience }: Options): Process {
  const env = { PATH: process.env.PATH ?? '', TERM: 'xterm-256color', COLUMNS: '200' };
  return new Process(atTerminal([...SOURCE, ...args]), [], { env, cwd, patience });
}
