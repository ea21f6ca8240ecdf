import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { plainName } from '../../src/web/desk/names.ts';
import { answer, enter, miss, Office, openChat, row, say, scroll, see, shoot, tell, textsOf } from '../support/desk.ts';
import { HOSTILE } from '../support/hostile.ts';
import { violationsOf } from '../support/visitor.ts';

let office: Office;

describe('the desk', () => {
  before(async () => {
    office = await Office.open({ timing: { presenceGrace: 20 } });
    await office.customer('maria', 'María López', 'Is the blue one still there?');
  });
  afterEach(() => office.pages.close());
  after(() => office.close());

  describe('signs in', () => {
    it('by a link, whose code leaves the address bar, and whose token is kept for this tab alone', async () => {
      const page = await office.desk('alice');
      await see(page, 'alice at d1');
      await see(page, 'Connected');
      assert.equal(page.url(), `${office.http}/desk`);
      const kept = await page.evaluate(
        '[Object.keys(sessionStorage), localStorage.length, document.cookie, history.length]',
      );
      assert.deepEqual(kept, [['telle.desk/token'], 0, '', 2]);
      await page.reload();
      await see(page, 'María López');
    });

    it('by what is pasted, and not by what is no admin’s token', async () => {
      const page = await office.pages.open(`${office.http}/desk`);
      await shoot(page, 'desk-sign-in');
      assert.deepEqual(await violationsOf(page), []);
      for (const wrong of ['hello', 'a.b.c', await office.server.token('customer', 'maria')]) {
        await page.fill('#token', wrong);
        await page.keyboard.press('Enter');
        await see(page, 'This is not the token of an admin');
      }
      await page.fill('#token', office.linkOf('alice'));
      await page.keyboard.press('Enter');
      await enter(page);
      await see(page, 'María López');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await see(page, 'You have signed out.');
      assert.equal(await page.evaluate('sessionStorage.length'), 0);
    });

    it('again when the token has expired, with what was being written', async () => {
      const page = await office.pages.open(office.linkOf('alice', { ttl: 8 }));
      await enter(page);
      await openChat(page, 'María López');
      await page.fill('#answer', 'Half an answer');
      await see(page, 'Your sign-in is over');
      await shoot(page, 'desk-sign-in-again');
      await page.fill('#token', await office.server.token('admin', 'alice'));
      await page.keyboard.press('Enter');
      await page.locator('#answer').waitFor();
      assert.equal(await page.inputValue('#answer'), 'Half an answer');
    });

    it('not by a token that nobody has signed', async () => {
      const [head, claims] = office.server.token('admin', 'alice').split('.');
      const page = await office.pages.open(`${office.http}/desk`);
      await page.fill('#token', `${head}.${claims}.AAAA`);
      await page.keyboard.press('Enter');
      await see(page, 'Your sign-in is over, or was refused');
    });
  });

  describe('carries a conversation', () => {
    it('in which the bot falls silent when the agent answers, and speaks when it is handed back', async () => {
      const carla = await office.customer('carla', 'Carla Rossi', 'Good morning');
      const { say: botSays } = await office.bot();
      const page = await office.desk('alice');
      await openChat(page, 'Carla Rossi');
      assert.equal(await botSays('carla', 'Good morning! I am a bot.'), 'ack');
      await see(page, 'I am a bot.');
      await see(page, 'The bot answers. Your message silences it.');

      await answer(page, 'And I am Alice.');
      assert.equal((await carla.next('MUTE_STATUS')).payload.adminId, 'alice');
      assert.equal(
        (await carla.next((frame) => frame.payload.adminId === 'alice' && frame.payload.message)).payload.muted,
        true,
      );
      await see(page, 'You have taken over: the bot is silent.');
      await see(page, 'You took over: the bot is silent');
      assert.equal(await botSays('carla', 'Me again'), 'bot_muted');
      await shoot(page, 'desk-chat');

      await page.getByRole('button', { name: 'Hand back to the bot' }).click();
      await see(page, 'The bot answers. Your message silences it.');
      assert.equal(await botSays('carla', 'Back again'), 'ack');
      await see(page, 'Back again');
      await page.getByRole('button', { name: 'Take over' }).click();
      await see(page, 'You have taken over: the bot is silent.');

      await page.getByRole('button', { name: 'Close', exact: true }).click();
      await see(page, 'Closed. A message opens it again.');
      await row(page, 'Carla Rossi').waitFor({ state: 'hidden' });
      await say(carla, 'One more thing');
      await see(page, 'The bot answers. Your message silences it.');
      await row(page, 'Carla Rossi').waitFor();
    });

    it('with who types and who has read, both ways', async () => {
      const dora = await office.customer('dora', 'Dora Novak', 'Hello?');
      const page = await office.desk('alice');
      await see(page, 'Dora Novak');
      assert.match((await row(page, 'Dora Novak').textContent()) ?? '', /1 unread/);
      await openChat(page, 'Dora Novak');
      assert.equal((await dora.next('READ')).payload.adminId, 'alice');
      await row(page, 'Dora Novak').getByText('unread').waitFor({ state: 'hidden' });

      dora.send('typing', { type: 'TYPING', groupId: 'dora', typing: true });
      await see(page, 'Dora Novak is typing…');
      dora.send('typing', { type: 'TYPING', groupId: 'dora', typing: false });
      await miss(page, 'Dora Novak is typing…');

      await page.locator('#answer').pressSequentially('Yes');
      assert.equal((await dora.next('TYPING')).payload.typing, true);
      await page.press('#answer', 'Enter');
      assert.equal((await dora.next('TYPING')).payload.typing, false);
      const { seq } = await dora.next('CHAT_MSG');
      await dora.ask('read', { type: 'READ', groupId: 'dora', seq });
      await page.locator('.said .meta', { hasText: /^Read$/ }).waitFor();
    });

    it('with the profile, the lead, the intents and the pages of the customer, as they become known', async () => {
      const emil = await office.customer('emil', 'Emil Berg', 'I look around');
      const page = await office.desk('alice');
      await openChat(page, 'Emil Berg');
      await tell(emil, 'UPDATE_PAGEVIEW', { url: 'https://cars.example/wagon', title: 'The blue wagon' });
      await row(page, 'Emil Berg').getByText('On The blue wagon').waitFor();
      await tell(emil, 'UPDATE_LEAD', { status: 'new', vehicle: { make: 'Volvo' } });
      await tell(emil, 'UPDATE_USER', { name: 'Emil von Berg', phone: '+49 555 0100' });
      await tell(emil, 'CREATE_LEAD_INTENT', { intent: 'test_drive', preferredTime: 'Saturday' });
      await tell(emil, 'UPDATE_LEAD_INTENT', { intent: 'test_drive', status: 'won' });
      await page.getByRole('heading', { name: 'Emil von Berg' }).waitFor();
      const details = page.getByRole('complementary');
      for (const text of [
        '+49 555 0100',
        'vehicle · make',
        'Volvo',
        'test drive',
        'won',
        'Saturday',
        'The blue wagon',
      ]) {
        await details.getByText(text).first().waitFor();
      }
      const live = await details.innerText();
      await shoot(page, 'desk-details');
      await page.reload();
      await details.getByText('won').waitFor();
      await details.getByText('The blue wagon').waitFor();
      assert.equal(await details.innerText(), live);
    });

    it('whose earlier pages come when one scrolls up', async () => {
      const fred = await office.customer('fred', 'Fred Olsen', 'number 0');
      const crm = await office.server.server();
      for (let n = 1; n <= 130; n += 1) {
        const user = n % 2 === 0 ? 'customer' : 'bot';
        await crm.ask('event', { type: 'UPDATE_MSG', groupId: 'fred', user, message: `number ${n}` });
      }
      const page = await office.desk('alice');
      await openChat(page, 'Fred Olsen');
      await page.getByText('number 130', { exact: true }).first().waitFor();
      assert.equal(await page.getByText('number 0', { exact: true }).count(), 0);
      for (const first of ['number 60', 'number 10', 'number 0']) {
        await scroll(page, '.lines', 0);
        await page.locator('.lines').getByText(first, { exact: true }).waitFor();
      }
      assert.equal(await page.locator('.lines .text').count(), 131);
      await say(fred, 'the end');
      await page.getByRole('button', { name: 'To the latest' }).click();
      await page.locator('.lines').getByText('the end', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'To the latest' }).waitFor({ state: 'hidden' });
    });

    it('that is gone when it is erased', async () => {
      await office.customer('gina', 'Gina Weiss', 'Forget me');
      const page = await office.desk('alice');
      await openChat(page, 'Gina Weiss');
      await page.fill('#answer', 'I will');
      const token = await office.server.token('admin', 'alice');
      assert.equal((await office.server.http('DELETE', '/v1/dealers/d1/groups/gina', { token })).status, 200);
      await see(page, 'This conversation is not there any more');
      await row(page, 'Gina Weiss').waitFor({ state: 'hidden' });
      assert.equal(await page.getByText('Forget me').count(), 0);
      assert.deepEqual(await page.evaluate('Object.keys(sessionStorage)'), ['telle.desk/token']);
    });
  });

  it('says who else is there, who has taken over, and what was announced', async () => {
    const hugo = await office.customer('hugo', 'Hugo Blanc', 'Anybody?');
    const [alice, bob] = await Promise.all([office.desk('alice'), office.desk('bob')]);
    await openChat(alice, 'Hugo Blanc');
    await openChat(bob, 'Hugo Blanc');
    await see(alice, 'bob is here too.');
    await see(bob, 'alice is here too.');
    await bob.locator('#answer').pressSequentially('W');
    await see(alice, 'bob is typing…');
    await answer(bob, 'We are two.');
    await see(alice, 'bob has taken over: the bot is silent.');
    await row(alice, 'Hugo Blanc').getByText('Taken over by bob').waitFor();
    await alice.getByRole('button', { name: 'Mine' }).click();
    await row(alice, 'Hugo Blanc').waitFor({ state: 'hidden' });
    await row(bob, 'Hugo Blanc').waitFor();

    await bob.getByRole('button', { name: 'Announce' }).click();
    await bob.fill('#announcement', 'Open house on Saturday');
    await bob.getByRole('button', { name: 'Continue' }).click();
    await see(bob, 'Every customer of this dealer sees this');
    await shoot(bob, 'desk-announce');
    assert.deepEqual(await violationsOf(bob), []);
    await hugo.settled();
    assert.equal(hugo.frames.filter(({ payload }) => payload.type === 'SYS_MSG').length, 0);
    await bob.getByRole('button', { name: 'Announce to everybody' }).click();
    assert.equal((await hugo.next('SYS_MSG')).payload.message, 'Open house on Saturday');
    await see(alice, 'bob announced to everybody: Open house on Saturday');

    await bob.keyboard.press('Escape');
    await bob.getByText('Choose a conversation.').waitFor();
    await miss(alice, 'bob is here too.');
  });

  it('shows what is hostile as text, wherever it is', async () => {
    const crm = await office.server.server();
    const wellFormed = HOSTILE.map((text) => Buffer.from(text).toString());
    const put = async (payload: object) => assert.equal((await crm.ask('event', payload)).channel, 'ack');
    for (const [index, text] of wellFormed.entries()) {
      const groupId = `hostile-${index}`;
      await put({ type: 'UPDATE_MSG', groupId, user: 'customer', message: text });
      await put({ type: 'UPDATE_USER', groupId, message: { name: text } });
      await put({ type: 'UPDATE_PAGEVIEW', groupId, message: { title: text, url: text } });
      await put({ type: 'UPDATE_MSG', groupId: 'hostile', user: index % 2 ? 'bot' : 'customer', message: text });
      await put({ type: 'UPDATE_PAGEVIEW', groupId: 'hostile', message: { title: text, url: text, referrer: text } });
      await put({
        type: 'UPDATE_LEAD',
        groupId: 'hostile',
        message: { [text]: text, comments: text, vehicle: { make: text } },
      });
    }
    await put({ type: 'UPDATE_USER', groupId: 'hostile', message: { name: '<img src=x onerror=alert(1)>' } });
    await put({
      type: 'CREATE_LEAD_INTENT',
      groupId: 'hostile',
      message: { intent: '<svg/onload=alert(1)>', notes: '"><script>' },
    });
    const page = await office.desk('alice');
    await openChat(page, '<img src=x onerror=alert(1)>');
    for (let count = 0; count < wellFormed.length; ) {
      await scroll(page, '.lines', 0);
      count = await page.locator('.lines .text').count();
    }
    assert.deepEqual(await textsOf(page, '.lines .text'), wellFormed);
    const [details] = await textsOf(page, '.details');
    for (const text of wellFormed.slice(-50)) assert.ok(details?.includes(text), JSON.stringify(text));
    const names = new Set<string>();
    await page.fill('#search', 'hostile');
    for (let top = 0; top < 60 * 88; top += 600) {
      await scroll(page, '.rows', top);
      await page.evaluate('new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)))');
      for (const name of await textsOf(page, '.row .name')) names.add(name);
    }
    for (const text of wellFormed) assert.ok(!plainName(text) || names.has(plainName(text)), JSON.stringify(text));
    const foreign =
      'document.querySelectorAll("script:not([src=\'/desk.js\']), img, svg, iframe, object, [onload], [onerror]").length';
    assert.equal(await page.evaluate(foreign), 0);
    assert.equal(await page.locator('.details a').count(), 0);
    await shoot(page, 'desk-hostile');
  });
});
