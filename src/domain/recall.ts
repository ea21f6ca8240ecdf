/** [P-20.1] Events of the past, as another system tells them. No rule of section 7 holds for it, and nothing follows from it. */
import type { Static } from '@sinclair/typebox';
import type { Body, UpdateMsg } from '../../schemas/accepted.ts';
import { announce } from './announce.ts';
import { author } from './author.ts';
import { carried } from './carried.ts';
import { close } from './close.ts';
import { mute } from './mute.ts';
import { createIntent, updateIntent, updateLead, updatePageview, updateUser } from './records.ts';
import { type Command, type Decision, groupOf, type Policy, refuse, type State, withGroup } from './state.ts';

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** Says what was said. Who goes on speaking has a chat that is open; `muted` and `unread` are as they are told. */
function said(state: State, body: Static<typeof UpdateMsg>): Decision {
  const { dealerId, groupId } = body;
  const unread = isCount(body.unread) ? body.unread : 0;
  const muted = typeof body.muted === 'boolean' ? body.muted : groupOf(state).mutedBy !== null;
  const who = author(body, 'bot');
  const event = { type: 'CHAT_MSG', dealerId, groupId, ...who, muted, unread, ...carried(body) } as const;
  return { events: [event], state: withGroup(state, { unread, closed: false, closedBy: null }) };
}

type Recalled = Exclude<Body['type'], 'UPDATE_CHAT' | 'UPDATE_GROUP' | 'TYPING' | 'READ' | 'ASSIGN' | 'HANDOFF'>;
type Verb<B extends Body> = (state: State, body: B, policy: Policy, side: 'dealer') => Decision;

const VERBS: { readonly [Type in Recalled]: Verb<Extract<Body, { type: Type }>> } = {
  UPDATE_MSG: said,
  MUTE_BOT: mute,
  UNMUTE_BOT: mute,
  CLOSE_CHAT: close,
  SYS_MSG: announce,
  UPDATE_USER: updateUser,
  UPDATE_PAGEVIEW: updatePageview,
  UPDATE_LEAD: updateLead,
  CREATE_LEAD_INTENT: createIntent,
  // What it updates may be older than what is told.
  UPDATE_LEAD_INTENT: (state, body, policy, side) =>
    state.intent === null
      ? createIntent(state, { ...body, type: 'CREATE_LEAD_INTENT' }, policy, side)
      : updateIntent(state, body, policy, side),
};

const isRecalled = (type: string): type is Recalled => Object.hasOwn(VERBS, type);

/** Takes in what was. It makes the dealer and the group that it names, as a trusted server does [P-6.2]. */
export function recall(given: State, { body }: Command, policy: Policy): Decision {
  if (!isRecalled(body.type)) return refuse('forbidden', `${body.type} is of a moment that is over: it is not kept`);
  if (given.removed) return refuse('unknown_dealer', 'this dealer was removed: make it again first');
  if (given.group === null && given.erased !== null) return refuse('unknown_group', 'this conversation was erased');
  const namesGroup = 'groupId' in body && body.groupId !== undefined;
  const standing = { ...given, dealer: true, group: namesGroup ? groupOf(given) : given.group };
  // The table pairs each type with its verb; TypeScript cannot follow that pairing through an index.
  const verb = VERBS[body.type] as Verb<Body>;
  return verb(standing, body as Body, policy, 'dealer');
}
