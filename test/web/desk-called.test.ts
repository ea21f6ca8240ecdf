/** What the desk is told of beside messages: a bot that asks for a person, one that writes, and whether anybody answers. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { DAYS } from '../../schemas/hours.ts';
import { miss, Office, openChat, row, see, shoot } from '../support/desk.ts';
import { HOSTILE } from '../support/hostile.ts';
import { DEALER } from '../support/server.ts';
import { violationsOf } from '../support/visitor.ts';

let office: Office;

const wide = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 390, height: 844 }, colorScheme: 'dark' } as const;
/** Opens the day after tomorrow, for an hour. */
const SOON = { days: [DAYS[(new Date().getUTCDay() + 1) % 7]], open: '09:00', close: '10:00' };

function settle(body: object) {
  const token = office.server.token('server', 'ops', { dealer: '*' });
  return office.server.http('PUT', `/v1/dealers/${DEALER}`, { token, body: { origins: ['*'], bot: true, ...body } });
}

describe('the desk is told', () => {
  before(async () => {
    office = await Office.open({ timing: { presenceGrace: 20, sweepInterval: 50 } });
    await office.server.store.putDealer(DEALER, { origins: ['*'], bot: true });
  });
  afterEach(() => office.pages.close());
  after(() => office.close());

  it('that the bot asks for a person, and why, in the row and in the conversation', async () => {
    await office.customer('paul', 'Paul Kern', 'I want to complain');
    const bot = await office.server.server();
    const page = await office.desk('alice', wide);
    await row(page, 'Paul Kern').waitFor();
    assert.equal(await page.locator('.row.waiting').count(), 0);
    const call = { type: 'HANDOFF', groupId: 'paul', reason: 'A complaint <b>about</b> the brakes' };
    assert.equal((await bot.ask('event', call)).channel, 'ack');
    const asked = 'asks for a person: A complaint <b>about</b> the brakes';
    await row(page, 'Paul Kern').getByText(asked).waitFor();
    await page.locator('.row.waiting').waitFor();
    await page.reload();
    await row(page, 'Paul Kern').getByText(asked).waitFor();
    await shoot(page, 'desk-handoff-row');
    await openChat(page, 'Paul Kern');
    await page.locator('.lines').getByText(asked).waitFor();
    await shoot(page, 'desk-handoff');
    assert.deepEqual(await violationsOf(page), []);
    await page.fill('#answer', 'I am sorry. What has happened?');
    await page.press('#answer', 'Enter');
    await miss(page, asked);
  });

  it('how the bot’s answer grows, as text, until its message takes its place', async () => {
    await office.customer('rita', 'Rita Holm', 'Tell me of the wagon');
    const bot = await office.server.server();
    const page = await office.desk('alice', wide);
    await openChat(page, 'Rita Holm');
    const writes = (text: string) =>
      bot.ask('event', { type: 'TYPING', groupId: 'rita', user: 'bot', typing: true, text });
    for (const text of ['The', 'The blue wagon', 'The blue wagon is still', ...HOSTILE]) {
      assert.equal((await writes(text)).channel, 'ack');
    }
    await writes('The blue wagon is still here.');
    const growing = page.locator('.growing .text');
    await growing.getByText('The blue wagon is still here.').waitFor();
    assert.equal(await page.evaluate('document.querySelector("[aria-live] .growing, [role=status] .growing")'), null);
    await shoot(page, 'desk-growing');
    await bot.ask('event', { type: 'UPDATE_MSG', groupId: 'rita', user: 'bot', message: 'It is still here.' });
    await page.locator('.said.by-bot').getByText('It is still here.').waitFor();
    await growing.waitFor({ state: 'detached' });
    await writes('And');
    await growing.getByText('And').waitFor();
    await page.getByRole('button', { name: 'Take over' }).click();
    await growing.waitFor({ state: 'detached' });
  });

  for (const [name, look] of [
    ['', wide],
    ['-phone-dark', phone],
  ] as const) {
    it(`that the dealer has closed, until when, and that it is open again${name}`, async () => {
      const page = await office.desk('alice', look);
      await see(page, 'Connected');
      assert.equal((await settle({ hours: [SOON] })).status, 200);
      await see(page, /You are closed until .* customers are told that you answer then/);
      // Nothing changes when a second one comes: it is told nothing of it but by its session.
      await see(await office.desk('bob', look), /You are closed until /);
      await shoot(page, `desk-closed${name}`);
      assert.deepEqual(await violationsOf(page), []);
      assert.equal((await settle({})).status, 200);
      await miss(page, 'You are closed');
    });
  }
});
