/** The chat on a dealer's page, in a real browser: what a customer sees, and what the dealer's side gets. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { buildWeb } from '../../build/web.ts';
import type { Client } from '../support/client.ts';
import { HOSTILE } from '../support/hostile.ts';
import { inFolder } from '../support/server.ts';
import { DEALER, fromCustomer, Showroom, shoot } from '../support/showroom.ts';
import { until } from '../support/until.ts';
import { violationsOf, visit } from '../support/visitor.ts';

const PHONE = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true } as const;
/** What a browser says of a server that is not there, or of a network. */
const NOT_THERE = /ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_RESET/;

let room: Showroom;
let agent: Client;
let bot: Client;

before(async () => {
  room = await Showroom.open();
});
// Anew for each test: what one has not read is none of the next one's.
beforeEach(staff);
after(() => room?.close());

async function staff(): Promise<void> {
  [agent, bot] = await Promise.all([room.agent('alice'), room.bot()]);
}

/** A page of the site, in the browser of a visitor of their own, who sees nothing move. */
function onPage(
  { query = '', allowed, ...options }: BrowserContextOptions & { query?: string; allowed?: RegExp },
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const { browser, site, origin } = room;
  const origins = [site.origin, origin];
  const context = { reducedMotion: 'reduce', ...options } as const;
  return visit({ browser, origins, options: context, ...(allowed && { allowed }) }, async (context) => {
    const page = await context.newPage();
    await page.goto(`${site.origin}/?${query}`);
    await use(page);
  });
}

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
const field = (page: Page) => page.getByLabel('Your message');
const log = (page: Page) => page.getByRole('log', { name: 'Messages' });
const seen = (page: Page, text: string) => page.getByText(text, { exact: true }).waitFor();

async function openChat(page: Page): Promise<void> {
  await button(page, /^Open the chat/).click();
  await page.getByRole('dialog', { name: 'Chat with us' }).waitFor();
}

async function write(page: Page, message: string): Promise<void> {
  await field(page).fill(message);
  await field(page).press('Enter');
}

/** Says something in the open chat. @returns the group, when it is acked */
async function say(page: Page, message: string): Promise<string> {
  await write(page, message);
  const { payload } = await agent.next((frame) => fromCustomer(frame) && frame.payload.message === message);
  await page.getByText('Sending…').waitFor({ state: 'detached' });
  return payload.groupId;
}

/** Opens the chat and says something. @returns the group */
async function begin(page: Page, message = 'Is the blue one still there?'): Promise<string> {
  await openChat(page);
  return say(page, message);
}

const answer = (groupId: string, message: string) =>
  agent.ask('admin_message', { type: 'UPDATE_MSG', groupId, message });
const botSays = (groupId: string, message: string) =>
  bot.ask('event', { type: 'UPDATE_MSG', groupId, user: 'bot', message });
const announce = (message: string) => agent.ask('sys_message', { type: 'SYS_MSG', message });

const fontSizeOf = (locator: Locator) =>
  locator.evaluate((element) => element.ownerDocument.defaultView.getComputedStyle(element).fontSize);

/** What the log's bubbles say, as it stands in the document. */
const texts = (page: Page): Promise<string[]> => page.locator('.text').allTextContents();

describe('the widget', { timeout: 240_000 }, () => {
  test('carries a chat both ways, and says who answers', () =>
    onPage({}, async (page) => {
      const groupId = await begin(page);
      await botSays(groupId, 'I will ask somebody for you.');
      await seen(page, 'I will ask somebody for you.');
      await seen(page, 'An automatic assistant answers');

      await answer(groupId, 'It is. Come and see it!');
      await seen(page, 'alice has joined. A person answers now.');
      await seen(page, 'alice answers');
      assert.equal((await botSays(groupId, 'Our opening hours are')).code, 'bot_muted');

      await agent.ask('mute_bot', { type: 'UNMUTE_BOT', groupId });
      await seen(page, 'The automatic assistant answers again.');
      assert.deepEqual(await texts(page), [
        'Is the blue one still there?',
        'I will ask somebody for you.',
        'It is. Come and see it!',
      ]);
      assert.deepEqual(await page.locator('.author bdi').allTextContents(), ['You', 'Assistant', 'alice']);
    }));

  test('shows who types, and tells that the customer does', () =>
    onPage({}, async (page) => {
      const groupId = await begin(page);
      await agent.ask('typing', { type: 'TYPING', groupId, typing: true });
      await seen(page, 'alice is typing…');
      await answer(groupId, 'Yes.');
      await page.getByText('alice is typing…').waitFor({ state: 'detached' });

      await field(page).pressSequentially('And the red');
      const typing = await agent.next('TYPING_STATE');
      assert.deepEqual([typing.payload.user, typing.payload.typing], ['customer', true]);
      await field(page).fill('');
      assert.equal((await agent.next('TYPING_STATE')).payload.typing, false);
    }));

  test('tells nobody of a visitor who has not said anything, not even of one who looked into it', () =>
    onPage({}, async (page) => {
      const sockets: string[] = [];
      page.on('websocket', (socket) => sockets.push(socket.url()));
      await button(page, 'Open the chat').waitFor();
      await page.reload();
      await button(page, 'Open the chat').waitFor();
      assert.deepEqual(sockets, []);
      assert.equal(await page.evaluate('localStorage.length + sessionStorage.length'), 0);

      await openChat(page);
      await seen(page, 'We are here');
      await button(page, 'Close the chat').click();
      await page.reload();
      await button(page, 'Open the chat').waitFor();
      assert.deepEqual(sockets, []);
    }));

  test('has one global', () =>
    onPage({}, async (page) => {
      await button(page, 'Open the chat').waitFor();
      const names = 'Object.getOwnPropertyNames(window)';
      const here = new Set(await page.evaluate<string[]>(names));
      const elsewhere = await page.context().newPage();
      await elsewhere.goto(`${room.site.origin}/page.css`);
      for (const name of await elsewhere.evaluate<string[]>(names)) here.delete(name);
      // Playwright's own, beside the widget's.
      assert.deepEqual(
        [...here].filter((name) => !name.startsWith('__pw')),
        ['telle'],
      );
    }));

  test('weighs at most 20 KB', () =>
    inFolder(async (folder) => {
      const { built } = await buildWeb(folder);
      const { bytes = Number.NaN } = built.find(({ name }) => name === 'widget.js') ?? {};
      assert.ok(bytes <= 20_000, `${bytes} bytes`);
    }));

  test('goes on over reloads, page changes and tabs', () =>
    onPage({}, async (page) => {
      const groupId = await begin(page);
      await answer(groupId, 'It is.');
      await seen(page, 'It is.');
      await field(page).fill('a draft');

      await page.reload();
      await seen(page, 'It is.');
      assert.deepEqual(await texts(page), ['Is the blue one still there?', 'It is.']);
      assert.equal(await field(page).inputValue(), 'a draft');
      await page.getByRole('link', { name: 'The blue one' }).click();
      await page.getByRole('heading', { name: 'The blue one' }).waitFor();
      await seen(page, 'alice answers');

      const other = await page.context().newPage();
      await other.goto(room.site.origin);
      await openChat(other);
      await seen(other, 'It is.');
      await write(other, 'And the red one?');
      await seen(page, 'And the red one?');
      await answer(groupId, 'That too.');
      await Promise.all([seen(page, 'That too.'), seen(other, 'That too.')]);
      assert.deepEqual(await texts(page), await texts(other));
    }));

  test('counts what waits on the closed button, until it is read in any tab', () =>
    onPage({}, async (page) => {
      const groupId = await begin(page);
      await button(page, 'Close the chat').click();
      const other = await page.context().newPage();
      await other.goto(room.site.origin);
      await answer(groupId, 'It is.');
      await answer(groupId, 'Come and see it!');
      for (const tab of [page, other]) await button(tab, 'Open the chat. Unread messages: 2').waitFor();
      await page.reload();
      await button(page, 'Open the chat. Unread messages: 2').waitFor();

      await openChat(page);
      const read = await agent.next((frame) => frame.channel === 'READ_STATE' && frame.payload.user === 'customer');
      assert.equal(read.payload.groupId, groupId);
      await button(other, 'Open the chat').and(other.locator('[aria-label="Open the chat"]')).waitFor();
    }));

  test('shows what is announced, where it falls, and not what was before its time', async () => {
    await announce('Before anybody asked');
    await onPage({}, async (page) => {
      const groupId = await begin(page);
      await announce('Open house on Saturday');
      await seen(page, 'Open house on Saturday');
      await answer(groupId, 'See you there.');
      const said = ['Is the blue one still there?', 'Open house on Saturday', 'See you there.'];
      await seen(page, 'See you there.');
      assert.deepEqual(await texts(page), said);
      await page.reload();
      await seen(page, 'Open house on Saturday');
      assert.deepEqual(await texts(page), said);
    });
  });

  test('reads what was said long ago when asked for it', () =>
    onPage({}, async (page) => {
      const groupId = await begin(page, 'number 0');
      const all = Array.from({ length: 120 }, (_, index) => `number ${index}`);
      for (const [index, message] of all.entries()) {
        // [P-12.9] A bot says no more than so many while nobody else says anything.
        const user = index === 60 ? 'customer' : 'bot';
        if (index > 0) bot.send('event', { type: 'UPDATE_MSG', groupId, user, message });
      }
      await seen(page, 'number 119');
      await page.reload();
      await seen(page, 'number 119');
      assert.deepEqual(await texts(page), all.slice(70));
      for (const first of ['number 20', 'number 0']) {
        await button(page, 'Show earlier messages').click();
        await seen(page, first);
      }
      assert.deepEqual(await texts(page), all);
      await page.getByText('Hello! How can we help?').waitFor();
    }));

  test('shows a closed chat as such, and opens it again with a message', () =>
    onPage({}, async (page) => {
      const groupId = await begin(page);
      await agent.ask('close_chat', { type: 'CLOSE_CHAT', groupId });
      await seen(page, 'This chat is closed. Write to open it again.');
      await page.reload();
      await seen(page, 'This chat is closed. Write to open it again.');
      await write(page, 'One more thing');
      await page.getByText('This chat is closed.').waitFor({ state: 'detached' });
    }));

  test('loses nothing while the server is killed and comes back', () =>
    onPage({ allowed: NOT_THERE }, async (page) => {
      await begin(page);
      await room.server.kill();
      try {
        await seen(page, 'No connection. What you write is sent when it is back.');
        await write(page, 'from the tunnel');
        await seen(page, 'Sending…');
      } finally {
        await room.server.start();
        await staff();
      }
      await page.getByText('Sending…').waitFor({ state: 'detached' });
      const groupId = await say(page, 'after the tunnel');
      await answer(groupId, 'Back again.');
      await seen(page, 'Back again.');
      assert.deepEqual(await texts(page), [
        'Is the blue one still there?',
        'from the tunnel',
        'after the tunnel',
        'Back again.',
      ]);
    }));

  test('sends what was written without a connection after a page change, once', () =>
    onPage({ allowed: NOT_THERE }, async (page) => {
      const groupId = await begin(page);
      await page.context().setOffline(true);
      await write(page, 'in the tunnel');
      await seen(page, 'Sending…');
      await page.context().setOffline(false);
      await page.reload();
      await page.getByText('Sending…').waitFor({ state: 'detached' });
      await answer(groupId, 'Out again.');
      await seen(page, 'Out again.');
      assert.deepEqual(await texts(page), ['Is the blue one still there?', 'in the tunnel', 'Out again.']);
    }));

  test('tells which pages the customer of a conversation looks at', () =>
    onPage({ query: 'title=Used+cars' }, async (page) => {
      const groupId = await begin(page);
      const views = async () => (await room.list('pageviews', groupId)).map(({ fields }) => fields).reverse();
      const here = `${room.site.origin}/?title=Used+cars`;
      assert.deepEqual(await views(), [{ url: here, title: 'Used cars', referrer: '' }]);
      await page.evaluate(`history.pushState(null, '', '/red'); document.title = 'The red one'`);
      await until('the second page is told', async () => (await views()).length === 2);
      await page.evaluate(`location.hash = 'price'`);
      await page.goto(`${room.site.origin}/?title=The+blue+one`);
      await until('the third page is told', async () => (await views()).length === 3);
      assert.deepEqual((await views()).slice(1), [
        { url: `${room.site.origin}/red`, title: 'The red one', referrer: here },
        { url: `${room.site.origin}/?title=The+blue+one`, title: 'The blue one', referrer: '' },
      ]);
    }));

  test('tells no pages where the dealer does not want it', () =>
    onPage({ query: 'pageviews=off' }, async (page) => {
      assert.deepEqual(await room.list('pageviews', await begin(page)), []);
    }));

  test('takes details, which end as a lead with its intent', () =>
    onPage({}, async (page) => {
      const groupId = await begin(page);
      await button(page, 'Leave your details').click();
      await page.getByLabel('Name').fill('Ada Moreno');
      await page.getByLabel('What is it about?').selectOption('A trade-in');
      await button(page, 'Send details').click();
      assert.match(
        await page.getByLabel('E-mail', { exact: true }).evaluate((field) => field.validationMessage),
        /^Give an e-mail address or a phone number/,
      );
      await page.getByLabel('Phone', { exact: true }).fill('+1 555 0100');
      await button(page, 'Send details').click();
      await seen(page, 'Thank you! We have your details.');
      const person = { name: 'Ada Moreno', phone: '+1 555 0100' };
      const [user] = await room.list('users', groupId);
      const [lead] = await room.list('leads', groupId);
      const [intent] = await room.list('lead-intents', groupId);
      assert.deepEqual(user.fields, person);
      assert.deepEqual(lead.fields, { ...person, source: 'chat' });
      assert.deepEqual([intent.intent, intent.fields.status], ['trade_in', 'open']);

      await button(page, 'Leave your details').click();
      assert.equal(await page.getByLabel('Name').inputValue(), 'Ada Moreno');
    }));

  test('does as the page says: who the customer is, when to open and to close', () =>
    onPage({}, async (page) => {
      await button(page, 'Open the chat').waitFor();
      await page.evaluate(`telle.setUser({ name: 'Ada', externalId: 'c-17' })`);
      await page.evaluate('telle.open()');
      await write(page, 'It is me');
      const { payload } = await agent.next(fromCustomer);
      await until('the user is known', async () => (await room.list('users', payload.groupId)).length > 0);
      const [user] = await room.list('users', payload.groupId);
      assert.deepEqual(user.fields, { name: 'Ada', externalId: 'c-17' });
      await page.evaluate('telle.close()');
      await button(page, 'Open the chat').waitFor();

      const token = await room.token('customer', 'customer-17');
      await page.evaluate(`telle.login(${JSON.stringify(token)})`);
      await openChat(page);
      await write(page, 'Now I am logged in');
      assert.equal((await agent.next(fromCustomer)).payload.groupId, 'customer-17');
      assert.deepEqual(await texts(page), ['Now I am logged in']);
    }));

  test('begins anew where its token is of no more use', () =>
    onPage({}, async (page) => {
      const groupId = await begin(page);
      await page.evaluate(`localStorage.setItem('telle/widget/${DEALER}/token', '"not a token"')`);
      await page.reload();
      await seen(page, 'Hello! How can we help?');
      await seen(page, 'We are here');
      await write(page, 'Hello again');
      assert.notEqual((await agent.next(fromCustomer)).payload.groupId, groupId);
      assert.deepEqual(await texts(page), ['Hello again']);
    }));

  test('asks to sign in where its dealer takes nobody without a token, once, and never chooses a name for itself', () =>
    onPage({ allowed: /telle\.login/ }, async (page) => {
      await room.settle({ claims: 'off' });
      const joins: { payload: { groupId?: string } }[] = [];
      page.on('websocket', (socket) => {
        socket.on('framesent', ({ payload }) => joins.push(JSON.parse(String(payload))));
      });
      const [warning] = await Promise.all([page.waitForEvent('console'), openChat(page)]);
      assert.match(warning.text(), /the dealer demo takes customers by a token alone: call telle\.login/);
      await seen(page, 'Sign in on this website to chat with us.');
      await shoot(page, 'widget-needs-login');
      assert.deepEqual(joins, []);
      await page.evaluate(`telle.login(${JSON.stringify(room.token('customer', 'customer-18'))})`);
      await seen(page, 'We are here');
      await room.settle({});
    }));

  test('forgets what was erased, and begins anew', () =>
    onPage({}, async (page) => {
      const groupId = await begin(page);
      await room.erase(groupId);
      await page.getByText('Is the blue one still there?').waitFor({ state: 'detached' });
      assert.notEqual(await say(page, 'Hello again'), groupId);
      assert.deepEqual(await texts(page), ['Hello again']);
    }));

  test('says so where the dealer is not there, and tries again when asked', () =>
    onPage({ query: 'dealer=nobody', allowed: /404|has no dealer "nobody"/ }, async (page) => {
      await openChat(page);
      await seen(page, 'The chat is not available at the moment.');
      await button(page, 'Try again').click();
      await seen(page, 'The chat is not available at the moment.');
    }));

  test('shows what is hostile as text, whoever says it', () =>
    onPage({}, async (page) => {
      const groupId = await begin(page);
      const markup = HOSTILE.filter((text) => /^["']?[<&]/.test(text) && text !== '<' && text !== '&');
      for (const message of markup) await write(page, message);
      for (const message of HOSTILE) bot.send('event', { type: 'UPDATE_MSG', groupId, user: 'bot', message });
      await bot.settled();
      for (const message of HOSTILE) {
        agent.send('admin_message', { type: 'UPDATE_MSG', groupId, message });
        agent.send('sys_message', { type: 'SYS_MSG', message });
      }
      await answer(groupId, 'the end');
      await seen(page, 'the end');
      const said = [...agent.frames, ...bot.frames].filter((frame) => frame.scope === groupId);
      const shown = await texts(page);
      assert.equal(shown.length, 2 + markup.length + 3 * HOSTILE.length);
      for (const message of markup) assert.ok(shown.includes(message), message);
      for (const { payload } of said.filter(({ channel }) => channel === 'CHAT_MESSAGE')) {
        assert.ok(shown.includes(payload.message), payload.message);
      }
      assert.equal(await log(page).locator('script, img, svg, iframe, style, b, make').count(), 0);
      for (const link of await log(page).locator('a').all()) {
        assert.match(String(await link.getAttribute('href')), /^(https?:\/\/|mailto:|tel:)/);
        assert.equal(await link.getAttribute('rel'), 'noopener noreferrer');
      }

      await button(page, 'Leave your details').click();
      await page.getByLabel('Name').fill('"><img src=x onerror=alert(1)>');
      await page.getByLabel('Phone', { exact: true }).fill('<script>alert(1)</script> 555 0100');
      await button(page, 'Send details').click();
      await seen(page, 'Thank you! We have your details.');
      await button(page, 'Leave your details').click();
      assert.equal(await page.getByLabel('Name').inputValue(), '"><img src=x onerror=alert(1)>');
    }));

  test('is used with the keyboard alone', () =>
    onPage({}, async (page) => {
      const focused = () =>
        page.evaluate<string>(`(() => {
          const { activeElement } = document.querySelector('telle-widget').shadowRoot;
          return activeElement?.ariaLabel ?? activeElement?.textContent ?? '';
        })()`);
      const tabTo = async (name: string) => {
        for (let tries = 0; (await focused()) !== name; tries += 1) {
          assert.ok(tries < 10, `${name} is never reached, but ${await focused()}`);
          await page.keyboard.press('Tab');
        }
      };
      await button(page, 'Open the chat').waitFor();
      await tabTo('Open the chat');
      await page.keyboard.press('Enter');
      await until('the field has the focus', async () => (await focused()) === 'Your message');
      await page.keyboard.type('By hand');
      await page.keyboard.press('Shift+Enter');
      await page.keyboard.type('on two lines');
      await page.keyboard.press('Enter');
      assert.equal((await agent.next(fromCustomer)).payload.message, 'By hand\non two lines');
      await tabTo('Leave your details');
      await page.keyboard.press('Enter');
      await page.getByLabel('Name').and(page.locator(':focus')).waitFor();
      await page.keyboard.press('Escape');
      await until('the button has the focus', async () => (await focused()) === 'Open the chat');
    }));

  test('keeps what is typed into it from the shortcuts of the page', () =>
    onPage({}, async (page) => {
      await page.evaluate(`window.pressed = 0; addEventListener('keydown', () => { window.pressed += 1; })`);
      await openChat(page);
      await field(page).pressSequentially('jk/');
      assert.equal(await page.evaluate('window.pressed'), 0);
    }));

  test('speaks Spanish to whom the page does, and other languages by attribute', async () => {
    await onPage({ query: 'lang=es' }, async (page) => {
      await button(page, 'Abrir el chat').click();
      await seen(page, '¡Hola! ¿En qué podemos ayudarle?');
      await page.getByLabel('Su mensaje').fill('¿Sigue ahí el azul?');
      await button(page, 'Enviar').click();
      await agent.next(fromCustomer);
      await seen(page, 'Usted');
      await shoot(page, 'widget-spanish');
    });
    const words = encodeURIComponent(JSON.stringify({ open: 'Ouvrir la discussion', hello: 'Bonjour !' }));
    await onPage({ query: `lang=fr&words=${words}` }, async (page) => {
      await button(page, 'Ouvrir la discussion').click();
      await seen(page, 'Bonjour !');
    });
  });

  test('fills a phone, and does not make it zoom', () =>
    onPage(PHONE, async (page) => {
      const closed = await button(page, 'Open the chat').boundingBox();
      assert.ok(closed && closed.width >= 44 && closed.height >= 44);
      await openChat(page);
      const panel = await page.getByRole('dialog').boundingBox();
      assert.deepEqual(panel, { x: 0, y: 0, ...PHONE.viewport });
      await button(page, 'Leave your details').click();
      for (const each of await page.getByRole('dialog').locator('input, select').all()) {
        assert.equal(await fontSizeOf(each), '16px');
      }
      await button(page, 'Back to the chat').click();
      assert.equal(await fontSizeOf(field(page)), '16px');
    }));

  const LOOKS = [
    ['desktop', {}],
    ['dark', { colorScheme: 'dark' }],
    ['phone', { ...PHONE, deviceScaleFactor: 2 }],
  ] as const;
  for (const [look, options] of LOOKS) {
    test(`is found without fault by axe-core in each of its states: ${look}`, () =>
      onPage({ ...options, allowed: NOT_THERE }, async (page) => {
        const check = async (state: string) => {
          await shoot(page, `widget-${look}-${state}`);
          assert.deepEqual(await violationsOf(page), [], state);
        };
        await button(page, 'Open the chat').waitFor();
        await check('button');
        await openChat(page);
        await seen(page, 'We are here');
        await check('new');
        const groupId = await say(page, 'Is the blue one still there? I saw it on Sunday, in the rain.');
        await botSays(groupId, 'I will ask somebody for you.\nOne moment, please.');
        await answer(groupId, 'It is! Come and see it, any day until six.');
        await announce('Open house on Saturday, from ten to four. Everybody is welcome.');
        await agent.ask('typing', { type: 'TYPING', groupId, typing: true });
        await seen(page, 'alice is typing…');
        await check('open');
        await button(page, 'Leave your details').click();
        await check('form');
        await button(page, 'Close the chat').click();
        await answer(groupId, 'Shall I keep it for you?');
        await button(page, /Unread messages: 1/).waitFor();
        await check('unread');
        await openChat(page);
        await agent.ask('close_chat', { type: 'CLOSE_CHAT', groupId });
        await seen(page, 'This chat is closed. Write to open it again.');
        await check('closed');
        await page.context().setOffline(true);
        await page.getByText('No connection.').waitFor();
        await write(page, 'Yes, please');
        await seen(page, 'Sending…');
        await check('offline');
      }));
  }
});
