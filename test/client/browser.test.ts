/** `telle/client` in a real browser, from its script-tag file. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContext } from 'playwright-core';
import { buildClient } from '../../build/client.ts';
import { startChromium } from '../support/chromium.ts';
import { type Heard, messages, named, Place } from '../support/sdk.ts';
import { DEALER } from '../support/server.ts';
import { Inbox } from '../support/until.ts';

const NAMES = ['CHAT_MESSAGE', 'session', 'offline', 'closed', 'gap'];
const HOUR = 3_600_000;

/** A page that hands on what the client tells. What would come back by itself does so in an hour. */
const html = (url: string, head: string) => `<!doctype html><title>A page of a dealer's</title>${head}
<script type="module">
  window.client = telle.connect({
    url: '${url}', role: 'customer', dealerId: '${DEALER}', backoff: { first: ${HOUR}, most: ${HOUR} },
  });
  for (const name of ${JSON.stringify(NAMES)}) client.on(name, (payload, stamp) => tell({ name, payload, stamp }));
</script>`;

let place: Place;
let browser: Browser;
let folder: string;
let pages: Server;

before(async () => {
  [place, browser, folder] = await Promise.all([
    Place.open(),
    startChromium(),
    mkdtemp(join(tmpdir(), 'telle-browser-')),
  ]);
  await buildClient(folder);
  const heads: Record<string, string> = {
    '/': '<script src="/telle.js"></script>',
    '/module': '<script type="module">import * as telle from "/index.js"; window.telle = telle;</script>',
  };
  const docs = await readFile(new URL('../../docs/client.md', import.meta.url), 'utf8');
  const snippet = /^```html\n(.*?)^```$/ms.exec(docs)?.[1] ?? assert.fail('no snippet');
  pages = createServer(async ({ url = '/' }, response) => {
    const head = heads[url];
    if (url === '/docs') {
      response
        .setHeader('content-type', 'text/html')
        .end(`<body>${snippet.replace('wss://chat.example/ws', place.url)}`);
    } else if (head !== undefined) response.setHeader('content-type', 'text/html').end(html(place.url, head));
    else if (url === '/favicon.ico') response.writeHead(404).end();
    else response.setHeader('content-type', 'text/javascript').end(await readFile(join(folder, url)));
  }).listen(0, '127.0.0.1');
  await once(pages, 'listening');
});

after(async () => {
  await browser?.close();
  await place?.close();
  pages?.closeAllConnections();
  pages?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A visitor, with cookies and storage of its own, for the length of `use`. */
async function visit(use: (context: BrowserContext) => Promise<void>): Promise<void> {
  const context = await browser.newContext();
  try {
    await use(context);
  } finally {
    await context.close();
  }
}

/** A tab of a visitor's: what its client tells, and a way to run something in it. */
async function open(context: BrowserContext, path = '/') {
  const page = await context.newPage();
  const heard = new Inbox<Heard>();
  await page.exposeFunction('tell', heard.put);
  const { port } = pages.address() as AddressInfo;
  await page.goto(`http://localhost:${port}${path}`);
  const [session] = await heard.first(1, named('session'));
  const say = (message: string) =>
    page.evaluate(`client.send('customer_message', { type: 'UPDATE_MSG', message: ${JSON.stringify(message)} })`);
  return { page, heard, say, groupId: String(session?.payload.groupId) };
}

const say = (message: string, groupId: string) => ({ type: 'UPDATE_MSG', message, groupId }) as const;

describe('telle/client in a browser', () => {
  for (const [what, path] of [
    ['a script tag', '/'],
    ['a module', '/module'],
  ] as const) {
    test(`talks, from ${what}`, () =>
      visit(async (context) => {
        const { heard, say: sayThere, groupId } = await open(context, path);
        const admin = await place.admin();
        assert.deepEqual(await sayThere('Is the blue one still there?').then(seqOf), [groupId, 1]);
        await admin.heard.first(1, ({ payload }) => payload?.message === 'Is the blue one still there?');
        const { seq } = await admin.client.send('admin_message', say('It is.', groupId));
        const [answer] = await heard.first(1, named('CHAT_MESSAGE'));
        assert.deepEqual([answer?.payload.message, answer?.stamp?.seq], ['It is.', seq]);
      }));
  }

  test('runs as docs/client.md has it', () =>
    visit(async (context) => {
      await place.server.store.putDealer('demo', { origins: ['*'] });
      const { client, heard } = await place.admin('alice', {
        dealerId: 'demo',
        token: await place.server.token('admin', 'alice', { dealer: 'demo' }),
      });
      const page = await context.newPage();
      await page.goto(`http://localhost:${(pages.address() as AddressInfo).port}/docs`);
      const [joined] = await heard.first(1, named('CHAT_STATE'));
      await client.send('admin_message', say('Good morning!', String(joined?.payload.groupId)));
      await page.getByText('admin: Good morning!').waitFor({ timeout: 10_000 });
    }));

  test('comes back at once when the browser is online again, and misses nothing', () =>
    visit(async (context) => {
      const { page, heard, say: sayThere, groupId } = await open(context);
      const admin = await place.admin();
      await context.setOffline(true);
      const [offline] = await heard.first(1, named('offline'));
      assert.equal(offline?.payload.reason, 'offline');
      assert.equal(await page.evaluate('client.state'), 'offline');
      const sent = sayThere('from the tunnel');
      await admin.client.send('admin_message', say('into the tunnel', groupId));
      await context.setOffline(false);
      await heard.first(2, named('session')); // by itself it would come in an hour
      assert.deepEqual(await sent.then(seqOf), [groupId, 3]);
      await admin.client.send('admin_message', say('out again', groupId));
      await heard.first(2, named('CHAT_MESSAGE'));
      assert.deepEqual(messages(heard), ['into the tunnel', 'out again']);
      assert.equal(heard.items.some(named('gap')), false);
    }));

  test('finds its conversation again after a reload', () =>
    visit(async (context) => {
      const { page, heard, say: sayThere, groupId } = await open(context);
      assert.deepEqual(await sayThere('before').then(seqOf), [groupId, 1]);
      await page.reload();
      const [, session] = await heard.first(2, named('session'));
      assert.deepEqual([session?.payload.groupId, session?.payload.seqs[groupId]], [groupId, 1]);
      assert.deepEqual(await sayThere('after').then(seqOf), [groupId, 2]);
      assert.equal(await page.evaluate('localStorage.length'), 1);
    }));

  test('is one customer in two tabs, and another for another visitor', () =>
    visit(async (context) => {
      const [one, two] = [await open(context), await open(context)];
      assert.equal(one.groupId, two.groupId);
      await one.say('from one');
      await two.say('from two');
      await one.heard.first(1, named('CHAT_MESSAGE'));
      await two.heard.first(1, named('CHAT_MESSAGE'));
      assert.deepEqual([messages(one.heard), messages(two.heard)], [['from two'], ['from one']]);
      await visit(async (stranger) => assert.notEqual((await open(stranger)).groupId, one.groupId));
    }));
});

/** Where an ack says that an event is. */
const seqOf = (ack: unknown) => {
  const { scope, seq }: { scope?: string; seq?: number } = Object(ack);
  return [scope, seq];
};
