/** Whom the desk tells of what, and when: what waits for a person, once, in one place, and only those whom it concerns. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { answer, holds, miss, Office, openChat, row, say, see } from '../support/desk.ts';
import { DEALER } from '../support/server.ts';

let office: Office;

/** A browser's notifications and sounds, as the desk asks for them; nobody looks while `looks` is false. */
const EARS = `
  globalThis.told = [];
  globalThis.rung = 0;
  globalThis.looks = true;
  document.hasFocus = () => looks;
  globalThis.Notification = class {
    static permission = 'granted';
    constructor(title, { body, tag, renotify }) { told.push([title, body, tag, renotify]); globalThis.last = this; }
    close() {}
  };
  const { createGain } = AudioContext.prototype;
  AudioContext.prototype.createGain = function () { rung += 0.5; return createGain.call(this); };
`;

const listening = async (page: Page): Promise<void> => void (await page.addInitScript(EARS));
const deskOf = (adminId: string, options: BrowserContextOptions = {}) => office.desk(adminId, options, listening);
const looksAway = async (page: Page) => {
  await see(page, 'Connected');
  await page.evaluate('looks = false');
};
const toldOf = (page: Page) => page.evaluate<unknown[][]>('told');

describe('the desk tells', () => {
  before(async () => {
    office = await Office.open({ timing: { presenceGrace: 20, sweepInterval: 50 } });
    await office.customer('maria', 'María López', 'Is the blue one still there?');
  });
  afterEach(() => office.pages.close());
  after(() => office.close());

  it('of each message while nobody looks, by one notification of its conversation that rings again, and a sound', async () => {
    const tina = await office.customer('tina', 'Tina Thorn', 'First');
    const page = await deskOf('alice');
    await row(page, 'Tina Thorn').waitFor();
    await looksAway(page);
    for (const message of ['One', 'Two', 'Three']) await say(tina, message);
    await holds(page, 'told.length === 3 && rung === 3');
    const title = 'Customer Tina Thorn';
    assert.deepEqual(await toldOf(page), [
      [title, 'One', 'tina', true],
      [title, 'Two', 'tina', true],
      [title, 'Three', 'tina', true],
    ]);
    await page.evaluate('last.onclick()');
    await page.getByRole('heading', { name: 'Tina Thorn' }).waitFor();
  });

  it('in one tab of several, and in none where one of them shows it', async () => {
    const vito = await office.customer('vito', 'Vito Volpe', 'First');
    const page = await deskOf('alice');
    const token = await page.evaluate<string>('sessionStorage.getItem("telle.desk/token")');
    const other = await page.context().newPage();
    await other.addInitScript(`${EARS} sessionStorage.setItem('telle.desk/token', ${JSON.stringify(token)});`);
    await other.goto(`${office.http}/desk`);
    await Promise.all([looksAway(page), looksAway(other)]);
    await say(vito, 'Once');
    await row(other, 'Vito Volpe').getByText('Once').waitFor();
    await row(page, 'Vito Volpe').getByText('Once').waitFor();
    await both(page, other, 1);
    await page.evaluate('looks = true');
    await openChat(page, 'Vito Volpe');
    await say(vito, 'Seen');
    await row(other, 'Vito Volpe').getByText('Seen').waitFor();
    await say(vito, 'Seen, too');
    await row(other, 'Vito Volpe').getByText('Seen, too').waitFor();
    await other.waitForTimeout(400); // as long as a tab waits for another, and more
    await both(page, other, 1);
  });

  it('of an answer to whoever has taken over, and nobody else', async () => {
    const wanda = await office.customer('wanda', 'Wanda Wolf', 'First');
    const [alice, bob] = await Promise.all([deskOf('alice'), deskOf('bob')]);
    await alice.getByRole('button', { name: 'Everybody' }).click();
    await openChat(bob, 'Wanda Wolf');
    await answer(bob, 'How can I help?');
    await row(alice, 'Wanda Wolf').getByText('Taken over by bob').waitFor();
    await Promise.all([looksAway(alice), looksAway(bob)]);
    await say(wanda, 'Like this');
    await holds(bob, 'told.length === 1');
    await row(alice, 'Wanda Wolf').getByText('Like this').waitFor();
    await alice.waitForTimeout(400);
    assert.deepEqual(await toldOf(alice), []);
  });

  it('of an answer that is overdue as of a message, and to the same agents', async () => {
    const nora = await office.customer('nora', 'Nora Nunn', 'First');
    const [alice, bob] = await Promise.all([deskOf('alice'), deskOf('bob')]);
    await alice.getByRole('button', { name: 'Everybody' }).click();
    await openChat(bob, 'Nora Nunn');
    await answer(bob, 'How can I help?');
    await row(alice, 'Nora Nunn').getByText('Taken over by bob').waitFor();
    await Promise.all([looksAway(alice), looksAway(bob)]);
    await office.server.store.putDealer(DEALER, { origins: ['*'], bot: false, answerWithin: { admin: 1 } });
    await say(nora, 'Like this');
    await holds(bob, `told.filter(([, , tag]) => tag === 'nora').length === 2`);
    const ofNora = async (page: Page) => (await toldOf(page)).filter(([, , tag]) => tag === 'nora');
    const title = 'Customer Nora Nunn';
    assert.deepEqual(await ofNora(bob), [
      [title, 'Like this', 'nora', true],
      [title, 'The answer is overdue', 'nora', true],
    ]);
    await row(alice, 'Nora Nunn').locator('.clock.late').waitFor();
    await alice.waitForTimeout(400);
    assert.deepEqual(await ofNora(alice), []);
    await office.server.store.putDealer(DEALER, { origins: ['*'] });
  });

  it('of what a new customer said while it was offline', async () => {
    const page = await deskOf('alice');
    await looksAway(page);
    await page.context().setOffline(true);
    await see(page, 'Offline');
    await office.customer('xenia', 'Xenia Xu', 'Is anybody there?');
    await page.context().setOffline(false);
    await holds(page, 'told.length === 1');
    assert.deepEqual(
      (await toldOf(page)).map(([title, body]) => [title, body]),
      [['Customer Xenia Xu', 'Is anybody there?']],
    );
  });

  it('of nothing that its customer has closed', async () => {
    const page = await deskOf('alice');
    await row(page, 'María López').waitFor();
    const before = Number(/\((\d+)\)/.exec(await page.title())?.[1] ?? 0);
    const yves = await office.customer('yves', 'Yves Yver', 'Hello');
    await holds(page, `document.title === '(${before + 1}) Telle desk'`);
    await yves.ask('close_chat', { type: 'CLOSE_CHAT' });
    await row(page, 'Yves Yver').waitFor({ state: 'hidden' });
    await holds(page, `document.title === ${JSON.stringify(before ? `(${before}) Telle desk` : 'Telle desk')}`);
  });

  it('of nothing that the bot has answered, and of what it has not', async () => {
    const page = await deskOf('alice');
    await row(page, 'María López').waitFor();
    const before = Number(/\((\d+)\)/.exec(await page.title())?.[1] ?? 0);
    const ulla = await office.customer('ulla', 'Ulla Uhl', 'Are you open?');
    await holds(page, `document.title === '(${before + 1}) Telle desk'`);
    await row(page, 'Ulla Uhl').getByText('1 unread').waitFor();
    assert.equal(await (await office.bot()).say('ulla', 'Until six.'), 'ack');
    await holds(page, `document.title === ${JSON.stringify(before ? `(${before}) Telle desk` : 'Telle desk')}`);
    await page.locator('.row.waiting', { hasText: 'Ulla Uhl' }).waitFor({ state: 'hidden' });
    await office.server.store.putDealer(DEALER, { origins: ['*'], answerWithin: { bot: 1 } });
    await say(ulla, 'And on Sunday?');
    await row(page, 'Ulla Uhl').getByText('And on Sunday?').waitFor();
    assert.equal(await page.locator('.row.waiting', { hasText: 'Ulla Uhl' }).count(), 0);
    await holds(page, `document.title === '(${before + 1}) Telle desk'`);
    await page.locator('.row.waiting', { hasText: 'Ulla Uhl' }).waitFor();
  });

  it('without an error where pages cannot make notifications, by a service worker', async () => {
    const zoe = await office.customer('zoe', 'Zoe Zander', 'Hello');
    const page = await office.desk('alice', { permissions: ['notifications'] }, async (fresh) => {
      await fresh.addInitScript(`
        document.hasFocus = () => false;
        globalThis.Notification = class {
          static permission = 'granted';
          constructor() { throw new TypeError('Illegal constructor'); }
        };
        const { showNotification } = ServiceWorkerRegistration.prototype;
        globalThis.told = [];
        ServiceWorkerRegistration.prototype.showNotification = async (title, { tag }) => { told.push([title, tag]); };
      `);
    });
    await row(page, 'Zoe Zander').waitFor();
    await say(zoe, 'Are you there?');
    await holds(page, 'told.length === 1');
    assert.deepEqual(await toldOf(page), [['Customer Zoe Zander', 'zoe']]);
  });
});

/** Passes where both tabs together have told of so many messages. */
async function both(page: Page, other: Page, count: number): Promise<void> {
  await page.waitForTimeout(400);
  const told = [...(await toldOf(page)), ...(await toldOf(other))];
  assert.equal(told.length, count);
}

describe('the desk says who is here', () => {
  before(async () => {
    office = await Office.open({ timing: { presenceGrace: 20 } });
  });
  afterEach(() => office.pages.close());
  after(() => office.close());

  it('however much was said since they came', async () => {
    await office.customer('maria', 'María López', 'Is the blue one still there?');
    const bob = await office.desk('bob');
    await openChat(bob, 'María López');
    const crm = await office.server.server();
    for (let n = 0; n < 60; n += 1) {
      await crm.ask('event', { type: 'UPDATE_MSG', groupId: 'maria', user: 'bot', message: `number ${n}` });
    }
    const alice = await office.desk('alice');
    await openChat(alice, 'María López');
    await see(alice, 'bob is here too.');
  });

  it('as long as any tab of theirs is', async () => {
    await office.customer('james', 'James Miller', 'Hello');
    const [alice, bob, tab] = await Promise.all(['alice', 'bob', 'bob'].map((name) => office.desk(name)));
    assert.ok(alice && bob && tab);
    for (const page of [alice, bob, tab]) await openChat(page, 'James Miller');
    await see(alice, 'bob is here too.');
    await tab.keyboard.press('Escape');
    await tab.keyboard.press('Escape');
    await see(tab, 'Choose a conversation.');
    await alice.waitForTimeout(300);
    await see(alice, 'bob is here too.');
    await bob.reload();
    await bob.locator('.lines .said').first().waitFor();
    await bob.keyboard.press('Escape');
    await bob.keyboard.press('Escape');
    await see(bob, 'Choose a conversation.');
    await miss(alice, 'bob is here too.');
  });
});
