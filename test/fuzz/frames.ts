/** Frames: joined as whoever it may be, or not joined; one after the other until the server has had enough of the socket. */
import type { Role } from '../../schemas/kinds.ts';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import type { Dice } from '../support/chance.ts';
import { DEALER, SECRET } from '../support/server.ts';
import { CONTROLS, framesOf, type Meant } from './corpus.ts';
import { mutated } from './mutate.ts';
import { faultOfClose, faultOfFrame } from './oracle.ts';
import type { Field, Fuzz } from './part.ts';
import { frame, onTheWire, Wire } from './wire.ts';

/** Sockets at a time, and inputs that each sends before it waits to be answered. */
const SOCKETS = 24;
const AT_ONCE = 20;
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

/** One socket's life. @returns how many inputs it has sent */
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
  let sent = 0;
  let goesOn = true;
  while (wire.isOpen && goesOn && sent < most) {
    for (let left = Math.min(AT_ONCE, most - sent); left > 0 && goesOn; left -= 1) {
      const { id, ...meant } = dice.once(controls) ? dice.pick(CONTROLS) : dice.pick(frames);
      const input = mutated({ ...meant, ...(dice.once(2) && { id: id ?? `i${sent}` }) }, dice);
      const { bytes, isWhole } = onTheWire(input, dice);
      wire.write(bytes);
      goesOn = isWhole;
      sent += 1;
    }
    if (goesOn) await wire.settled();
    for (const text of wire.texts) {
      const fault = faultOfFrame(text);
      if (fault) faults.push(fault);
    }
    wire.texts = [];
  }
  const fault = faultOfClose(wire.code);
  if (fault) faults.push(fault);
  wire.end();
  return sent;
}

export const fuzzFrames: Fuzz = async (field, dice, inputs) => {
  const faults: string[] = [];
  let left = inputs;
  const run = async () => {
    while (left > 0) {
      const most = Math.min(left, 100);
      left -= most;
      left += most - (await live(field, dice, most, faults));
    }
  };
  await Promise.all(Array.from({ length: SOCKETS }, run));
  return faults;
};
