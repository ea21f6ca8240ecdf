/** Pages in a real browser, each in a context of its own, that are held to ask nobody else and to complain of nothing. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import type { Browser, BrowserContextOptions, ConsoleMessage, Page } from 'playwright-core';

const SHOTS = 'test/screenshots';

/** A page that waits longer than this for something has failed. It is a bound on hanging, never a measure. */
const PATIENCE = 10_000;

export const PHONE = { width: 360, height: 740 };
export const DESKTOP = { width: 1360, height: 820 };

/** What a browser says of a server that is away: it is, where a test takes it away. */
const AWAY = /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_SOCKET_NOT_CONNECTED/;

/** Every page that a test opened, and what was wrong with any of them. */
export class Pages {
  readonly #browser: Browser;
  readonly #faults: string[] = [];
  readonly #open: Page[] = [];

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

  #watch(page: Page, host: string): void {
    const complain = (what: string) => this.#faults.push(what);
    page.on('console', (message: ConsoleMessage) => {
      const text = message.text();
      if (message.type() === 'error' && !AWAY.test(text)) complain(`console: ${text}`);
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
