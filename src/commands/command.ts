import type { Body } from '../../schemas/accepted.ts';
import { refused } from '../../schemas/errors.ts';
import { identify } from '../auth/permit.ts';
import { IDENTITY_FIELDS, type Session, senderOf } from '../auth/session.ts';
import type { Command, Entry, PresenceChange } from '../domain/state.ts';
import type { Who } from '../hub/presence.ts';
import type { Outcome } from '../journal/batch.ts';
import type { Journal, Origin } from '../journal/journal.ts';
import { kindOf } from '../protocol/checker.ts';
import { bodyDecoder, decodeKey } from '../protocol/decode.ts';
import type { Budgets } from './budgets.ts';

/** Command that somebody sends, and no presence or erasure, which only the server itself asks for. */
export interface Send extends Command {
  readonly body: Body;
}

/**
 * Makes a command of a session's payload on a channel: decoded, its identity the session's, which is written into it.
 * @param id the envelope's; another server's payload may bring its own key [P-6], which then counts
 * @throws RefusedError `unknown_channel`, `forbidden` or `invalid_payload`
 */
export function commandOf(session: Session, channel: string, payload: Record<string, unknown>, id?: string): Send {
  const decode = bodyDecoder(session.role, channel, payload.type);
  identify(session, payload);
  const body = decode(payload);
  for (const field of IDENTITY_FIELDS[session.role]) mustBeWord(field, payload[field]);
  const ownKey = session.role === 'server' ? decodeKey(payload) : undefined;
  const { role, dealerId } = session;
  const minted = role === 'customer' && session.minted;
  return { role, sender: senderOf(session), turn: dealerId, key: ownKey ?? id ?? null, body, minted };
}

/**
 * Hands a send to the journal, within the day's budgets of who sends it. What is not stored, as it was refused or is a
 * repeat, is not charged.
 * @param holder whom the sender's address counts as; null where it has none
 * @throws RefusedError `rate_limited` where a budget is used up
 */
export function submit(
  { budgets, journal }: { readonly budgets: Budgets; readonly journal: Journal },
  from: { readonly session: Session; readonly holder: string | null },
  send: Send,
  origin: Origin | undefined,
  settle: (outcome: Outcome) => void,
): void {
  const charge = budgets.charge(from.session, from.holder, send.body);
  journal.submit(send, origin, (outcome) => {
    if ('refusal' in outcome || outcome.ack?.duplicate) budgets.giveBack(charge);
    settle(outcome);
  });
}

/** An identity field that a payload's own check does not know is no less one. */
function mustBeWord(field: string, value: unknown): void {
  if (typeof value === 'string' || typeof value === 'number') return;
  const message = `expected a string or an integer, got ${kindOf(value)}`;
  throw refused('invalid_payload', `${field}: ${message}`, { details: [{ path: `/${field}`, message }] });
}

/**
 * Tells that a node has sockets of somebody, or no longer [P-7.5].
 * @param entry by what a customer comes in [P-3.1]
 */
export function presenceCommand(who: Who, node: string, online: boolean, entry: Entry | null = null): Command {
  return { role: who.role, sender: senderOf(who), key: null, body: changeOf(who, node, online, entry) };
}

function changeOf(who: Who, node: string, online: boolean, entry: Entry | null): PresenceChange {
  const { dealerId } = who;
  switch (who.role) {
    case 'customer':
      return { type: 'CLIENT_JOIN', dealerId, groupId: who.groupId, online, node, entry };
    case 'admin':
      return { type: 'ADMIN_JOIN', dealerId, adminId: who.adminId, online, node };
    case 'server':
      return { type: 'SERVER_JOIN', dealerId, online, node };
  }
}
