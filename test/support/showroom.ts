/** A whole server in a process of its own, a dealer's website with the chat on it, a browser to visit it, and the dealer's side. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { buildWeb } from '../../build/web.ts';
import type { Claims } from '../../schemas/tokens.ts';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { startChromium } from './chromium.ts';
import { Client } from './client.ts';
import type { Frame } from './frame.ts';
import { RestartingServer } from './restarting-server.ts';
import { Website } from './visitor.ts';

const SECRET = 'a secret that only this test knows';
const HOUR = 3600;
const SCREENSHOTS = 'test/screenshots';
/** The dealer that a new database has. */
export const DEALER = 'demo';

export class Showroom {
  readonly server: RestartingServer;
  readonly site: Website;
  readonly browser: Browser;
  readonly #folder: string;
  readonly #tokens = new Tokens([SECRET]);
  readonly #clients: Client[] = [];

  private constructor(folder: string, server: RestartingServer, site: Website, browser: Browser) {
    this.#folder = folder;
    this.server = server;
    this.site = site;
    this.browser = browser;
  }

  /** Builds what browsers are served, and opens. */
  static async open(): Promise<Showroom> {
    const folder = await mkdtemp(join(tmpdir(), 'telle-'));
    await Promise.all([buildWeb('dist/web'), mkdir(SCREENSHOTS, { recursive: true })]);
    const settings = { DATABASE_URL: `sqlite:${join(folder, 'telle.db')}`, AUTH_SECRET: SECRET, RATE_LIMIT: 'off' };
    const [server, browser] = await Promise.all([RestartingServer.make(settings), startChromium()]);
    await server.start();
    return new Showroom(folder, server, await Website.open(`http://127.0.0.1:${server.port}`), browser);
  }

  /** Where the server is, for HTTP. */
  get origin(): string {
    return `http://127.0.0.1:${this.server.port}`;
  }

  token(role: Claims['role'], sub: string): string {
    return this.#tokens.sign({ role, dealer: DEALER, sub, exp: secondsFromNow(HOUR) });
  }

  async #join(channel: string, payload: object): Promise<Client> {
    const client = new Client(new WebSocket(`${this.origin.replace('http', 'ws')}/ws`));
    this.#clients.push(client);
    await once(client.socket, 'open');
    client.send(channel, { type: channel.toUpperCase(), dealerId: DEALER, ...payload });
    await client.next('session');
    return client;
  }

  /** An agent, by a plain socket. */
  async agent(adminId: string): Promise<Client> {
    return this.#join('admin_join', { adminId, token: await this.token('admin', adminId) });
  }

  /** A bot, by a plain socket. */
  async bot(): Promise<Client> {
    return this.#join('server_join', { token: await this.token('server', 'bot') });
  }

  /** Gives the dealer settings, beside its origins. */
  async settle(settings: object): Promise<void> {
    const token = this.#tokens.sign({ role: 'server', dealer: '*', sub: 'operator', exp: secondsFromNow(HOUR) });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ origins: ['*'], ...settings });
    const { status } = await fetch(`${this.origin}/v1/dealers/${DEALER}`, { method: 'PUT', headers, body });
    assert.equal(status, 200);
  }

  async #http(method: 'GET' | 'DELETE', path: string): Promise<{ items: unknown[] }> {
    const authorization = `Bearer ${await this.token('admin', 'manager')}`;
    const response = await fetch(`${this.origin}/v1/dealers/${DEALER}/${path}`, { method, headers: { authorization } });
    return JSON.parse(await response.text());
  }

  /** Reads a list of the dealer's, of one group. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where that is not there
  async list(name: 'users' | 'leads' | 'lead-intents' | 'pageviews', groupId: string): Promise<any[]> {
    return (await this.#http('GET', `${name}?groupId=${groupId}`)).items;
  }

  /** [P-11.4] */
  async erase(groupId: string): Promise<void> {
    await this.#http('DELETE', `groups/${groupId}`);
  }

  async close(): Promise<void> {
    for (const { socket } of this.#clients) socket.terminate();
    await this.browser.close();
    this.site.close();
    await this.server.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Picks what a customer says. */
export const fromCustomer = ({ channel, payload }: Frame): boolean =>
  channel === 'CHAT_MESSAGE' && payload.user === 'customer';

/** A picture of what is to be seen, for who looks at it. */
export const shoot = (page: Page, name: string): Promise<Buffer> =>
  page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
