/** The command line as a process of its own, and a server that can be killed. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** By its whole name: a process that runs in another folder would not find it. */
const TSX = import.meta.resolve('tsx');

/** A process that runs longer than this (ms) hangs, where nothing else is said: it is killed, and its test fails. */
const PATIENCE = 20_000;

interface RunOptions {
  /** Settings; nothing else of the environment is handed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it runs. */
  readonly cwd?: string;
  /** How long it may run, in ms. */
  readonly patience?: number;
}

/** A process of this project's, in TypeScript, and what it has said. */
export class Process {
  readonly #child: ChildProcessWithoutNullStreams;
  /** Resolves when it has ended and said its last. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  stdout = '';
  stderr = '';
  /** Called at every word and at the end. */
  readonly #wakes = new Set<() => void>();
  #hasEnded = false;

  constructor(script: string, args: readonly string[], { env = {}, cwd, patience = PATIENCE }: RunOptions = {}) {
    this.#child = spawn(process.execPath, ['--import', TSX, script, ...args], {
      env: { PATH: process.env.PATH, ...env },
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
    });
    this.#child.stdin.on('error', () => {}); // it may be gone by the time it is told something
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      this.#hasEnded = true;
      this.#wake();
      return { code, signal };
    });
  }

  #wake(): void {
    for (const wake of this.#wakes) wake();
    this.#wakes.clear();
  }

  /** Resolves with what a pattern finds in its stdout, as soon as that is there. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.stdout);
      if (found) return found;
      if (this.#hasEnded) throw new Error(`it ended without saying ${pattern}:\n${this.stdout}\n${this.stderr}`);
      await new Promise<void>((resolve) => this.#wakes.add(resolve));
    }
  }

  /** Hands it a line on stdin. */
  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
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
export async function telle(args: readonly string[], options?: RunOptions): Promise<Ended> {
  const run = new Process(MAIN, args, options);
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

/** Starts `telle serve` on a free port, and resolves when it says that it listens; rejects where it ends before. */
export async function startProcess(options: RunOptions, args: readonly string[] = []): Promise<ServerProcess> {
  const server = new Process(MAIN, ['serve', ...args], {
    ...options,
    env: { PORT: '0', LOG_LEVEL: 'warn', ...options.env },
  });
  const [, url = '', address = ''] = await server.says(/^telle \S+ {2}(ws:\/\/(\S+)\/ws) {2}http:/);
  return Object.assign(server, { url, http: `http://${address}` });
}
