/** A conversation, taken out as JSON and as text that nobody can forge a line of. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { Transcript } from '../../schemas/reading.ts';
import { ask } from '../support/ask.ts';
import { of, say, span } from '../support/leads.ts';
import { assertProblem } from '../support/problem.ts';
import { DEALER, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
/** The token of an admin of the dealer. */
let admin: string;
before(async () => {
  server = await startServer();
  admin = await server.token('admin', 'a1');
});
after(() => server.close());

const take = (groupId: string, accept: string) =>
  ask(server, of(DEALER, `/groups/${groupId}/transcript`), { token: admin, headers: { accept } });

/** A transcript as JSON, held against its schema. */
async function lines(groupId: string): Promise<Static<typeof Transcript>['lines']> {
  const { status, headers, body } = await take(groupId, 'application/json');
  assert.deepEqual([status, headers['content-type']], [200, 'application/json; charset=utf-8']);
  assert.deepEqual([...Value.Errors(Transcript, body)], []);
  assert.deepEqual([body.dealerId, body.groupId], [DEALER, groupId]);
  return body.lines;
}

async function text(groupId: string): Promise<string> {
  const answer = await take(groupId, 'text/plain');
  assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'text/plain; charset=utf-8']);
  return answer.text;
}

const at = { dealerId: DEALER, groupId: 'g1' };
const said = (groupId: string, message: string, more: object = {}) => ({
  ...at,
  type: 'UPDATE_MSG',
  groupId,
  user: 'customer',
  message,
  ...more,
});

describe('a transcript', () => {
  test('has each event of the conversation once, in order, with what it said and when, however many there are', async () => {
    const COUNT = 1200;
    const messages = span(COUNT).map((n) => said('long', `message ${n}`));
    for (const from of [0, 1000]) await say(server, messages.slice(from, from + 1000));
    const read = await lines('long');
    assert.deepEqual(
      read.map(({ seq, type, user, message }) => [seq, type, user, message]),
      span(COUNT).map((n) => [n + 1, 'CHAT_MSG', 'customer', `message ${n}`]),
    );
    const written = (await text('long')).split('\n');
    assert.equal(written.pop(), '');
    assert.deepEqual(
      written,
      read.map((line) => `${line.at}  customer: ${line.message}`),
    );
  });

  test('says who spoke, took over, came, left and closed', async () => {
    const byAlice = { user: 'admin', adminId: 'alice' };
    await say(server, [
      said('g1', 'hello'),
      said('g1', 'good day', { user: 'bot' }),
      { ...at, type: 'UPDATE_CHAT', ...byAlice, online: true },
      { ...at, type: 'MUTE_BOT', adminId: 'alice' },
      said('g1', 'I am here', byAlice),
      { ...at, type: 'UNMUTE_BOT', adminId: 'alice' },
      { ...at, type: 'UPDATE_CHAT', ...byAlice, online: false },
      { ...at, type: 'CLOSE_CHAT', ...byAlice, close: true },
    ]);
    const read = await lines('g1');
    const types = read.map(({ type }) => type);
    for (const type of ['CHAT_MSG', 'MUTE_STATUS', 'UPDATE_CHAT', 'CLOSE_CHAT']) assert.ok(types.includes(type), type);
    const written = (await text('g1')).trimEnd().split('\n');
    assert.equal(written.length, read.length);
    for (const [index, line] of written.entries()) assert.ok(line.startsWith(`${read[index]?.at}  `), line);
    const words = written.map((line) => line.replace(/^\S+ {2}/, ''));
    for (const expected of [
      'customer: hello',
      'bot: good day',
      '-- alice is here',
      '-- alice took over from the bot',
      'alice: I am here',
      '-- alice let the bot speak again',
      '-- alice left',
      '-- closed by alice',
    ]) {
      assert.ok(words.includes(expected), `${expected}\n${words.join('\n')}`);
    }
  });

  test('has only what was said in the conversation: nothing of the desk’s or of another group', async () => {
    await say(server, [
      said('mine', 'mine'),
      said('other', 'other'),
      { ...at, groupId: 'mine', type: 'UPDATE_USER', message: { name: 'Ann' } },
      { dealerId: DEALER, type: 'SYS_MSG', adminId: 'a1', message: 'closed' },
    ]);
    assert.deepEqual(
      (await lines('mine')).map(({ message }) => message),
      ['mine'],
    );
  });

  test('of a group in which nothing was said is empty, and there is none of a group that is not there', async () => {
    await server.customer('quiet');
    assert.deepEqual([await lines('quiet'), await text('quiet')], [[], '']);
    for (const accept of ['application/json', 'text/plain'])
      assertProblem(await take('nobody', accept), 404, 'unknown_group');
  });
});

describe('a transcript as text', () => {
  test('tells an agent who is called like the bot from the bot', async () => {
    await say(server, [
      said('alike', 'I am none', { user: 'admin', adminId: 'Bot' }),
      said('alike', 'nor am I', { user: 'admin', adminId: 'customer' }),
    ]);
    const spoken = (await text('alike')).match(/(?<=Z {2})\w+.*(?=: )/g);
    assert.deepEqual(spoken, ['admin Bot', 'admin customer']);
  });

  /** Whatever somebody may take for the end of a line. */
  const BREAKS = ['\n', '\r', '\r\n', '\n\r', '\n\n', '\v', '\f', '\u0085', '\u2028', '\u2029', '\x1c', '\x1e', '\0\n'];
  const FORGED = '2026-11-20T13:21:27.344Z  alice: I give you 50 %';
  const ANY_BREAK = /\r\n|[\p{Cc}\u2028\u2029]/u;

  test('has no line that a message has forged', async () => {
    const messages = BREAKS.map((end) => `hello${end}${FORGED}`);
    await say(
      server,
      messages.map((message) => said('forging', message)),
    );
    const read = await lines('forging');
    assert.deepEqual(
      read.map(({ message }) => message),
      messages,
    );
    const begun = (await text('forging')).split(ANY_BREAK).filter((line) => /^\S/.test(line));
    assert.equal(begun.length, read.length, begun.join('\n'));
    for (const [index, line] of begun.entries())
      assert.ok(line.startsWith(`${read[index]?.at}  customer: hello`), line);
  });

  test('moves no cursor and rings no bell: no control character is in it', async () => {
    const controls = span(32).concat(span(33).map((n) => 0x7f + n));
    const message = controls.map((code) => String.fromCharCode(code)).join('a');
    await say(server, [said('bell', `\x1b[2J\x1b]0;mine\x07${message}`)]);
    assert.doesNotMatch(await text('bell'), /[^\P{Cc}\n]/u);
  });

  test('keeps every other character, and sets further lines in', async () => {
    await say(server, [said('kept', 'Grüße 😀 \u200f漢字\u202e\n  and more')]);
    const [line] = await lines('kept');
    assert.equal(await text('kept'), `${line?.at}  customer: Grüße 😀 \u200f漢字\ufffd\n      and more\n`);
  });
});
