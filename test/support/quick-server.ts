/**
 * The server as one file of JavaScript: a process of it listens after a third of a second, where reading all its modules
 * takes two. For a test that kills it again and again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { freePort } from './port.ts';

const PROJECT = new URL('../../', import.meta.url);
const path = (name: string) => fileURLToPath(new URL(name, PROJECT));

export class QuickServer {
  readonly port: number;
  readonly #file: string;
  readonly #env: NodeJS.ProcessEnv;
  #process: ChildProcess | undefined;

  private constructor(file: string, port: number, env: NodeJS.ProcessEnv) {
    this.#file = file;
    this.port = port;
    this.#env = env;
  }

  /** Makes it, with these settings, on a port that it keeps. It does not run yet. */
  static async make(folder: string, settings: Readonly<Record<string, string>>): Promise<QuickServer> {
    const outfile = join(folder, 'server.cjs');
    await build({
      stdin: {
        contents: "import { run } from './src/cli/run.ts'; run(['serve']);",
        resolveDir: path('.'),
      },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      external: ['better-sqlite3'],
      // Every module of `src` that looks for a file beside the sources lies as deep as this one.
      define: { 'import.meta.url': JSON.stringify(new URL('src/cli/run.ts', PROJECT).href) },
      logLevel: 'error',
    });
    const port = await freePort();
    const env = { PATH: process.env.PATH, NODE_PATH: path('node_modules'), LOG_LEVEL: 'warn', ...settings };
    return new QuickServer(outfile, port, { ...env, PORT: String(port) });
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [this.#file], { env: this.#env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = child;
    const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the server ended with ${code}`)));
    await Promise.race([once(child.stdout, 'data'), ended]);
    ended.catch(() => {});
  }

  /** `kill -9`: no farewell. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
}
