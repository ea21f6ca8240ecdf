import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { answer, enter, Office, PHONE, see, shoot } from '../support/desk.ts';
import { violationsOf } from '../support/visitor.ts';

let office: Office;

describe('the first minute of a newcomer', () => {
  before(async () => {
    office = await Office.open();
    await office.server.store.putDealer('demo', { origins: ['*'] });
  });
  afterEach(() => office.pages.close());
  after(() => office.close());

  it('is a chat with oneself: a customer in the page’s corner, an agent at the desk', async () => {
    const maria = await office.pages.open(`${office.http}/`);
    const alice = await office.pages.follow(maria.getByRole('link', { name: 'Open the demo’s desk' }));
    await see(alice, 'Open the desk of demo as alice?');
    await enter(alice);
    await see(alice, 'alice at demo');
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
      const page = await office.pages.open(`${office.http}/`, { colorScheme });
      await see(page, 'Runs for');
      await see(page, 'Answers');
      await see(page, `<script src="${office.http}/widget.js" data-dealer="demo" async></script>`);
      assert.equal(await page.getByRole('link', { name: 'the desk' }).getAttribute('href'), '/desk');
      await shoot(page, `welcome-${colorScheme}`);
      assert.deepEqual(await violationsOf(page), []);
    }
    const phone = await office.pages.open(`${office.http}/`, { viewport: PHONE });
    await see(phone, 'Answers');
    assert.equal(await phone.evaluate('document.documentElement.scrollWidth <= innerWidth'), true);
    await shoot(phone, 'welcome-phone');
  });
});
