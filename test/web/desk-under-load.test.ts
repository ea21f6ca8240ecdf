import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { Client } from '../support/client.ts';
import { answer, enter, miss, Office, openChat, say, scroll, see, shoot, textsOf } from '../support/desk.ts';
import { startProcess } from '../support/process.ts';
import { inFolder } from '../support/server.ts';
import { violationsOf } from '../support/visitor.ts';

let office: Office;

/** Measures how long a page's main thread has computed since, in seconds: its own time, however busy the machine is. */
async function busyTimer(page: Page): Promise<() => Promise<number>> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const total = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? assert.fail('not measured');
  };
  const before = await total();
  return async () => (await total()) - before;
}

describe('a desk of a thousand conversations', () => {
  const COUNT = 1_000;
  const RATE = 100;
  const SECONDS = 3;

  before(async () => {
    office = await Office.open();
    const token = await office.server.token('server', 'crm');
    const body = Array.from({ length: COUNT }, (_, n) => [
      { type: 'UPDATE_MSG', groupId: `c${n}`, user: 'customer', message: `I am number ${n}` },
      { type: 'UPDATE_USER', groupId: `c${n}`, message: { name: `Customer ${n}` } },
    ]).flat();
    for (const half of [body.slice(0, COUNT), body.slice(COUNT)]) {
      assert.equal((await office.server.http('POST', '/v1/events', { token, body: half })).status, 200);
    }
  });
  afterEach(() => office.pages.close());
  after(() => office.close());

  it('shows those in sight, and does not stutter while a hundred things a second happen', async (test) => {
    const page = await office.desk('alice');
    await see(page, `${COUNT} of ${COUNT}`);
    await page.getByRole('button', { name: 'Everybody' }).click();
    assert.ok((await page.locator('.row').count()) < 30);
    // A machine without a sound card takes most of a second to find that out, once, whatever the page does.
    await page.getByRole('button', { name: 'Sound' }).click();
    await openChat(page, 'Customer 500');
    await page.fill('#search', '');
    await page.evaluate(`
      globalThis.longest = 0;
      globalThis.frames = 0;
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
      }).observe({ type: 'longtask' });
      (function count() { frames += 1; requestAnimationFrame(count); })();
    `);
    const busy = await busyTimer(page);
    const crm = await office.server.server();
    const began = performance.now();
    for (let n = 0; n < RATE * SECONDS; n += 1) {
      const groupId = `c${(n * 7) % COUNT}`;
      crm.send('event', { type: 'UPDATE_MSG', groupId, user: 'customer', message: `happening ${n}` });
      if (n % 10 === 0) await scroll(page, '.rows', ((n * 97) % COUNT) * 88);
      // What is measured is what happens at this rate.
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + n * (1000 / RATE) - performance.now())));
    }
    await crm.settled();
    await scroll(page, '.rows', 0);
    await see(page, `happening ${RATE * SECONDS - 1}`);
    const [longest, frames] = await page.evaluate<[number, number]>('[longest, frames]');
    const seconds = (performance.now() - began) / 1000;
    const load = (await busy()) / seconds;
    test.diagnostic(
      `longest task ${longest} ms (0: none over 50), ${(frames / seconds).toFixed(0)} frames a second, ${(load * 100).toFixed(0)} % of a core`,
    );
    // The first is a bound on hanging, for a machine with other things to do; the second is of this page alone.
    assert.ok(longest < 500, `a task took ${longest} ms`);
    assert.ok(load < 0.5, `the page was busy for ${load} of the time`);
    await shoot(page, 'desk-thousand');

    await page.fill('#search', 'customer 777');
    await see(page, `1 of ${COUNT}`);
    await page.fill('#search', 'nobody is called this');
    await see(page, 'No conversation is like this.');
  });
});

describe('a desk whose server is killed', () => {
  before(async () => {
    office = await Office.open();
  });
  afterEach(() => office.pages.close());
  after(() => office.close());

  it('keeps what was written and what was sent, and goes on when the server is back', () =>
    inFolder(async (folder) => {
      const env = { DATABASE_URL: `sqlite:${folder}/telle.db`, AUTH_SECRET: 'a secret that only this test knows' };
      const first = await startProcess({ env });
      // The link that the server prints for the dealer `demo`: there is nothing secret in it.
      const [, link = ''] = await first.says(/An agent: {2}(\S+)/);
      const { url, http } = first;
      const dial = async () => {
        const socket = new WebSocket(url);
        const client = new Client(socket);
        await once(socket, 'open');
        return client;
      };
      const join = { type: 'CLIENT_JOIN', dealerId: 'demo', groupId: 'kim' };
      const before = await dial();
      before.send('client_join', join);
      const { token } = (await before.next('session')).payload;
      await say(before, 'Are you there?');

      const page = await office.pages.open(link);
      await enter(page);
      await openChat(page, 'Visitor kim');
      await answer(page, 'Said before');
      await before.next((frame) => frame.payload.message === 'Said before');
      await first.kill();
      await see(page, 'Offline');
      await answer(page, 'Said while it was away');
      await see(page, 'Waiting for the connection');
      await page.fill('#answer', 'Not sent yet');
      await shoot(page, 'desk-offline');
      assert.deepEqual(await violationsOf(page), []);

      const second = await startProcess({ env: { ...env, PORT: new URL(http).port } });
      try {
        const kim = await dial();
        kim.send('client_join', { ...join, token, since: { kim: 0 } });
        await kim.next((frame) => frame.payload.message === 'Said while it was away');
        await see(page, 'Connected');
        await miss(page, 'Waiting for the connection');
        assert.deepEqual(await textsOf(page, '.lines .text'), [
          'Are you there?',
          'Said before',
          'Said while it was away',
        ]);
        await say(kim, 'Good to have you back');
        await page.locator('.lines').getByText('Good to have you back').waitFor();

        // A reload while something waits: it is sent once, by the page that comes after.
        await page.context().setOffline(true);
        await see(page, 'Offline');
        await answer(page, 'Said before a reload');
        await page.fill('#answer', 'Not sent yet');
        await page.context().setOffline(false);
        await page.reload();
        await kim.next((frame) => frame.payload.message === 'Said before a reload');
        await page.locator('.lines').getByText('Said before a reload').waitFor();
        assert.equal(await page.inputValue('#answer'), 'Not sent yet');
        await kim.settled();
        const texts = kim.frames
          .map(({ payload }) => payload.message)
          .filter((text) => text === 'Said before a reload');
        assert.equal(texts.length, 1);
        await kim.close();
      } finally {
        await second.kill();
      }
    }));
});
