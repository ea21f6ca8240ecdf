/** [P-22.3] The widget where a proxy lets no WebSocket through: the customer notices nothing. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { BlockingProxy } from '../support/blocking-proxy.ts';
import { openChat, say, seen, texts, write } from '../support/chat-page.ts';
import type { Client } from '../support/client.ts';
import { fromCustomer, Showroom } from '../support/showroom.ts';
import { until } from '../support/until.ts';
import { visit, Website } from '../support/visitor.ts';

let room: Showroom;
let agent: Client;
let proxy: BlockingProxy;
let site: Website;

before(async () => {
  room = await Showroom.open();
});
beforeEach(async () => {
  agent = await room.agent('alice');
  proxy = await BlockingProxy.to(room.origin);
  site = await Website.open(proxy.origin);
});
afterEach(async () => {
  site.close();
  await proxy.close();
});
after(() => room?.close());

/** A visitor whose browser complains of every WebSocket, and of what is cut. */
const onSite = (use: (page: Page) => Promise<void>) =>
  visit(
    { browser: room.browser, origins: [site.origin, proxy.origin], allowed: /WebSocket|net::ERR/ },
    async (visitor) => {
      const page = await visitor.newPage();
      await page.goto(site.origin);
      await openChat(page);
      await use(page);
    },
  );

describe('[P-22.3] a widget behind a proxy that refuses WebSockets', { timeout: 120_000 }, () => {
  test('sends, and is answered', () =>
    onSite(async (page) => {
      const groupId = await say(page, agent, 'Is the blue one still there?');
      await agent.ask('admin_message', { type: 'UPDATE_MSG', groupId, message: 'It is.' });
      await seen(page, 'It is.');
      assert.equal(proxy.count('GET /stream'), 1);
    }));

  test('keeps what is written while nothing goes through, and shows what was said meanwhile, each once', () =>
    onSite(async (page) => {
      const groupId = await say(page, agent, 'Hello');
      proxy.cut();
      await write(page, 'Are you there?');
      await seen(page, 'Sending…');
      await agent.ask('admin_message', { type: 'UPDATE_MSG', groupId, message: 'I am.' });
      proxy.mend();
      await page.evaluate(`dispatchEvent(new Event('online'))`); // or a pause may be as long as the test's patience
      await agent.next((frame) => fromCustomer(frame) && frame.payload.message === 'Are you there?');
      await page.getByText('Sending…').waitFor({ state: 'detached' });
      await seen(page, 'I am.');
      assert.deepEqual((await texts(page)).sort(), ['Are you there?', 'Hello', 'I am.']);
      assert.equal(agent.frames.filter(fromCustomer).filter(({ scope }) => scope === groupId).length, 2);
    }));

  test('is there for the agent as long as the page is, and no longer', () =>
    onSite(async (page) => {
      const groupId = await say(page, agent, 'Hello');
      await page.close();
      const isGone = () =>
        agent.frames.some(
          ({ channel, payload }) => channel === 'CHAT_STATE' && payload.groupId === groupId && payload.online === false,
        );
      await until('the agent is told', async () => isGone());
    }));
});
