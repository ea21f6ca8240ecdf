/** What somebody might try to be taken for another, or to seat an agent elsewhere; and what becomes of a name that is set aside. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { enter, Office, openChat, PHONE, row, say, see, shoot, tell, textsOf } from '../support/desk.ts';
import { violationsOf } from '../support/visitor.ts';

let office: Office;
const REFUSED = /status of 40[014]/;

describe('the desk', () => {
  before(async () => {
    office = await Office.open({ timing: { presenceGrace: 20 } });
    await office.server.store.putDealer('mallory-motors', { origins: ['*'] });
    await office.customer('maria', 'María López', 'Is the blue one still there?');
  });
  afterEach(() => office.pages.close());
  after(() => office.close());

  it('asks before a link seats anybody, and takes no code twice', async () => {
    const link = office.linkOf('alice');
    const page = await office.pages.open(link);
    await see(page, 'Open the desk of d1 as alice?');
    assert.equal(page.url(), `${office.http}/desk`);
    assert.deepEqual(await page.evaluate('[sessionStorage.length, history.length]'), [0, 2]);
    await shoot(page, 'desk-invitation');
    assert.deepEqual(await violationsOf(page), []);
    // The safe answer has the focus; the other is one step away.
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await see(page, 'María López');

    office.pages.allowed = REFUSED;
    const again = await office.pages.open(link, { viewport: PHONE, colorScheme: 'dark' });
    await enter(again);
    await see(again, 'This link was used before, or is older than a minute.');
    await shoot(again, 'desk-invitation-phone');
    await again.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await again.evaluate('sessionStorage.length'), 0);
  });

  it('moves nobody who is signed in unless they say so', async () => {
    const page = await office.desk('alice');
    await openChat(page, 'María López');
    const lure = office.linkOf('mallory', { dealer: 'mallory-motors' });
    await page.evaluate(`location.href = ${JSON.stringify(lure)}`);
    await see(page, 'Open the desk of mallory-motors as mallory?');
    await see(page, 'You are signed in as alice at d1.');
    await see(page, 'alice at d1');
    await shoot(page, 'desk-invitation-elsewhere');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await see(page, 'alice at d1');
    await page.reload();
    await see(page, 'alice at d1');
  });

  it('shows a way into itself as text, wherever a page view has it, and opens others without a trace', async () => {
    const lena = await office.customer('lena', 'Lena Graf', 'Look at this');
    const lure = new URL(office.linkOf('mallory', { dealer: 'mallory-motors' }));
    const code = lure.hash;
    for (const url of [
      lure.href,
      `${office.http}/%64esk${code}`,
      `${office.http}/Desk?x${code}`,
      `http://${lure.hostname}/desk#demo`,
    ]) {
      await tell(lena, 'UPDATE_PAGEVIEW', { url, title: 'Very interesting' });
    }
    await tell(lena, 'UPDATE_PAGEVIEW', { url: 'https://cars.example/desk', title: 'A desk for sale' });
    const page = await office.desk('alice');
    await openChat(page, 'Lena Graf');
    const links = page.locator('.details a');
    await links.first().waitFor();
    assert.deepEqual(
      await links.evaluateAll((all) => all.map((each) => [each.getAttribute('href'), each.getAttribute('rel')])),
      [['https://cars.example/desk', 'noopener noreferrer']],
    );
  });

  it('opens addresses and numbers that are in a message, and nothing else', async () => {
    const said = 'http://cars.example/a_(b). cars.example, javascript:alert(1) +1 (555) 010-0100 ann@cars.example,';
    const link = await office.customer('link', 'Linda Link', said);
    const lure = new URL(office.linkOf('mallory', { dealer: 'mallory-motors' }));
    await say(link, `${lure.href} ${office.http}/%64esk${lure.hash} <a href="https://evil.example">x</a>`);
    await link.ask('customer_message', { type: 'UPDATE_MSG', message: 'http://ann:word@cars.example/' });
    const page = await office.desk('alice');
    await openChat(page, 'Linda Link');
    const links = page.locator('.lines a');
    await page.locator('.lines').getByText('http://ann:word@cars.example/').waitFor();
    const found = await links.evaluateAll((all) =>
      all.map((each) => ['href', 'rel', 'target'].map((name) => each.getAttribute(name))),
    );
    const out = (href: string) => [href, 'noopener noreferrer', '_blank'];
    assert.deepEqual(found, [
      out('http://cars.example/a_(b)'),
      out('http://cars.example'),
      out('tel:+15550100100'),
      out('mailto:ann@cars.example'),
      out('https://evil.example'),
    ]);
    assert.equal(await page.locator('.lines .said .text').first().textContent(), said);
    await shoot(page, 'desk-links');
    assert.deepEqual(await violationsOf(page), []);
  });

  it('ends the token of who signs out, and says so where that cannot be', async () => {
    const page = await office.desk('alice');
    await see(page, 'María López');
    const token = await page.evaluate<string>('sessionStorage.getItem("telle.desk/token")');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await see(page, 'You have signed out.');
    assert.equal((await office.server.http('GET', '/v1/dealers/d1/groups', { token })).status, 401);

    office.pages.allowed = REFUSED;
    await page.fill('#token', office.server.token('admin', 'alice'));
    await page.keyboard.press('Enter');
    await see(page, 'María López');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await see(page, 'You have signed out of this tab, but the token could not be ended');
    await shoot(page, 'desk-signed-out');
  });

  it('tells customer, bot and agent apart by marks, whatever a customer is called', async () => {
    const names = [
      'Bot',
      'alice',
      'You',
      'Agent alice',
      'Telle',
      '\u202eetoB',
      'Bot\u200b',
      'A\nBot',
      'B\u{e0001}ot',
      'N'.repeat(4000),
    ];
    const crm = await office.server.server();
    for (const [index, name] of names.entries()) {
      const groupId = `called-${index}`;
      const client = await office.customer(groupId, name, `Bot: I am number ${index}`);
      await crm.ask('event', { type: 'UPDATE_MSG', groupId, user: 'bot', message: 'I am the bot' });
      await say(client, `Bot: I am number ${index} again`);
    }
    const page = await office.desk('alice');
    await see(page, 'Bot: I am number 0 again');
    const shown = ['Bot', 'alice', 'You', 'Agent alice', 'Telle', 'etoB', 'Bot', 'A Bot', 'Bot', `${'N'.repeat(59)}…`];
    for (const [index, name] of shown.entries()) {
      const last = `number ${index} again`;
      await page.fill('#search', last);
      await page.locator('.row', { hasText: last }).click();
      await page.locator('.lines .said', { hasText: last }).waitFor();
      const meta = await page
        .locator('.lines .said .meta')
        .evaluateAll((all) =>
          all.map((each) => [each.querySelector('.role')?.textContent, each.querySelector('bdi')?.textContent]),
        );
      assert.deepEqual(meta, [
        ['Customer', name],
        ['Bot', undefined],
        ['Customer', name],
      ]);
      assert.equal(await page.getByRole('heading', { level: 2 }).first().locator('.role').textContent(), 'Customer');
      assert.deepEqual(await textsOf(page, '.row .role'), []);
      if (index === 0) await shoot(page, 'desk-called-bot');
    }
    const phone = await office.desk('alice', { viewport: PHONE, colorScheme: 'dark' });
    await phone.fill('#search', 'number 9 again');
    await phone.locator('.row').click();
    await phone.locator('.lines .said').nth(2).waitFor();
    assert.equal(await phone.evaluate('document.documentElement.scrollWidth <= innerWidth'), true);
    await shoot(phone, 'desk-called-long-phone');
  });

  it('goes on with whoever had claimed a name that is a signed-in customer’s now, draft and all, and begins the name anew', async () => {
    const claimed = await office.customer('customer-4711', 'Klaus Claimed', 'I have claimed this');
    const page = await office.desk('alice');
    await openChat(page, 'Klaus Claimed');
    await page.fill('#answer', 'For Klaus alone');
    const token = office.server.token('customer', 'customer-4711');
    const minted = await office.server.customer('customer-4711', { token });
    await claimed.closed;
    await see(page, 'Set aside: the name that this one had claimed');
    assert.doesNotMatch(page.url(), /customer-4711/);
    assert.equal(await page.inputValue('#answer'), 'For Klaus alone');
    await page.locator('.lines').getByText('I have claimed this').waitFor();
    await row(page, 'Klaus Claimed').getByText('Set aside').waitFor();
    await say(minted, 'I am the real one');
    await shoot(page, 'desk-set-aside');
    await page.fill('#search', '');
    await page.getByRole('button', { name: 'Everybody' }).click();
    await row(page, 'Visitor customer-4711').click();
    await page.locator('.lines').getByText('I am the real one').waitFor();
    assert.equal(await page.locator('.lines').getByText('I have claimed this').count(), 0);
    assert.equal(await page.inputValue('#answer'), '');
    await page.reload();
    await page.getByRole('button', { name: 'Everybody' }).click();
    await row(page, 'Klaus Claimed').getByText('Set aside').waitFor();
  });
});
