/** `telle tail`: every event of a dealer, as lines or as frames, until it is interrupted. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { command } from '../support/command.ts';
import { Process, SOURCE } from '../support/process.ts';
import { DEALER, inFolder, startServer, type TestServer } from '../support/server.ts';
import { intoHead } from '../support/terminal.ts';
import { until } from '../support/until.ts';

const PATIENCE = 60_000;

/** Clears a screen, sets a title, rings, turns text around, and begins a line that looks like another event. */
const HOSTILE = '\x1b[2J\x1b]0;owned\x07 \u202eevil\u202c \x9b31m\r\nalice: forged';

describe('telle tail', { timeout: 120_000 }, () => {
  let server: TestServer;
  let url = '';
  let token = '';

  before(async () => {
    server = await startServer();
    url = `http://${await server.listen()}`;
    token = await server.token('server', 'crm');
  });
  after(() => server.close());

  const args = (...more: string[]) => ['tail', '--dealer', DEALER, '--url', url, '--token', token, ...more];
  const listening = (tail: Process) => until('it listens', async () => tail.stderr.includes('-- listening at d1\n'));
  const publish = (body: object) => server.http('POST', '/v1/events', { token, body });
  const say = (groupId: string, message: string) =>
    publish({ type: 'UPDATE_MSG', dealerId: DEALER, groupId, user: 'customer', message });

  it('writes lines, or with --json the frames, without colours or what steers a terminal, and ends with 0', () =>
    inFolder(async (cwd) => {
      const start = (...more: string[]) => new Process(SOURCE, args(...more), { cwd, patience: PATIENCE });
      const [asLines, asFrames] = [start(), start('--json')];
      await Promise.all([asLines, asFrames].map(listening));
      const admin = await server.admin('a1');
      await say('g1', 'Hello');
      await say('g1', HOSTILE);
      await publish({ type: 'UPDATE_USER', dealerId: DEALER, groupId: 'g1', message: { name: HOSTILE } });
      await admin.ask('mute_bot', { type: 'MUTE_BOT', groupId: 'g1' });
      await admin.ask('sys_message', { type: 'SYS_MSG', message: 'We close at six' });
      admin.send('typing', { type: 'TYPING', groupId: 'g1', typing: true });
      await asLines.says(/a1 is typing\n/);
      const growing = {
        type: 'TYPING',
        dealerId: DEALER,
        groupId: 'g2',
        user: 'bot',
        typing: true,
        text: 'It is\nbl\x1b',
      };
      await say('g2', 'Hello');
      await publish(growing);
      await asLines.says(/bl\ufffd\n/);
      await asFrames.says(/"text":.*\n/);

      const [time, zone] = ['\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}', 'Z'];
      const line = (rest: string) => new RegExp(`^${time}${zone} ${rest}$`, 'm');
      for (const rest of [
        'd1 #1 -- a1 is here',
        'd1 g1 #1 customer: Hello',
        'd1 g1 #3 -- a1 took over from the bot',
        'd1 #1 a1 to everybody: We close at six',
        'd1 g1 -- a1 is typing',
        'd1 g2 -- bot is typing: It is\n    bl\ufffd',
      ]) {
        assert.match(asLines.stdout, line(rest));
      }
      const plain = asLines.stdout.replaceAll('\n', '');
      assert.equal(plain, stripVTControlCharacters(plain), 'no colours where no terminal is');
      assert.doesNotMatch(plain, /[\p{Cc}\u202a-\u202e]/u);
      assert.doesNotMatch(asLines.stdout, /^alice/m);

      const frames = asFrames.stdout
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text));
      assert.doesNotMatch(asFrames.stdout.replaceAll('\n', ''), /[\p{Cc}\u202a-\u202e]/u);
      const { frames: got } = admin;
      const said = ({ payload }: { payload: { message?: string } }) => payload.message === HOSTILE;
      assert.deepEqual(frames.find(said), got.find(said), 'the frame is as admins get it');
      assert.deepEqual(frames.at(-1), { channel: 'TYPING_STATE', payload: growing });

      for (const [tail, signal] of [
        [asLines, 'SIGINT'],
        [asFrames, 'SIGTERM'],
      ] as const) {
        assert.deepEqual(await tail.kill(signal), { code: 0, signal: null });
        assert.equal(tail.stderr, '-- listening at d1\n');
      }
    }));

  it('ends quietly where its reader has gone', () =>
    inFolder(async (cwd) => {
      const tail = intoHead(args('--json'), { cwd, patience: PATIENCE });
      await listening(tail);
      let isOver = false;
      const ended = tail.ended.finally(() => {
        isOver = true;
      });
      // It learns that nobody reads when it writes again.
      await until('it ends', async () => {
        await say('g2', 'One more');
        return isOver;
      });
      assert.equal((await ended).code, 0);
      assert.equal(tail.stdout.trim().split('\n').length, 1);
      assert.equal(tail.stderr, '-- listening at d1\n');
    }));

  it('ends with 1 and one sentence where it is not let in', async () => {
    for (const bad of ['no token', await server.token('server', 'x', { ttl: -1 }), await server.token('admin', 'a1')]) {
      const { code, stdout, stderr } = await command(['tail', '--dealer', DEALER, '--url', url, '--token', bad]);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /^telle: the server ended it: .+\n$/);
    }
    const nonsense = await command(['tail', '--dealer', DEALER, '--url', 'nonsense', '--token', token]);
    assert.equal(nonsense.code, 2);
    assert.match(nonsense.stderr, /^telle: --url must be http:.*\n$/);
  });
});
