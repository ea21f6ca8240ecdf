/** One who obeys every rule, and takes all that it gives: of memory, of disk, and of what others are sent. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DEALER, inFolder } from '../support/server.ts';
import { withTarget } from '../support/target.ts';
import { Guest } from './guest.ts';
import { Endpoint, eventually, range, says } from './house.ts';
import type { Scenarios } from './scenario.ts';

const MIB = 1024 * 1024;
const CAR = '\u{1F697}';

/** Bytes that came to somebody's sockets, and that went out of them, over the network. */
function traffic(guests: readonly Guest[]): { in: number; out: number } {
  const streams = guests.map(({ socket }) => Reflect.get(socket, '_socket'));
  const sum = (which: string) => streams.reduce((total, stream) => total + Number(stream?.[which] ?? 0), 0);
  return { in: sum('bytesRead'), out: sum('bytesWritten') };
}

async function sizeOf(folder: string): Promise<number> {
  const files = await readdir(folder);
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(folder, file))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends frames of all of them, as many as their rate takes, for so many ms. */
async function talk(guests: readonly Guest[], ms: number, frame: () => readonly [string, object]): Promise<void> {
  const timer = setInterval(() => {
    for (const guest of guests) guest.send(...frame());
  }, 105);
  await pause(ms);
  clearInterval(timer);
}

export const budgets: Scenarios = {
  /** Sixty rejoin, each 8 MB behind, read nothing, and say that they live: a page of memory each, and then they go. */
  'joins-that-read-nothing': ({ ledger }) =>
    // What the network takes has left: of whom that is everything, it is the heartbeat that sees them gone.
    withTarget(
      { timing: { replayTimeout: 4000, pingInterval: 4000, pongTimeout: 2000, closeTimeout: 500 } },
      async (target) => {
        const endpoint = new Endpoint(target.at);
        const groups = ['g1', 'g2', 'g3'];
        for (const groupId of groups) {
          await endpoint.post(range(500).map(() => says(groupId, CAR.repeat(4000), { user: 'bot' })));
        }
        const before = await target.measure();
        const guests = await Promise.all(range(60).map(() => endpoint.dial()));
        guests.forEach((guest, index) => {
          const groupId = groups[index % groups.length] ?? '';
          const token = endpoint.token('customer', groupId);
          guest.send('client_join', { type: 'CLIENT_JOIN', dealerId: DEALER, groupId, token, since: { [groupId]: 0 } });
          guest.socket.pause();
          guest.socket.pong();
        });
        await pause(1500);
        const during = await target.measure();
        const each = (during.used - before.used) / guests.length / MIB;
        ledger.notes.push(`${each.toFixed(2)} MiB for each socket that joins and reads nothing`);
        ledger.that(each < 1, `each holds ${each.toFixed(2)} MiB`);
        await eventually('all have gone', async () => (await target.measure()).counts['Presence#sockets'] === 0);
      },
    ),

  /** Fifty strangers write the longest messages as fast as they may: the disk takes their address's budget, and no more. */
  'a-day-of-writing': ({ ledger }) =>
    inFolder(async (folder) => {
      const budget = 8 * MIB;
      const DATABASE_URL = `sqlite:${join(folder, 'telle.db')}`;
      const settings = { DATABASE_URL, MAX_BYTES_PER_ADDRESS: String(budget) };
      await withTarget({ settings }, async (target) => {
        const guests = await Promise.all(range(50).map(() => Guest.dial(target.at)));
        await Promise.all(
          guests.map((guest) => guest.ask('client_join', { type: 'CLIENT_JOIN', dealerId: DEALER }, 'join')),
        );
        const before = await sizeOf(folder);
        const text = CAR.repeat(4000);
        await talk(guests, 6000, () => ['customer_message', { type: 'UPDATE_MSG', message: text }]);
        const grown = (await sizeOf(folder)) - before;
        const written = guests.reduce((sum, guest) => sum + guest.of('CHAT_MESSAGE').length, 0);
        ledger.count(written);
        ledger.notes.push(`${written} messages taken, ${(grown / MIB).toFixed(0)} MiB written of ${budget / MIB}`);
        // The log is written twice, to the write-ahead log and to the file.
        ledger.that(grown < 3 * budget, `${(grown / MIB).toFixed(0)} MiB were written`);
        ledger.that(written * 16_000 <= budget, `${written} messages were taken`);
      });
    }),

  /** Two hundred sockets of one customer: twenty may be there, and what they send comes out of the server 40 times at most. */
  'sockets-of-one-customer': ({ ledger }) =>
    withTarget({}, async (target) => {
      const endpoint = new Endpoint(target.at);
      const join = { type: 'CLIENT_JOIN', dealerId: DEALER, groupId: 'g1', token: endpoint.token('customer', 'g1') };
      const guests = await Promise.all(range(200).map(() => endpoint.dial()));
      const answers = await Promise.all(guests.map((guest) => guest.ask('client_join', join, 'join')));
      ledger.count(answers.length);
      ledger.equal(answers.filter(({ code }) => code === 'rate_limited').length, 180, 'joins that are rate_limited');
      ledger.equal(guests.filter(({ isOpen }) => isOpen).length, 200, 'sockets that stay open');
      const inside = guests.filter((_, index) => answers[index]?.channel === 'ack');
      const from = traffic(inside);
      await talk(inside, 3000, () => ['typing', { type: 'TYPING', typing: true }]);
      const to = traffic(inside);
      const times = (to.in - from.in) / (to.out - from.out);
      ledger.notes.push(`typing comes out ${times.toFixed(0)} times`);
      ledger.that(times < 40, `what is sent comes out ${times.toFixed(0)} times`);
    }),
};
