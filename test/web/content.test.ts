/** [P-18.1] Choices, cards and vehicles, in a real browser: at the customer's and at the agent's. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import type { Content } from '../../schemas/content.ts';
import { cardsOf } from '../../src/web/content/shown.ts';
import type { Client } from '../support/client.ts';
import { HOSTILE } from '../support/hostile.ts';
import { fromCustomer, Showroom, shoot } from '../support/showroom.ts';
import { until } from '../support/until.ts';
import { violationsOf, visit } from '../support/visitor.ts';

const PHONE = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true } as const;
const IMAGES = 'https://img.example';
/** A picture of one car, as far as a browser is concerned. */
const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 5"><rect width="8" height="5" fill="#8fb7dd"/><path d="M1 4l1-2h3l2 2z" fill="#1f6fc4"/></svg>';

const CHOICES: Content = {
  kind: 'choices',
  choices: [{ label: 'New', value: 'new-cars' }, { label: 'Used' }, { label: 'I am only looking around' }],
};
const CARDS: Content = {
  kind: 'cards',
  cards: ['Corolla', 'Yaris', 'Aygo', 'Proace'].map((title, index) => ({
    title: `2023 Toyota ${title}`,
    subtitle: 'One owner, 31,000 km',
    image: `${IMAGES}/${title}.svg`,
    url: `https://cars.example/${title}`,
    choices: [{ label: `Test drive`, value: `drive-${index}` }, { label: 'More' }],
  })),
};
const VEHICLE: Content = {
  kind: 'vehicle',
  vehicle: { year: 2023, make: 'Toyota', model: 'Corolla', condition: 'used', stock: 'S1042', trim: null },
  price: 18_700,
  image: `${IMAGES}/blue.svg`,
  url: 'https://cars.example/blue',
};

let room: Showroom;
let agent: Client;
let bot: Client;
before(async () => {
  room = await Showroom.open();
  [agent, bot] = await Promise.all([room.agent('alice'), room.bot()]);
});
after(() => room?.close());

/** Lets a page have pictures, once they are let through. */
async function withPictures(page: Page, through: Promise<unknown> = Promise.resolve()): Promise<void> {
  await page.route(`${IMAGES}/**`, async (route) => {
    await through;
    await route.fulfill({ contentType: 'image/svg+xml', body: SVG });
  });
}

interface Look extends BrowserContextOptions {
  readonly query?: string;
  readonly allowed?: RegExp;
  readonly through?: Promise<unknown>;
}

/** A page of the site, with the chat open. */
function inChat(
  { query = `images=${IMAGES}`, allowed, through, ...options }: Look,
  use: (page: Page) => Promise<void>,
) {
  const { browser, site, origin } = room;
  const context = { reducedMotion: 'reduce', locale: 'en-US', ...options } as const;
  const origins = [site.origin, origin, IMAGES];
  return visit({ browser, origins, options: context, ...(allowed && { allowed }) }, async (context) => {
    const page = await context.newPage();
    await withPictures(page, through);
    await page.goto(`${site.origin}/?${query}`);
    await page.getByRole('button', { name: /^Open the chat/ }).click();
    await use(page);
  });
}

/** Says something in the open chat. @returns the group */
async function begin(page: Page, message = 'Good morning'): Promise<string> {
  await page.getByLabel('Your message').fill(message);
  await page.getByLabel('Your message').press('Enter');
  const { payload } = await agent.next((frame) => fromCustomer(frame) && frame.payload.message === message);
  return payload.groupId;
}

async function shows(groupId: string, content: Content, message = 'What are you looking for?'): Promise<number> {
  const { channel, seq } = await bot.ask('event', { type: 'UPDATE_MSG', groupId, user: 'bot', message, content });
  assert.equal(channel, 'ack');
  return seq;
}

/** What the next message of the customer's says. */
async function answered(groupId: string) {
  const { payload } = await agent.next((frame) => fromCustomer(frame) && frame.payload.groupId === groupId);
  return [payload.message, payload.replyTo, payload.value];
}

/** The agent's desk, with a conversation open. */
async function atDesk(
  groupId: string,
  options: BrowserContextOptions,
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const { browser, origin } = room;
  const context = {
    viewport: { width: 1360, height: 820 },
    reducedMotion: 'reduce',
    locale: 'en-US',
    ...options,
  } as const;
  await visit({ browser, origins: [origin, IMAGES], options: context }, async (context) => {
    const page = await context.newPage();
    await withPictures(page);
    await page.goto(`${origin}/desk`);
    await page.fill('#token', room.token('admin', 'bob'));
    await page.keyboard.press('Enter');
    await page.fill('#search', groupId);
    await page.locator('.row').first().click();
    await page.locator('.lines .said').first().waitFor();
    await use(page);
  });
}

const offer = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const boxOf = async (locator: Locator) => (await locator.boundingBox()) ?? assert.fail('it is not to be seen');

describe('[P-18.1] at the customer’s', { timeout: 240_000 }, () => {
  test('a choice is taken by a tap, once; its buttons are spent, after a reload, too', () =>
    inChat(PHONE, async (page) => {
      const groupId = await begin(page);
      const seq = await shows(groupId, CHOICES);
      await shoot(page, 'widget-choices-phone');
      assert.ok((await boxOf(offer(page, 'Used'))).height >= 40, 'it is large enough for a finger');
      assert.deepEqual(await violationsOf(page), []);
      await offer(page, 'New').tap();
      assert.deepEqual(await answered(groupId), ['New', seq, 'new-cars']);
      for (const isReloaded of [false, true]) {
        if (isReloaded) await page.reload();
        await offer(page, 'Used').waitFor();
        const spent = await page.locator('.offer').evaluateAll((each) => each.map(({ ariaDisabled }) => ariaDisabled));
        assert.deepEqual(spent, ['true', 'true', 'true']);
        assert.equal(await offer(page, 'New').getAttribute('aria-pressed'), 'true');
        await offer(page, 'Used').tap({ force: true });
      }
      assert.deepEqual(await violationsOf(page), []);
      await begin(page, 'And then?');
      assert.equal(await page.locator('.customer .text', { hasText: 'Used' }).count(), 0);
    }));

  test('by the keyboard, which stays where it is; without a value there is none', () =>
    inChat({}, async (page) => {
      const groupId = await begin(page);
      const seq = await shows(groupId, CHOICES);
      await offer(page, 'Used').focus();
      await page.keyboard.press('Enter');
      assert.deepEqual(await answered(groupId), ['Used', seq, undefined]);
      await page.keyboard.press('Enter');
      const focused = 'document.querySelector("telle-widget").shadowRoot.activeElement.textContent';
      assert.equal(await page.evaluate(focused), '✓ Used');
      await begin(page, 'And then?');
      assert.equal(await page.locator('.customer .text', { hasText: 'Used' }).count(), 1);
    }));

  test('what was taken without a connection is sent with all of it on the next page', () =>
    inChat({ allowed: /ERR_|WebSocket/ }, async (page) => {
      const groupId = await begin(page);
      const seq = await shows(groupId, CHOICES);
      await offer(page, 'New').waitFor();
      await page.context().setOffline(true);
      await offer(page, 'New').click();
      await page.context().setOffline(false);
      await page.reload();
      assert.deepEqual(await answered(groupId), ['New', seq, 'new-cars']);
    }));

  test('cards are a row that is swiped, moved by keys and by buttons; nothing jumps when pictures come', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await inChat({ through: promise }, async (page) => {
      const groupId = await begin(page);
      await shows(groupId, CARDS);
      const [track, first] = [page.locator('.track'), page.locator('.card').first()];
      await first.waitFor();
      const before = await boxOf(first);
      resolve();
      const image = page.locator('.card img').first();
      await until('the picture is there', () => image.evaluate((img) => Reflect.get(img, 'naturalWidth') > 0));
      assert.deepEqual(await boxOf(first), before);
      await shoot(page, 'widget-cards-desktop');
      assert.deepEqual(await violationsOf(page), []);

      const place = () => track.evaluate(({ scrollLeft }) => scrollLeft);
      const isAt = (where: string, check: (at: number) => boolean) => until(where, async () => check(await place()));
      await page.getByRole('button', { name: 'Next card' }).click();
      await isAt('the second card', (at) => at > 100);
      const second = await boxOf(page.locator('.card').nth(1));
      assert.ok(Math.abs(second.x - before.x) < 3, 'a card stops where the first one was');
      await track.focus();
      // A key that comes while the row still glides to a card is not a step of its own.
      await until('the end', async () => {
        await page.keyboard.press('ArrowRight');
        return (await place()) > 500;
      });
      const next = page.getByRole('button', { name: 'Next card' });
      await until('there is no next one', async () => (await next.getAttribute('aria-disabled')) === 'true');
      await page.getByRole('link', { name: '2023 Toyota Corolla' }).waitFor();
      const link = page.getByRole('link', { name: '2023 Toyota Corolla' });
      const leads = ['href', 'target', 'rel'].map((name) => link.getAttribute(name));
      assert.deepEqual(await Promise.all(leads), ['https://cars.example/Corolla', '_blank', 'noopener noreferrer']);
      await page.locator('.card').nth(2).getByRole('button', { name: 'Test drive' }).click();
      assert.deepEqual((await answered(groupId)).toSpliced(1, 1), ['Test drive', 'drive-2']);
    });
  });

  test('on a phone, light and dark, and from right to left', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await inChat({ ...PHONE, colorScheme }, async (page) => {
        const groupId = await begin(page);
        await shows(groupId, CARDS, 'These are here today:');
        await shows(groupId, VEHICLE, 'Or this one:');
        await page.getByText('18,700').waitFor();
        await page.getByText('used · S1042').waitFor();
        await until('pictures', () =>
          page
            .locator('.card img')
            .last()
            .evaluate((img) => Reflect.get(img, 'naturalWidth') > 0),
        );
        await shoot(page, `widget-cards-phone-${colorScheme}`);
        assert.deepEqual(await violationsOf(page), []);
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390);
        await page.locator('.track').first().scrollIntoViewIfNeeded();
        await shoot(page, `widget-cards-phone-${colorScheme}-2`);
        assert.equal(await page.getByRole('button', { name: 'Next card' }).isVisible(), false, 'a finger needs none');
      });
    }
  });

  test('none of it is markup', () =>
    inChat({}, async (page) => {
      const groupId = await begin(page);
      for (const hostile of HOSTILE) {
        const label = hostile.replace(/[\p{Cc}\p{Cs}]/gu, ' ').slice(0, 100) || 'x';
        const card = {
          title: label,
          subtitle: hostile.slice(0, 400) || 'x',
          choices: [{ label, value: hostile.slice(0, 400) || 'x' }],
        };
        await shows(groupId, { kind: 'cards', cards: [card] }, 'Look');
      }
      await shows(groupId, CHOICES, 'The last');
      await offer(page, 'New').waitFor();
      assert.equal(await page.locator('.log :is(script, iframe, b, form, style)').count(), 0);
    }));

  test('a site whose policy allows no pictures has the rest', () =>
    inChat({ query: '', allowed: /Content Security Policy/ }, async (page) => {
      const groupId = await begin(page);
      await shows(groupId, VEHICLE);
      await page.getByText('18,700').waitFor();
    }));

  test('what was imported may hold anything: a URL of no good scheme is none', () => {
    const [card] = cardsOf(
      { kind: 'cards', cards: [{ title: 'x', url: 'javascript:alert(1)', image: 'http://a.example/b' }] },
      'en',
    );
    assert.deepEqual([card?.url, card?.image], [undefined, undefined]);
  });
});

describe('[P-18.1] at the agent’s', { timeout: 240_000 }, () => {
  test('all of it is shown, and what the customer took is marked; nothing of it can be pressed', () =>
    inChat({}, async (page) => {
      const groupId = await begin(page, 'I want to see some');
      await shows(groupId, CHOICES);
      await offer(page, 'New').click();
      await answered(groupId);
      await shows(groupId, CARDS, 'These are here today:');
      await shows(groupId, VEHICLE, 'Or this one:');
      for (const colorScheme of ['light', 'dark'] as const) {
        await atDesk(groupId, { colorScheme }, async (desk) => {
          await desk.getByText('18,700').waitFor();
          assert.deepEqual(await desk.locator('.offer.taken').allTextContents(), ['✓ New']);
          assert.equal(await desk.locator('button.offer').count(), 0);
          await until('pictures', () =>
            desk
              .locator('.card img')
              .last()
              .evaluate((img) => Reflect.get(img, 'naturalWidth') > 0),
          );
          await shoot(desk, `desk-content-${colorScheme}`);
          assert.deepEqual(await violationsOf(desk), []);
          await desk.fill('#search', 'corolla s1042');
          await desk.locator('.row').first().waitFor();
        });
      }
      await atDesk(groupId, { viewport: { width: 390, height: 780 } }, async (desk) => {
        await desk.getByText('18,700').waitFor();
        await shoot(desk, 'desk-content-phone');
        assert.deepEqual(await violationsOf(desk), []);
        assert.equal(await desk.evaluate('document.documentElement.scrollWidth'), 390);
      });
    }));
});
