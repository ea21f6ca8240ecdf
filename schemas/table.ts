/**
 * The one table of the protocol: role × channel × type [P-5, P-6] and type × channel × scope [P-7]. Validation,
 * permission, routing and the documents are read from here.
 */
import type { Body, BodySchema } from './accepted.ts';
import * as accepted from './accepted.ts';
import type { Event } from './delivered.ts';
import * as delivered from './delivered.ts';
import type { Role } from './kinds.ts';

/** [P-1] The two scopes that are not a group's. */
export const DEALER_SCOPE = '@dealer';
export const DESK_SCOPE = '@desk';

/** [P-3.3, P-4] The dealerId of a server that speaks to, and hears, every dealer. */
export const ALL_DEALERS = '*';

const profile = [accepted.UpdateUser, accepted.UpdateLead, accepted.CreateLeadIntent, accepted.UpdateLeadIntent];
const mutes = [accepted.MuteBot, accepted.UnmuteBot];

type SendTable = Readonly<Record<Role, Readonly<Record<string, readonly BodySchema[]>>>>;

const sends = {
  customer: {
    customer_message: [accepted.UpdateMsg],
    customer_update: [...profile, accepted.UpdatePageview],
    close_chat: [accepted.CloseChat],
    typing: [accepted.Typing],
    read: [accepted.Read],
  },
  admin: {
    admin_message: [accepted.UpdateMsg],
    mute_bot: mutes,
    close_chat: [accepted.CloseChat],
    sys_message: [accepted.SysMsg],
    admin_update: profile,
    chat_state: [accepted.OpenChat],
    typing: [accepted.Typing],
    read: [accepted.Read],
  },
  server: {
    // [P-6]
    event: [
      accepted.UpdateMsg,
      ...mutes,
      accepted.CloseChat,
      accepted.SysMsg,
      accepted.UpdateChat,
      accepted.UpdateGroup,
      ...profile,
      accepted.UpdatePageview,
      accepted.Typing,
    ],
  },
} as const satisfies SendTable;

/** [P-5] Which payloads a role may send on which channel. */
export const SENDS: SendTable = sends;
/** {@link SENDS} channel by channel, for who is typed by it. */
export type Sends = typeof sends;

/** [P-3] The channel by which each role joins. */
export const JOINS = { client_join: 'customer', admin_join: 'admin', server_join: 'server' } as const;
export type JoinChannel = keyof typeof JOINS;

/** [P-2.6, P-4] Channels of every role that carry no event. */
export const CONTROLS = ['ping', 'refresh'] as const;

interface Delivery {
  readonly channel: string;
  /** `either`: the group's where the payload names one, else `@desk`. */
  readonly scope: 'group' | typeof DEALER_SCOPE | typeof DESK_SCOPE | 'either';
  /** Whether the event is stored and numbered, or only passed on to who is there. */
  readonly stored: boolean;
  readonly payload: { readonly static: Event };
}

const onDesk = { channel: 'CUSTOMER_STATE', scope: DESK_SCOPE, stored: true } as const;

/** [P-7] How each event type is delivered. */
export const DELIVERIES = {
  CHAT_MSG: { channel: 'CHAT_MESSAGE', scope: 'group', stored: true, payload: delivered.ChatMsg },
  MUTE_STATUS: { channel: 'MUTE_STATE', scope: 'group', stored: true, payload: delivered.MuteStatus },
  CLOSE_CHAT: { channel: 'CLOSE_CHAT', scope: 'group', stored: true, payload: delivered.ChatClosed },
  SYS_MSG: { channel: 'SYS_MESSAGE', scope: DEALER_SCOPE, stored: true, payload: delivered.Announcement },
  UPDATE_CHAT: { channel: 'CHAT_STATE', scope: 'either', stored: true, payload: delivered.AdminPresence },
  UPDATE_GROUP: { channel: 'CHAT_STATE', scope: DESK_SCOPE, stored: true, payload: delivered.CustomerPresence },
  UPDATE_USER: { ...onDesk, payload: accepted.UpdateUser },
  UPDATE_PAGEVIEW: { ...onDesk, payload: accepted.UpdatePageview },
  UPDATE_LEAD: { ...onDesk, payload: accepted.UpdateLead },
  CREATE_LEAD_INTENT: { ...onDesk, payload: accepted.CreateLeadIntent },
  UPDATE_LEAD_INTENT: { ...onDesk, payload: accepted.UpdateLeadIntent },
  TYPING: { channel: 'TYPING_STATE', scope: 'group', stored: false, payload: delivered.TypingState },
  SET_ASIDE: { channel: 'CHAT_STATE', scope: 'group', stored: true, payload: delivered.NameSetAside },
  ERASE_GROUP: { channel: 'CHAT_STATE', scope: 'group', stored: false, payload: delivered.GroupErased },
  READ: { channel: 'READ_STATE', scope: 'group', stored: false, payload: delivered.ReadState },
} as const satisfies Record<Event['type'], Delivery>;

/** [P-7] The event type that an accepted payload becomes. */
export function eventTypeOf(body: Body): Event['type'] {
  switch (body.type) {
    case 'UPDATE_MSG':
      return 'CHAT_MSG';
    case 'MUTE_BOT':
    case 'UNMUTE_BOT':
      return 'MUTE_STATUS';
    case 'UPDATE_CHAT':
      return body.user === 'customer' ? 'UPDATE_GROUP' : 'UPDATE_CHAT';
    default:
      return body.type;
  }
}

/** [P-7] The scope whose log an event of this type goes to. */
export function scopeOf(type: Event['type'], groupId: string | undefined): string {
  const { scope } = DELIVERIES[type];
  if (scope === DEALER_SCOPE || scope === DESK_SCOPE) return scope;
  return groupId ?? DESK_SCOPE;
}
