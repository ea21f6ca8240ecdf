import { CLOSE } from '../../schemas/errors.ts';
import type { Author } from '../../schemas/kinds.ts';
import { announce } from './announce.ts';
import { assign } from './assign.ts';
import { author } from './author.ts';
import { wakeDealer } from './availability.ts';
import { chat } from './chat.ts';
import { close } from './close.ts';
import { erase } from './erase.ts';
import { handoff } from './handoff.ts';
import { acknowledged } from './holding.ts';
import { adminJoin, customerJoin, serverJoin } from './join.ts';
import { lapse } from './lapse.ts';
import { message } from './message.ts';
import { mute } from './mute.ts';
import { read } from './read.ts';
import { createIntent, updateIntent, updateLead, updatePageview, updateUser } from './records.ts';
import {
  type Command,
  type Decision,
  groupOf,
  type Policy,
  refuse,
  type Side,
  type State,
  withGroup,
} from './state.ts';
import { typing } from './typing.ts';
import { wake } from './wake.ts';

/** Notes that the claim is acknowledged: what a customer sends shows that it has the token of its claim. */
function acknowledging(state: State): State {
  const holder = acknowledged(state.group?.holder ?? null);
  return state.group && holder !== state.group.holder ? withGroup(state, { holder }) : state;
}

/** Tells what nobody sends: it makes no dealer and no group [P-6.2]. */
const isServersOwn = ({ type }: Command['body']): boolean =>
  type === 'ERASE_GROUP' || type === 'LAPSE_GROUP' || type === 'WAKE_GROUP' || type === 'WAKE_DEALER';

type Verb<B extends Command['body']> = (state: State, body: B, policy: Policy, side: Side) => Decision;

/** [P-7.2] Names the author of what is told as it was sent: a server that names nobody is it itself. */
const authored =
  <B extends Extract<Command['body'], { user?: Author; adminId?: string }>>(verb: Verb<B>): Verb<B> =>
  (state, body, policy, side) =>
    verb(state, { ...body, ...author(body, 'server') }, policy, side);

/** One verb for each type that can be asked. */
const VERBS: { readonly [Type in Command['body']['type']]: Verb<Extract<Command['body'], { type: Type }>> } = {
  CLIENT_JOIN: customerJoin,
  ADMIN_JOIN: adminJoin,
  SERVER_JOIN: serverJoin,
  UPDATE_MSG: message,
  MUTE_BOT: mute,
  UNMUTE_BOT: mute,
  CLOSE_CHAT: close,
  ASSIGN: assign,
  HANDOFF: handoff,
  SYS_MSG: announce,
  UPDATE_CHAT: chat,
  UPDATE_GROUP: chat,
  UPDATE_USER: authored(updateUser),
  UPDATE_PAGEVIEW: authored(updatePageview),
  UPDATE_LEAD: authored(updateLead),
  CREATE_LEAD_INTENT: authored(createIntent),
  UPDATE_LEAD_INTENT: authored(updateIntent),
  TYPING: typing,
  READ: read,
  ERASE_GROUP: erase,
  LAPSE_GROUP: lapse,
  WAKE_GROUP: wake,
  WAKE_DEALER: wakeDealer,
};

/**
 * Decides what a command does to a state: the events that happen and the state after them, or why it may not be. Pure: no I/O,
 * no clock, no chance. A trusted server's command makes the dealer and the group that it names [P-6.2]; anybody else's
 * needs them there.
 */
export function decide(given: State, { role, body, minted = false }: Command, policy: Policy): Decision {
  // A server may be here before its dealer is [P-6.2].
  if (body.type === 'SERVER_JOIN') return serverJoin(given, body);
  const trusted = role === 'server' && !isServersOwn(body);
  if (!given.dealer && (!trusted || given.removed)) return refuse('unknown_dealer', 'this dealer does not exist');
  const isCustomers = role === 'customer' && body.type !== 'CLIENT_JOIN';
  // [P-3.1] Its conversation has been set aside, and its socket does not know yet.
  if (isCustomers && given.group?.holder === 'minted' && !minted) {
    return refuse('unavailable', 'this conversation has another name now: join again', undefined, CLOSE.restart);
  }
  const state = isCustomers ? acknowledging(given) : given;
  const namesGroup = 'groupId' in body && body.groupId !== undefined;
  if (namesGroup && state.group === null && !trusted && body.type !== 'CLIENT_JOIN') {
    return refuse('unknown_group', 'this dealer has no such group');
  }
  const standing = trusted ? { ...state, dealer: true, group: namesGroup ? groupOf(state) : state.group } : state;
  // The table pairs each type with its verb; TypeScript cannot follow that pairing through an index.
  const verb = VERBS[body.type] as Verb<Command['body']>;
  return verb(standing, body, policy, role === 'customer' ? 'customer' : 'dealer');
}
