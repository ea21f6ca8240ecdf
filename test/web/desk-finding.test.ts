/** Whom the desk finds, and what it knows of them: all that the server does, however many they are. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { Office, row, say, see, shoot, tell } from '../support/desk.ts';

let office: Office;

/** Searches, and waits for who must be found. */
async function find(page: Page, search: string, ...names: string[]): Promise<void> {
  await page.fill('#search', search);
  for (const name of names) await row(page, name).waitFor();
  await page.getByText('searching…').waitFor({ state: 'hidden' });
  assert.equal(await page.locator('.row').count(), names.length, search);
}

describe('a search at the desk', () => {
  before(async () => {
    office = await Office.open({ timing: { presenceGrace: 20 } });
    const jose = await office.customer('jose', 'José Muñoz', 'I dream of a convertible');
    await tell(jose, 'UPDATE_USER', { phone: '+1 (555) 010-0199' });
    const crm = await office.server.server();
    for (let n = 0; n < 210; n += 1) {
      const user = n % 50 === 0 ? 'customer' : 'bot';
      await crm.ask('event', { type: 'UPDATE_MSG', groupId: 'jose', user, message: `and ${n}` });
    }
    await say(jose, 'Good bye');
    const pat = await office.customer('pat', 'Pat O’Connor', 'Hello');
    await tell(pat, 'UPDATE_LEAD', { vehicle: { vin: '1HGCM82633A004352', stock: 'B-117' } });
    await office.customer('sean', "Seán O'Connor", 'Hello');
    const carl = await office.customer('carl', 'Carl Closed', 'Done, thank you');
    await carl.ask('close_chat', { type: 'CLOSE_CHAT' });
  });
  afterEach(() => office.pages.close());
  after(() => office.close());

  it('takes no account of accents and case', async () => {
    const page = await office.desk('alice');
    await find(page, 'Jose Munoz', 'José Muñoz');
    await find(page, 'MUÑOZ', 'José Muñoz');
    await find(page, 'sean', "Seán O'Connor");
  });

  it('takes a phone number as people write it', async () => {
    const page = await office.desk('alice');
    for (const number of ['5550100199', '555 010 0199', '+1 555-010-0199', '(555) 0100199']) {
      await find(page, number, 'José Muñoz');
    }
  });

  it('takes either apostrophe, or none', async () => {
    const page = await office.desk('alice');
    for (const name of ["O'Connor", 'O’Connor', 'oconnor']) await find(page, name, 'Pat O’Connor', "Seán O'Connor");
  });

  it('finds a word of an earlier message, and shows where', async () => {
    const page = await office.desk('alice');
    await find(page, 'convert', 'José Muñoz');
    await row(page, 'José Muñoz').getByText('I dream of a convertible').waitFor();
    await shoot(page, 'desk-search');
  });

  it('finds a vehicle by its VIN and its stock number', async () => {
    const page = await office.desk('alice');
    await find(page, '1hgcm82633a004352', 'Pat O’Connor');
    await find(page, 'B-117', 'Pat O’Connor');
  });

  it('says how many more there are among the closed ones, and shows them', async () => {
    const page = await office.desk('alice');
    await row(page, 'José Muñoz').waitFor();
    await page.fill('#search', 'carl');
    await page.getByRole('button', { name: '1 more in closed' }).click();
    await row(page, 'Carl Closed').waitFor();
    await find(page, 'thank', 'Carl Closed');
  });
});

describe('a desk of more customers than it reads at once', () => {
  const COUNT = 2_050;
  const OLD = 'old-one';

  before(async () => {
    office = await Office.open({ timing: { presenceGrace: 20 } });
    const token = office.server.token('server', 'crm');
    const post = async (body: object[]) => {
      assert.equal((await office.server.http('POST', '/v1/events', { token, body })).status, 200);
    };
    await post([
      { type: 'UPDATE_MSG', groupId: OLD, user: 'customer', message: 'I look for a zeppelin' },
      { type: 'UPDATE_USER', groupId: OLD, message: { name: 'Olga Old', phone: '+49 555 0100' } },
      { type: 'MUTE_BOT', groupId: OLD, adminId: 'bob' },
      { type: 'UPDATE_MSG', groupId: 'ancient', user: 'customer', message: 'Hello' },
      { type: 'UPDATE_USER', groupId: 'ancient', message: { name: 'Ada Ancient' } },
      { type: 'UPDATE_MSG', groupId: 'older', user: 'customer', message: 'Hello' },
      { type: 'UPDATE_USER', groupId: 'older', message: { name: 'Otto Older' } },
    ]);
    for (let from = 0; from < COUNT; from += 500) {
      const numbers = Array.from({ length: Math.min(500, COUNT - from) }, (_, n) => from + n);
      await post(
        numbers.flatMap((n) => [
          { type: 'UPDATE_MSG', groupId: `c${n}`, user: 'customer', message: `I am number ${n}` },
          { type: 'UPDATE_USER', groupId: `c${n}`, message: { name: `Customer ${n}` } },
        ]),
      );
    }
  });
  afterEach(() => office.pages.close());
  after(() => office.close());

  /** A desk that shows everybody, the latest first. */
  async function everybody(adminId: string) {
    const page = await office.desk(adminId);
    await page.getByRole('button', { name: 'Everybody' }).click();
    await row(page, `Customer ${COUNT - 1}`).waitFor();
    return page;
  }

  it('opens an old one by its link, as it is', async () => {
    const page = await everybody('alice');
    await page.evaluate(`location.hash = '#chat=${OLD}'`);
    await page.getByRole('heading', { name: 'Olga Old' }).waitFor();
    await see(page, 'bob has taken over: the bot is silent.');
    await page.getByRole('complementary').getByText('+49 555 0100').waitFor();
  });

  it('finds an old one by name, and by what was said', async () => {
    const page = await everybody('alice');
    await find(page, 'olga', 'Olga Old');
    await find(page, 'zeppelin', 'Olga Old');
  });

  it('forgets an old one that was erased while it was offline', async () => {
    const page = await everybody('alice');
    await find(page, 'ada', 'Ada Ancient');
    await page.context().setOffline(true);
    await see(page, 'Offline');
    const token = office.server.token('admin', 'alice');
    assert.equal((await office.server.http('DELETE', '/v1/dealers/d1/groups/ancient', { token })).status, 200);
    await page.context().setOffline(false);
    await row(page, 'Ada Ancient').waitFor({ state: 'hidden' });
    await see(page, 'No conversation is like this.');
  });

  it('knows an old one that writes', async () => {
    const page = await everybody('alice');
    const crm = await office.server.server();
    await crm.ask('event', { type: 'UPDATE_MSG', groupId: 'older', user: 'customer', message: 'I am back' });
    await row(page, 'Otto Older').waitFor();
    await row(page, 'Otto Older').getByText('I am back').waitFor();
  });
});
