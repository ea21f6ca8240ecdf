/** What the generator says to a peer, and how it tells by a byte or two what it is told. */
import { createHmac } from 'node:crypto';
import { NUMBER } from './wire.ts';

export const SECRET = 'a secret that only the bench knows and that is long enough';

/** Who a socket is. */
export interface Member {
  readonly role: 'customer' | 'admin';
  readonly dealerId: string;
  /** The groupId of a customer, the adminId of an admin. */
  readonly id: string;
  readonly port: number;
  /** A customer who comes back: the last seq seen of its group. */
  readonly since?: number;
}

/** `opened` and `connected` are the steps of a handshake; `other` is what nobody counts. */
export type Kind = 'opened' | 'connected' | 'joined' | 'ack' | 'event' | 'ping' | 'error' | 'other';

export interface Dialect {
  readonly path: string;
  /** Whether a socket joins as soon as it is upgraded, or is told first that it is connected. */
  readonly greets: boolean;
  join(member: Member): string;
  /** The text of a message, with `NUMBER` where its number goes. */
  message(role: Member['role']): string;
  kind(bytes: Buffer, start: number): Kind;
}

const MESSAGE = 'Is the blue one in the yard still there, and may I drive it on Saturday?';

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token [P-4]: an admin's as its dealer's backend mints it, a customer's as Telle itself gives it out. */
function token({ role, dealerId: dealer, id: sub }: Member): string {
  const exp = Math.floor(Date.now() / 1000) + 86_400;
  const body = `${base64({ alg: 'HS256', typ: 'JWT' })}.${base64({ role, dealer, sub, exp, ...(role === 'customer' && { iss: 'telle' }) })}`;
  return `${body}.${createHmac('sha256', SECRET).update(body).digest('base64url')}`;
}

function joinOf(member: Member): [channel: string, payload: object] {
  const { role, dealerId, id, since } = member;
  const payload = { dealerId, user: role, online: true };
  if (role === 'admin') {
    return ['admin_join', { type: 'ADMIN_JOIN', ...payload, adminId: id, token: token(member) }];
  }
  const back = since !== undefined && { token: token(member), since: { [id]: since } };
  return ['client_join', { type: 'CLIENT_JOIN', ...payload, groupId: id, ...back }];
}

const messageOf = (role: Member['role']) =>
  role === 'admin'
    ? (['sys_message', { type: 'SYS_MSG', message: MESSAGE }] as const)
    : (['customer_message', { type: 'UPDATE_MSG', message: MESSAGE }] as const);

/** The letters and digits that tell. */
const [A, C, E, M, S, SMALL_S, T] = [0x61, 0x43, 0x65, 0x4d, 0x53, 0x73, 0x74];
const [OPEN, PING, MESSAGE_PACKET, CONNECT, EVENT, ACK] = [0x30, 0x32, 0x34, 0x30, 0x32, 0x33];

/** Of a channel's name: which it is, by its first letter (`telle_error` is one; and the sixth, of `CHAT_MESSAGE` and `CHAT_STATE`). */
function named(bytes: Buffer, at: number): Kind {
  const first = bytes[at];
  if (first === A) return 'ack';
  if (first === S || (first === C && bytes[at + 5] === M)) return 'event';
  if (first === SMALL_S) return 'joined';
  return first === E || first === T ? 'error' : 'other';
}

/** Envelopes as PROTOCOL.md has them [P-2.3]. */
const envelopes: Dialect = {
  path: '/ws',
  greets: false,
  join: (member) => {
    const [channel, payload] = joinOf(member);
    return JSON.stringify({ channel, payload });
  },
  message: (role) => {
    const [channel, payload] = messageOf(role);
    return JSON.stringify({ channel, payload, id: `m-${NUMBER}` });
  },
  kind: (bytes, start) => named(bytes, start + '{"channel":"'.length),
};

/** Packets of Engine.IO 4 and Socket.IO 5. */
const packets: Dialect = {
  path: '/socket.io/?EIO=4&transport=websocket',
  greets: true,
  join: (member) => `42${JSON.stringify(joinOf(member))}`,
  message: (role) => {
    const [channel, payload] = messageOf(role);
    return `42${NUMBER}${JSON.stringify([channel, { ...payload, id: `m-${NUMBER}` }])}`;
  },
  kind: (bytes, start) => {
    const first = bytes[start];
    if (first === OPEN) return 'opened';
    if (first === PING) return 'ping';
    if (first !== MESSAGE_PACKET) return 'other';
    const second = bytes[start + 1];
    if (second === CONNECT) return 'connected';
    if (second === ACK) return 'ack';
    return second === EVENT ? named(bytes, start + '42["'.length) : 'error';
  },
};

/** The same as Telle has them [P-19.1]: a message's id is an argument of its own. */
const tellesPackets: Dialect = {
  ...packets,
  message: (role) => `42${NUMBER}${JSON.stringify([...messageOf(role), { id: `m-${NUMBER}` }])}`,
};

export const DIALECTS = { envelopes, packets, tellesPackets } as const satisfies Record<string, Dialect>;
export type DialectName = keyof typeof DIALECTS;
