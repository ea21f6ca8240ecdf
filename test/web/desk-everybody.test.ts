import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { answer, holds, miss, Office, openChat, PHONE, row, say, see, shoot, tell } from '../support/desk.ts';
import { violationsOf } from '../support/visitor.ts';

/** A dealer with a few customers, who have told of themselves. */
const PEOPLE = [
  ['maria', 'María López', 'Is the blue one still there?'],
  ['james', 'James Miller', 'What would you give me for my old one?'],
  ['aiko', 'Aiko Tanaka', 'Can I come on Saturday?'],
] as const;

let office: Office;

describe('the desk, for everybody', () => {
  before(async () => {
    office = await Office.open({ timing: { presenceGrace: 20 } });
    for (const [groupId, name, message] of PEOPLE) await office.customer(groupId, name, message);
  });
  afterEach(() => office.pages.close());
  after(() => office.close());

  it('is used on a phone, and in the dark, by everybody', async () => {
    const sofia = await office.customer('sofia', 'Sofía Navarro', 'Is the blue wagon still there?');
    await tell(sofia, 'UPDATE_USER', { email: 'sofia@example.com', phone: '+1 555 0142', locale: 'es' });
    await tell(sofia, 'UPDATE_LEAD', { source: 'website', vehicle: { year: 2021, make: 'Volvo', model: 'V60' } });
    await tell(sofia, 'CREATE_LEAD_INTENT', { intent: 'test_drive', preferredTime: 'Saturday morning' });
    await tell(sofia, 'UPDATE_PAGEVIEW', { url: 'https://cars.example/used', title: 'Used cars' });
    await tell(sofia, 'UPDATE_PAGEVIEW', { url: 'https://cars.example/used/v60', title: 'Volvo V60, 2021, blue' });
    await (await office.bot()).say('sofia', 'It is! Would you like to see it? I can ask a colleague.');
    await say(sofia, 'Yes please. On Saturday?');

    const page = await office.desk('alice', { viewport: PHONE });
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
    assert.equal(await row(page, 'Sofía Navarro').count(), 0);
    await page.getByRole('button', { name: 'Everybody' }).click();
    await row(page, 'Sofía Navarro').waitFor();

    for (const colorScheme of ['light', 'dark'] as const) {
      const desktop = await office.desk('alice', { colorScheme });
      await desktop.getByRole('button', { name: 'Everybody' }).click();
      await row(desktop, 'Sofía Navarro').click();
      await desktop.locator('.lines').getByText('Saturday at ten?').waitFor();
      await shoot(desktop, `desk-${colorScheme}`);
      assert.deepEqual(await violationsOf(desktop), []);
    }
  });

  it('is used by the keyboard alone', async () => {
    const page = await office.desk('alice');
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
    const tabs = async (count: number) => {
      for (let stop = 0; stop < count; stop += 1) await page.keyboard.press('Tab');
    };
    await tabs(3);
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Everybody', pressed: true }).waitFor();
    await tabs(3);
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
    await holds(page, 'document.activeElement.id === "answer"');
    await page.keyboard.press('Escape');

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
    const ines = await office.customer('ines', 'Inês Costa', 'First');
    const page = await office.desk('alice', {}, async (fresh) => {
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
    await answer(page, 'Good morning');
    await page.locator('.said.mine').getByText('Good morning').waitFor();
    await miss(page, 'Sending…');
    const waiting = Number(/\((\d+)\)/.exec(await page.title())?.[1] ?? 0);

    await say(ines, 'Seen at once');
    await page.locator('.lines').getByText('Seen at once').waitFor();
    assert.deepEqual(await page.evaluate('told'), []);
    await page.evaluate('looks = false');
    await say(ines, 'Nobody looks');
    await holds(page, 'told.length === 1');
    assert.deepEqual(await page.evaluate('told'), [['Customer Inês Costa', 'Nobody looks']]);
    await holds(page, `document.title === '(${waiting + 1}) Telle desk'`);
    await page.evaluate('looks = true; last.onclick()');
    await page.evaluate('window.dispatchEvent(new Event("focus"))');
    await answer(page, 'Here I am');
    await holds(page, `document.title === ${JSON.stringify(waiting ? `(${waiting}) Telle desk` : 'Telle desk')}`);
  });
});
