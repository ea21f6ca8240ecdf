/** What a socket may do, exactly, and that its neighbours do not feel it when it does more [P-9]. */
import { gate, overriding } from '../support/faulty-store.ts';
import { DEALER } from '../support/server.ts';
import { withTarget } from '../support/target.ts';
import type { Guest } from './guest.ts';
import { Endpoint, inHouse, range } from './house.ts';
import { bearable, isBearable, Pace, type Waited } from './pace.ts';
import type { Ledger, Scenarios } from './scenario.ts';

const MIB = 1024 * 1024;
const CAR = '\u{1F697}';

const codesOf = (guests: readonly Guest[]) => Promise.all(guests.map(({ closed }) => closed));
const count = (guest: Guest, what: string) =>
  guest.frames.filter(({ channel, payload }) => channel === what || payload.code === what).length;

/** How often waits are measured before they count as long: what slow readers do to others, they do each time. */
const TURNS = 4;

/** Readers of which some stop reading. @returns what somebody else waited for before and meanwhile */
async function readSlowly(ledger: Ledger): Promise<{ quiet: Waited; busy: Waited }> {
  let waited: { quiet: Waited; busy: Waited } | undefined;
  await withTarget(
    { settings: { RATE_LIMIT: 'off', MAX_BOT_MESSAGES: '2000' }, timing: { closeTimeout: 20_000 } },
    async (target) => {
      const endpoint = new Endpoint(target.at);
      const [slow, fast, elsewhere, bot] = await Promise.all([
        Promise.all(range(6).map(() => endpoint.customer('g1'))),
        Promise.all(range(5).map(() => endpoint.customer('g1'))),
        endpoint.customer('g2'),
        endpoint.bot(),
      ]);
      const message = { type: 'UPDATE_MSG', groupId: 'g1', user: 'bot', message: CAR.repeat(4000) };
      const say = async (from: number, to: number) => {
        for (let said = from; said < to; said += 5) {
          await Promise.all(range(5).map(() => bot.ask('event', message)));
          for (const guest of fast) await guest.sees('g1', said + 5);
        }
      };
      const pace = new Pace([elsewhere], 4);
      const quiet = await pace.during(() => say(0, 200));
      for (const guest of slow) await guest.sees('g1', 200);
      const before = await target.measure();
      for (const { socket } of slow) socket.pause();
      const total = 1000;
      const busy = await pace.during(() => say(200, total));
      ledger.count(total * 11);
      for (const { socket } of slow) socket.resume();
      ledger.equal(
        await codesOf(slow),
        range(6).map(() => 4508),
        'how the slow ones were closed',
      );
      for (const guest of slow) {
        ledger.equal(guest.faults, [], 'breaks of order of a slow one');
        ledger.that((guest.since.g1 ?? 0) < total, 'a slow one was closed before the end');
        const again = await endpoint.customer('g1', { since: { g1: total - 400 } });
        await again.sees('g1', total);
        ledger.equal(again.faults, [], 'breaks of order after coming back');
        await again.cut();
      }
      for (const guest of fast) ledger.equal([guest.faults, guest.since.g1], [[], total], 'a fast one has all');
      waited = { quiet, busy };
      const after = await target.measure();
      ledger.that(after.used - before.used < 4 * MIB, `memory is back: ${(after.used - before.used) / MIB} MiB more`);
      ledger.equal(after.faults, [], 'faults');
      for (const guest of [...fast, elsewhere, bot]) await guest.cut();
    },
  );
  if (!waited) throw new Error('nothing was measured');
  return waited;
}

export const limits: Scenarios = {
  /** Six read nothing while 13 MB are said to them: they are closed, others stay fast, and the memory comes back. */
  'slow-consumers': async ({ ledger }) => {
    for (let turn = 1; ; turn += 1) {
      const { quiet, busy } = await readSlowly(ledger);
      if (turn < TURNS && !isBearable(quiet, busy)) continue;
      bearable(ledger, quiet, busy);
      return;
    }
  },

  /** Nineteen bad frames are borne, the twentieth is not; a neighbour is not interrupted. */
  'bad-frames': ({ ledger, dice }) =>
    inHouse({}, async (house) => {
      const neighbour = await house.customer('g0');
      const guests = await Promise.all(range(60, 1).map((n) => house.customer(`g${n}`)));
      const bad = ['no JSON', '{}', '{"channel":"nonsense","payload":{}}', '[]', '{"channel":"typing","payload":{}}'];
      for (const guest of guests) for (const _ of range(19)) guest.socket.send(dice.pick(bad));
      await Promise.all(guests.map((guest) => guest.until(() => guest.of('error').length >= 19, '19 errors')));
      ledger.count(60 * 20);
      ledger.equal(guests.filter(({ isOpen }) => isOpen).length, 60, 'open after 19');
      ledger.equal(guests.filter((guest) => guest.of('error').length !== 19).length, 0, 'not told 19 times');
      for (const guest of guests) guest.socket.send(dice.pick(bad));
      ledger.equal([...new Set(await codesOf(guests))], [4400], 'how they were closed');
      const { channel } = await neighbour.ask('customer_message', { type: 'UPDATE_MSG', message: 'Still here' });
      ledger.equal(channel, 'ack', 'the neighbour');
    }),

  /** Twenty frames at once, ten a second after that, and 4429 at the hundredth refusal. */
  'rate-limit': ({ ledger }) =>
    inHouse({ settings: { RATE_LIMIT: 'on' } }, async (house) => {
      const guests = await Promise.all(range(30).map((n) => house.customer(`g${n}`)));
      const from = performance.now();
      for (const guest of guests) for (const _ of range(400)) guest.send('ping', {});
      ledger.equal([...new Set(await codesOf(guests))], [4429], 'how they were closed');
      const seconds = (performance.now() - from) / 1000;
      for (const guest of guests) {
        ledger.count(400);
        ledger.equal(count(guest, 'rate_limited'), 100, 'refusals');
        const pongs = count(guest, 'pong');
        ledger.that(pongs >= 20 && pongs <= 20 + Math.ceil(10 * seconds), `${pongs} pongs in ${seconds} s`);
      }
    }),

  /** Fifty sockets fit: of eighty that come at once, thirty are told to go elsewhere. Who leaves makes room. */
  'full-node': ({ ledger }) =>
    inHouse({ settings: { MAX_CONNECTIONS: '50' } }, async (house) => {
      const all = await Promise.all(range(80).map(() => house.dial()));
      const turnedAway: number[] = [];
      for (const guest of all) guest.closed.then((code) => turnedAway.push(code));
      // Whoever was let in is answered; whoever was not is closed.
      const answers = all.map((guest, n) =>
        guest.ask('client_join', { type: 'CLIENT_JOIN', dealerId: DEALER, groupId: `g${n}` }).catch(() => null),
      );
      const joined = (await Promise.all(answers)).filter((answer) => answer?.channel === 'ack').length;
      ledger.count(80);
      ledger.equal([joined, turnedAway], [50, range(30).map(() => 1013)], 'let in, and turned away');
      const inside = all.filter(({ isOpen }) => isOpen);
      await Promise.all(inside.slice(0, 10).map((guest) => guest.cut()));
      const more = await Promise.all(range(10, 100).map((n) => house.customer(`g${n}`)));
      ledger.equal(more.filter(({ isOpen }) => isOpen).length, 10, 'let in after ten have gone');
    }),

  /** Two hundred do not join, some of them talking all the time: each is closed in time, and who joined stays. */
  'join-timeout': ({ ledger }) =>
    inHouse({ settings: { JOIN_TIMEOUT: '1s' } }, async (house) => {
      const member = await house.customer('g1');
      const strangers = await Promise.all(
        range(200).map(async () => {
          const guest = await house.dial();
          return { guest, from: performance.now() };
        }),
      );
      const chatter = setInterval(() => {
        for (const { guest } of strangers.slice(0, 50)) guest.send('ping', {});
      }, 100);
      for (const { guest, from } of strangers) {
        ledger.equal(await guest.closed, 4408, 'how a stranger was closed');
        const after = performance.now() - from;
        ledger.that(after > 900 && after < 3000, `it was closed after ${after} ms`);
      }
      clearInterval(chatter);
      ledger.equal((await member.ask('ping', {})).channel, 'ack', 'who has joined');
    }),

  /** What is sent behind a join that takes its time is kept up to a bound, and no further. */
  'flood-behind-a-join': ({ ledger }) => {
    const held = gate();
    const wrapStore = (store: Parameters<typeof overriding>[0]) =>
      overriding(store, {
        standing: async (...args) => {
          await held.opened;
          return store.standing(...args);
        },
      });
    return inHouse({ wrapStore }, async (house) => {
      const patient = await house.dial();
      const answers = [
        patient.ask('client_join', { type: 'CLIENT_JOIN', dealerId: DEALER, groupId: 'g1' }, 'join'),
        ...range(50).map((n) => patient.ask('customer_message', { type: 'UPDATE_MSG', message: `m ${n}` }, `m${n}`)),
      ];
      const floods = await Promise.all(range(20).map(() => house.dial()));
      for (const guest of floods) {
        guest.send('client_join', { type: 'CLIENT_JOIN', dealerId: DEALER });
        for (const _ of range(150)) guest.send('ping', { filling: 'x'.repeat(10_000) });
      }
      ledger.count(20 * 150);
      ledger.equal([...new Set(await codesOf(floods))], [4429], 'how the floods were closed');
      held.open();
      const kinds = (await Promise.all(answers)).map(({ channel }) => channel);
      ledger.equal([...new Set(kinds)], ['ack'], 'how the patient one was answered');
      ledger.equal(
        (await house.log('g1')).map(({ id }) => id),
        range(50).map((n) => `m${n}`),
        'what was stored of it',
      );
    });
  },

  /** Binary frames and frames that are too large close their own sockets and no others. */
  'frames-that-cannot-be': ({ ledger }) =>
    inHouse({}, async (house) => {
      const neighbour = await house.customer('g0');
      const guests = await Promise.all(range(60).map(() => house.dial()));
      const sends: ((guest: Guest) => void)[] = [
        ({ socket }) => socket.send(Buffer.from('{"channel":"ping","payload":{}}'), { binary: true }),
        ({ socket }) => socket.send('x'.repeat(16_385)),
        ({ socket }) => socket.send(Buffer.from([0xff, 0xfe, 0xc0]), { binary: false }),
      ];
      for (const [index, guest] of guests.entries()) sends[index % 3]?.(guest);
      const codes = await codesOf(guests);
      ledger.count(60);
      ledger.equal(
        codes,
        range(60).map((n) => [1003, 1009, 1007][n % 3]),
        'how they were closed',
      );
      const largest = JSON.stringify({ channel: 'ping', payload: { filling: '' } });
      neighbour.socket.send(largest.replace('""', `"${'x'.repeat(16_384 - largest.length)}"`));
      await neighbour.until(() => count(neighbour, 'pong') === 1, 'the pong to the largest frame');
      ledger.equal(neighbour.isOpen, true, 'the neighbour');
    }),
};
