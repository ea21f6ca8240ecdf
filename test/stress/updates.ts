/** Small updates of large records, within the rate of each socket: who talks to another dealer does not notice. */
import { join } from 'node:path';
import { ALL_DEALERS } from '../../schemas/table.ts';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { inFolder, SECRET } from '../support/server.ts';
import { type Target, withTarget } from '../support/target.ts';
import { Guest } from './guest.ts';
import { Endpoint, range } from './house.ts';
import { bearable, Pace } from './pace.ts';
import type { Ledger, Scenarios } from './scenario.ts';

const HONEST = '127.0.0.2';
const ATTACKER = '127.1.200.1';
const VICTIM = 'flooded';
/** Sockets of the attacker, the updates that each sends a second, and for how long, in ms. */
const SOCKETS = 60;
const PER_SECOND = 9;
const FOR = 4000;
/** How many honest users talk, and how long between their messages, in ms. */
const USERS = 5;
const PAUSE = 110;

/** Eight updates that together make a record of some 60 KiB in so many fields. */
const fillings = (fields: number): object[] =>
  range(8).map((part) => {
    const names = range(Math.floor(fields / 8)).map((at) => `${part}_${at.toString(36)}`);
    const each = Math.floor(7600 / names.length) - 12;
    return Object.fromEntries(names.map((name) => [name, 'x'.repeat(Math.max(0, each))]));
  });

/** The largest records that a customer may have: of as many fields as are let in. */
const SHAPES = [4400, 190].map(fillings);

async function makeVictim({ at }: Target): Promise<void> {
  const exp = secondsFromNow(60);
  const token = await new Tokens([SECRET]).sign({ role: 'server', dealer: ALL_DEALERS, sub: 'operator', exp });
  const { status } = await fetch(`http://${at}/v1/dealers/${VICTIM}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ origins: ['*'] }),
  });
  if (status !== 201) throw new Error(`the dealer was not made: ${status}`);
}

/** A customer of the victim's who has filled its lead as far as it may. */
async function prepared({ at }: Target): Promise<Guest> {
  const guest = await Guest.dial(at, ATTACKER);
  await guest.ask('client_join', { type: 'CLIENT_JOIN', dealerId: VICTIM });
  for (const shape of SHAPES) {
    let taken = 0;
    for (const message of shape) {
      for (let isDone = false; !isDone; ) {
        const { channel, code, retryable } = await guest.ask('customer_update', { type: 'UPDATE_LEAD', message });
        if (channel === 'ack') taken += 1;
        isDone = channel === 'ack' || !retryable;
        if (!isDone) await new Promise((resolve) => setTimeout(resolve, 250));
        if (isDone && channel === 'error' && code !== 'too_large') throw new Error(`the lead was not filled: ${code}`);
      }
    }
    if (taken === shape.length) break;
  }
  return guest;
}

/** Sends the smallest update there is, again and again. @returns how many were sent, and of them acked */
async function attack(guests: readonly Guest[]): Promise<{ sent: number; acked: number }> {
  const until = performance.now() + FOR;
  let sent = 0;
  while (performance.now() < until) {
    for (const guest of guests) guest.send('customer_update', { type: 'UPDATE_LEAD', message: { a: 1 } }, `u${sent++}`);
    await new Promise((resolve) => setTimeout(resolve, 1000 / PER_SECOND));
  }
  const acked = guests
    .flatMap(({ answers }) => [...answers])
    .filter(([id, { channel }]) => id.startsWith('u') && channel === 'ack').length;
  return { sent, acked };
}

async function flood(ledger: Ledger, flooded: Target, quiet: Target): Promise<void> {
  await makeVictim(flooded);
  const [here, elsewhere] = await Promise.all(
    [flooded, quiet].map(async ({ at }) => {
      const endpoint = new Endpoint(at, { from: HONEST });
      return new Pace(await Promise.all(range(USERS).map((n) => endpoint.customer(`honest${n}`))), PAUSE);
    }),
  );
  const guests = await Promise.all(range(SOCKETS).map(() => prepared(flooded)));
  const before = await flooded.measure();
  const attacking = attack(guests);
  const [calm, busy] = await Promise.all([elsewhere?.during(() => attacking), here?.during(() => attacking)]);
  const { sent, acked } = await attacking;
  const after = await flooded.measure();
  ledger.count(sent);
  ledger.notes.push(
    `of ${sent} updates ${acked} were taken meanwhile; ${((after.cpu - before.cpu) / sent).toFixed(2)} ms of CPU a frame`,
  );
  if (calm && busy) bearable(ledger, calm, busy);
  ledger.equal(after.faults, [], 'faults');
}

export const updates: Scenarios = {
  'flood-of-small-updates': ({ ledger }) =>
    inFolder((folder) => {
      const settings = { DATABASE_URL: `sqlite:${join(folder, 'telle.db')}` };
      return withTarget({ settings }, (flooded) => withTarget({}, (quiet) => flood(ledger, flooded, quiet)));
    }),
};
