/** A node of Telle as a process of its own, as an operator starts it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from './port.ts';

export interface NodeProcess {
  /** `127.0.0.1:<port>` */
  readonly at: string;
  readonly process: ChildProcess;
  /** All that it wrote to stderr: its log. */
  log(): string;
  /** `kill -9`: no farewell. */
  kill(): Promise<void>;
  /** SIGTERM. @returns the exit code */
  stop(): Promise<number | null>;
}

/** Starts a node with these settings, on their `PORT` or else on a free one, and resolves when it listens. */
export async function startNode(settings: Readonly<Record<string, string>>): Promise<NodeProcess> {
  const port = settings.PORT ?? (await freePort());
  const child = spawn(process.execPath, ['src/main.ts', 'serve'], {
    env: { ...process.env, LOG_LEVEL: 'warn', ...settings, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const errors: string[] = [];
  child.stderr.on('data', (data) => errors.push(String(data)));
  const killNow = () => child.kill('SIGKILL');
  process.once('exit', killNow);
  const ended = once(child, 'exit').then(([code]) => {
    process.off('exit', killNow);
    return code;
  });
  await Promise.race([
    once(child.stdout, 'data'),
    ended.then((code) => Promise.reject(new Error(`the node ended with ${code}: ${errors.join('')}`))),
  ]);
  return {
    at: `127.0.0.1:${port}`,
    process: child,
    log: () => errors.join(''),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    async stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}
