/** What is typed at the desk: it is an answer, unless the list has the focus; and what was done by one key can be undone. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { answer, holds, miss, Office, row, say, see, textsOf } from '../support/desk.ts';

let office: Office;
const FOCUSED = 'document.activeElement?.id';

describe('what is typed at the desk', () => {
  before(async () => {
    office = await Office.open({ timing: { presenceGrace: 20 } });
    await office.customer('maria', 'María López', 'Is the blue one still there?');
    await office.customer('james', 'James Miller', 'What would you give me for my old one?');
  });
  afterEach(() => office.pages.close());
  after(() => office.close());

  it('goes into the answer once a conversation was opened, and does nothing else', async () => {
    const page = await office.desk('alice');
    await row(page, 'María López').click();
    await page.locator('.lines .said').first().waitFor();
    await page.keyboard.type('exact price is 38,700');
    assert.equal(await page.inputValue('#answer'), 'exact price is 38,700');
    assert.equal(await page.getByRole('dialog').count(), 0);
    await see(page, 'The bot answers.');
  });

  it('goes into the answer from wherever the focus is in the conversation', async () => {
    const page = await office.desk('alice');
    await row(page, 'James Miller').click();
    await page.locator('.lines .said').first().waitFor();
    await page.locator('.lines').click();
    await page.keyboard.type('x or a');
    assert.equal(await page.inputValue('#answer'), 'x or a');
    await page.getByRole('button', { name: 'Details', exact: true }).focus();
    await page.keyboard.type('?');
    assert.equal(await page.inputValue('#answer'), 'x or a?');
    await page.reload();
    await holds(page, `${FOCUSED} === 'answer'`);
    await page.keyboard.type(' t');
    assert.equal(await page.inputValue('#answer'), 'x or a? t');
    assert.equal(await page.getByRole('dialog').count(), 0);
    await see(page, 'The bot answers.');
  });

  it('is a shortcut where the list has the focus, from row to row', async () => {
    const page = await office.desk('alice');
    await row(page, 'James Miller').waitFor();
    await page.keyboard.press('j');
    await page.getByRole('heading', { name: 'María López' }).waitFor();
    await page.keyboard.press('j');
    await page.getByRole('heading', { name: 'James Miller' }).waitFor();
    await page.keyboard.press('k');
    await page.getByRole('heading', { name: 'María López' }).waitFor();
    await page.keyboard.press('r');
    await holds(page, `${FOCUSED} === 'answer'`);
    await page.keyboard.press('Escape');
    await holds(page, 'document.activeElement?.className.startsWith("row")');
    await page.keyboard.press('Enter');
    await holds(page, `${FOCUSED} === 'answer'`);
  });

  it('is not sent half-way where Safari ends a composition before it tells of the key', async () => {
    const page = await office.desk('alice');
    await row(page, 'María López').click();
    await page.fill('#answer', '東京');
    await page.evaluate(`
      const field = document.querySelector('#answer');
      field.dispatchEvent(new CompositionEvent('compositionend', { bubbles: true, data: '東京' }));
      field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true }));
    `);
    assert.equal(await page.inputValue('#answer'), '東京');
    assert.equal(await page.locator('.lines').getByText('東京').count(), 0);
    await page.fill('#answer', '');
  });
});

describe('what can be undone at the desk', () => {
  before(async () => {
    office = await Office.open({ timing: { presenceGrace: 20 } });
  });
  afterEach(() => office.pages.close());
  after(() => office.close());

  it('is a close: for five seconds, by a key or a button, and nobody hears of it', async () => {
    const rosa = await office.customer('rosa', 'Rosa Roth', 'Hello');
    const page = await office.desk('alice');
    await row(page, 'Rosa Roth').waitFor();
    await page.keyboard.press('j');
    await see(page, 'The bot answers.');
    await page.keyboard.press('x');
    await see(page, 'Closing the conversation with Rosa Roth');
    await page.keyboard.press('z');
    await miss(page, 'Closing the conversation with Rosa Roth');
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await page.getByRole('button', { name: 'Undo' }).click();
    await rosa.settled();
    assert.equal(rosa.frames.filter(({ payload }) => payload.type === 'CLOSE_CHAT').length, 0);
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    assert.equal((await rosa.next('CLOSE_CHAT')).payload.adminId, 'alice');
    await see(page, 'Closed. A message opens it again.');
    await miss(page, 'Closing the conversation with Rosa Roth');
  });

  it('is a close that its customer speaks into', async () => {
    const sara = await office.customer('sara', 'Sara Sand', 'Hello');
    const page = await office.desk('alice');
    await row(page, 'Sara Sand').click();
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await see(page, 'Closing the conversation with Sara Sand');
    await say(sara, 'One more thing');
    await see(page, 'Not closed');
    await answer(page, 'Yes?');
    await page.locator('.lines').getByText('Yes?').waitFor();
    assert.equal(sara.frames.filter(({ payload }) => payload.type === 'CLOSE_CHAT').length, 0);
  });

  it('is a close that the page is left after, which is done', async () => {
    const uwe = await office.customer('uwe', 'Uwe Ude', 'Hello');
    const page = await office.desk('alice');
    await row(page, 'Uwe Ude').click();
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await see(page, 'Closing the conversation with Uwe Ude');
    await page.reload();
    assert.equal((await uwe.next('CLOSE_CHAT')).payload.adminId, 'alice');
  });

  it('is taking over, which is done at once', async () => {
    const tom = await office.customer('tom', 'Tom Tell', 'Hello');
    const page = await office.desk('alice');
    await row(page, 'Tom Tell').click();
    await page.getByRole('button', { name: 'Take over' }).click();
    assert.equal((await tom.next('MUTE_STATUS')).payload.muted, true);
    await page.getByRole('button', { name: 'Undo' }).click();
    assert.equal((await tom.next('MUTE_STATUS')).payload.muted, false);
    await see(page, 'The bot answers.');
  });

  it('is an announcement, whose words are kept', async () => {
    const vera = await office.customer('vera', 'Vera Voss', 'Hello');
    const page = await office.desk('alice');
    const announce = async () => {
      await page.getByRole('button', { name: 'Announce' }).click();
      if ((await page.inputValue('#announcement')) === '') await page.fill('#announcement', 'Closed on Friday');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByRole('button', { name: 'Announce to everybody' }).click();
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
    };
    await announce();
    await page.getByRole('button', { name: 'Undo' }).click();
    await vera.settled();
    assert.equal(vera.frames.filter(({ payload }) => payload.type === 'SYS_MSG').length, 0);
    await announce();
    assert.equal((await vera.next('SYS_MSG')).payload.message, 'Closed on Friday');
    await see(page, 'Announced to everybody.');
    assert.deepEqual(await textsOf(page, '.undo'), []);
    await page.getByRole('button', { name: 'Announce' }).click();
    assert.equal(await page.inputValue('#announcement'), '');
  });
});
