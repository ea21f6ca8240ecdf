/** The client SDK under test: what it is told, what goes over its wire, and a server that it reaches by a way that can be cut. */
import { WebSocket } from 'ws';
import { connect } from '../../src/client/index.ts';
import type { Client, Events, Options, Role, Stamp } from '../../src/client/types.ts';
import type { Frame } from './frame.ts';
import { RedisProxy } from './proxy.ts';
import { DEALER, startServer, type TestServer } from './server.ts';
import { Inbox } from './until.ts';

export interface Heard {
  readonly name: keyof Events;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where that is not there
  readonly payload: any;
  readonly stamp?: Stamp;
}

const NAMES = [
  'CHAT_MESSAGE',
  'MUTE_STATE',
  'CLOSE_CHAT',
  'SYS_MESSAGE',
  'CHAT_STATE',
  'CUSTOMER_STATE',
  'TYPING_STATE',
  'READ_STATE',
  'connecting',
  'session',
  'offline',
  'closed',
  'gap',
] as const satisfies (keyof Events)[];

/** Everything that a client tells, in order. */
export function listen(client: Client<Role>): Inbox<Heard> {
  const inbox = new Inbox<Heard>();
  for (const name of NAMES) {
    client.on(name, (...[payload, stamp]: [payload?: unknown, stamp?: Stamp]) =>
      inbox.put({ name, payload, ...(stamp && { stamp }) }),
    );
  }
  return inbox;
}

export const named =
  (name: keyof Events) =>
  (heard: Heard): boolean =>
    heard.name === name;

/** The texts of the messages that were heard, in order. */
export const messages = ({ items }: Inbox<Heard>): unknown[] =>
  items.filter(named('CHAT_MESSAGE')).map(({ payload }) => payload.message);

/** A class of sockets that keeps what goes over them. */
export function tapped() {
  const sockets: WebSocket[] = [];
  const sent: Frame[] = [];
  const received = new Inbox<Frame>();
  class Tapped extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol);
      sockets.push(this);
      this.on('message', (data) => received.put(JSON.parse(String(data))));
    }
    override send(text: string): void {
      sent.push(JSON.parse(text));
      super.send(text);
    }
  }
  return { WebSocket: Tapped, sockets, sent, received };
}

/** A pause that a test need not wait for. */
export const SOON = { first: 5, most: 20 };

/** A server on a port, a way to it that can be cut, and clients that are closed with it. */
export class Place {
  readonly server: TestServer;
  readonly proxy: RedisProxy;
  readonly #at: string;
  readonly #clients: { close(): void }[] = [];

  private constructor(server: TestServer, at: string, proxy: RedisProxy) {
    this.server = server;
    this.#at = at;
    this.proxy = proxy;
  }

  static async open(options: Parameters<typeof startServer>[0] = {}): Promise<Place> {
    const server = await startServer({ ...options, timing: { closeTimeout: 5, ...options.timing } });
    const at = await server.listen();
    return new Place(server, at, await RedisProxy.to(`redis://${at}`));
  }

  get url(): string {
    return `ws://${new URL(this.proxy.url).host}/ws`;
  }

  /** The same server, by a way that is never cut. */
  get directUrl(): string {
    return `ws://${this.#at}/ws`;
  }

  /** The options that every client of this place has. */
  get common() {
    return { url: this.url, dealerId: DEALER, WebSocket, backoff: SOON };
  }

  /** What a client tells; it is closed with this place. */
  of<R extends Role>(client: Client<R>) {
    this.#clients.push(client);
    return { client, heard: listen(client) };
  }

  async customer(options: Partial<Options<'customer'>> = {}) {
    const opened = this.of(connect({ ...this.common, role: 'customer', ...options }));
    await opened.heard.first(1, named('session'));
    return { ...opened, groupId: opened.client.session?.groupId ?? '' };
  }

  async admin(adminId = 'a1', options: Partial<Options<'admin'>> = {}) {
    const token = () => this.server.token('admin', adminId);
    const opened = this.of(connect({ ...this.common, role: 'admin', adminId, token, ...options }));
    await opened.heard.first(1, named('session'));
    return opened;
  }

  async crm(options: Partial<Options<'server'>> = {}) {
    const token = () => this.server.token('server', 'crm');
    const opened = this.of(connect({ ...this.common, role: 'server', token, ...options }));
    await opened.heard.first(1, named('session'));
    return opened;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.proxy.close();
    await this.server.close();
  }
}

/** A place for the length of `use`. */
export async function withPlace(
  options: Parameters<typeof startServer>[0],
  use: (place: Place) => Promise<void>,
): Promise<void> {
  const place = await Place.open(options);
  try {
    await use(place);
  } finally {
    await place.close();
  }
}
