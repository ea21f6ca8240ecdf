import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { buildWeb } from '../../build/web.ts';
import { startChromium } from '../support/chromium.ts';
import { Client } from '../support/client.ts';
import { miss, Pages, PHONE, see, shoot } from '../support/desk.ts';
import { HOSTILE } from '../support/hostile.ts';
import { startProcess } from '../support/process.ts';
import { inFolder, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { violationsOf } from '../support/visitor.ts';

/** A dealer with a few customers, who have told of themselves. */
const PEOPLE = [
  ['maria', 'María López', 'Is the blue one still there?'],
  ['james', 'James Miller', 'What would you give me for my old one?'],
  ['aiko', 'Aiko Tanaka', 'Can I come on Saturday?'],
] as const;

let browser: Browser;
let server: TestServer;
let at: string;
let pages: Pages;

before(async () => {
  [browser] = await Promise.all([startChromium(), buildWeb('dist/web')]);
  pages = new Pages(browser);
});
after(() => browser.close());

const linkOf = (token: string) => `http://${at}/desk#token=${token}`;

/** A desk, signed in by a link. */
async function openDesk(adminId: string, options?: BrowserContextOptions, first?: (page: Page) => Promise<void>) {
  return pages.open(linkOf(await server.token('admin', adminId)), options, first);
}

const row = (page: Page, name: string) => page.locator('.row', { has: page.getByText(name, { exact: true }) });

/** Finds one, however long the list is. */
async function openChat(page: Page, name: string): Promise<void> {
  await page.fill('#search', name);
  await row(page, name).click();
  await page.getByRole('heading', { name }).waitFor();
  await page.locator('.lines .said').first().waitFor();
}

const answer = async (page: Page, text: string): Promise<void> => {
  await page.fill('#answer', text);
  await page.press('#answer', 'Enter');
};

/** Resolves when a page says so of itself. It is asked from outside: its own policy forbids it to take texts for code. */
const holds = (page: Page, what: string) => until(what, async () => (await page.evaluate(what)) === true);

const scroll = (page: Page, selector: string, top: number) =>
  page.evaluate(`document.querySelector(${JSON.stringify(selector)}).scrollTo(0, ${top})`);

const textsOf = (page: Page, selector: string): Promise<string[]> =>
  page.evaluate(`[...document.querySelectorAll(${JSON.stringify(selector)})].map(({ textContent }) => textContent)`);

async function say(client: Client, message: string): Promise<void> {
  assert.equal((await client.ask('customer_message', { type: 'UPDATE_MSG', message })).channel, 'ack');
}

const tell = (client: Client, type: string, message: object) => client.ask('customer_update', { type, message });

/** A customer who has said a name and something else. */
async function customer(groupId: string, name: string, message: string): Promise<Client> {
  const client = await server.customer(groupId);
  await tell(client, 'UPDATE_USER', { name });
  await say(client, message);
  return client;
}

async function bot(): Promise<{ say: (groupId: string, message: string) => Promise<string> }> {
  const client = await server.server();
  return {
    async say(groupId, message) {
      const { channel, code } = await client.ask('event', { type: 'UPDATE_MSG', groupId, user: 'bot', message });
      return code ?? channel;
    },
  };
}

describe('the desk', () => {
  before(async () => {
    server = await startServer({ timing: { presenceGrace: 20 } });
    at = await server.listen();
    for (const [groupId, name, message] of PEOPLE) await customer(groupId, name, message);
  });
  afterEach(() => pages.close());
  after(() => server.close());

  describe('signs in', () => {
    it('by a link, whose token leaves the address bar and is kept for this tab alone', async () => {
      const page = await openDesk('alice');
      await see(page, 'alice at d1');
      await see(page, 'Connected');
      assert.equal(page.url(), `http://${at}/desk`);
      const kept = await page.evaluate(
        '[Object.keys(sessionStorage), localStorage.length, document.cookie, history.length]',
      );
      assert.deepEqual(kept, [['telle.desk/token'], 0, '', 2]);
      await page.reload();
      await see(page, 'María López');
    });

    it('by what is pasted, and not by what is no admin’s token', async () => {
      const page = await pages.open(`http://${at}/desk`);
      await shoot(page, 'desk-sign-in');
      assert.deepEqual(await violationsOf(page), []);
      for (const wrong of ['hello', 'a.b.c', await server.token('customer', 'maria')]) {
        await page.fill('#token', wrong);
        await page.keyboard.press('Enter');
        await see(page, 'This is not the token of an admin');
      }
      await page.fill('#token', linkOf(await server.token('admin', 'alice')));
      await page.keyboard.press('Enter');
      await see(page, 'María López');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await see(page, 'You have signed out.');
      assert.equal(await page.evaluate('sessionStorage.length'), 0);
    });

    it('again when the token has expired, with what was being written', async () => {
      const page = await pages.open(linkOf(await server.token('admin', 'alice', { ttl: 5 })));
      await openChat(page, 'María López');
      await page.fill('#answer', 'Half an answer');
      await see(page, 'Your sign-in is over');
      await shoot(page, 'desk-sign-in-again');
      await page.fill('#token', await server.token('admin', 'alice'));
      await page.keyboard.press('Enter');
      await page.locator('#answer').waitFor();
      assert.equal(await page.inputValue('#answer'), 'Half an answer');
    });

    it('not by a token that nobody has signed', async () => {
      const [head, claims] = (await server.token('admin', 'alice')).split('.');
      const page = await pages.open(linkOf(`${head}.${claims}.AAAA`));
      await see(page, 'Your sign-in is over, or was refused');
    });
  });

  describe('carries a conversation', () => {
    it('in which the bot falls silent when the agent answers, and speaks when it is handed back', async () => {
      const carla = await customer('carla', 'Carla Rossi', 'Good morning');
      const { say: botSays } = await bot();
      const page = await openDesk('alice');
      await openChat(page, 'Carla Rossi');
      assert.equal(await botSays('carla', 'Good morning! I am a bot.'), 'ack');
      await see(page, 'I am a bot.');
      await see(page, 'The bot answers. Your message silences it.');

      await answer(page, 'And I am Alice.');
      assert.equal((await carla.next('MUTE_STATUS')).payload.adminId, 'alice');
      assert.equal(
        (await carla.next((frame) => frame.payload.adminId === 'alice' && frame.payload.message)).payload.muted,
        true,
      );
      await see(page, 'You have taken over: the bot is silent.');
      await see(page, 'You took over: the bot is silent');
      assert.equal(await botSays('carla', 'Me again'), 'bot_muted');
      await shoot(page, 'desk-chat');

      await page.getByRole('button', { name: 'Hand back to the bot' }).click();
      await see(page, 'The bot answers. Your message silences it.');
      assert.equal(await botSays('carla', 'Back again'), 'ack');
      await see(page, 'Back again');
      await page.getByRole('button', { name: 'Take over' }).click();
      await see(page, 'You have taken over: the bot is silent.');

      await page.getByRole('button', { name: 'Close', exact: true }).click();
      await see(page, 'Closed. A message opens it again.');
      await row(page, 'Carla Rossi').waitFor({ state: 'hidden' });
      await say(carla, 'One more thing');
      await see(page, 'The bot answers. Your message silences it.');
      await row(page, 'Carla Rossi').waitFor();
    });

    it('with who types and who has read, both ways', async () => {
      const dora = await customer('dora', 'Dora Novak', 'Hello?');
      const page = await openDesk('alice');
      await see(page, 'Dora Novak');
      assert.match((await row(page, 'Dora Novak').textContent()) ?? '', /1 unread/);
      await openChat(page, 'Dora Novak');
      assert.equal((await dora.next('READ')).payload.adminId, 'alice');
      await row(page, 'Dora Novak').getByText('unread').waitFor({ state: 'hidden' });

      dora.send('typing', { type: 'TYPING', groupId: 'dora', typing: true });
      await see(page, 'Dora Novak is typing…');
      dora.send('typing', { type: 'TYPING', groupId: 'dora', typing: false });
      await miss(page, 'Dora Novak is typing…');

      await page.locator('#answer').pressSequentially('Yes');
      assert.equal((await dora.next('TYPING')).payload.typing, true);
      await page.press('#answer', 'Enter');
      assert.equal((await dora.next('TYPING')).payload.typing, false);
      const { seq } = await dora.next('CHAT_MSG');
      await dora.ask('read', { type: 'READ', groupId: 'dora', seq });
      await page.locator('.said .meta', { hasText: /^Read$/ }).waitFor();
    });

    it('with the profile, the lead, the intents and the pages of the customer, as they become known', async () => {
      const emil = await customer('emil', 'Emil Berg', 'I look around');
      const page = await openDesk('alice');
      await openChat(page, 'Emil Berg');
      await tell(emil, 'UPDATE_PAGEVIEW', { url: 'https://cars.example/wagon', title: 'The blue wagon' });
      await row(page, 'Emil Berg').getByText('On The blue wagon').waitFor();
      await tell(emil, 'UPDATE_LEAD', { status: 'new', vehicle: { make: 'Volvo' } });
      await tell(emil, 'UPDATE_USER', { name: 'Emil von Berg', phone: '+49 555 0100' });
      await tell(emil, 'CREATE_LEAD_INTENT', { intent: 'test_drive', preferredTime: 'Saturday' });
      await tell(emil, 'UPDATE_LEAD_INTENT', { intent: 'test_drive', status: 'won' });
      await page.getByRole('heading', { name: 'Emil von Berg' }).waitFor();
      const details = page.getByRole('complementary');
      for (const text of [
        '+49 555 0100',
        'vehicle · make',
        'Volvo',
        'test drive',
        'won',
        'Saturday',
        'The blue wagon',
      ]) {
        await details.getByText(text).first().waitFor();
      }
      const live = await details.innerText();
      await shoot(page, 'desk-details');
      await page.reload();
      await details.getByText('won').waitFor();
      await details.getByText('The blue wagon').waitFor();
      assert.equal(await details.innerText(), live);
    });

    it('whose earlier pages come when one scrolls up', async () => {
      const fred = await customer('fred', 'Fred Olsen', 'number 0');
      const crm = await server.server();
      for (let n = 1; n <= 130; n += 1) {
        await crm.ask('event', { type: 'UPDATE_MSG', groupId: 'fred', user: 'bot', message: `number ${n}` });
      }
      const page = await openDesk('alice');
      await openChat(page, 'Fred Olsen');
      await page.getByText('number 130', { exact: true }).first().waitFor();
      assert.equal(await page.getByText('number 0', { exact: true }).count(), 0);
      for (const first of ['number 60', 'number 10', 'number 0']) {
        await scroll(page, '.lines', 0);
        await page.locator('.lines').getByText(first, { exact: true }).waitFor();
      }
      assert.equal(await page.locator('.lines .text').count(), 131);
      await say(fred, 'the end');
      await page.getByRole('button', { name: 'To the latest' }).click();
      await page.locator('.lines').getByText('the end', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'To the latest' }).waitFor({ state: 'hidden' });
    });

    it('that is gone when it is erased', async () => {
      await customer('gina', 'Gina Weiss', 'Forget me');
      const page = await openDesk('alice');
      await openChat(page, 'Gina Weiss');
      await page.fill('#answer', 'I will');
      const token = await server.token('admin', 'alice');
      assert.equal((await server.http('DELETE', '/v1/dealers/d1/groups/gina', { token })).status, 200);
      await see(page, 'This conversation is not there any more');
      await row(page, 'Gina Weiss').waitFor({ state: 'hidden' });
      assert.equal(await page.getByText('Forget me').count(), 0);
      assert.deepEqual(await page.evaluate('Object.keys(sessionStorage)'), ['telle.desk/token']);
    });
  });

  it('is used on a phone, and in the dark, by everybody', async () => {
    const sofia = await customer('sofia', 'Sofía Navarro', 'Is the blue wagon still there?');
    await tell(sofia, 'UPDATE_USER', { email: 'sofia@example.com', phone: '+1 555 0142', locale: 'es' });
    await tell(sofia, 'UPDATE_LEAD', { source: 'website', vehicle: { year: 2021, make: 'Volvo', model: 'V60' } });
    await tell(sofia, 'CREATE_LEAD_INTENT', { intent: 'test_drive', preferredTime: 'Saturday morning' });
    await tell(sofia, 'UPDATE_PAGEVIEW', { url: 'https://cars.example/used', title: 'Used cars' });
    await tell(sofia, 'UPDATE_PAGEVIEW', { url: 'https://cars.example/used/v60', title: 'Volvo V60, 2021, blue' });
    await (await bot()).say('sofia', 'It is! Would you like to see it? I can ask a colleague.');
    await say(sofia, 'Yes please. On Saturday?');

    const page = await openDesk('alice', { viewport: PHONE });
    await row(page, 'Sofía Navarro').waitFor();
    await shoot(page, 'desk-phone-list');
    assert.deepEqual(await violationsOf(page), []);
    await row(page, 'Sofía Navarro').click();
    await page.locator('.lines .said').first().waitFor();
    assert.equal(await row(page, 'Sofía Navarro').isVisible(), false);
    assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true);
    await answer(page, 'Hello Sofía, this is Alice. Saturday at ten?');
    await see(page, 'You have taken over');
    await shoot(page, 'desk-phone-chat');
    assert.deepEqual(await violationsOf(page), []);
    await page.getByRole('button', { name: 'Details' }).click();
    await page.getByRole('complementary').waitFor();
    await shoot(page, 'desk-phone-details');
    await page.getByRole('button', { name: 'Hide details' }).click();
    await page.goBack();
    await row(page, 'Sofía Navarro').waitFor();

    for (const colorScheme of ['light', 'dark'] as const) {
      const desktop = await openDesk('alice', { colorScheme });
      await row(desktop, 'Sofía Navarro').click();
      await desktop.locator('.lines').getByText('Saturday at ten?').waitFor();
      await shoot(desktop, `desk-${colorScheme}`);
      assert.deepEqual(await violationsOf(desktop), []);
    }
  });

  it('says who else is there, who has taken over, and what was announced', async () => {
    const hugo = await customer('hugo', 'Hugo Blanc', 'Anybody?');
    const [alice, bob] = await Promise.all([openDesk('alice'), openDesk('bob')]);
    await openChat(alice, 'Hugo Blanc');
    await openChat(bob, 'Hugo Blanc');
    await see(alice, 'bob is here too.');
    await see(bob, 'alice is here too.');
    await bob.locator('#answer').pressSequentially('W');
    await see(alice, 'bob is typing…');
    await answer(bob, 'We are two.');
    await see(alice, 'bob has taken over: the bot is silent.');
    await row(alice, 'Hugo Blanc').getByText('Taken over by bob').waitFor();
    await alice.getByRole('button', { name: 'Mine' }).click();
    await row(alice, 'Hugo Blanc').waitFor({ state: 'hidden' });
    await row(bob, 'Hugo Blanc').waitFor();

    await bob.getByRole('button', { name: 'Announce' }).click();
    await bob.fill('#announcement', 'Open house on Saturday');
    await bob.getByRole('button', { name: 'Continue' }).click();
    await see(bob, 'Every customer of this dealer sees this');
    await shoot(bob, 'desk-announce');
    assert.deepEqual(await violationsOf(bob), []);
    await hugo.settled();
    assert.equal(hugo.frames.filter(({ payload }) => payload.type === 'SYS_MSG').length, 0);
    await bob.getByRole('button', { name: 'Announce to everybody' }).click();
    assert.equal((await hugo.next('SYS_MSG')).payload.message, 'Open house on Saturday');
    await see(alice, 'bob announced to everybody: Open house on Saturday');

    await bob.keyboard.press('Escape');
    await bob.getByText('Choose a conversation.').waitFor();
    await miss(alice, 'bob is here too.');
  });

  it('shows what is hostile as text, wherever it is', async () => {
    const crm = await server.server();
    const wellFormed = HOSTILE.map((text) => Buffer.from(text).toString());
    const put = async (payload: object) => assert.equal((await crm.ask('event', payload)).channel, 'ack');
    for (const [index, text] of wellFormed.entries()) {
      const groupId = `hostile-${index}`;
      await put({ type: 'UPDATE_MSG', groupId, user: 'customer', message: text });
      await put({ type: 'UPDATE_USER', groupId, message: { name: text } });
      await put({ type: 'UPDATE_PAGEVIEW', groupId, message: { title: text, url: text } });
      await put({ type: 'UPDATE_MSG', groupId: 'hostile', user: index % 2 ? 'bot' : 'customer', message: text });
      await put({ type: 'UPDATE_PAGEVIEW', groupId: 'hostile', message: { title: text, url: text, referrer: text } });
      await put({
        type: 'UPDATE_LEAD',
        groupId: 'hostile',
        message: { [text]: text, comments: text, vehicle: { make: text } },
      });
    }
    await put({ type: 'UPDATE_USER', groupId: 'hostile', message: { name: '<img src=x onerror=alert(1)>' } });
    await put({
      type: 'CREATE_LEAD_INTENT',
      groupId: 'hostile',
      message: { intent: '<svg/onload=alert(1)>', notes: '"><script>' },
    });
    const page = await openDesk('alice');
    await openChat(page, '<img src=x onerror=alert(1)>');
    for (let count = 0; count < wellFormed.length; ) {
      await scroll(page, '.lines', 0);
      count = await page.locator('.lines .text').count();
    }
    assert.deepEqual(await textsOf(page, '.lines .text'), wellFormed);
    const [details] = await textsOf(page, '.details');
    for (const text of wellFormed.slice(-50)) assert.ok(details?.includes(text), JSON.stringify(text));
    const names = new Set<string>();
    await page.fill('#search', 'hostile');
    for (let top = 0; top < 60 * 88; top += 600) {
      await scroll(page, '.rows', top);
      await page.evaluate('new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)))');
      for (const name of await textsOf(page, '.row .name')) names.add(name);
    }
    for (const text of wellFormed) if (text.trim()) assert.ok(names.has(text.trim()), JSON.stringify(text));
    const foreign =
      'document.querySelectorAll("script:not([src=\'/desk.js\']), img, svg, iframe, object, [onload], [onerror]").length';
    assert.equal(await page.evaluate(foreign), 0);
    assert.equal(await page.locator('.details a').count(), 0);
    await shoot(page, 'desk-hostile');
  });

  it('is used by the keyboard alone', async () => {
    const page = await openDesk('alice');
    await page.locator('.row').first().waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await shoot(page, 'desk-shortcuts');
    assert.deepEqual(await violationsOf(page), []);
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    await page.keyboard.type('lópez');
    await see(page, /^1 of \d+$/);
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.getByRole('heading', { name: 'María López' }).waitFor();
    await page.locator('.lines .said').first().waitFor();
    await page.keyboard.press('r');
    await page.keyboard.type('r, t and b are letters here');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('and so is ?');
    await page.keyboard.press('Enter');
    await page.locator('.lines').getByText('r, t and b are letters here\nand so is ?').waitFor();
    await see(page, 'You have taken over');
    await page.keyboard.press('Escape');
    await page.keyboard.press('b');
    await see(page, 'The bot answers.');
    await page.keyboard.press('t');
    await see(page, 'You have taken over');
    await page.keyboard.press('d');
    await page.getByRole('complementary').waitFor({ state: 'hidden' });
    await page.keyboard.press('Escape');
    await see(page, 'Choose a conversation.');

    // From row to row: only one of them is in the way of Tab.
    await page.fill('#search', '');
    await page.locator('#search').focus();
    for (let stop = 0; stop < 5; stop += 1) await page.keyboard.press('Tab');
    assert.equal(await page.evaluate('document.activeElement.className.startsWith("row")'), true);
    await page.keyboard.press('End');
    await holds(
      page,
      'document.activeElement.closest("li")?.ariaPosInSet === document.activeElement.closest("li")?.ariaSetSize',
    );
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await holds(page, 'document.activeElement.closest("li")?.ariaPosInSet === "2"');
    await page.keyboard.press('Enter');
    await page.locator('.row[aria-current="true"]').waitFor();

    // Whoever speaks to the computer turns the letters off.
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Space');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.keyboard.press('a');
    assert.equal(await page.getByRole('dialog').count(), 0);
  });

  it('tells of what comes while nobody looks, if asked to by a click', async () => {
    const ines = await customer('ines', 'Inês Costa', 'First');
    const page = await openDesk('alice', {}, async (fresh) => {
      await fresh.addInitScript(`
        globalThis.told = [];
        globalThis.asked = 0;
        globalThis.looks = true;
        document.hasFocus = () => looks;
        globalThis.Notification = class {
          static permission = 'default';
          static async requestPermission() { asked += 1; return (Notification.permission = 'granted'); }
          constructor(title, { body }) { told.push([title, body]); globalThis.last = this; }
          close() {}
        };
      `);
    });
    await openChat(page, 'Inês Costa');
    await see(page, 'Connected');
    assert.equal(await page.evaluate('asked'), 0);
    await page.getByRole('button', { name: 'Notify me' }).click();
    await page.getByRole('button', { name: 'Notify me' }).waitFor({ state: 'hidden' });
    assert.equal(await page.evaluate('asked'), 1);
    const waiting = Number(/\((\d+)\)/.exec(await page.title())?.[1] ?? 0);

    await say(ines, 'Seen at once');
    await page.locator('.lines').getByText('Seen at once').waitFor();
    assert.deepEqual(await page.evaluate('told'), []);
    await page.evaluate('looks = false');
    await say(ines, 'Nobody looks');
    await holds(page, 'told.length === 1');
    assert.deepEqual(await page.evaluate('told'), [['Inês Costa', 'Nobody looks']]);
    await holds(page, `document.title === '(${waiting + 1}) Telle desk'`);
    await page.evaluate('looks = true; last.onclick()');
    await page.evaluate('window.dispatchEvent(new Event("focus"))');
    await holds(page, `document.title === ${JSON.stringify(waiting ? `(${waiting}) Telle desk` : 'Telle desk')}`);
  });
});

describe('a desk of a thousand conversations', () => {
  const COUNT = 1_000;
  const RATE = 100;
  const SECONDS = 3;

  before(async () => {
    server = await startServer();
    at = await server.listen();
    const token = await server.token('server', 'crm');
    const body = Array.from({ length: COUNT }, (_, n) => [
      { type: 'UPDATE_MSG', groupId: `c${n}`, user: 'customer', message: `I am number ${n}` },
      { type: 'UPDATE_USER', groupId: `c${n}`, message: { name: `Customer ${n}` } },
    ]).flat();
    for (const half of [body.slice(0, COUNT), body.slice(COUNT)]) {
      assert.equal((await server.http('POST', '/v1/events', { token, body: half })).status, 200);
    }
  });
  afterEach(() => pages.close());
  after(() => server.close());

  it('shows those in sight, and does not stutter while a hundred things a second happen', async (test) => {
    const page = await openDesk('alice');
    await see(page, `${COUNT} of ${COUNT}`);
    assert.ok((await page.locator('.row').count()) < 30);
    await openChat(page, 'Customer 500');
    await page.fill('#search', '');
    await page.evaluate(`
      globalThis.longest = 0;
      globalThis.frames = 0;
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
      }).observe({ type: 'longtask' });
      (function count() { frames += 1; requestAnimationFrame(count); })();
    `);
    const crm = await server.server();
    const began = performance.now();
    for (let n = 0; n < RATE * SECONDS; n += 1) {
      const groupId = `c${(n * 7) % COUNT}`;
      crm.send('event', { type: 'UPDATE_MSG', groupId, user: 'customer', message: `happening ${n}` });
      if (n % 10 === 0) await scroll(page, '.rows', ((n * 97) % COUNT) * 88);
      // What is measured is what happens at this rate.
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + n * (1000 / RATE) - performance.now())));
    }
    await crm.settled();
    await scroll(page, '.rows', 0);
    await see(page, `happening ${RATE * SECONDS - 1}`);
    const [longest, frames] = await page.evaluate<[number, number]>('[longest, frames]');
    const seconds = (performance.now() - began) / 1000;
    test.diagnostic(`longest task ${longest} ms (0: none over 50), ${(frames / seconds).toFixed(0)} frames a second`);
    assert.ok(longest < 200, `a task took ${longest} ms`);
    await shoot(page, 'desk-thousand');

    await page.fill('#search', 'customer 777');
    await see(page, `1 of ${COUNT}`);
    await page.fill('#search', 'nobody is called this');
    await see(page, 'No conversation is like this.');
  });
});

describe('a desk whose server is killed', () => {
  afterEach(() => pages.close());

  it('keeps what was written and what was sent, and goes on when the server is back', () =>
    inFolder(async (folder) => {
      const env = { DATABASE_URL: `sqlite:${folder}/telle.db`, AUTH_SECRET: 'a secret that only this test knows' };
      const first = await startProcess({ env });
      // The link that the server prints for the dealer `demo`.
      const [, link = ''] = await first.says(/An agent: {2}(\S+)/);
      const { url, http } = first;
      const dial = async () => {
        const socket = new WebSocket(url);
        const client = new Client(socket);
        await once(socket, 'open');
        return client;
      };
      const join = { type: 'CLIENT_JOIN', dealerId: 'demo', groupId: 'kim' };
      const before = await dial();
      before.send('client_join', join);
      const { token } = (await before.next('session')).payload;
      await say(before, 'Are you there?');

      const page = await pages.open(link);
      await openChat(page, 'Visitor kim');
      await answer(page, 'Said before');
      await before.next((frame) => frame.payload.message === 'Said before');
      await first.kill();
      await see(page, 'Offline');
      await answer(page, 'Said while it was away');
      await see(page, 'Waiting for the connection');
      await page.fill('#answer', 'Not sent yet');
      await shoot(page, 'desk-offline');
      assert.deepEqual(await violationsOf(page), []);

      const second = await startProcess({ env: { ...env, PORT: new URL(http).port } });
      try {
        const kim = await dial();
        kim.send('client_join', { ...join, token, since: { kim: 0 } });
        await kim.next((frame) => frame.payload.message === 'Said while it was away');
        await see(page, 'Connected');
        await miss(page, 'Waiting for the connection');
        assert.deepEqual(await textsOf(page, '.lines .text'), [
          'Are you there?',
          'Said before',
          'Said while it was away',
        ]);
        await say(kim, 'Good to have you back');
        await page.locator('.lines').getByText('Good to have you back').waitFor();

        // A reload while something waits: it is sent once, by the page that comes after.
        await page.context().setOffline(true);
        await see(page, 'Offline');
        await answer(page, 'Said before a reload');
        await page.fill('#answer', 'Not sent yet');
        await page.context().setOffline(false);
        await page.reload();
        await kim.next((frame) => frame.payload.message === 'Said before a reload');
        await page.locator('.lines').getByText('Said before a reload').waitFor();
        assert.equal(await page.inputValue('#answer'), 'Not sent yet');
        await kim.settled();
        const texts = kim.frames
          .map(({ payload }) => payload.message)
          .filter((text) => text === 'Said before a reload');
        assert.equal(texts.length, 1);
        await kim.close();
      } finally {
        await second.kill();
      }
    }));
});

describe('the first minute of a newcomer', () => {
  before(async () => {
    server = await startServer();
    at = await server.listen();
    await server.store.putDealer('demo', { origins: ['*'] });
  });
  afterEach(() => pages.close());
  after(() => server.close());

  it('is a chat with oneself: a customer in the page’s corner, an agent at the desk', async () => {
    const [maria, alice] = await Promise.all([
      pages.open(`http://${at}/`),
      pages.open(linkOf(await server.token('admin', 'alice', { dealer: 'demo' }))),
    ]);
    await maria.getByRole('button', { name: 'Open the chat' }).click();
    const message = maria.getByRole('textbox', { name: 'Your message' });
    await message.fill('<b>Is it</b> still there?');
    await message.press('Enter');
    await alice.locator('.row').click();
    await alice.locator('.lines').getByText('<b>Is it</b> still there?').waitFor();
    await see(alice, 'Online · Telle');
    await alice.locator('#answer').pressSequentially('It');
    await see(maria, 'alice is typing…');
    await answer(alice, '<img src=x onerror=alert(1)> is. Come and see it!');
    await see(maria, '<img src=x onerror=alert(1)> is. Come and see it!');
    await see(maria, 'alice has joined. A person answers now.');
    await alice.locator('.said .meta', { hasText: /^Read$/ }).waitFor();
    await shoot(maria, 'welcome-chat');
    await shoot(alice, 'desk-with-widget');
  });

  it('begins with what this is and whether it is well', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await pages.open(`http://${at}/`, { colorScheme });
      await see(page, 'Runs for');
      await see(page, 'Answers');
      await see(page, `<script src="http://${at}/widget.js" data-dealer="demo" async></script>`);
      assert.equal(await page.getByRole('link', { name: 'the desk' }).getAttribute('href'), '/desk');
      await shoot(page, `welcome-${colorScheme}`);
      assert.deepEqual(await violationsOf(page), []);
    }
    const phone = await pages.open(`http://${at}/`, { viewport: PHONE });
    await see(phone, 'Answers');
    assert.equal(await phone.evaluate('document.documentElement.scrollWidth <= innerWidth'), true);
    await shoot(phone, 'welcome-phone');
  });
});
