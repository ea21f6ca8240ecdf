/** What a customer types and reads in the widget: keys, lengths, links, directions, details and vehicles. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { button, field, onSite, openChat, say, seen, tagOf } from '../support/chat-page.ts';
import type { Client } from '../support/client.ts';
import { fromCustomer, Showroom, shoot } from '../support/showroom.ts';
import { until } from '../support/until.ts';

let room: Showroom;
let agent: Client;

before(async () => {
  room = await Showroom.open();
});
beforeEach(async () => {
  agent = await room.agent('alice');
});
after(() => room?.close());

/** A page of the site: what stands in its head and its body. */
function put(path: string, { head = '', body = '' }: { head?: string; body?: string }): void {
  room.site.pages.set(
    path,
    `<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>Cars ${path}</title>${head}</head><body><main><h1>${path}</h1>${body}</main></body></html>`,
  );
}

describe('what a customer types and reads', { timeout: 200_000 }, () => {
  test('the Enter that ends a word of an input method sends nothing, and its Escape closes nothing', async () => {
    put('/plain', { body: tagOf(room) });
    await onSite(room, '/plain', {}, async (page) => {
      await openChat(page);
      await field(page).fill('東京');
      const cdp = await page.context().newCDPSession(page);
      for (const key of ['Enter', 'Escape']) {
        await cdp.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', key, code: key, windowsVirtualKeyCode: 229 });
      }
      assert.equal(await field(page).inputValue(), '東京');
      assert.equal(await page.locator('.message').count(), 0);
      await field(page).press('Enter');
      assert.equal((await agent.next(fromCustomer)).payload.message, '東京');
    });
  });

  test('what is too long is kept, counted as the server counts, and told', async () => {
    put('/plain', { body: tagOf(room) });
    await onSite(room, '/plain', {}, async (page) => {
      await openChat(page);
      await field(page).fill('x'.repeat(4038));
      await seen(page, '38 characters too long');
      assert.equal(await button(page, 'Send').isDisabled(), true);
      await field(page).press('Enter');
      assert.equal((await field(page).inputValue()).length, 4038);
      await shoot(page, 'widget-too-long');
      await field(page).fill('🚗'.repeat(2500));
      await field(page).press('Enter');
      assert.equal((await agent.next(fromCustomer)).payload.message, '🚗'.repeat(2500));
    });
  });

  test('addresses and numbers can be tapped, and nothing else', async () => {
    put('/plain', { body: tagOf(room) });
    await onSite(room, '/plain', {}, async (page) => {
      await openChat(page);
      const groupId = await say(page, agent, 'Hello');
      const message =
        'http://cars.example/a_(b). cars.example, javascript:alert(1) +1 (555) 010-0100 ann@cars.example,';
      await agent.ask('admin_message', { type: 'UPDATE_MSG', groupId, message });
      await page.locator('.admin a').first().waitFor();
      const links = await page
        .locator('.admin a')
        .evaluateAll((all) => all.map((link) => ['href', 'rel', 'target'].map((name) => link.getAttribute(name))));
      const said = (href: string) => [href, 'noopener noreferrer', '_blank'];
      assert.deepEqual(links, [
        said('http://cars.example/a_(b)'),
        said('http://cars.example'),
        said('tel:+15550100100'),
        said('mailto:ann@cars.example'),
      ]);
      await shoot(page, 'widget-links');
    });
  });

  test('a language that is written to the left is, and so is what is typed in it', async () => {
    put('/left', { body: tagOf(room, 'data-lang="he"') });
    await onSite(room, '/left', {}, async (page) => {
      await button(page, 'פתיחת הצ׳אט').click();
      const area = page.getByRole('textbox');
      await area.fill('مرحبا');
      const direction = (selector: string) =>
        page.locator(selector).evaluate((each) => each.ownerDocument.defaultView.getComputedStyle(each).direction);
      assert.deepEqual([await direction('.panel'), await direction('textarea')], ['rtl', 'rtl']);
      await area.fill('hello');
      assert.equal(await direction('textarea'), 'ltr');
      await shoot(page, 'widget-hebrew');
    });
  });

  test('a number that nobody could dial is refused with what it lacks, and the vehicle is asked for', async () => {
    put('/plain', { body: tagOf(room) });
    await onSite(room, '/plain', {}, async (page) => {
      await openChat(page);
      await button(page, 'Leave your details').click();
      await page.getByLabel('Name').fill('Ada');
      const phone = page.getByLabel('Phone', { exact: true });
      for (const wrong of ['12', 'asdf']) {
        await phone.fill(wrong);
        await button(page, 'Send details').click();
        assert.match(await phone.evaluate((each) => each.validationMessage), /too short: give all of its digits/);
      }
      await phone.fill('٠١٢٣٤٥٦٧');
      await page.getByLabel('Which vehicle is it about?').fill('2024 Blue SUV');
      await shoot(page, 'widget-form-vehicle');
      await button(page, 'Send details').click();
      await seen(page, 'Thank you! We have your details.');
      const { payload } = await agent.next((frame) => frame.payload.type === 'UPDATE_LEAD');
      assert.deepEqual(payload.message.vehicle, { year: '2024', model: 'Blue SUV' });
    });
  });

  const JSON_LD = `<script type="application/ld+json">{"@context":"https://schema.org","@graph":[{"@type":"Car","brand":{"@type":"Brand","name":"Acme"},
    "model":"Swift","vehicleModelDate":"2023","vehicleIdentificationNumber":"1HGCM82633A004352","sku":"A-7"}]}</script>`;
  const SWIFT = { year: '2023', make: 'Acme', model: 'Swift', vin: '1HGCM82633A004352', stock: 'A-7' };
  for (const [what, page, call, vehicle] of [
    ['its JSON-LD', JSON_LD, '', SWIFT],
    ['data-vin', 'VIN', '', { vin: '1HGCM82633A004352' }],
    ['telle.setVehicle', JSON_LD, `telle.setVehicle({ make: 'Acme', stock: 'B-8' })`, { make: 'Acme', stock: 'B-8' }],
  ] as const) {
    test(`the vehicle of the page goes with the lead: by ${what}`, async () => {
      const isVin = page === 'VIN';
      put('/car', { head: isVin ? '' : page, body: tagOf(room, isVin ? 'data-vin="1HGCM82633A004352"' : '') });
      await onSite(room, '/car', {}, async (tab) => {
        await openChat(tab);
        if (call) await tab.evaluate(call);
        await button(tab, 'Leave your details').click();
        await tab.getByLabel('Name').fill('Ada');
        await tab.getByLabel('E-mail', { exact: true }).fill('ada@cars.example');
        await button(tab, 'Send details').click();
        await seen(tab, 'Thank you! We have your details.');
        const { payload } = await agent.next((frame) => frame.payload.type === 'UPDATE_LEAD');
        assert.deepEqual(payload.message.vehicle, vehicle);
      });
    });
  }

  test('a route behind # is told where the site says so, and no secret of an address', async () => {
    put('/hash', { body: tagOf(room, 'data-hash="on"') });
    await onSite(
      room,
      '/hash?utm=x&access_token=s3cret#/inventory/blue-suv?code=s3cret&sort=price',
      {},
      async (page) => {
        await openChat(page);
        const group = await say(page, agent, 'Hello');
        const here = `${room.site.origin}/hash?utm=x#/inventory/blue-suv?sort=price`;
        await until('the page', async () => (await room.list('pageviews', group)).length === 1);
        assert.deepEqual(
          (await room.list('pageviews', group)).map(({ fields }) => fields.url),
          [here],
        );
        await page.evaluate(`location.hash = '#/inventory/red'`);
        await until('the next', async () => (await room.list('pageviews', group)).length === 2);
      },
    );
  });

  test('a message that comes while it is closed is shown beside the button, and counted in a title that nobody sees', async () => {
    put('/plain', { body: tagOf(room) });
    await onSite(room, '/plain', {}, async (page) => {
      await openChat(page);
      const groupId = await say(page, agent, 'Hello');
      await button(page, 'Close the chat').click();
      const hide = (isHidden: boolean) =>
        page.evaluate(`
        Object.defineProperty(document, 'hidden', { configurable: true, value: ${isHidden} });
        document.dispatchEvent(new Event('visibilitychange'));`);
      await hide(true);
      await agent.ask('admin_message', { type: 'UPDATE_MSG', groupId, message: 'Shall I keep it for you?' });
      await page.getByRole('region', { name: 'New message' }).waitFor();
      await until('the title counts', async () => (await page.title()) === '(1) Cars /plain');
      await shoot(page, 'widget-preview');
      await hide(false);
      await until('the title is the page’s', async () => (await page.title()) === 'Cars /plain');
      await button(page, 'Hide this message').click();
      await page.getByRole('region', { name: 'New message' }).waitFor({ state: 'detached' });
    });
  });
});
