/** The command line as a process of its own, from its source or as it is published, and a server that can be killed. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What runs: a command, by its path, and the arguments that it always has. */
export type Program = readonly [command: string, ...args: string[]];

/** @param script the path of a program in TypeScript */
export const typescript = (script: string): Program => [process.execPath, script];

/** `telle`, from its source: or from what the runner of the tests has made of it, where that runs. */
export const SOURCE: Program = process.env.TELLE_PROGRAM
  ? [process.execPath, process.env.TELLE_PROGRAM]
  : typescript(fileURLToPath(new URL('../../src/main.ts', import.meta.url)));

/** A process that runs longer than this (ms) hangs, where nothing else is said: it is killed, and its test fails. */
const PATIENCE = 20_000;

interface RunOptions {
  /** Settings: its whole environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it runs. */
  readonly cwd?: string;
  /** How long it may run, in ms; 0 is for ever. */
  readonly patience?: number;
}

/** A process of this project's, and what it has said. */
export class Process {
  readonly #child: ChildProcessWithoutNullStreams;
  /** Resolves when it has ended and said its last. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  stdout = '';
  stderr = '';
  /** Called at every word and at the end. */
  readonly #wakes = new Set<() => void>();
  #hasEnded = false;

  constructor(
    [command, ...first]: Program,
    args: readonly string[],
    { env = {}, cwd, patience = PATIENCE }: RunOptions = {},
  ) {
    this.#child = spawn(command, [...first, ...args], {
      env,
      timeout: patience,
      killSignal: 'SIGKILL',
      ...(cwd !== undefined && { cwd }),
    });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#wake();
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#wake();
    });
    this.#child.stdin.on('error', () => {}); // it may be gone by the time it is told something
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      this.#hasEnded = true;
      this.#wake();
      return { code, signal };
    });
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  #wake(): void {
    for (const wake of this.#wakes) wake();
    this.#wakes.clear();
  }

  /** Resolves with what a pattern finds in its stdout, or in its stderr, as soon as that is there. */
  async says(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this[stream]);
      if (found) return found;
      if (this.#hasEnded) throw new Error(`it ended without saying ${pattern}:\n${this.stdout}\n${this.stderr}`);
      await new Promise<void>((resolve) => this.#wakes.add(resolve));
    }
  }

  /** Hands it a line on stdin. */
  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Hands it text on stdin as it is: keys, at a terminal. */
  type(text: string): void {
    this.#child.stdin.write(text);
  }

  /** Ends its stdin. */
  hush(): void {
    this.#child.stdin.end();
  }

  /** Sends a signal, if it still runs, and waits for its end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    this.#child.kill(signal);
    return this.ended;
  }
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `telle` to its end. */
export async function telle(args: readonly string[], options?: RunOptions, program = SOURCE): Promise<Ended> {
  const run = new Process(program, args, options);
  const { code } = await run.ended;
  return { code, stdout: run.stdout, stderr: run.stderr };
}

/** A `telle serve` that listens. */
export interface ServerProcess extends Process {
  /** Where its WebSocket is. */
  readonly url: string;
  /** Where its HTTP is, without a slash at the end. */
  readonly http: string;
}

/** Resolves when a `telle serve` says that it listens; rejects where it ends before. */
export async function listening(server: Process): Promise<ServerProcess> {
  const [, url = '', http = ''] = await server.says(/^telle \S+ {2}(wss?:\/\/\S+\/ws) {2}(https?:\/\/\S+)\/health/);
  return Object.assign(server, { url, http });
}

/** Starts `telle serve` on a free port. */
export function startProcess(options: RunOptions, args: readonly string[] = []): Promise<ServerProcess> {
  const env = { PORT: '0', LOG_LEVEL: 'warn', ...options.env };
  return listening(new Process(SOURCE, ['serve', ...args], { ...options, env }));
}
