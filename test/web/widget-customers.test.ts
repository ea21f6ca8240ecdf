/** Whose data it is: what one customer enters at a browser is never another's. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { button, field, onSite, openChat, say, seen, tagOf, texts, write } from '../support/chat-page.ts';
import type { Client } from '../support/client.ts';
import { fromCustomer, Showroom } from '../support/showroom.ts';
import { until } from '../support/until.ts';

const NOT_THERE = /ERR_INTERNET_DISCONNECTED|ERR_CONNECTION/;

let room: Showroom;
let agent: Client;

before(async () => {
  room = await Showroom.open();
  room.site.pages.set('/plain', `<!doctype html><title>Cars</title><main><h1>Cars</h1></main>${tagOf(room)}`);
});
beforeEach(async () => {
  agent = await room.agent('alice');
});
after(() => room?.close());

const at = (use: (page: Page) => Promise<void>) => onSite(room, '/plain', { allowed: NOT_THERE }, use);
const login = (page: Page, sub: string) => page.evaluate(`telle.login(${JSON.stringify(room.token('customer', sub))})`);
const wait = (page: Page) => button(page, /Open the chat|Close the chat/).waitFor();
const offline = (page: Page, isOffline: boolean) => page.context().setOffline(isOffline);
const userOf = async (groupId: string) => (await room.list('users', groupId))[0]?.fields;

describe('customers of one browser', { timeout: 200_000 }, () => {
  test('what one has written without a connection waits for them, and is not sent as another', () =>
    at(async (page) => {
      await openChat(page);
      const ann = await say(page, agent, 'I am Ann');
      await offline(page, true);
      await write(page, 'a secret of Ann');
      await field(page).fill('a draft of Ann');
      await login(page, 'ben-1');
      await page.getByText('a secret of Ann').waitFor({ state: 'detached' });
      assert.equal(await field(page).inputValue(), '');
      await offline(page, false);
      assert.equal(await say(page, agent, 'I am Ben'), 'ben-1');
      assert.deepEqual(await texts(page), ['I am Ben']);

      await page.reload();
      const { payload } = await agent.next(
        (frame) => fromCustomer(frame) && frame.payload.message === 'a secret of Ann',
      );
      assert.equal(payload.groupId, ann);
      assert.equal(await field(page).inputValue(), 'a draft of Ann');
    }));

  test('what was written without a connection is sent after the tab was closed', () =>
    at(async (page) => {
      await openChat(page);
      const group = await say(page, agent, 'Hello');
      await offline(page, true);
      await write(page, 'from the tunnel');
      await field(page).fill('half a thought');
      const context = page.context();
      await page.close();
      await context.setOffline(false);
      const next = await context.newPage();
      await next.goto(`${room.site.origin}/plain`);
      const { payload } = await agent.next(
        (frame) => fromCustomer(frame) && frame.payload.message === 'from the tunnel',
      );
      assert.equal(payload.groupId, group);
      await openChat(next);
      assert.equal(await field(next).inputValue(), 'half a thought');
      assert.deepEqual(await texts(next), ['Hello', 'from the tunnel']);
    }));

  test('a form that one has begun is empty for another, and their details too', () =>
    at(async (page) => {
      await wait(page);
      await page.evaluate(`telle.setUser({ name: 'Ann', email: 'ann@cars.example' })`);
      await openChat(page);
      await button(page, 'Leave your details').click();
      assert.equal(await page.getByLabel('Name').inputValue(), 'Ann');
      await page.getByLabel('Phone', { exact: true }).fill('+1 555 0100');
      await login(page, 'ben-2');
      await field(page).waitFor();
      await button(page, 'Leave your details').click();
      for (const name of ['Name', 'E-mail', 'Phone']) {
        assert.equal(await page.getByLabel(name, { exact: true }).inputValue(), '');
      }
    }));

  test('another externalId is another customer: a conversation and a record of their own', () =>
    at(async (page) => {
      await wait(page);
      await page.evaluate(
        `telle.setUser({ name: 'Ada', email: 'ada@cars.example', phone: '+1 555 0100', externalId: 'c-17' })`,
      );
      await openChat(page);
      const ada = await say(page, agent, 'I am Ada');
      await page.evaluate(`telle.setUser({ name: 'Ben', externalId: 'c-18' })`);
      await page.getByText('I am Ada').waitFor({ state: 'detached' });
      const ben = await say(page, agent, 'I am Ben');
      assert.notEqual(ben, ada);
      await until('the second record', async () => (await userOf(ben)) !== undefined);
      assert.deepEqual(await userOf(ben), { name: 'Ben', externalId: 'c-18' });
      assert.equal((await userOf(ada)).name, 'Ada');
      await page.reload();
      await seen(page, 'I am Ben');
      await page.evaluate(`telle.setUser({ externalId: 'c-17' })`);
      await seen(page, 'I am Ada');
      assert.deepEqual(await texts(page), ['I am Ada']);
    }));

  test('a record that is said again after a login is the new conversation’s, too', () =>
    at(async (page) => {
      await wait(page);
      const say = `telle.setUser({ name: 'Ada', externalId: 'c-20' })`;
      await page.evaluate(say);
      await login(page, 'ada-20');
      await page.evaluate(say);
      await until('the record', async () => (await userOf('ada-20')) !== undefined);
      assert.deepEqual(await userOf('ada-20'), { name: 'Ada', externalId: 'c-20' });
    }));

  test('logout forgets: on this page, in the other tabs, and at the next visit', () =>
    at(async (page) => {
      await openChat(page);
      const first = await say(page, agent, 'I am Ann');
      const other = await page.context().newPage();
      await other.goto(`${room.site.origin}/plain`);
      await openChat(other);
      await seen(other, 'I am Ann');
      await field(page).fill('a draft');
      await page.evaluate('telle.logout()');
      for (const tab of [page, other]) await tab.getByText('I am Ann').waitFor({ state: 'detached' });
      assert.equal(await field(page).inputValue(), '');
      const kept = await page.evaluate<string>('JSON.stringify({ ...localStorage, ...sessionStorage })');
      assert.doesNotMatch(kept, /token|Ann|draft"/);
      await page.reload();
      await seen(page, 'Hello! How can we help?');
      assert.notEqual(await say(page, agent, 'I am Ben'), first);
    }));

  test('a token that is fetched is asked whose it is before anything is sent', () =>
    at(async (page) => {
      await openChat(page);
      await say(page, agent, 'nobody in particular');
      const token = room.token('customer', 'carl');
      await page.evaluate(`
        window.fails = true;
        telle.login(async () => { if (window.fails) throw new Error('no'); return ${JSON.stringify(token)}; })`);
      await page.getByText('nobody in particular').waitFor({ state: 'detached' });
      await write(page, 'written too early');
      await page.evaluate('window.fails = false');
      const { payload } = await agent.next(
        (frame) => fromCustomer(frame) && frame.payload.message === 'written too early',
      );
      assert.equal(payload.groupId, 'carl');
    }));

  test('details without a connection are kept, and sent on the next page, once', () =>
    at(async (page) => {
      await openChat(page);
      const group = await say(page, agent, 'Hello');
      await offline(page, true);
      await button(page, 'Leave your details').click();
      await page.getByLabel('Name').fill('Ada Moreno');
      await page.getByLabel('Phone', { exact: true }).fill('555-0100');
      await button(page, 'Send details').click();
      await seen(page, 'Your details are sent when the connection is back.');
      const context = page.context();
      await page.close();
      await context.setOffline(false);
      const next = await context.newPage();
      await next.goto(`${room.site.origin}/plain`);
      for (const list of ['leads', 'lead-intents'] as const)
        await until(`one of ${list}`, async () => (await room.list(list, group)).length === 1);
      const [lead] = await room.list('leads', group);
      assert.deepEqual(lead.fields, { name: 'Ada Moreno', phone: '555-0100', source: 'chat' });
    }));

  test('a storage that is full, or forbidden, takes nothing away: what is told stays told', async () => {
    const full = `Storage.prototype.setItem = function () { throw new DOMException('full', 'QuotaExceededError'); };`;
    const none = `for (const name of ['localStorage', 'sessionStorage'])
      Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } });`;
    for (const script of [full, none]) {
      await at(async (page) => {
        await page.addInitScript(script);
        await page.reload();
        await openChat(page);
        const group = await say(page, agent, 'Hello');
        await button(page, 'Close the chat').click();
        await agent.ask('admin_message', { type: 'UPDATE_MSG', groupId: group, message: 'Good morning' });
        await button(page, 'Open the chat. Unread messages: 1').waitFor();
        await openChat(page);
        await agent.next(({ channel, payload }) => channel === 'READ_STATE' && payload.groupId === group);
        await button(page, 'Close the chat').click();
        await page.locator('[aria-label="Open the chat"]').waitFor();
        assert.equal(await say2(page), group);
      });
    }
  });
});

/** Says one more thing. */
async function say2(page: Page): Promise<string> {
  await openChat(page);
  return say(page, agent, 'And again');
}
