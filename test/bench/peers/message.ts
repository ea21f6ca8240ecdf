/** What all peers do alike with a message: identity filled in, TypeBox's compiled check, and what is delivered of it. */
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { SysMsg, UpdateMsg } from '../../../schemas/accepted.ts';
import type { Message } from './store.ts';

/** Who a socket has joined as. */
export interface Session {
  readonly role: 'customer' | 'admin';
  readonly dealerId: string;
  /** The groupId of a customer, the adminId of an admin. */
  readonly id: string;
}

/** A message that was accepted. */
export interface Accepted {
  readonly stored: Message;
  readonly channel: 'CHAT_MESSAGE' | 'SYS_MESSAGE';
  readonly event: object;
}

type Fields = Readonly<Record<string, unknown>>;

const isUpdateMsg = TypeCompiler.Compile(UpdateMsg);
const isSysMsg = TypeCompiler.Compile(SysMsg);

export const sessionOf = (role: Session['role'], payload: Fields): Session => ({
  role,
  dealerId: String(payload.dealerId),
  id: String(role === 'admin' ? payload.adminId : payload.groupId),
});

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
