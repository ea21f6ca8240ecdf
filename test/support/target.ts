/** A server in a process of its own, and what it tells about itself. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Settings } from '../../schemas/settings.ts';
import type { Timing } from '../../src/timing.ts';
import type { Census } from './census.ts';

export interface TargetOptions {
  readonly settings?: Readonly<Partial<Record<keyof Settings, string>>>;
  readonly timing?: Partial<Timing>;
  /** MiB that its heap may have; as many as Node takes by itself, where nothing is said. */
  readonly heap?: number;
}

export interface Measures {
  /** Bytes of memory in use, after garbage was collected. */
  readonly used: number;
  /** Milliseconds of CPU so far. */
  readonly cpu: number;
  /** Open file descriptors. */
  readonly files: number;
  readonly counts: Census;
  /** Rejections and exceptions that nobody handled. */
  readonly faults: readonly string[];
}

/** The longest that an event loop stood still, in ms: as it is seen, and as far as its own work was the reason. */
export interface Stall {
  readonly seen: number;
  readonly busy: number;
}

/** How long it may take to end by itself, in ms: one that is held up longer is killed. */
const PATIENCE = 5000;

const SCRIPT = fileURLToPath(new URL('target-process.ts', import.meta.url));

export class Target {
  readonly #child: ChildProcess;
  /** `host:port` */
  readonly at: string;
  readonly #log: string[];
  /** How it ended, once it has. */
  #end: string | null = null;
  /** Rejects when it ends. */
  readonly #gone: Promise<never>;

  private constructor(child: ChildProcess, at: string, log: string[]) {
    this.#child = child;
    this.at = at;
    this.#log = log;
    this.#gone = once(child, 'exit').then(([code, signal]) => {
      this.#end = `it ended with ${code ?? signal}: ${log.slice(-3).join('')}`;
      throw new Error(this.#end);
    });
    this.#gone.catch(() => {});
  }

  static async start(options: TargetOptions = {}): Promise<Target> {
    const heap = options.heap === undefined ? [] : [`--max-old-space-size=${options.heap}`];
    const child = fork(SCRIPT, [JSON.stringify(options)], {
      execArgv: ['--expose-gc', ...heap],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    const log: string[] = [];
    child.stderr?.on('data', (data) => log.push(String(data)));
    const [at] = await once(child, 'message');
    return new Target(child, at, log);
  }

  /** All that it logged, at level `error` unless the settings say otherwise. */
  get log(): string {
    return this.#log.join('');
  }

  /** How it ended; null while it runs. */
  get end(): string | null {
    return this.#end;
  }

  /** Asks for measures. One question at a time. */
  measure(): Promise<Measures> {
    return this.#ask('measure');
  }

  /** How long its event loop has stood still since it was last asked. */
  stall(): Promise<Stall> {
    return this.#ask('stall');
  }

  /**
   * The most memory that it has had since this was last called, in bytes: as the system counts it, whatever the server is
   * busy with. The system forgets it where 5 is written (proc(5)).
   */
  peak(): number {
    const { pid } = this.#child;
    const [, kibibytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
    return Number(kibibytes) * 1024;
  }

  async #ask<Answer>(question: 'measure' | 'stall'): Promise<Answer> {
    if (this.#end) throw new Error(this.#end);
    this.#child.send(question);
    const [answer] = await Promise.race([once(this.#child, 'message'), this.#gone]);
    return answer;
  }

  async stop(): Promise<void> {
    if (this.#end) return;
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE);
    this.#child.disconnect();
    await once(this.#child, 'exit');
    clearTimeout(timer);
  }
}

/** A server in a process of its own, for the length of `use`. */
export async function withTarget<T>(options: TargetOptions, use: (target: Target) => Promise<T>): Promise<T> {
  const target = await Target.start(options);
  try {
    return await use(target);
  } finally {
    await target.stop();
  }
}
