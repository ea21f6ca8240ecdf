/** A dealer's website with the chat on it, and who visits it in a real browser. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import axe, { type AxeResults } from 'axe-core';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

/** A page that says, by attributes of its tag and its address, which widget it wants. */
const html = (server: string, query: URLSearchParams) => {
  const { lang = 'en', title = 'Used cars', ...attributes } = Object.fromEntries(query);
  const data = Object.entries({ dealer: 'demo', ...attributes }).map(
    ([name, value]) => ` data-${name}="${value.replaceAll('"', '&quot;')}"`,
  );
  return `<!doctype html>
<html lang="${lang}">
<head><title>${title}</title><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/page.css"></head>
<body><main><h1>${title}</h1><p>A blue one, and a red one.</p><a href="/?title=The+blue+one">The blue one</a></main>
<script src="${server}/widget.js"${data.join('')} async></script></body>
</html>`;
};

const CSS = `
@media (prefers-color-scheme: dark) { body, a { background: #111 !important; color: #eee !important; } }
body { margin: 0; background: #fff; color: #222; padding: 32px; font: 18px/1.5 system-ui, sans-serif; }
`;

/** As strict as a site can be: nothing inline, nothing from anywhere but itself and the chat server, and pictures from where it says. */
const policyOf = (server: string, images: string) =>
  [
    "default-src 'none'",
    `script-src ${server}`,
    `connect-src ${server} ${server.replace('http', 'ws')}`,
    "style-src 'self'",
    `img-src data: ${images}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');

/** Files of packages of npm's, which sites load. */
const PACKAGES = '/packages/';
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.css': 'text/css' };

function sendPackage(path: string, response: ServerResponse): void {
  response.setHeader('content-type', TYPES[extname(path)] ?? 'text/plain');
  createReadStream(join('node_modules', path))
    .on('error', () => response.writeHead(404).end())
    .pipe(response);
}

/** A website on an origin of its own, whose every page has the widget of a server. */
export class Website {
  readonly #server: Server;
  /** Pages of other kinds, by their path, under no policy. */
  readonly pages: Map<string, string>;

  private constructor(server: Server, pages: Map<string, string>) {
    this.#server = server;
    this.pages = pages;
  }

  /** @param chat the server's origin */
  static async open(chat: string): Promise<Website> {
    const pages = new Map<string, string>();
    const server = createServer(({ url = '/' }, response) => {
      const { pathname, searchParams } = new URL(url, 'http://site');
      const page = pages.get(pathname);
      if (page !== undefined) response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
      else if (pathname.startsWith(PACKAGES)) sendPackage(pathname.slice(PACKAGES.length), response);
      else if (pathname === '/page.css') response.setHeader('content-type', 'text/css').end(CSS);
      else {
        response.setHeader('content-type', 'text/html; charset=utf-8');
        response
          .setHeader('content-security-policy', policyOf(chat, searchParams.get('images') ?? ''))
          .end(html(chat, searchParams));
      }
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Website(server, pages);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

interface Visit {
  readonly browser: Browser;
  /** Origins that a page may ask. */
  readonly origins: readonly string[];
  readonly options?: BrowserContextOptions;
  /** What the browser may complain of. */
  readonly allowed?: RegExp;
}

/** A visitor with storage of its own, for the length of `use`. Its pages ask nobody else, show no dialog, and complain of nothing. */
export async function visit(
  { browser, origins, options = {}, allowed }: Visit,
  use: (context: BrowserContext) => Promise<void>,
): Promise<void> {
  const faults: string[] = [];
  const context = await browser.newContext({ viewport: { width: 900, height: 700 }, ...options });
  context.setDefaultTimeout(10_000);
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== 'data:' && !origins.includes(origin)) faults.push(`asked ${request.url()}`);
  });
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !allowed?.test(message.text())) faults.push(message.text());
  });
  context.on('weberror', (error) => faults.push(String(error.error())));
  context.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  try {
    await use(context);
    assert.deepEqual(faults, []);
  } finally {
    await context.close();
  }
}

/** What axe-core finds wrong with a page, in words. */
export async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations }: AxeResults = await page.evaluate('axe.run()');
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`),
  );
}
