/** The widget on real sites: frameworks that swap the body, styles that reach everywhere, and whoever wrote the tag wrong. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { button, field, onSite, openChat, say, seen, tagOf } from '../support/chat-page.ts';
import type { Client } from '../support/client.ts';
import { Showroom, shoot } from '../support/showroom.ts';
import { until } from '../support/until.ts';

const PHONE = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true } as const;
const PACKAGES = '/packages';
const TURBO = `<script type="module" src="${PACKAGES}/@hotwired/turbo/dist/turbo.es2017-esm.js"></script>`;
/** htmx, and how a page boosts all of its links: in version 4 an attribute says that those below it have it. */
const HTMX = {
  'htmx 2': ['htmx.org', 'hx-boost="true"'],
  'htmx 4': ['htmx.org-4', 'hx-boost:inherited="true"'],
} as const;
const BOOTSTRAP = `<link rel="stylesheet" href="${PACKAGES}/bootstrap/dist/css/bootstrap.min.css">
<script src="${PACKAGES}/bootstrap/dist/js/bootstrap.bundle.min.js"></script>`;
const HOSTILE_STYLE = `*{color:#fff;font-size:11px;text-transform:uppercase;letter-spacing:3px;transition:all 2s;opacity:.5}
html{font-size:62.5%} :not(:defined){display:none} body>*:last-child{display:none} telle-widget{visibility:hidden}`;

let room: Showroom;
let agent: Client;

before(async () => {
  room = await Showroom.open();
});
beforeEach(async () => {
  agent = await room.agent('alice');
});
after(() => room?.close());

/** A page of the site: what stands in its head and its body. */
function put(path: string, { head = '', body = '' }: { head?: string; body?: string }): void {
  const page = `<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>Cars ${path}</title>${head}</head><body><main><h1>${path}</h1>${body}</main></body></html>`;
  room.site.pages.set(path, page);
}

const widgets = (page: Page) => page.evaluate<number>(`document.querySelectorAll('telle-widget').length`);

/** Tells that the chat goes on: once on the page, with its draft and its connection. */
async function goesOn(page: Page, draft: string): Promise<void> {
  await page.getByRole('dialog', { name: 'Chat with us' }).waitFor();
  assert.equal(await field(page).inputValue(), draft);
  assert.equal(await widgets(page), 1);
  await say(page, agent, `still here at ${page.url()}`);
}

describe('a page that swaps its body', { timeout: 200_000 }, () => {
  for (const [where, place] of [
    ['head', 'head'],
    ['body', 'body'],
  ] as const) {
    test(`keeps the chat: Turbo 8, the tag in its ${where}`, async () => {
      const link = '<a href="/turbo-b">next</a><a href="/turbo-a">first</a>';
      for (const path of ['/turbo-a', '/turbo-b']) {
        const head = TURBO + (place === 'head' ? tagOf(room) : '');
        put(path, { head, body: link + (place === 'body' ? tagOf(room) : '') });
      }
      await onSite(room, '/turbo-a', {}, async (page) => {
        await page.evaluate('window.same = true');
        await openChat(page);
        const group = await say(page, agent, 'Hello');
        await field(page).fill('a draft');
        await page.evaluate(`document.querySelector('main a').click()`);
        await page.getByRole('heading', { name: '/turbo-b' }).waitFor();
        assert.equal(await page.evaluate('window.same'), true);
        await goesOn(page, 'a draft');
        await page.goBack();
        await page.getByRole('heading', { name: '/turbo-a' }).waitFor();
        await goesOn(page, '');
        assert.equal(
          (await agent.ask('admin_message', { type: 'UPDATE_MSG', groupId: group, message: 'Yes' })).code,
          undefined,
        );
        await seen(page, 'Yes');
      });
    });
  }

  for (const [name, [folder, boosted]] of Object.entries(HTMX)) {
    test(`keeps the chat: ${name}, boosted`, async () => {
      for (const path of ['/htmx-a', '/htmx-b']) {
        const script = `<script src="${PACKAGES}/${folder}/dist/htmx.min.js"></script>`;
        put(path, { head: script + tagOf(room), body: '<a href="/htmx-b">next</a>' });
        room.site.pages.set(path, (room.site.pages.get(path) ?? '').replace('<body>', `<body ${boosted}>`));
      }
      await onSite(room, '/htmx-a', {}, async (page) => {
        await openChat(page);
        await say(page, agent, 'Hello');
        await field(page).fill('a draft');
        await page.evaluate(`window.stays = true; document.querySelector('main a').click()`);
        await page.getByRole('heading', { name: '/htmx-b' }).waitFor();
        await goesOn(page, 'a draft');
        assert.equal(await page.evaluate('window.stays'), true, 'it swapped the body');
        await page.goBack();
        await page.getByRole('heading', { name: '/htmx-a' }).waitFor();
        await goesOn(page, '');
      });
    });
  }

  test('keeps the chat: innerHTML, replaceChildren, another body, and a copy of the old one', async () => {
    put('/swap', { head: tagOf(room) });
    await onSite(room, '/swap', {}, async (page) => {
      await openChat(page);
      await say(page, agent, 'Hello');
      const swaps = [
        `document.body.innerHTML = '<h1>new</h1>'`,
        'document.body.replaceChildren()',
        `document.body = document.createElement('body')`,
        'document.body.append(document.querySelector("telle-widget").cloneNode(true))',
        'document.body.replaceWith(document.body.cloneNode(true))',
        `document.querySelector('telle-widget').remove()`,
      ];
      for (const swap of swaps) {
        await field(page).fill(swap);
        await page.evaluate(`void (${swap})`);
        await goesOn(page, swap);
      }
    });
  });
});

/** How something of the widget looks, as it is painted. */
const look = (page: Page, selector: string) =>
  page
    .locator(selector)
    .first()
    .evaluate((element) => {
      const style = element.ownerDocument.defaultView.getComputedStyle(element);
      return [style.color, style.fontSize, style.textTransform, style.letterSpacing, style.opacity, style.visibility];
    });

describe('styles of the page', { timeout: 200_000 }, () => {
  test('do not reach in, whatever they say of all elements', async () => {
    put('/plain', { body: tagOf(room) });
    put('/styled', { head: `<style>${HOSTILE_STYLE}</style>`, body: tagOf(room) });
    const looks: unknown[] = [];
    for (const path of ['/plain', '/styled']) {
      await onSite(room, path, {}, async (page) => {
        await openChat(page);
        looks.push(await look(page, '.hello'), await look(page, 'textarea'), await look(page, 'h2'));
        if (path === '/styled') await shoot(page, 'widget-hostile-style');
      });
    }
    assert.deepEqual(looks.slice(3), looks.slice(0, 3));
  });

  test('do not reach in: Bootstrap 5, daisyUI, the preflight of Tailwind', async () => {
    const sheets = [
      'bootstrap/dist/css/bootstrap.min.css',
      'daisyui/daisyui.css',
      'daisyui/themes.css',
      'tailwindcss/preflight.css',
    ];
    put('/plain', { body: tagOf(room) });
    const head = sheets.map((path) => `<link rel="stylesheet" href="${PACKAGES}/${path}">`).join('');
    put('/themes', { head, body: tagOf(room) });
    const looks: unknown[] = [];
    for (const path of ['/plain', '/themes']) {
      await onSite(room, path, { colorScheme: 'dark' }, async (page) => {
        await openChat(page);
        looks.push(await look(page, '.hello'), await look(page, 'textarea'), await look(page, 'h2'));
        assert.deepEqual(await page.evaluate(`document.querySelector('telle-widget').getAttributeNames()`), []);
      });
    }
    assert.deepEqual(looks.slice(3), looks.slice(0, 3));
  });

  test('cover neither the button nor the field: a bar of the highest z-index', async () => {
    const bar =
      '<div id="bar" style="position:fixed;inset:auto 0 0;height:90px;background:#eee;z-index:2147483647">bar</div>';
    put('/bar', { body: tagOf(room) + bar });
    await onSite(room, '/bar', PHONE, async (page) => {
      await openChat(page); // Playwright clicks where nothing else is on top
      await field(page).click();
      await say(page, agent, 'under no bar');
    });
  });

  test('a modal of Bootstrap 5 does not take the focus from the chat', async () => {
    const modal = `<div class="modal" id="modal" tabindex="-1"><div class="modal-dialog"><div class="modal-content"><input id="in"></div></div></div>`;
    put('/modal', { head: BOOTSTRAP, body: modal + tagOf(room) });
    await onSite(room, '/modal', {}, async (page) => {
      await button(page, 'Open the chat').waitFor();
      await page.evaluate(`new bootstrap.Modal(document.getElementById('modal')).show()`);
      await page.locator('#modal.show').waitFor();
      await openChat(page);
      await field(page).pressSequentially('typed in the chat');
      assert.equal(await field(page).inputValue(), 'typed in the chat');
    });
  });

  test('nothing of it is printed', async () => {
    put('/plain', { body: tagOf(room) });
    await onSite(room, '/plain', {}, async (page) => {
      await openChat(page);
      await page.emulateMedia({ media: 'print' });
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      await page.emulateMedia({ media: 'screen' });
      await page.getByRole('dialog').waitFor();
    });
  });
});

describe('a phone', { timeout: 200_000 }, () => {
  test('its way back closes the panel, and not the page', async () => {
    put('/first', { body: '<a href="/phone">cars</a>' });
    put('/phone', { body: tagOf(room) });
    await onSite(room, '/first', PHONE, async (page) => {
      await page.getByRole('link', { name: 'cars' }).click();
      await openChat(page);
      await page.goBack();
      await button(page, 'Open the chat').waitFor();
      assert.match(page.url(), /\/phone$/);
      await openChat(page);
      await button(page, 'Close the chat').click();
      await button(page, 'Open the chat').waitFor();
      await until('the entry is gone', async () => page.evaluate<boolean>('!history.state?.telle'));
      await page.goBack();
      await page.getByRole('heading', { name: '/first' }).waitFor();
    });
  });

  test('a finger on the panel does not move the page behind it', async () => {
    put('/long', { body: `<div style="height:4000px">long</div>${tagOf(room)}` });
    await onSite(room, '/long', PHONE, async (page) => {
      await openChat(page);
      const cdp = await page.context().newCDPSession(page);
      for (const y of [30, 400]) {
        const from = { x: 150, y: y + 200 };
        await cdp.send('Input.synthesizeScrollGesture', {
          ...from,
          yDistance: -300,
          speed: 2000,
          gestureSourceType: 'touch',
        });
      }
      assert.equal(await page.evaluate('scrollY'), 0);
    });
  });
});

describe('a tag that is not right', { timeout: 200_000 }, () => {
  const NOT_FOUND = /telle: |404|403/;
  const cases: readonly [string, string, RegExp][] = [
    ['no dealer', '<script src="SERVER/widget.js" async></script>', /data-dealer is missing: <script/],
    [
      'words that are no JSON',
      `<script src="SERVER/widget.js" data-dealer="demo" data-words="{hello" async></script>`,
      /data-words is no JSON, and is left out/,
    ],
    [
      'a word that is none',
      `<script src="SERVER/widget.js" data-dealer="demo" data-words='{"helo":"x","hello":1}' async></script>`,
      /left out: helo, hello/,
    ],
    [
      'a choice that is none',
      '<script src="SERVER/widget.js" data-dealer="demo" data-pageviews="false" async></script>',
      /data-pageviews is "false": it must be on or off/,
    ],
    [
      'an address that is none',
      '<script src="SERVER/widget.js" data-dealer="demo" data-url="chat.example" async></script>',
      /data-url is "chat.example": it must be/,
    ],
    [
      'a module without a tag',
      '<script type="module">import "SERVER/widget.js";</script>',
      /its tag is not on the page/,
    ],
  ];
  for (const [what, tag, says] of cases) {
    test(`is told of in the console: ${what}`, async () => {
      put('/wrong', { body: tag.replace('SERVER', room.origin) });
      await onSite(room, '/first', { allowed: NOT_FOUND }, async (page) => {
        const [message] = await Promise.all([
          page.waitForEvent('console', (each) => says.test(each.text())),
          page.goto(`${room.site.origin}/wrong`),
        ]);
        assert.equal(message.type(), 'error');
      });
    });
  }

  for (const [what, tag] of [
    ['of type module', '<script type="module" src="SERVER/widget.js" data-dealer="demo"></script>'],
    [
      'that imports',
      '<script type="module" data-dealer="demo" data-url="SERVER">await import("SERVER/widget.js");</script>',
    ],
  ] as const) {
    test(`works, ${what}`, async () => {
      put('/module', { body: tag.replaceAll('SERVER', room.origin) });
      await onSite(room, '/module', {}, async (page) => {
        await openChat(page);
        await say(page, agent, 'Hello');
      });
    });
  }

  test('an origin that is not listed, and a dealer that is not there, are told with the remedy', async () => {
    put('/plain', { body: tagOf(room) });
    put('/nobody', { body: tagOf(room).replace('"demo"', '"nobody"') });
    await room.settle({ origins: ['https://other.example'] });
    try {
      for (const [path, says] of [
        ['/plain', /takes no chats from http:\/\/127\.0\.0\.1:\d+ for the dealer "demo": .*--origin http:\/\/127/],
        ['/nobody', /has no dealer "nobody": correct data-dealer/],
      ] as const) {
        await onSite(room, path, { allowed: NOT_FOUND }, async (page) => {
          const [message] = await Promise.all([
            page.waitForEvent('console', (each) => says.test(each.text())),
            openChat(page),
          ]);
          assert.equal(message.type(), 'error');
          await seen(page, 'The chat is not available at the moment.');
        });
      }
    } finally {
      await room.settle({});
    }
  });

  test('the client’s file and the widget share their global, in either order', async () => {
    const [sdk, widget] = [`<script src="${room.origin}/telle.js"></script>`, tagOf(room).replace(' async', '')];
    put('/sdk-first', { body: sdk + widget });
    put('/sdk-last', { body: widget + sdk });
    for (const path of ['/sdk-first', '/sdk-last']) {
      await onSite(room, path, {}, async (page) => {
        await button(page, 'Open the chat').waitFor();
        const names = `Object.keys(telle).sort().join()`;
        assert.equal(await page.evaluate(names), 'TelleError,close,connect,login,logout,open,setUser,setVehicle');
        const group = await page.evaluate(`new Promise((done) => {
          const client = telle.connect({ url: '${room.origin.replace('http', 'ws')}/ws', role: 'customer', dealerId: 'demo' });
          client.on('session', ({ groupId }) => done(groupId));
        })`);
        assert.equal(typeof group, 'string');
      });
    }
  });
});
