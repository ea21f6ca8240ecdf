/** What is right, to begin with: a payload of every type that may be sent, on every channel of every role [P-5, P-6]. */
import type { Role } from '../../schemas/kinds.ts';
import { JOINS, SENDS } from '../../schemas/table.ts';
import { DEALER } from '../support/server.ts';

type Payload = Readonly<Record<string, unknown>>;

/** A frame as a client means it. */
export interface Meant {
  readonly channel: string;
  readonly payload: Payload;
  readonly id?: string;
}

const person = { name: 'Ana Pérez', email: 'ana@x.example', phone: '+1 555 0100' };
const vehicle = { condition: 'new', year: 2026, make: 'Seat', model: 'Ibiza', vin: 'VSSZZZ6JZ9R000000' };

/** A payload of each type, beside who says it and where. */
const SAMPLES: Readonly<Record<string, Payload>> = {
  UPDATE_MSG: { message: 'Is the blue one still there? \u{1F697}', muted: false, unread: 1 },
  MUTE_BOT: { muted: true },
  UNMUTE_BOT: { muted: false },
  CLOSE_CHAT: { close: true },
  SYS_MSG: { message: 'We close at six' },
  UPDATE_CHAT: { online: true },
  UPDATE_GROUP: { online: true },
  UPDATE_USER: { message: { ...person, favourite: { colour: 'blue' } } },
  UPDATE_PAGEVIEW: { message: { url: 'https://x.example/ibiza?c=1', title: 'Ibiza', referrer: 'https://y.example' } },
  UPDATE_LEAD: { message: JSON.stringify({ ...person, source: 'web', consent: true, vehicle }) },
  CREATE_LEAD_INTENT: { message: { intent: 'test_drive', status: 'open', vehicle, preferredTime: 'Monday' } },
  UPDATE_LEAD_INTENT: { message: { intent: 'test_drive', status: 'won', notes: null } },
  ASSIGN: { assignee: 'a1', expect: null },
  HANDOFF: { reason: 'wants a price' },
  TYPING: { typing: true },
  READ: { seq: 1 },
};

/** Who says it, where a payload must say so itself. */
const IDENTITY: Readonly<Record<Role, Payload>> = {
  customer: { user: 'customer' },
  admin: { adminId: 'a1', user: 'admin' },
  server: { adminId: 'a1', user: 'admin' },
};

/** Every frame of a role's that its channels take, in a group of its dealer's. */
export function framesOf(role: Role, groupId: string): Meant[] {
  return Object.entries(SENDS[role]).flatMap(([channel, schemas]) =>
    schemas.map(({ properties }): Meant => {
      const type = String(properties.type.const);
      const sample = SAMPLES[type];
      if (!sample) throw new Error(`there is no sample of ${type}`);
      const place = 'groupId' in properties ? { groupId } : {};
      const who = 'user' in properties || 'adminId' in properties ? IDENTITY[role] : {};
      return { channel, payload: { type, dealerId: DEALER, ...place, ...who, ...sample } };
    }),
  );
}

/** What other servers say without a channel: the payloads of `event`. */
export const eventsIn = (groupId: string): Payload[] =>
  framesOf('server', groupId).map(({ payload }) => ({ ...payload, id: 'k1' }));

/** Frames that any socket may send, joined or not. */
export const CONTROLS: readonly Meant[] = [
  { channel: 'ping', payload: {}, id: 'p1' },
  { channel: 'refresh', payload: { token: 'a.b.c' }, id: 'r1' },
  ...Object.keys(JOINS).map((channel) => ({
    channel,
    payload: {
      type: channel.toUpperCase(),
      dealerId: DEALER,
      groupId: 'g1',
      adminId: 'a1',
      token: 'a.b.c',
      since: { g1: 0 },
    },
  })),
];
