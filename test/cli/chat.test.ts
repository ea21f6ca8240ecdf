/** `telle chat`: both sides, through pipes and at a real terminal, and past a server that is killed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { WebSocket } from 'ws';
import { type Client, connect } from '../../src/client/index.ts';
import { freePort } from '../support/port.ts';
import { Process, type ServerProcess, SOURCE, startProcess, telle } from '../support/process.ts';
import { inFolder } from '../support/server.ts';
import { screenAfter, startAtTerminal } from '../support/terminal.ts';
import { Inbox, until } from '../support/until.ts';

const PATIENCE = 60_000;
const GROUP = 'g1';

/** An agent at the desk of the dealer demo, and all that is told of typing. */
async function agent(cwd: string, url: string): Promise<{ client: Client<'admin'>; typed: Inbox<boolean> }> {
  const made = await telle(['token', '--role', 'admin', '--dealer', 'demo', '--sub', 'bob'], {
    cwd,
    patience: PATIENCE,
  });
  const token = made.stdout.trim();
  const client = connect({ role: 'admin', url, dealerId: 'demo', adminId: 'bob', token, WebSocket });
  const typed = new Inbox<boolean>();
  client.on('TYPING_STATE', ({ user, typing }) => user === 'customer' && typed.put(typing));
  await new Promise<void>((resolve) => client.on('session', () => resolve()));
  return { client, typed };
}

/** The bot of the dealer demo: shows an answer as it grows in the chat, and says it. */
async function bot(cwd: string, url: string) {
  const made = await telle(['token', '--role', 'server', '--dealer', 'demo', '--sub', 'bot'], {
    cwd,
    patience: PATIENCE,
  });
  const client = connect({ role: 'server', url, dealerId: 'demo', token: made.stdout.trim(), WebSocket });
  await new Promise<void>((resolve) => client.on('session', () => resolve()));
  const of = { dealerId: 'demo', groupId: GROUP, user: 'bot' } as const;
  return {
    client,
    grow: (text: string) => client.send('event', { type: 'TYPING', ...of, typing: true, text }),
    stop: () => client.send('event', { type: 'TYPING', ...of, typing: false }),
    say: (message: string) => client.send('event', { type: 'UPDATE_MSG', ...of, message }),
  };
}

describe('telle chat', { timeout: 170_000 }, () => {
  it('lets a customer and an admin talk through pipes, past a server that is killed, and come back', () =>
    inFolder(async (cwd) => {
      const port = String(await freePort());
      const serve = (): Promise<ServerProcess> => startProcess({ cwd, patience: 150_000 }, ['--port', port]);
      let server = await serve();
      const start = (...args: string[]) =>
        new Process(SOURCE, ['chat', '--url', server.http, '--dealer', 'demo', ...args], { cwd, patience: 60_000 });
      const said = (chat: Process, text: string) => until(`"${text}"`, async () => chat.stderr.includes(text));
      try {
        const customer = start('--group', GROUP);
        await said(customer, '-- in the chat at demo\n');
        customer.tell('Is the blue one there?');
        customer.tell('/mute');
        customer.tell('/help');
        await customer.says(/-- only an admin mutes the bot\n/);
        await customer.says(/-- \/close closes the chat, .*\/quit leaves/);

        const admin = start('--group', GROUP, '--admin', 'alice');
        await admin.says(/customer: Is the blue one there\?\n/);
        await customer.says(/-- alice is here\n/);
        admin.tell('It is.');
        await customer.says(/-- alice took over from the bot\nalice: It is\.\n/);
        admin.tell('/unmute');
        await customer.says(/-- alice let the bot speak again\n/);
        admin.tell('/mute');
        await customer.says(/again\n-- alice took over from the bot\n/);

        await server.kill();
        await Promise.all([customer, admin].map((chat) => said(chat, '-- not connected: trying again in ')));
        customer.tell('Are you still there?');
        server = await serve();
        await admin.says(/customer: Are you still there\?\n/);
        admin.tell('\x1b[2JI am.');
        await customer.says(/alice: .*I am\.\n/);
        admin.tell('/close');
        await customer.says(/-- closed by alice\n/);
        admin.tell('/quit');
        assert.deepEqual(await admin.ended, { code: 0, signal: null });
        assert.equal(admin.stdout.match(/Are you still there/g)?.length, 1);
        assert.doesNotMatch(admin.stderr, /come back/, 'an admin has no token to keep');

        customer.tell('Thanks!');
        customer.hush();
        assert.deepEqual(await customer.ended, { code: 0, signal: null });
        const plain = customer.stdout.replaceAll('\n', '');
        assert.equal(plain, stripVTControlCharacters(plain), 'neither colours, nor what others have typed');
        assert.doesNotMatch(plain, /\p{Cc}/u);

        const [, flags = ''] =
          /-- to come back: telle chat (.+)\n/.exec(customer.stderr) ?? assert.fail(customer.stderr);
        const back = new Process(SOURCE, ['chat', ...flags.split(' ')], { cwd, patience: PATIENCE });
        await back.says(/Is the blue one there\?[\s\S]*alice: It is\.[\s\S]*I am\.\n[\s\S]*customer: Thanks!\n/);
        assert.deepEqual(await back.kill('SIGINT'), { code: 0, signal: null });

        const stranger = start('--group', GROUP);
        const refused = await stranger.ended;
        assert.deepEqual([refused.code, stranger.stdout], [1, '']);
        assert.match(stranger.stderr, /^telle: the server ended it: .+\n$/);
      } finally {
        await server.kill();
      }
    }));

  it('numbers the choices that are offered, and takes the one whose number is typed, once [P-18.1]', () =>
    inFolder(async (cwd) => {
      const server = await startProcess({ cwd, patience: 150_000 });
      const { client } = await agent(cwd, server.url);
      const answers = new Inbox<readonly unknown[]>();
      client.on('CHAT_MESSAGE', ({ user, message, replyTo, value }) => {
        if (user === 'customer') answers.put([message, replyTo, value]);
      });
      try {
        const args = ['chat', '--url', server.http, '--dealer', 'demo', '--group', GROUP];
        const chat = new Process(SOURCE, args, { cwd, patience: PATIENCE });
        await until('it is in the chat', async () => chat.stderr.includes('-- in the chat at demo'));
        const cards = [
          { title: 'Blue', choices: [{ label: 'Test drive' }] },
          { title: 'Red', choices: [{ label: 'Price', value: 'p' }] },
        ];
        const content = { kind: 'cards', cards } as const;
        const { seq } = await client.send('admin_message', {
          type: 'UPDATE_MSG',
          groupId: GROUP,
          message: 'Look',
          content,
        });
        await chat.says(/bob: Look\n {4}Blue\n {4}1\. Test drive\n {4}Red\n {4}2\. Price\n/);
        for (const [index, typed] of ['3', '2', '2'].entries()) {
          chat.tell(typed);
          await answers.first(index + 1);
        }
        assert.deepEqual(await answers.first(3), [
          ['3', undefined, undefined],
          ['Price', seq, 'p'],
          ['2', undefined, undefined],
        ]);
        await chat.kill('SIGINT');
      } finally {
        client.close();
        await server.kill();
      }
    }));

  it('has a prompt, colours and typing at a terminal', () =>
    inFolder(async (cwd) => {
      const server = await startProcess({ cwd, patience: 150_000 });
      const { client, typed } = await agent(cwd, server.url);
      try {
        const args = ['chat', '--url', server.http, '--dealer', 'demo', '--group', GROUP];
        const chat = startAtTerminal(args, { cwd, patience: PATIENCE });
        await chat.says(/> /);
        await chat.says(/-- in the chat at demo/);
        chat.type('Hel');
        assert.deepEqual(await typed.first(1), [true]);
        const heard = new Promise<string>((resolve) => client.on('CHAT_MESSAGE', ({ message }) => resolve(message)));
        chat.type('lo\r');
        assert.equal(await heard, 'Hello');
        await client.send('admin_message', { type: 'UPDATE_MSG', groupId: GROUP, message: 'Good morning' });
        const cyan = '\x1b[36mbob: Good morning\x1b[39m';
        await until('it is painted', async () => chat.stdout.includes(cyan));
        await until('there is a prompt again', async () => chat.stdout.slice(chat.stdout.indexOf(cyan)).includes('> '));
        chat.type('x');
        await typed.first(3);
        chat.type('\x7f');
        assert.deepEqual(await typed.first(4), [true, false, true, false], 'what is sent, or erased, is not typed');
        chat.type('/quit\r');
        const { code } = await chat.ended;
        assert.equal(code, 0, chat.stdout);
        assert.match(chat.stdout, /-- to come back: telle chat /);
      } finally {
        client.close();
        await server.kill();
      }
    }));

  it('writes of an answer that grows, into a pipe, the message alone [P-18.2]', () =>
    inFolder(async (cwd) => {
      const server = await startProcess({ cwd, patience: 150_000 });
      const { client, grow, stop, say } = await bot(cwd, server.url);
      try {
        const args = ['chat', '--url', server.http, '--dealer', 'demo', '--group', GROUP];
        const chat = new Process(SOURCE, args, { cwd, patience: PATIENCE });
        await until('it is in the chat', async () => chat.stderr.includes('-- in the chat at demo'));
        for (const text of ['It', 'It is', 'It is blue']) await grow(text);
        await stop();
        await grow('It is blue');
        await say('It is blue.');
        await chat.says(/bot: It is blue\.\n/);
        assert.equal(chat.stdout, 'bot: It is blue.\n');
        await chat.kill('SIGINT');
      } finally {
        client.close();
        await server.kill();
      }
    }));

  it('rewrites an answer that grows above what is being typed at a terminal, until its message is there [P-18.2]', () =>
    inFolder(async (cwd) => {
      const server = await startProcess({ cwd, patience: 150_000 });
      const { client, grow, stop, say } = await bot(cwd, server.url);
      try {
        const args = ['chat', '--url', server.http, '--dealer', 'demo', '--group', GROUP];
        const chat = startAtTerminal(args, { cwd, patience: PATIENCE });
        const shows = (...lines: string[]) =>
          until(`it shows ${lines}`, async () => screenAfter(chat.stdout).join('|').endsWith(lines.join('|')));
        await chat.says(/-- in the chat at demo/);
        chat.type('And');
        await grow('It');
        await shows('bot: It', '> And');
        await grow(`It is\n\x1b[2J${'very '.repeat(60)}blue`);
        await until('it grows on its row', async () =>
          /\|…[^|]{194}blue\|> And$/.test(screenAfter(chat.stdout).join('|')),
        );
        chat.type(` ${'so'.repeat(120)}`);
        await shows('so'.repeat(23));
        await grow('It is blue');
        await shows('bot: It is blue', `> And ${'so'.repeat(97)}`, 'so'.repeat(23));
        chat.type('\r');
        await shows(`${'so'.repeat(23)}`, '> ');
        await grow('It is blue,');
        await shows('bot: It is blue,', '> ');
        await say('It is blue, and yours');
        await shows('bot: It is blue, and yours', '> ');
        await grow('Or');
        await shows('bot: It is blue, and yours', 'bot: Or', '> ');
        await stop();
        await shows('bot: It is blue, and yours', '> ');
        chat.type('/quit\r');
        assert.equal((await chat.ended).code, 0);
      } finally {
        client.close();
        await server.kill();
      }
    }));
});
