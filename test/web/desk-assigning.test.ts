/** Whose a conversation is: taken over, given away, let go of, and never answered by two unknowing. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { answer, miss, Office, openChat, row, see, shoot, textsOf } from '../support/desk.ts';
import { DEALER } from '../support/server.ts';
import { violationsOf } from '../support/visitor.ts';

let office: Office;

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
const standing = (page: Page, text: string) => page.locator('.standing').getByText(text).waitFor();
const wide = { viewport: { width: 1280, height: 800 } };

describe('a conversation at the desk', () => {
  before(async () => {
    office = await Office.open({
      settings: { AUTO_ASSIGN: 'on' },
      timing: { presenceGrace: 20, sweepInterval: 50 },
    });
    await office.server.store.putDealer(DEALER, { origins: ['*'], bot: true });
  });
  afterEach(() => office.pages.close());
  after(() => office.close());

  it('is taken over, from the bot and from a colleague, given to one who is here, and handed back', async () => {
    const ines = await office.customer('ines', 'Ines Prado', 'Hello?');
    const [alice, bob] = await Promise.all([office.desk('alice', wide), office.desk('bob', wide)]);
    await openChat(alice, 'Ines Prado');
    await openChat(bob, 'Ines Prado');
    await standing(alice, 'Assigned to nobody.');
    await press(alice, 'Take over');
    assert.equal((await ines.next('ASSIGNED')).payload.assignee, 'alice');
    assert.equal((await ines.next('MUTE_STATUS')).payload.adminId, 'alice');
    await standing(alice, 'Assigned to You.');
    await standing(bob, 'Assigned to Agent alice.');
    await see(bob, 'Agent alice took the conversation');

    await press(bob, 'Take over');
    await standing(alice, 'Assigned to Agent bob.');
    await standing(alice, 'bob has taken over: the bot is silent.');

    await press(bob, 'Transfer');
    await bob.getByRole('dialog').getByRole('button', { name: 'alice' }).waitFor();
    assert.deepEqual(await violationsOf(bob), []);
    await shoot(bob, 'desk-transfer');
    await bob.getByRole('dialog').getByRole('button', { name: 'alice' }).click();
    await standing(alice, 'Assigned to You.');
    await see(alice, 'Agent bob gave the conversation to You');
    await shoot(alice, 'desk-assigned');

    await press(alice, 'Hand back to the bot');
    await standing(bob, 'Assigned to nobody.');
    await standing(bob, 'The bot answers.');
  });

  it('is taken back where taking over is undone', async () => {
    await office.customer('jon', 'Jon Vega', 'Hello?');
    const alice = await office.desk('alice');
    await openChat(alice, 'Jon Vega');
    await press(alice, 'Take over');
    await standing(alice, 'Assigned to You.');
    await press(alice, 'Undo');
    await standing(alice, 'Assigned to nobody.');
    await standing(alice, 'The bot answers.');
  });

  it('is offered to whoever is here, though they have no conversation open, and no longer once they have left', async () => {
    await office.customer('max', 'Max Berg', 'Hello?');
    const alice = await office.desk('alice', wide);
    await openChat(alice, 'Max Berg');
    const early = await office.desk('carol', wide);
    await see(alice, 'Also here: carol');
    const late = await office.desk('bob', wide);
    await see(late, 'Also here: alice, carol');
    await press(alice, 'Transfer');
    const names = alice.getByRole('dialog').getByRole('button', { name: /bob|carol/ });
    await names.nth(1).waitFor();
    assert.deepEqual(await names.allTextContents(), ['bob', 'carol']);
    await early.close();
    await miss(alice, 'Also here: bob, carol');
    await see(alice, 'Also here: bob');
  });

  it('says where no colleague is here to take it', async () => {
    await office.customer('kim', 'Kim Lund', 'Hello?');
    const alice = await office.desk('alice', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    await openChat(alice, 'Kim Lund');
    await shoot(alice, 'desk-assigned-phone-dark');
    await press(alice, 'Transfer');
    await see(alice, 'Nobody else is here to take it.');
    await alice.keyboard.press('Escape');
    await miss(alice, 'Nobody else is here to take it.');
  });

  it('is not answered by two who do not know of each other: the second is told, and keeps the text', async () => {
    const lea = await office.customer('lea', 'Lea Moor', 'What does it cost?');
    const [alice, bob] = await Promise.all([office.desk('alice', wide), office.desk('bob', wide)]);
    await openChat(alice, 'Lea Moor');
    await openChat(bob, 'Lea Moor');
    await bob.fill('#answer', 'Ten thousand');
    await bob.context().setOffline(true);
    await see(bob, 'Offline');
    await bob.press('#answer', 'Enter');
    await answer(alice, 'Twelve thousand');
    await standing(alice, 'Assigned to You.');
    await bob.context().setOffline(false);
    await bob.locator('.lines').getByText('Twelve thousand').waitFor();
    await see(bob, 'Not sent: it is alice’s by now.');
    await bob.locator('.unsent').getByText('Ten thousand').waitFor();
    await shoot(bob, 'desk-conflict');
    await lea.settled();
    assert.deepEqual(
      lea.frames.filter(({ payload }) => payload.type === 'CHAT_MSG').map(({ payload }) => payload.message),
      ['Twelve thousand'],
    );
    await press(bob, 'Try again');
    await lea.next(({ payload }) => payload.message === 'Ten thousand');
  });

  it('is not taken from a colleague by who has not seen that it is theirs', async () => {
    await office.customer('mia', 'Mia Roth', 'Hello?');
    const bob = await office.desk('bob');
    await openChat(bob, 'Mia Roth');
    await bob.context().setOffline(true);
    await see(bob, 'Offline');
    await press(bob, 'Take over');
    const crm = await office.server.server();
    await crm.ask('event', { type: 'ASSIGN', groupId: 'mia', assignee: 'alice' });
    await bob.context().setOffline(false);
    await see(bob, 'That was not done: the conversation is not whose you saw.');
    await standing(bob, 'Assigned to Agent alice.');
  });

  it('takes two answers of one agent, the second before anything is heard of the first', async () => {
    const noa = await office.customer('noa', 'Noa Feld', 'Hello?');
    const alice = await office.desk('alice');
    await openChat(alice, 'Noa Feld');
    await alice.context().setOffline(true);
    await see(alice, 'Offline');
    await answer(alice, 'One');
    await answer(alice, 'Two');
    await alice.context().setOffline(false);
    await noa.next(({ payload }) => payload.message === 'Two');
    await miss(alice, 'Sending…');
    assert.deepEqual(await textsOf(alice, '.said.mine .text'), ['One', 'Two']);
    assert.equal(await row(alice, 'Noa Feld').count(), 1);
  });

  it('goes back to the bot by itself, and says why', async () => {
    await office.server.store.putDealer(DEALER, { origins: ['*'], bot: true, handBackAfter: { seconds: 1 } });
    await office.customer('ola', 'Ola Berg', 'Hello?');
    const alice = await office.desk('alice');
    await openChat(alice, 'Ola Berg');
    await press(alice, 'Take over');
    await see(alice, 'The bot may speak again: no agent had answered');
    await standing(alice, 'Assigned to nobody.');
  });
});
