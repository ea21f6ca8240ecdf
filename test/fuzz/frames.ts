/** Frames: joined as whoever it may be, or not joined; one after the other until the server has had enough of the socket. */
import { isUtf8 } from 'node:buffer';
import type { Role } from '../../schemas/kinds.ts';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { Dice } from '../support/chance.ts';
import { DEALER, SECRET } from '../support/server.ts';
import { CONTROLS, framesOf, type Meant } from './corpus.ts';
import { mutated } from './mutate.ts';
import { faultOfClose, faultOfFrame } from './oracle.ts';
import type { Field, Fuzz } from './part.ts';
import { frame, type OnTheWire, onTheWire, Wire } from './wire.ts';

/** Sockets at a time, inputs that each sends before it waits for them to be read, and the most that it sends. */
const SOCKETS = 24;
const AT_ONCE = 20;
const MOST = 100;
const GROUPS = 60;

const tokens = new Tokens([SECRET]);
const known = new Map<string, string>();

function tokenFor(role: Role, sub: string): string {
  const token = known.get(`${role} ${sub}`) ?? tokens.sign({ role, dealer: DEALER, sub, exp: secondsFromNow(3600) });
  known.set(`${role} ${sub}`, token);
  return token;
}

/** How a socket joins, by its role; who does not is null. */
async function joinOf(role: Role | null, groupId: string): Promise<Meant | null> {
  if (role === null) return null;
  const sub = { customer: groupId, admin: 'a1', server: 'crm' }[role];
  const token = tokenFor(role, sub);
  const common = { dealerId: DEALER, token };
  if (role === 'customer') return { channel: 'client_join', payload: { type: 'CLIENT_JOIN', groupId, ...common } };
  if (role === 'admin') return { channel: 'admin_join', payload: { type: 'ADMIN_JOIN', adminId: sub, ...common } };
  return { channel: 'server_join', payload: { type: 'SERVER_JOIN', ...common } };
}

/** A frame of a role's, or one that anybody may send, changed by chance, as it goes over the wire. */
function inputFrom(frames: readonly Meant[], controls: number, dice: Dice): OnTheWire {
  const { id = `i${dice.below(1000)}`, ...meant } = dice.once(controls) ? dice.pick(CONTROLS) : dice.pick(frames);
  let input = mutated({ ...meant, ...(dice.once(2) && { id }) }, dice);
  // What is no UTF-8 ends the socket: most of it is drawn anew, so that there is more to say before the end.
  while (!isUtf8(input) && !dice.once(5)) input = mutated(meant, dice);
  return onTheWire(input, dice);
}

/** One socket's life. @returns how many inputs the server has read of it */
async function live({ target }: Field, dice: Dice, most: number, faults: string[]): Promise<number> {
  // Who sees every group is rare: each of them gets what all the others say.
  const role = dice.pick<Role | null>(['customer', 'customer', 'customer', 'customer', 'admin', 'server', null]);
  const groupId = `g${dice.below(GROUPS)}`;
  const frames = framesOf(role ?? 'customer', groupId);
  // A bad token ends the socket at once: those that have joined show theirs rarely.
  const controls = role === null ? 4 : 20;
  const join = await joinOf(role, groupId);
  const wire = await Wire.open(target.at);
  if (join) wire.write(frame(Buffer.from(JSON.stringify(join))));
  let read = 0;
  let last: OnTheWire | undefined;
  while (wire.isOpen && !last && read < most) {
    const batch: Buffer[] = [];
    while (!last && batch.length < Math.min(AT_ONCE, most - read)) {
      const input = inputFrom(frames, controls, dice);
      if (input.after === 'more') batch.push(input.bytes);
      else last = input;
    }
    wire.write(Buffer.concat(batch));
    await wire.settled();
    // Where the server has had enough of the socket, nobody knows with which of them.
    if (wire.isOpen) read += batch.length;
  }
  if (last && wire.isOpen) {
    wire.write(last.bytes);
    read += 1;
    if (last.after === 'close') await wire.closed();
  }
  for (const fault of [...wire.texts.map(faultOfFrame), faultOfClose(wire.code)]) if (fault) faults.push(fault);
  wire.end();
  return read;
}

export const fuzzFrames: Fuzz = async (field, dice, inputs) => {
  const faults: string[] = [];
  let left = inputs;
  const run = async () => {
    while (left > 0) {
      const most = Math.min(left, MOST);
      left -= most;
      const read = await live(field, new Dice(dice.below(2 ** 31)), most, faults);
      left += most - read;
    }
  };
  await Promise.all(Array.from({ length: SOCKETS }, run));
  return faults;
};
