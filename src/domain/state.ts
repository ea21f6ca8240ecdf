/**
 * The input and the answer of `decide`. Plain values: the journal loads a state, hands it in, and writes what
 * comes back.
 */
import type { Body } from '../../schemas/accepted.ts';
import type { KeptTogether } from '../../schemas/dealers.ts';
import type { Event } from '../../schemas/delivered.ts';
import type { Refusal } from '../../schemas/errors.ts';
import type { Author, Role } from '../../schemas/kinds.ts';
import type { Fields } from '../../schemas/records.ts';
import type { Answering } from '../../schemas/waiting.ts';

/** One customer's conversation. */
export interface Group {
  readonly online: boolean;
  /** The admin whose mute silences the bot; null while it may speak. */
  readonly mutedBy: string | null;
  readonly closed: boolean;
  /** [P-7.4] Side that closed it; null while it is open, and where a version that did not keep it closed it. */
  readonly closedBy: Author | null;
  /** [P-7.1] Number of the customer's messages that no admin has read. */
  readonly unread: number;
  /** The last seq of the group's scope. The journal numbers; the domain only reads it. */
  readonly lastSeq: number;
  /** The seq of the last chat message, 0 for none. Kept by the journal. */
  readonly lastMessageSeq: number;
  /** Last event that each side has marked as read, as a seq. */
  readonly adminRead: number;
  readonly customerRead: number;
  readonly holder: Holder;
  /** [P-12.1] Since when its customer waits for an answer; null: nobody waits. */
  readonly waitingSince: number | null;
  /** The side whose it is to answer; null: nobody waits. */
  readonly waitingFor: Answering | null;
  /** When it became theirs. */
  readonly turnedAt: number;
  /** Marks of what has become of this wait: bits of `MARK` in `waiting.ts`. */
  readonly marks: number;
  /** [P-12.3] The admin whose conversation it is; null: nobody's. */
  readonly assignee: string | null;
  /** [P-12.5] When an admin last did something in it, as far as that holds a mute. */
  readonly actedAt: number;
  /** Messages of bots since somebody else said something. */
  readonly botRun: number;
  /** When it is to be looked at again, at the latest; null: nothing can fall due. Whoever waits, or has muted the bot, has one. */
  readonly due: number | null;
}

/**
 * By what a group's customer holds its name [P-3.1]: a token that its dealer minted, or a claim. A claim that nobody has
 * acknowledged yet says when it was made, in ms since 1970, and by which join's id. Null: no customer has joined it, or
 * nobody wrote it down.
 */
export type Holder = 'minted' | 'claimed' | `claimed ${number} ${string}` | null;

export const NEW_GROUP: Group = {
  online: false,
  mutedBy: null,
  closed: false,
  closedBy: null,
  unread: 0,
  lastSeq: 0,
  lastMessageSeq: 0,
  adminRead: 0,
  customerRead: 0,
  holder: null,
  waitingSince: null,
  waitingFor: null,
  turnedAt: 0,
  marks: 0,
  assignee: null,
  actedAt: 0,
  botRun: 0,
  due: null,
};

/** The side whose word something is: the customer, or the dealer, for whom admins and servers speak [P-6.5]. */
export type Side = 'customer' | 'dealer';

/** A user, a lead or an intent, as it is kept [P-6.5]. */
export interface Known {
  /** Fields of both sides, merged: where they differ, the dealer's. */
  readonly fields: Fields;
  /**
   * Fields that the customer sent and the dealer has not sent since. Where `fields` has the same, it is the customer's
   * word.
   */
  readonly customer: Fields;
}

/** Rules of a dealer: what it asks for in its conversations, and who is there to answer [P-12, P-13]. Times are ms since 1970. */
export interface Rules {
  readonly settings: KeptTogether;
  /** True where a server of the dealer is joined. */
  readonly hasServer: boolean;
  /** When a bot last spoke here, to the minute; 0: none ever did. */
  readonly botSpokeAt: number;
  /** Since when no admin is here; null: one is. */
  readonly aloneSince: number | null;
  /** True where the dealer's sockets were last told that it is open. */
  readonly isOpen: boolean;
  /** When something of the dealer as a whole falls due; null: nothing does. */
  readonly lookAt: number | null;
}

export const NEW_RULES: Rules = {
  settings: {},
  hasServer: false,
  botSpokeAt: 0,
  aloneSince: 0,
  isOpen: true,
  lookAt: null,
};

/** All that one command may touch. */
export interface State {
  /** When it is decided, in ms since 1970. */
  readonly at: number;
  readonly rules: Rules;
  /** True where the dealer exists. */
  readonly dealer: boolean;
  /** True where one of that name was removed: only an operator makes it anew [P-11.5]. */
  readonly removed: boolean;
  /** The group that the command names; null where it names none or the dealer has none of that name. */
  readonly group: Group | null;
  /** The last seq of the conversation of that name that was erased; null where none was. */
  readonly erased: number | null;
  /** Chats that the admin whom the command names has open: groupIds, and `@desk` for the dealer itself. */
  readonly openChats: ReadonlySet<string>;
  /** Number of the dealer's admins who are here, where it matters. */
  readonly present: number;
  /** The nodes that have sockets of the customer or admin who comes or leaves. */
  readonly nodes: ReadonlySet<string>;
  readonly user: Known | null;
  readonly lead: Known | null;
  /** The group's intent of the name that the command's message gives. */
  readonly intent: Known | null;
  /** Number of intents of the group, as far as the command may add one: {@link MAX_INTENTS} of them or more are as many. */
  readonly intents: number;
}

/** [P-7.5] A node has a live socket of a customer or admin, or has it no longer and the grace is over. */
export type PresenceChange =
  | {
      readonly type: 'CLIENT_JOIN';
      readonly dealerId: string;
      readonly groupId: string;
      readonly online: boolean;
      /** The node whose sockets these are. */
      readonly node: string;
      /** By what it comes in; null: it was here before. */
      readonly entry: Entry | null;
    }
  | {
      readonly type: 'ADMIN_JOIN';
      readonly dealerId: string;
      readonly adminId: string;
      readonly online: boolean;
      readonly node: string;
    }
  | { readonly type: 'SERVER_JOIN'; readonly dealerId: string; readonly online: boolean; readonly node: string };

/**
 * [P-3.1] By what a customer joins a group: a claim, without a token; the token that Telle gave it for one (`kept`); or one
 * that its dealer minted, which is stronger.
 */
export type Entry =
  | {
      readonly by: 'claim';
      /** The id of the join, and when it came, in ms since 1970. */
      readonly id: string | undefined;
      readonly at: number;
      /** True where this node has a live socket of the group. */
      readonly isHere: boolean;
      /** [P-19.3] Key of the group, where it exists: `id` where to know its name is enough; absent: `token`. */
      readonly key?: 'token' | 'id' | 'short' | 'over';
    }
  | { readonly by: 'kept' }
  /** Somebody connected by a claim shows a minted token, too: the conversation is that customer's from now on. */
  | { readonly by: 'adopted' }
  | {
      readonly by: 'minted';
      /** The name that a conversation gets that must give way: nobody has it. */
      readonly spare: string;
    };

/** [P-12] It is time to look what has fallen due in a conversation. */
export interface Wake {
  readonly type: 'WAKE_GROUP';
  readonly dealerId: string;
  readonly groupId: string;
}

/** [P-7.5] A server's word that a customer is here holds no longer. */
export interface Lapse {
  readonly type: 'LAPSE_GROUP';
  readonly dealerId: string;
  readonly groupId: string;
}

/** [P-12.5, P-13.2] It is time to look at a dealer as a whole. */
export interface WakeDealer {
  readonly type: 'WAKE_DEALER';
  readonly dealerId: string;
}

/** [P-11.4] A conversation is to be forgotten, with all that is known of its customer. */
export interface Erasure {
  readonly type: 'ERASE_GROUP';
  readonly dealerId: string;
  readonly groupId: string;
  /** The receipt's name. */
  readonly erasureId: string;
  /**
   * Asked for, or old enough by the dealer's own rule: that one never takes a customer who is here, nor a conversation
   * that goes further than it was found to.
   */
  readonly reason: 'request' | 'retention';
  readonly lastSeq?: number;
}

/** Something asked by somebody, checked and permitted. */
export interface Command {
  readonly role: Role;
  /** Sender, within the dealer: the namespace of its keys [P-8.4]. */
  readonly sender: string;
  /** The dealer that it waits with for its turn: `*` where it comes from a server of all dealers. Absent: the one it names. */
  readonly turn?: string;
  /** The sender's own id for it; null: it gave none, and a repeat is a new event. */
  readonly key: string | null;
  readonly body: Body | PresenceChange | Erasure | Lapse | Wake | WakeDealer;
  /** Of a customer: whether its dealer minted its token [P-3.1]. */
  readonly minted?: boolean;
  /** [P-20.1] When it was, in ms since 1970: of what another system tells of the past. Absent: it is now. */
  readonly at?: number;
}

/** Rules that a deployment may change. */
export interface Policy {
  /** [P-7.3] True where an admin's message mutes the bot. */
  readonly autoMute: boolean;
  /** [P-12.3] True where an admin's message makes a conversation the admin's that is nobody's. */
  readonly autoAssign?: boolean;
  /** [P-12.9] The most messages of bots in a conversation while nobody else says anything; absent: any number. */
  readonly maxBotRun?: number;
}

/** The events in order (the last is the command's own, those before it are what it caused) and the state after them. */
export interface Accepted {
  readonly events: readonly Event[];
  readonly state: State;
  /** The name under which the conversation that was there goes on: the state after is that of a new one. */
  readonly setAside?: string;
  /** True where tokens of the group that were signed before are taken no more. */
  readonly revoked?: boolean;
}

export type Decision = Accepted | { readonly refusal: Refusal };

export const refuse = (
  code: Refusal['code'],
  message: string,
  details?: Refusal['details'],
  close?: Refusal['close'],
): Decision => ({
  refusal: { code, message, ...(details && { details }), ...(close && { close }) },
});

/** The group as it stands; a new one goes on counting where an erased one of its name ended [P-8.2]. */
export const groupOf = ({ group, erased }: State): Group => group ?? changed(NEW_GROUP, { lastSeq: erased ?? 0 });

/**
 * A group that has changed in the fields given. All of them are written out, since every message comes by here: V8 copies
 * what was copied by `...` before ten times as slowly.
 */
export const changed = (
  group: Group,
  {
    online = group.online,
    mutedBy = group.mutedBy,
    closed = group.closed,
    closedBy = group.closedBy,
    unread = group.unread,
    lastSeq = group.lastSeq,
    lastMessageSeq = group.lastMessageSeq,
    adminRead = group.adminRead,
    customerRead = group.customerRead,
    holder = group.holder,
    waitingSince = group.waitingSince,
    waitingFor = group.waitingFor,
    turnedAt = group.turnedAt,
    marks = group.marks,
    assignee = group.assignee,
    actedAt = group.actedAt,
    botRun = group.botRun,
    due = group.due,
  }: Partial<Group>,
): Group => ({
  online,
  mutedBy,
  closed,
  closedBy,
  unread,
  lastSeq,
  lastMessageSeq,
  adminRead,
  customerRead,
  holder,
  waitingSince,
  waitingFor,
  turnedAt,
  marks,
  assignee,
  actedAt,
  botRun,
  due,
});

/** A state whose group has changed in the fields given. */
export const withGroup = (state: State, change: Partial<Group>): State => ({
  ...state,
  group: changed(groupOf(state), change),
});
