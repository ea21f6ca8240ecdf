/** [P-9] A socket that does not read what it is sent: what is borne, when it is closed, and what it has seen then. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Client } from '../support/client.ts';
import { clientJoin } from '../support/joins.ts';
import { type TestServer, withServer } from '../support/server.ts';

const timing = { closeTimeout: 50 };
const CAR = '\u{1F697}';
const send = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Lets a bot say long messages, no faster than `reader` reads them: the last has the seq `upTo`. */
async function speak(on: TestServer, reader: Client, upTo: number): Promise<void> {
  const bot = await on.server();
  const said = reader.seqs('g1').at(-1) ?? 0;
  for (let n = said + 1; n <= upTo; n += 1) {
    bot.send('event', send(CAR.repeat(4000), { groupId: 'g1', user: 'bot' }));
    if (n % 8 === 0 || n === upTo) await reader.next(({ seq, scope }) => scope === 'g1' && seq === n);
  }
  bot.socket.terminate();
}

describe('[P-9] 4508 slow consumer', () => {
  test('a socket that reads nothing is closed over a port, and its neighbour misses nothing', async () => {
    // It is closed long before it reads again: a busy machine takes half a minute for what is said meanwhile.
    const settings = { MAX_BOT_MESSAGES: '2000' };
    await withServer({ settings, timing: { closeTimeout: 120_000 } }, async (busy) => {
      const at = await busy.listen();
      const token = await busy.token('customer', 'g1');
      const [slow, neighbour] = [await busy.dial(at), await busy.dial(at)];
      for (const client of [slow, neighbour]) await client.ask('client_join', clientJoin({ groupId: 'g1', token }));
      slow.socket.pause();
      const total = 1200;
      await speak(busy, neighbour, total);
      slow.socket.resume();
      assert.equal(await slow.closed, 4508);
      const got = slow.seqs('g1');
      assert.deepEqual(got, range(1, got.length));
      assert.ok(got.length < total);
      assert.deepEqual(neighbour.seqs('g1'), range(1, total));
      await neighbour.settled();
    });
  });

  test('it rejoins with since, and has then seen everything once', async () => {
    await withServer({ timing: { closeTimeout: 500 } }, async (busy) => {
      const token = await busy.token('customer', 'g1');
      const [slow, neighbour] = [await busy.customer('g1', { token }), await busy.customer('g1', { token })];
      slow.socket.pause();
      await speak(busy, neighbour, 80);
      slow.socket.resume();
      assert.equal(await slow.closed, 4508);
      await speak(busy, neighbour, 100);
      const again = await busy.customer('g1', { token, since: { g1: slow.seqs('g1').length } });
      await again.next(({ seq }) => seq === 100);
      assert.deepEqual([...slow.seqs('g1'), ...again.seqs('g1')], range(1, 100));
    });
  });

  test('MAX_SOCKET_BACKLOG says how much: less than that unsent is borne', async () => {
    await withServer({ timing, settings: { MAX_SOCKET_BACKLOG: '8388608' } }, async (patient) => {
      const token = await patient.token('customer', 'g1');
      const [slow, neighbour] = [await patient.customer('g1', { token }), await patient.customer('g1', { token })];
      slow.socket.pause();
      await speak(patient, neighbour, 200);
      slow.socket.resume();
      await slow.next(({ seq }) => seq === 200);
      assert.deepEqual(slow.seqs('g1'), range(1, 200));
    });
  });
});
