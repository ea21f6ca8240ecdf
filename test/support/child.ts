/** A database or broker of a test run's own: a child process that a test may halt and start again on the same data. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';

interface Options {
  readonly start: () => ChildProcess;
  /** The signal that stops it at once. */
  readonly signal: NodeJS.Signals;
  /** Resolves when it can be used. */
  readonly answering: () => Promise<void>;
  /** Where its data are: removed when it is stopped. */
  readonly folder: string;
}

/** Starts it, and resolves when it answers. It ends with this process, however that ends. */
export async function runChild({ start, signal, answering, folder }: Options) {
  let server = start();
  const halt = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.kill(signal);
    await once(server, 'exit');
  };
  const killNow = () => server.kill('SIGKILL');
  process.once('exit', killNow);
  await answering();
  return {
    /** Stops it at once; what it has kept stays. */
    halt,
    /** Starts it again on the same data. */
    async resume() {
      server = start();
      await answering();
    },
    kill: (by: NodeJS.Signals) => server.kill(by),
    /** Stops it and removes its data. */
    async stop() {
      await halt();
      process.off('exit', killNow);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
