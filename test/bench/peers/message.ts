/** What all peers do alike with a frame: identity filled in, TypeBox's compiled check, and what is delivered of it. */
import { randomUUID } from 'node:crypto';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { SysMsg, UpdateMsg } from '../../../schemas/accepted.ts';
import { JOIN_PAYLOADS } from '../../../schemas/frames.ts';
import type { Message } from './store.ts';

/** Who a socket has joined as. */
export interface Session {
  readonly role: 'customer' | 'admin';
  readonly dealerId: string;
  /** The groupId of a customer, the adminId of an admin. */
  readonly id: string;
}

/** A message or a join that was accepted, and the event that it is. */
export interface Accepted {
  readonly stored: Message;
  readonly channel: 'CHAT_MESSAGE' | 'SYS_MESSAGE' | 'CHAT_STATE';
  readonly event: object;
}

type Fields = Readonly<Record<string, unknown>>;

/** The channels of joins. */
export const JOINS = ['client_join', 'admin_join'];

/** Where a socket hears what is said. */
export const roomsOf = ({ role, dealerId, id }: Session): string[] =>
  role === 'admin' ? [`${dealerId}@desk`] : [`${dealerId}@dealer`, `${dealerId}/${id}`];

const isUpdateMsg = TypeCompiler.Compile(UpdateMsg);
const isSysMsg = TypeCompiler.Compile(SysMsg);

const isClientJoin = TypeCompiler.Compile(JOIN_PAYLOADS.client_join);
const isAdminJoin = TypeCompiler.Compile(JOIN_PAYLOADS.admin_join);

/**
 * Who joins, and that somebody is here as Telle stores it and tells the dealer's admins [P-7.5].
 * @throws where it is not as its schema says
 */
export function admit(payload: unknown): { session: Session; arrival: Accepted } {
  if (isClientJoin.Check(payload)) {
    const { dealerId, groupId = randomUUID() } = payload;
    return arrived({ role: 'customer', dealerId, id: groupId }, { type: 'UPDATE_GROUP', dealerId, groupId });
  }
  if (isAdminJoin.Check(payload)) {
    const { dealerId, adminId } = payload;
    return arrived({ role: 'admin', dealerId, id: adminId }, { type: 'UPDATE_CHAT', dealerId, adminId });
  }
  throw new Error('invalid_payload');
}

function arrived(session: Session, told: Fields & { readonly type: string }): { session: Session; arrival: Accepted } {
  const { role, dealerId, id: sender } = session;
  const event = { ...told, user: role, online: true };
  const { type } = told;
  const payload = JSON.stringify(event);
  const stored = { dealerId, scope: '@desk', id: randomUUID(), sender, type, payload, at: Date.now() };
  return { session, arrival: { stored, channel: 'CHAT_STATE', event } };
}

/** @throws where it is not as its schema says */
export function accept({ role, dealerId, id: sender }: Session, id: string, given: Fields): Accepted {
  const at = Date.now();
  const own = role === 'admin' ? { adminId: sender } : { groupId: sender };
  const payload: unknown = { ...given, dealerId, ...own, user: role };
  if (isUpdateMsg.Check(payload)) {
    const { groupId, message } = payload;
    const event = { type: 'CHAT_MSG', dealerId, groupId, user: role, muted: false, unread: 1, message };
    const text = JSON.stringify(event);
    const stored = { dealerId, scope: String(groupId), id, sender, type: 'CHAT_MSG', payload: text, at };
    return { stored, channel: 'CHAT_MESSAGE', event };
  }
  if (isSysMsg.Check(payload)) {
    const { message } = payload;
    const event = { type: 'SYS_MSG', dealerId, adminId: sender, user: role, muted: true, unread: 0, message };
    const stored = { dealerId, scope: '@dealer', id, sender, type: 'SYS_MSG', payload: JSON.stringify(event), at };
    return { stored, channel: 'SYS_MESSAGE', event };
  }
  throw new Error('invalid_payload');
}

export const stamp = ({ stored: { id, scope, at } }: Accepted) => ({ id, scope, at: new Date(at).toISOString() });
