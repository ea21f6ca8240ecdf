/** Browsers that are not as most are: that keep nothing, that speak another language or direction, that are a phone. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { answer, Office, openChat, row, see, shoot } from '../support/desk.ts';
import { violationsOf } from '../support/visitor.ts';

let office: Office;
const PHONE = { width: 390, height: 844 };

/** A browser that was told to block all that a site would keep, as Chromium does it. */
const blocked = async (page: Page): Promise<void> => {
  await page.addInitScript(`
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches']) {
      Object.defineProperty(globalThis, name, {
        get() { throw new DOMException("Access is denied for this document.", 'SecurityError'); },
      });
    }
  `);
};

describe('the desk in a browser', () => {
  before(async () => {
    office = await Office.open({ timing: { presenceGrace: 20 } });
  });
  afterEach(() => office.pages.close());
  after(() => office.close());

  it('says that nothing was begun yet where nothing was', async () => {
    const page = await office.desk('alice');
    await see(page, 'No conversation yet.');
    await page.fill('#search', 'nobody');
    await see(page, 'No conversation yet.');
  });

  it('that keeps nothing works for this tab, and says what does not', async () => {
    await office.customer('maria', 'María López', 'Is the blue one still there?');
    const page = await office.desk('alice', {}, blocked);
    await openChat(page, 'María López');
    await see(page, 'This browser keeps nothing for this page.');
    await answer(page, 'It is.');
    await page.locator('.lines').getByText('It is.').waitFor();
    await page.fill('#answer', 'A draft');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await see(page, 'Choose a conversation.');
    await openChat(page, 'María López');
    assert.equal(await page.inputValue('#answer'), 'A draft');
  });

  it('that is full keeps what it can, and goes on', async () => {
    await office.customer('james', 'James Miller', 'Hello');
    const page = await office.desk('alice', {}, async (fresh) => {
      await fresh.addInitScript(`
        Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };
      `);
    });
    await openChat(page, 'James Miller');
    await answer(page, 'Hello James');
    await page.locator('.lines').getByText('Hello James').waitFor();
  });

  it('that speaks Spanish is spoken to in Spanish, and dates are written so', async () => {
    await office.customer('ana', 'Ana García', 'Hola');
    const page = await office.pages.open(office.linkOf('alice'), { locale: 'es-MX' });
    await page.getByRole('button', { name: 'Abrir la mesa' }).click();
    await see(page, 'alice en d1');
    assert.equal(await page.evaluate('document.documentElement.lang'), 'es-MX');
    await page.fill('#search', 'ana');
    await row(page, 'Ana García').click();
    await see(page, 'Responde el bot. Tu mensaje lo silencia.');
    await answer(page, '¿En qué puedo ayudarte?');
    await see(page, 'Llevas esta conversación: el bot calla.');
    await shoot(page, 'desk-spanish');
    assert.deepEqual(await violationsOf(page), []);
    const words = await page.evaluate<string>('document.body.innerText');
    assert.doesNotMatch(words, /\b(the|Online|Close|Details|Search|Announce|Sign out|Profile|Send)\b/);
  });

  it('puts a name of the other direction where all names begin, clear of the time', async () => {
    await office.customer('layla', 'ليلى حسن', 'مرحبا');
    const page = await office.desk('alice');
    await row(page, 'ليلى حسن').waitFor();
    await shoot(page, 'desk-arabic');
    const [name, time] = await page.evaluate<{ left: number; right: number }[]>(`(() => {
      const bdi = [...document.querySelectorAll('.row .name')].find((each) => each.textContent.includes('حسن'));
      const range = document.createRange();
      range.selectNodeContents(bdi);
      return [range.getBoundingClientRect().toJSON(), bdi.closest('.row').querySelector('time').getBoundingClientRect().toJSON()];
    })()`);
    assert.ok(name && time);
    const left = await page.evaluate<number>("document.querySelector('.row .name').getBoundingClientRect().left");
    assert.ok(Math.abs(name.left - left) < 2, `begins at ${name.left}, as others at ${left}`);
    assert.ok(time.left - name.right > 20);
  });

  it('of a phone does not zoom into a field', async () => {
    const page = await office.desk('alice', { viewport: PHONE, hasTouch: true, isMobile: true });
    await page.getByRole('button', { name: 'Everybody' }).click();
    await row(page, 'María López').waitFor();
    await shoot(page, 'desk-phone-390-list');
    const right =
      "Math.max(...[...document.querySelectorAll('.bar button')].map((each) => each.getBoundingClientRect().right))";
    assert.ok((await page.evaluate<number>(right)) <= PHONE.width, 'no button is cut off');
    await row(page, 'María López').click();
    await page.locator('.lines .said').first().waitFor();
    const sizes = await page.evaluate(
      "[...document.querySelectorAll('input, textarea')].map((field) => parseFloat(getComputedStyle(field).fontSize))",
    );
    assert.deepEqual(sizes, [16, 16]);
    assert.notEqual(await page.evaluate('document.activeElement.id'), 'answer', 'its keyboard covers nothing unasked');
    await shoot(page, 'desk-phone-390');
    assert.deepEqual(await violationsOf(page), []);
  });
});
