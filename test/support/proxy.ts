/** A way to a Redis that a test can cut, and that tells when who goes by it hangs up. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class RedisProxy {
  #target: URL;
  readonly #server: Server;
  /** Who goes by it, and the first that each said, in which its name is. */
  readonly #sockets = new Map<Socket, string>();
  /** What is in the first words of those who are not let through; everybody's is empty. */
  #cut: string | null = null;

  private constructor(target: URL, server: Server) {
    this.#target = target;
    this.#server = server;
    server.on('connection', (socket) => this.#join(socket));
  }

  static async to(url: string): Promise<RedisProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RedisProxy(new URL(url), server);
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `redis://127.0.0.1:${port}`;
  }

  #join(near: Socket): void {
    const far = connect(Number(this.#target.port), this.#target.hostname);
    for (const socket of [near, far]) socket.setNoDelay().on('error', () => {}); // as both ends have it
    this.#sockets.set(near, '');
    near.on('data', (data) => {
      const said = `${this.#sockets.get(near)}${data}`.slice(0, 1000);
      this.#sockets.set(near, said);
      // What it says now may be behind what is kept of its beginning.
      if (this.#cut !== null && `${said}${data}`.includes(this.#cut)) near.destroy();
    });
    near.on('close', () => {
      this.#sockets.delete(near);
      far.destroy();
    });
    far.on('close', () => near.destroy());
    near.pipe(far);
    far.pipe(near);
  }

  /** Leads whoever comes from now on to another server, as a name does; who is there stays where it is. */
  lead(url: string): void {
    this.#target = new URL(url);
  }

  #named(name: string): Socket[] {
    return [...this.#sockets].flatMap(([socket, said]) => (said.includes(name) ? [socket] : []));
  }

  /** Resolves when everybody of a name (by default: everybody) who goes by it now has hung up, or been cut off. */
  async hungUp(name = ''): Promise<void> {
    await Promise.all(this.#named(name).map((socket) => once(socket, 'close')));
  }

  /** Cuts off everybody of a name (by default: everybody), and lets them through no more until it is mended. */
  cut(name = ''): void {
    this.#cut = name;
    for (const socket of this.#named(name)) socket.destroy();
  }

  /** Holds everybody who goes by it now, and passes nothing on, as a half-open connection does. Who comes after is let through. */
  swallow(): void {
    for (const socket of this.#sockets.keys()) {
      socket.unpipe();
      socket.removeAllListeners('data');
      socket.resume();
    }
  }

  mend(): void {
    this.#cut = null;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
