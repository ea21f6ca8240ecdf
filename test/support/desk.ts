/** Agents at their desks in a real browser, and customers who write to them. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import type { Browser, BrowserContextOptions, ConsoleMessage, Locator, Page } from 'playwright-core';
import { buildWeb } from '../../build/web.ts';
import { deskLink, makeCode } from '../../src/auth/codes.ts';
import { startChromium } from './chromium.ts';
import type { Client } from './client.ts';
import { DEALER, startServer, type TestServer } from './server.ts';
import { until } from './until.ts';

const SHOTS = 'test/screenshots';

/** A page that waits longer than this for something has failed. It is a bound on hanging, never a measure. */
const PATIENCE = 10_000;

export const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1360, height: 820 };

/** What a browser says of a server that is away: it is, where a test takes it away. */
const AWAY =
  /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_SOCKET_NOT_CONNECTED|ERR_INTERNET_DISCONNECTED/;

/** Every page that a test opened: each is held to ask nobody else, and to complain of nothing. */
class Pages {
  readonly #browser: Browser;
  readonly #faults: string[] = [];
  readonly #open: Page[] = [];
  /** What the browser may complain of, too. */
  allowed: RegExp | undefined;

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** A page of its own person: nothing is shared with any other. */
  async open(url: string, options: BrowserContextOptions = {}, before: (page: Page) => Promise<void> = async () => {}) {
    const context = await this.#browser.newContext({ viewport: DESKTOP, reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    this.#open.push(page);
    this.#watch(page, new URL(url).host);
    await before(page);
    await page.goto(url);
    return page;
  }

  /** The page that a link opens beside its own. */
  async follow(link: Locator): Promise<Page> {
    const [page] = await Promise.all([link.page().context().waitForEvent('page'), link.click()]);
    this.#watch(page, new URL(link.page().url()).host);
    await page.setViewportSize(DESKTOP);
    return page;
  }

  #watch(page: Page, host: string): void {
    const complain = (what: string) => this.#faults.push(what);
    page.on('console', (message: ConsoleMessage) => {
      const text = message.text();
      if (message.type() === 'error' && !AWAY.test(text) && !this.allowed?.test(text)) complain(`console: ${text}`);
    });
    page.on('pageerror', (error) => complain(`error: ${error.stack}`));
    page.on('dialog', (dialog) => {
      complain(`dialogue: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on('request', (request) => {
      const asked = new URL(request.url());
      if (asked.protocol !== 'data:' && asked.host !== host) complain(`request to ${asked.host}`);
      if (/eyJ/.test(request.url())) complain(`a token in the address ${asked.pathname}`);
    });
  }

  /** Closes them all. Throws where one asked another host, complained or was made to do something. */
  async close(): Promise<void> {
    const faults = this.#faults.splice(0);
    this.allowed = undefined;
    await Promise.all(this.#open.splice(0).map((page) => page.context().close()));
    assert.deepEqual(faults, []);
  }
}

/** Keeps what a page looks like, for people to look at. */
export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}.png` });
}

/** Resolves when it is there to be seen. */
export const see = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();

/** Resolves when it is not there any more. */
export const miss = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor({ state: 'hidden' });

export const row = (page: Page, name: string) => page.locator('.row', { has: page.getByText(name, { exact: true }) });

/** Finds a conversation, however long the list is, and opens it. */
export async function openChat(page: Page, name: string): Promise<void> {
  await page.fill('#search', name);
  await row(page, name).click();
  await page.getByRole('heading', { name }).waitFor();
  await page.locator('.lines .said').first().waitFor();
}

export async function answer(page: Page, text: string): Promise<void> {
  await page.fill('#answer', text);
  await page.press('#answer', 'Enter');
}

/** Resolves when a page says so of itself. It is asked from outside: its own policy forbids it to take texts for code. */
export const holds = (page: Page, what: string) => until(what, async () => (await page.evaluate(what)) === true);

export const scroll = (page: Page, selector: string, top: number) =>
  page.evaluate(`document.querySelector(${JSON.stringify(selector)}).scrollTo(0, ${top})`);

export const textsOf = (page: Page, selector: string): Promise<string[]> =>
  page.evaluate(`[...document.querySelectorAll(${JSON.stringify(selector)})].map(({ textContent }) => textContent)`);

export async function say(client: Client, message: string): Promise<void> {
  assert.equal((await client.ask('customer_message', { type: 'UPDATE_MSG', message })).channel, 'ack');
}

export const tell = (client: Client, type: string, message: object) => client.ask('customer_update', { type, message });

/** Says yes to a link. */
export const enter = (page: Page) => page.getByRole('button', { name: 'Open the desk' }).click();

/** A server with its pages, and a browser to look at them with, for the length of a suite. */
export class Office {
  readonly server: TestServer;
  readonly pages: Pages;
  /** Where its pages are, without a slash at the end. */
  readonly http: string;
  readonly #browser: Browser;

  private constructor(server: TestServer, http: string, browser: Browser) {
    this.server = server;
    this.http = http;
    this.#browser = browser;
    this.pages = new Pages(browser);
  }

  static async open(options: Parameters<typeof startServer>[0] = {}): Promise<Office> {
    const [browser] = await Promise.all([startChromium(), buildWeb('dist/web')]);
    const server = await startServer(options);
    return new Office(server, `http://${await server.listen()}`, browser);
  }

  /** A link that signs in, once and within a minute. @param ttl for how long its token holds, in seconds */
  linkOf(adminId: string, { dealer = DEALER, ttl = 3600 } = {}): string {
    return deskLink(this.http, makeCode(this.server.tokens, { dealer, sub: adminId, gen: 0 }, ttl).code);
  }

  /** A desk, signed in by a link. */
  async desk(adminId: string, options?: BrowserContextOptions, before?: (page: Page) => Promise<void>): Promise<Page> {
    const page = await this.pages.open(this.linkOf(adminId), options, before);
    await enter(page);
    return page;
  }

  /** A customer who has said a name and something else. */
  async customer(groupId: string, name: string, message: string): Promise<Client> {
    const client = await this.server.customer(groupId);
    await tell(client, 'UPDATE_USER', { name });
    await say(client, message);
    return client;
  }

  /** A bot. It answers with `ack`, or with why it was refused. */
  async bot(): Promise<{ say: (groupId: string, message: string) => Promise<string> }> {
    const client = await this.server.server();
    return {
      async say(groupId, message) {
        const { channel, code } = await client.ask('event', { type: 'UPDATE_MSG', groupId, user: 'bot', message });
        return code ?? channel;
      },
    };
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.server.close();
  }
}
