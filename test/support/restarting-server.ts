/** A server in a process of its own that is killed and started again, on a port that it keeps. */
import { freePort } from './port.ts';
import { type ServerProcess, startProcess } from './process.ts';

export class RestartingServer {
  readonly port: number;
  readonly #settings: Readonly<Record<string, string>>;
  #process: ServerProcess | undefined;

  private constructor(settings: Readonly<Record<string, string>>, port: number) {
    this.#settings = settings;
    this.port = port;
  }

  /** Makes it, with these settings. It does not run yet. */
  static async make(settings: Readonly<Record<string, string>>): Promise<RestartingServer> {
    return new RestartingServer(settings, await freePort());
  }

  /** Resolves when it listens. It runs as long as it takes. */
  async start(): Promise<void> {
    this.#process = await startProcess({ env: { ...this.#settings, PORT: String(this.port) }, patience: 0 });
  }

  /** `kill -9`: no farewell. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }
}
