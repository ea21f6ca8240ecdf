/** A whole server for a test: real SQLite, sockets through memory unless a port is asked for. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import { WebSocket } from 'ws';
import { MEMORY, type Settings } from '../../schemas/settings.ts';
import type { Claims } from '../../schemas/tokens.ts';
import { createApp, openStore } from '../../src/app.ts';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { readSettings } from '../../src/cli/settings.ts';
import type { App } from '../../src/doors/http/http.ts';
import type { Store } from '../../src/store/store.ts';
import { type Timing, timingOf } from '../../src/timing.ts';
import { Client } from './client.ts';
import type { Frame } from './frame.ts';
import { assertDocumented } from './openapi.ts';

export const SECRET = 'a secret that only the tests know, long enough';
/** The dealer that every test server has: any origin may join it. */
export const DEALER = 'd1';

/** A server of a test hands its sockets to nobody, and waits for nobody; what falls due later than its start is not looked for. */
const SHORT = { closeTimeout: 50, drainPause: 0, drainSpread: 0, sweepInterval: 3_600_000 };

interface Options {
  readonly settings?: Readonly<Partial<Record<keyof Settings, string>>>;
  readonly timing?: Partial<Timing>;
  readonly logTo?: NodeJS.WritableStream;
  /** Stands in for the store that the settings name. */
  readonly wrapStore?: (store: Store) => Store;
  /** Stand in for the one secret of the tests; the first signs. */
  readonly secrets?: readonly string[];
}

interface UpgradeOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
  /** What follows the path in the URL, with its question mark. */
  readonly query?: string;
}

export class TestServer {
  readonly app: App;
  readonly store: Store;
  readonly tokens = new Tokens([SECRET]);
  readonly #clients: Client[] = [];

  constructor(app: App, store: Store) {
    this.app = app;
    this.store = store;
  }

  /** A token that holds for an hour, or as long as said (in seconds; negative: expired). */
  token(role: Claims['role'], sub: string, { dealer = DEALER, ttl = 3600, gen = 0 } = {}): string {
    return this.tokens.sign({ role, dealer, sub, exp: secondsFromNow(ttl), gen });
  }

  /** A token of the generation that is signed now. */
  async freshToken(role: Claims['role'], sub: string): Promise<string> {
    const { current: gen } = await this.store.generation({ role, dealer: DEALER, sub });
    return this.token(role, sub, { gen });
  }

  /** A socket through memory that has sent nothing. */
  async connect({ headers = {}, query = '', path = '/ws' }: UpgradeOptions = {}): Promise<Client> {
    const [near, far] = duplexPair();
    // Cut at one end, it is cut at the other; what the server has said before is read.
    near.on('close', () => far.destroy());
    far.on('close', () => setImmediate(() => near.destroy()));
    this.app.server.emit('connection', far);
    // Any stream will do for a connection, though the types ask for one of the network.
    const createConnection = (() => near) as unknown as typeof connect;
    const client = new Client(new WebSocket(`ws://telle.test${path}${query}`, { headers, createConnection }));
    this.#clients.push(client);
    await once(client.socket, 'open');
    return client;
  }

  /** Joins as a customer; `session` is its session's payload. */
  async customer(groupId?: string, more: object = {}): Promise<Client & { session: Frame['payload'] }> {
    const client = await this.connect();
    const payload = {
      type: 'CLIENT_JOIN',
      dealerId: DEALER,
      ...(groupId && { groupId }),
      user: 'customer',
      online: true,
    };
    client.send('client_join', { ...payload, ...more });
    return Object.assign(client, { session: (await client.next('session')).payload });
  }

  /** Joins as an admin. */
  async admin(adminId = 'a1', more: object = {}): Promise<Client & { session: Frame['payload'] }> {
    const client = await this.connect();
    const payload = { type: 'ADMIN_JOIN', dealerId: DEALER, adminId, user: 'admin', online: true };
    client.send('admin_join', { ...payload, token: await this.token('admin', adminId), ...more });
    return Object.assign(client, { session: (await client.next('session')).payload });
  }

  /** Joins as another server, by default of the one dealer. */
  async server(dealerId = DEALER, more: object = {}): Promise<Client & { session: Frame['payload'] }> {
    const client = await this.connect();
    const token = await this.token('server', 'crm', { dealer: dealerId });
    client.send('server_join', { type: 'SERVER_JOIN', dealerId, token, ...more });
    return Object.assign(client, { session: (await client.next('session')).payload });
  }

  /** Calls an HTTP route through memory. What it answers must be as the OpenAPI document says. */
  async http(
    method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    { token, body }: { token?: string; body?: unknown } = {},
  ) {
    const response = await this.app.inject({
      method,
      url,
      ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
      ...(body !== undefined && { payload: body as object }),
    });
    const isJson = /[/+]json\b/.test(String(response.headers['content-type']));
    const { statusCode: status, headers } = response;
    const answer = { status, headers, body: isJson ? response.json() : response.body };
    assertDocumented(this.app, `${method} ${url}`, answer);
    return answer;
  }

  /** Listens on a free port of this machine. @returns `host:port` */
  async listen(): Promise<string> {
    await this.app.listen({ host: '127.0.0.1', port: 0 });
    const { address, port } = this.app.server.address() as AddressInfo;
    return `${address}:${port}`;
  }

  /** A socket over a real port. */
  async dial(at: string, options: { protocols?: string[]; headers?: Record<string, string> } = {}): Promise<Client> {
    const socket = new WebSocket(`ws://${at}/ws`, options.protocols ?? [], { headers: options.headers ?? {} });
    const client = new Client(socket);
    this.#clients.push(client);
    await once(socket, 'open');
    return client;
  }

  async close(): Promise<void> {
    for (const { socket } of this.#clients) socket.terminate();
    await this.app.close();
    for (const client of this.#clients) client.assertPublished();
  }
}

/**
 * Starts a server on a database in memory (or the one that the settings name), with the dealer `d1` in it. The clauses of version 1 are shown without
 * what an agent's first message brings about since: seqs are as they say.
 */
export async function startServer({
  settings,
  timing,
  logTo,
  wrapStore = (store) => store,
  secrets = [SECRET],
}: Options = {}) {
  const read = readSettings({ DATABASE_URL: `sqlite:${MEMORY}`, LOG_LEVEL: 'debug', AUTO_ASSIGN: 'off', ...settings });
  const store = openStore(read, { secrets });
  await store.migrate();
  await store.putDealer(DEALER, { origins: ['*'] });
  const app = await createApp({
    settings: read,
    store: wrapStore(store),
    secrets,
    version: '0.0.0',
    timing: { ...timingOf(read), ...SHORT, ...timing },
    ...(logTo && { logTo }),
  });
  try {
    await app.ready();
  } catch (error) {
    await app.close(); // or what it holds keeps the test alive
    throw error;
  }
  return new TestServer(app, store);
}

/** A server for the length of `use`. */
export async function withServer<T>(options: Options, use: (server: TestServer) => Promise<T>): Promise<T> {
  const server = await startServer(options);
  try {
    return await use(server);
  } finally {
    await server.close();
  }
}

/** A folder of its own, removed when `use` is done. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'telle-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
