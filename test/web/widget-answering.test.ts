/** What the widget says of who answers, whether anybody can, and when somebody will; and a bot's answer as it grows. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { DAYS } from '../../schemas/hours.ts';
import { button, field, onSite, openChat, seen, texts, write } from '../support/chat-page.ts';
import type { Client } from '../support/client.ts';
import { HOSTILE } from '../support/hostile.ts';
import { fromCustomer, Showroom, shoot } from '../support/showroom.ts';
import { violationsOf } from '../support/visitor.ts';

let room: Showroom;
before(async () => {
  room = await Showroom.open();
});
after(() => room?.close());

const LOOKS: readonly (readonly [name: string, options: BrowserContextOptions])[] = [
  ['desktop', { viewport: { width: 1280, height: 800 } }],
  ['desktop-dark', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' }],
  ['phone', { viewport: { width: 390, height: 844 }, hasTouch: true }],
  ['phone-dark', { viewport: { width: 390, height: 844 }, hasTouch: true, colorScheme: 'dark' }],
];

/** Opens the day after tomorrow, for an hour. */
const SOON = { days: [DAYS[(new Date().getUTCDay() + 1) % 7]], open: '09:00', close: '10:00' };
const AWAY = 'Nobody is here right now. Leave a message, and we will answer.';
const WRITTEN = 'Is the blue one still there?';

const onPage = (options: BrowserContextOptions, use: (page: Page) => Promise<void>) => onSite(room, '/', options, use);

/** Says something in the open chat. @returns the group, as a server hears of it */
async function say(page: Page, crm: Client, message: string): Promise<string> {
  await write(page, message);
  const { payload } = await crm.next((frame) => fromCustomer(frame) && frame.payload.message === message);
  await page.getByText('Sending…').waitFor({ state: 'detached' });
  return payload.groupId;
}

describe('the widget says', { timeout: 240_000 }, () => {
  for (const [look, options] of LOOKS) {
    test(`when somebody will answer where nobody can, and asks how to reach the customer: ${look}`, () =>
      onPage({ ...options, timezoneId: 'Europe/Berlin' }, async (page) => {
        await room.settle({ bot: false, hours: [SOON] });
        const crm = await room.bot();
        await openChat(page);
        await seen(page, AWAY);
        await say(page, crm, WRITTEN);
        const header = page.locator('header [role=status]');
        await header.getByText(/^We are closed until \w+, \w+ \d+ at 1[01]:00\sAM GMT\+[12]\.$/).waitFor();
        await seen(page, 'Nobody is here right now. Leave your phone number or e-mail.');
        await page.getByText(/^We will get in touch after we open: /).waitFor();
        await shoot(page, `widget-closed-${look}`);
        assert.deepEqual(await violationsOf(page), []);
        await page.locator('.asked').getByRole('button', { name: 'Leave your details' }).click();
        await page.getByLabel('Name').fill('Ada');
        await page.getByLabel('Phone').fill('+49 555 0100');
        await button(page, 'Send details').click();
        await seen(page, 'Thank you! We have your details.');
        await page
          .getByText('Nobody is here right now. Leave your phone number or e-mail.')
          .waitFor({ state: 'detached' });
        await page.getByText(/^We will get in touch after we open: /).waitFor();
        await room.settle({ bot: false });
        await seen(page, AWAY);
        await seen(page, 'We will get in touch as soon as somebody is here.');
        await shoot(page, `widget-called-${look}`);
        await crm.close();
      }));
  }

  test('that somebody is here as soon as they come, who it is, and that nobody is once they have gone', () =>
    onPage({}, async (page) => {
      await room.settle({ bot: false });
      const crm = await room.bot();
      await openChat(page);
      const groupId = await say(page, crm, WRITTEN);
      await seen(page, AWAY);
      await page.locator('.asked').waitFor();
      const alice = await room.agent('alice');
      await seen(page, 'We are here');
      assert.equal(await page.locator('.asked').count(), 0);
      await alice.ask('admin_message', { type: 'UPDATE_MSG', groupId, message: 'It is.' });
      await seen(page, 'alice answers');
      const bob = await room.agent('bob');
      await alice.ask('assign', { type: 'ASSIGN', groupId, assignee: 'bob' });
      await seen(page, 'bob answers');
      await Promise.all([alice.close(), bob.close()]);
      await page.getByText(AWAY, { exact: true }).waitFor({ timeout: 60_000 });
      assert.equal(await page.getByText('bob answers').count(), 0);
      await crm.close();
    }));

  for (const [look, options] of LOOKS) {
    test(`what the bot writes as it is written, as text, until its message takes that place: ${look}`, () =>
      onPage(options, async (page) => {
        await room.settle({ bot: true });
        const bot = await room.bot();
        await openChat(page);
        const groupId = await say(page, bot, WRITTEN);
        const writes = (text: string) => bot.ask('event', { type: 'TYPING', groupId, user: 'bot', typing: true, text });
        for (const text of ['It', 'It is', ...HOSTILE, 'It is **still** here, in the']) await writes(text);
        const growing = page.locator('.growing .text');
        await growing.getByText('It is **still** here, in the').waitFor();
        await seen(page, 'An automatic assistant answers');
        assert.equal(await page.locator('.asked').count(), 0);
        assert.equal(await page.locator('.growing').getAttribute('aria-hidden'), 'true');
        await shoot(page, `widget-growing-${look}`);
        assert.deepEqual(await violationsOf(page), []);
        const message = 'It is still here, in the yard.';
        await bot.ask('event', { type: 'UPDATE_MSG', groupId, user: 'bot', message });
        await seen(page, message);
        await growing.waitFor({ state: 'detached' });
        assert.deepEqual(await texts(page), [WRITTEN, message]);
        await writes('And');
        await growing.getByText('And').waitFor();
        await bot.ask('event', { type: 'MUTE_BOT', groupId, adminId: 'alice' });
        await growing.waitFor({ state: 'detached' });
        await field(page).fill('');
        await bot.close();
      }));
  }
});
