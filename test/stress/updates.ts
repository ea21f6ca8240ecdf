/** Small updates of large records, within the rate of each socket: who talks to another dealer does not notice. */
import { join } from 'node:path';
import { ALL_DEALERS } from '../../schemas/table.ts';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { inFolder, SECRET } from '../support/server.ts';
import { type Target, withTarget } from '../support/target.ts';
import { Guest } from './guest.ts';
import { Endpoint, range } from './house.ts';
import { bearable, isBearable, Pace } from './pace.ts';
import type { Ledger, Scenarios } from './scenario.ts';

const HONEST = '127.0.0.2';
const ATTACKER = '127.1.200.1';
const VICTIM = 'flooded';
/** Sockets of the attacker, the updates that each sends a second, and for how long, in ms. */
const SOCKETS = 60;
const PER_SECOND = 9;
const FOR = 3000;
/** How often it is measured before a long wait counts. */
const TURNS = 3;
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

/** A request of a server of all dealers. */
async function ask({ at }: Target, method: string, path: string, body: unknown) {
  const exp = secondsFromNow(60);
  const token = await new Tokens([SECRET]).sign({ role: 'server', dealer: ALL_DEALERS, sub: 'operator', exp });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return fetch(`http://${at}${path}`, { method, headers, body: JSON.stringify(body) });
}

/** Customers of the victim's, whose leads are filled as far as they may be. */
async function prepare(target: Target): Promise<Guest[]> {
  await ask(target, 'PUT', `/v1/dealers/${VICTIM}`, { origins: ['*'] });
  const join = async (n: number) => {
    const guest = await Guest.dial(target.at, ATTACKER);
    await guest.ask('client_join', { type: 'CLIENT_JOIN', dealerId: VICTIM, groupId: `g${n}` });
    return guest;
  };
  const guests = await Promise.all(range(SOCKETS).map(join));
  for (const shape of SHAPES) {
    const events = range(SOCKETS).flatMap((n) =>
      shape.map((message) => ({ type: 'UPDATE_LEAD', dealerId: VICTIM, groupId: `g${n}`, message })),
    );
    const { status } = await ask(target, 'POST', '/v1/events', events);
    if (status === 200) return guests;
  }
  throw new Error('the leads were not filled');
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

/** How long honest users wait, on both servers, while one is attacked. */
async function measure(ledger: Ledger, flooded: Target, guests: readonly Guest[], paces: readonly [Pace, Pace]) {
  const before = await flooded.measure();
  const attacking = attack(guests);
  const [busy, quiet] = await Promise.all([paces[0].during(() => attacking), paces[1].during(() => attacking)]);
  const { sent, acked } = await attacking;
  const after = await flooded.measure();
  ledger.count(sent);
  const cost = ((after.cpu - before.cpu) / sent).toFixed(2);
  ledger.notes.push(`of ${sent} updates ${acked} were taken meanwhile; ${cost} ms of CPU a frame`);
  ledger.equal(after.faults, [], 'faults');
  return { quiet, busy };
}

/** What the attack does to others it does each time: waits are measured again where they were long. */
async function flood(ledger: Ledger, flooded: Target, calm: Target): Promise<void> {
  const paceOf = async ({ at }: Target) => {
    const endpoint = new Endpoint(at, { from: HONEST });
    return new Pace(await Promise.all(range(USERS).map((n) => endpoint.customer(`honest${n}`))), PAUSE);
  };
  const paces = await Promise.all([paceOf(flooded), paceOf(calm)]);
  const guests = await prepare(flooded);
  for (let turn = 1; ; turn += 1) {
    const { quiet, busy } = await measure(ledger, flooded, guests, paces);
    if (turn < TURNS && !isBearable(quiet, busy)) continue;
    bearable(ledger, quiet, busy);
    return;
  }
}

export const updates: Scenarios = {
  'flood-of-small-updates': ({ ledger }) =>
    inFolder((folder) => {
      const settings = { DATABASE_URL: `sqlite:${join(folder, 'telle.db')}` };
      return withTarget({ settings }, (flooded) => withTarget({}, (quiet) => flood(ledger, flooded, quiet)));
    }),
};
