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

/** What begins a sequence that steers a terminal. */
const ESCAPE = '\\u001b';
const WRITTEN = new RegExp(`${ESCAPE}\\[\\??(\\d*)([A-Za-z])|[^]`, 'gu');

/** Columns of the terminal that commands have. */
const COLUMNS = 200;

/** Draws what was written to a terminal, of the few sequences that this program and Node.js write. @returns its rows, without colours */
export function screenAfter(written: string): string[] {
  const rows: string[][] = [[]];
  let [row, column, wraps] = [0, 0, true];
  for (const [part, count, letter] of written.matchAll(WRITTEN)) {
    const times = Number(count || 1);
    if (letter === 'A') row = Math.max(0, row - times);
    else if (letter === 'B') row += times;
    else if (letter === 'G') column = times - 1;
    else if (letter === 'J') rows.splice(row, rows.length, (rows[row] ?? []).slice(0, column));
    else if (letter === 'K') rows[row] = (rows[row] ?? []).slice(0, column);
    else if (letter === 'l' || letter === 'h') wraps = letter === 'h';
    else if (part === '\r') column = 0;
    else if (part === '\n') row += 1;
    else if (letter === undefined) {
      if (column === COLUMNS && wraps) [row, column] = [row + 1, 0];
      column = Math.min(column, COLUMNS - 1);
      rows[row] = Object.assign(rows[row] ?? [], { [column]: part });
      column += 1;
    }
    for (let last = rows.length; last <= row; last += 1) rows.push([]);
  }
  return rows.map((cells) => Array.from(cells, (cell) => cell ?? ' ').join(''));
}

/** Starts `telle … | head -1`, whose exit code is that of `telle`. */
export function intoHead(args: readonly string[], { cwd, patience }: Options): Process {
  const shell = ['bash', '--norc', '-o', 'pipefail', '-c', '"$0" "$@" | head -1'] as const;
  return new Process([...shell, ...SOURCE], args, { env: { PATH: process.env.PATH ?? '' }, cwd, patience });
}

/** Starts `telle` where somebody sits: its colours are those of an xterm. */
export function startAtTerminal(args: readonly string[], { cwd, patience }: Options): Process {
  const env = { PATH: process.env.PATH ?? '', TERM: 'xterm-256color', COLUMNS: String(COLUMNS) };
  const sized = ['sh', '-c', `stty cols ${COLUMNS} rows 50; exec "$0" "$@"`, ...SOURCE];
  return new Process(atTerminal([...sized, ...args]), [], { env, cwd, patience });
}
