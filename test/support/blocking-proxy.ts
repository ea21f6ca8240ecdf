/** A proxy as some offices have it: requests go through it and their answers, as they come, and no WebSocket does. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** What it does with a handshake: says no, or nothing at all; or lets it through after all. */
export type Manner = 'refuses' | 'is silent' | 'lets through';

export class BlockingProxy {
  readonly #target: URL;
  readonly #server: Server;
  /** Connections that it holds and never answers. */
  readonly #held = new Set<Duplex>();
  readonly #streams = new Set<ServerResponse>();
  #isCut = false;
  manner: Manner;
  /** Requests and handshakes that came, as `GET /path`, or `UPGRADE /path`. */
  readonly came: string[] = [];

  private constructor(target: URL, manner: Manner) {
    this.#target = target;
    this.manner = manner;
    this.#server = createServer((incoming, answer) => this.#pass(incoming, answer));
    this.#server.on('upgrade', (incoming, socket, head) => this.#upgrade(incoming, socket, head));
  }

  /** @param target origin of the server behind it */
  static async to(target: string, manner: Manner = 'refuses'): Promise<BlockingProxy> {
    const proxy = new BlockingProxy(new URL(target), manner);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `${this.origin.replace('http', 'ws')}/ws`;
  }

  #options({ method, url, headers }: IncomingMessage) {
    const { hostname, port } = this.#target;
    return { host: hostname, port, method, path: url, headers };
  }

  #pass(incoming: IncomingMessage, answer: ServerResponse): void {
    this.came.push(`${incoming.method} ${incoming.url}`);
    if (this.#isCut) {
      answer.destroy();
      return;
    }
    this.#streams.add(answer);
    const onward = request(this.#options(incoming), (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.on('error', () => answer.destroy()).pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => {
      this.#streams.delete(answer);
      onward.destroy();
    });
    incoming.pipe(onward);
  }

  #upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.came.push(`UPGRADE ${incoming.url}`);
    socket.on('error', () => {});
    if (this.manner === 'refuses' || this.#isCut) {
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      return;
    }
    this.#held.add(socket);
    if (this.manner === 'is silent') return;
    const onward = request(this.#options(incoming));
    onward.on('upgrade', ({ statusCode, statusMessage, rawHeaders }, far: Duplex) => {
      const lines = rawHeaders.flatMap((name, at) => (at % 2 ? [] : [`${name}: ${rawHeaders[at + 1]}`]));
      socket.write(`HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('\r\n')}\r\n\r\n`);
      far.on('error', () => {}).on('close', () => socket.destroy());
      socket.on('close', () => far.destroy());
      far.pipe(socket).pipe(far);
    });
    onward.on('error', () => socket.destroy());
    onward.end(head);
  }

  /** Cuts everything that goes through it, and lets nothing through until it is mended. */
  cut(): void {
    this.#isCut = true;
    for (const each of [...this.#streams, ...this.#held]) each.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  /** Requests and handshakes that came so far of a method. */
  count(method: string): number {
    return this.came.filter((each) => each.startsWith(method)).length;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}
