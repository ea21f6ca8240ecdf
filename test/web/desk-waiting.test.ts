/** Who waits for an answer: found first, counted, and told by the clock. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { answer, holds, miss, Office, openChat, row, say, see, shoot, textsOf } from '../support/desk.ts';
import { DEALER } from '../support/server.ts';
import { violationsOf } from '../support/visitor.ts';

let office: Office;

const FAST = { settings: { AUTO_ASSIGN: 'on' }, timing: { presenceGrace: 20, sweepInterval: 50 } };
const LOOKS = [
  ['', { viewport: { width: 1280, height: 800 } }],
  ['-dark', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' }],
  ['-phone', { viewport: { width: 390, height: 844 } }],
  ['-phone-dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }],
] as const;

const withClock = (page: Page): Promise<void> => page.clock.install();
const tab = (page: Page, name: RegExp) => page.getByRole('button', { name });
const names = (page: Page) => textsOf(page, '.row .name');
const settings = (more: object) => office.server.store.putDealer(DEALER, { origins: ['*'], ...more });

describe('the desk opens on who waits', () => {
  before(async () => {
    office = await Office.open(FAST);
    await office.customer('anna', 'Anna First', 'Is it still there?');
    await office.customer('bert', 'Bert Second', 'And the red one?');
    await office.customer('cora', 'Cora Third', 'Hello?');
  });
  afterEach(() => office.pages.close());
  after(() => office.close());

  it('the longest first, with a clock that turns amber and then red, and is told to nobody', async () => {
    const page = await office.desk('alice', {}, withClock);
    await row(page, 'Cora Third').waitFor();
    assert.deepEqual(await names(page), ['Anna First', 'Bert Second', 'Cora Third']);
    await tab(page, /Waiting 3$/).waitFor();
    const clock = row(page, 'Anna First').locator('.clock');
    assert.match((await clock.textContent()) ?? '', /Waiting for < 1 min/);
    await page.clock.fastForward(65_000);
    await row(page, 'Anna First').locator('.clock.soon').waitFor();
    await page.clock.fastForward(120_000);
    await row(page, 'Anna First').locator('.clock.late').waitFor();
    assert.match((await clock.textContent()) ?? '', /Overdue, waiting for 3 min/);
    assert.deepEqual(await page.evaluate('document.querySelector("[aria-live] .clock, [role=status] .clock")'), null);
    assert.deepEqual(await violationsOf(page), []);
  });

  for (const [name, look] of LOOKS) {
    it(`and looks right${name}`, async () => {
      const page = await office.desk('alice', look, withClock);
      await row(page, 'Cora Third').waitFor();
      await page.clock.fastForward(70_000);
      await row(page, 'Cora Third').locator('.clock.soon').waitFor();
      await shoot(page, `desk-waiting${name}`);
    });
  }

  it('until somebody has answered: then it is theirs, and nobody else’s to do', async () => {
    const dina = await office.customer('dina', 'Dina Fourth', 'Anybody?');
    const [alice, bob] = await Promise.all([office.desk('alice'), office.desk('bob')]);
    await tab(bob, /Waiting 4$/).waitFor();
    await openChat(alice, 'Dina Fourth');
    await answer(alice, 'I am here');
    await tab(bob, /Waiting 3$/).waitFor();
    await tab(alice, /Mine 1$/).waitFor();
    await tab(bob, /Mine 0$/).waitFor();
    assert.equal(await row(bob, 'Dina Fourth').count(), 0);
    await say(dina, 'Thank you. And the price?');
    await row(bob, 'Dina Fourth').waitFor();
    await alice.fill('#search', '');
    await tab(alice, /Mine 1$/).click();
    assert.deepEqual(await names(alice), ['Dina Fourth']);
    await answer(alice, 'Twelve thousand');
    await miss(bob, 'And the price?');
  });

  it('and goes on right after the connection was gone', async () => {
    const page = await office.desk('alice');
    await tab(page, /Waiting 3$/).waitFor();
    await page.context().setOffline(true);
    await see(page, 'Offline');
    const crm = await office.server.server();
    await crm.ask('event', { type: 'UPDATE_MSG', groupId: 'bert', user: 'admin', adminId: 'bob', message: 'Sold' });
    await page.context().setOffline(false);
    await tab(page, /Waiting 2$/).waitFor();
    assert.equal(await row(page, 'Bert Second').count(), 0);
    await tab(page, /Everybody$/).click();
    await row(page, 'Bert Second').getByText('Sold').waitFor();
  });

  it('nothing is a person’s to do where the bot answers everything', async () => {
    await settings({ bot: true });
    const elma = await office.customer('elma', 'Elma Fifth', 'A question for the bot');
    const page = await office.desk('alice');
    await row(page, 'Elma Fifth').waitFor();
    await tab(page, /Waiting 2$/).waitFor();
    const bot = await office.bot();
    assert.equal(await bot.say('elma', 'An answer of the bot'), 'ack');
    await row(page, 'Elma Fifth').waitFor({ state: 'hidden' });
    await say(elma, 'Another one');
    await row(page, 'Elma Fifth').waitFor();
    assert.equal(await page.title(), '(2) Telle desk');
  });

  it('is amber after half of the dealer’s own patience, and red after all of it', async () => {
    await settings({ bot: false, answerWithin: { admin: 600 } });
    await office.customer('hugo', 'Hugo Eighth', 'Take your time');
    const page = await office.desk('alice', {}, withClock);
    const clock = (urgency: string) => row(page, 'Hugo Eighth').locator(`.clock.${urgency}`);
    await row(page, 'Hugo Eighth').waitFor();
    await page.clock.fastForward(185_000);
    await clock('calm').getByText('3 min').waitFor();
    await page.clock.fastForward(120_000);
    await clock('soon').getByText('5 min').waitFor();
    await page.clock.fastForward(300_000);
    await clock('late').getByText('10 min').waitFor();
  });

  it('is red as soon as the dealer’s own patience is over, and after a reload', async () => {
    await settings({ bot: false, answerWithin: { admin: 1 } });
    await office.customer('finn', 'Finn Sixth', 'Quick!');
    const page = await office.desk('alice');
    await row(page, 'Finn Sixth').locator('.clock.late').waitFor();
    await page.reload();
    await row(page, 'Finn Sixth').locator('.clock.late').waitFor();
  });

  it('keeps each agent’s reading their own', async () => {
    await office.customer('gina', 'Gina Seventh', 'Read me');
    const [alice, bob] = await Promise.all([office.desk('alice'), office.desk('bob')]);
    await row(alice, 'Gina Seventh').getByText('unread').waitFor();
    await openChat(bob, 'Gina Seventh');
    await row(bob, 'Gina Seventh').getByText('unread').waitFor({ state: 'hidden' });
    assert.match((await row(alice, 'Gina Seventh').textContent()) ?? '', /1 unread/);
    await alice.reload();
    await row(alice, 'Gina Seventh').getByText('unread').waitFor();
    await holds(alice, 'document.title.startsWith("(")');
  });
});
