/** The processes of a measurement: servers with a probe in them, and the generator. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answer, Order } from './orders.ts';

const PROBE = import.meta.resolve('./probe.mjs');
/** A server that does not say its port by then, in ms, does not start. */
const PATIENCE = 60_000;

export const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Every process that was started and may still run: none outlives the bench. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function kept(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  child.kill(signal);
  await once(child, 'exit');
  clearTimeout(timer);
}

/** How long a process that is held runs and waits, together, in ms. */
const PERIOD = 12;

/**
 * Lets each of some processes run for a share of the time only, as if its core were slower: then the cores that there are
 * suffice for everything else, and the processes alone bound what they do together.
 * @returns what lets go of them
 */
export function hold(pids: readonly number[], share: number): () => void {
  const releases = pids.map((pid, index) => {
    let timer: NodeJS.Timeout;
    const run = () => {
      process.kill(pid, 'SIGCONT');
      timer = setTimeout(stop, PERIOD * share);
    };
    const stop = () => {
      process.kill(pid, 'SIGSTOP');
      timer = setTimeout(run, PERIOD * (1 - share));
    };
    timer = setTimeout(run, (index * PERIOD) / pids.length);
    return () => {
      clearTimeout(timer);
      process.kill(pid, 'SIGCONT');
    };
  });
  return () => {
    for (const release of releases) release();
  };
}

interface Delay {
  /** Milliseconds. */
  readonly p99: number;
  readonly max: number;
}

export interface ServerProcess {
  readonly pid: number;
  readonly port: number;
  collect(): Promise<void>;
  /** Begins to watch its event loop. */
  watch(): Promise<void>;
  delay(): Promise<Delay>;
  stop(): Promise<void>;
}

/** Servers that were started together. */
export interface Started {
  readonly servers: readonly ServerProcess[];
  stop(): Promise<void>;
}

interface ServerOptions {
  readonly script: string;
  readonly args?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly flags?: readonly string[];
  /** What ends it: at once, unless it has something to write. */
  readonly signal?: NodeJS.Signals;
}

/** Starts a server, and waits until it says where it listens. */
export async function startServer({
  script,
  args = [],
  env,
  flags = [],
  signal = 'SIGKILL',
}: ServerOptions): Promise<ServerProcess> {
  const node = ['--expose-gc', '--import', PROBE, ...flags];
  const child = kept(
    spawn(process.execPath, [...node, script, ...args], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    }),
  );
  const port = await portOf(child, script);
  const ask = async (question: string) => {
    const answer = once(child, 'message');
    child.send(question);
    return (await answer)[0].probe;
  };
  return {
    pid: child.pid ?? Number.NaN,
    port,
    collect: () => ask('collect'),
    watch: () => ask('watch'),
    delay: () => ask('delay'),
    stop: () => end(child, signal),
  };
}

function portOf(child: ChildProcess, script: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error(`${script} does not start`));
    const timer = setTimeout(fail, PATIENCE);
    let said = '';
    child.once('exit', fail);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const [, port] = /(?:^port |ws:\/\/127\.0\.0\.1:)(\d+)/m.exec(said) ?? [];
      if (port === undefined) return;
      clearTimeout(timer);
      child.removeListener('exit', fail);
      resolve(Number(port));
    });
  });
}

export class Generator {
  readonly #child = kept(fork(fileOf('generator.ts'), { execArgv: ['--max-semi-space-size=64'] }));
  readonly #ended = once(this.#child, 'exit').then(() => [{ fault: 'it ended' }]);

  /** @throws where a count is wrong, or a socket was lost */
  async ask<O extends Order>(order: O): Promise<Answer<O>> {
    const answer = once(this.#child, 'message');
    this.#child.send(order);
    const [said] = await Promise.race([answer, this.#ended]);
    if (said.fault !== undefined) throw new Error(`the generator, at "${order.do}": ${said.fault}`);
    return said.answer;
  }

  stop(): Promise<void> {
    return end(this.#child, 'SIGKILL');
  }
}
