/**
 * What `decide` is told and what it answers. Plain values: the journal loads a state, hands it in, and writes what
 * comes back.
 */
import type { Body } from '../../schemas/accepted.ts';
import type { Event } from '../../schemas/delivered.ts';
import type { Refusal } from '../../schemas/errors.ts';
import type { Role } from '../../schemas/kinds.ts';
import type { Fields } from '../../schemas/records.ts';

/** One customer's conversation. */
export interface Group {
  readonly online: boolean;
  /** The admin whose mute silences the bot; null while it may speak. */
  readonly mutedBy: string | null;
  readonly closed: boolean;
  /** [P-7.1] How many of the customer's messages no admin has read. */
  readonly unread: number;
  /** The last seq of the group's scope. The journal numbers; the domain only reads it. */
  readonly lastSeq: number;
  /** The seq of the last chat message, 0 for none. Kept by the journal. */
  readonly lastMessageSeq: number;
  /** How far each side has said that it has read, as a seq. */
  readonly adminRead: number;
  readonly customerRead: number;
}

export const NEW_GROUP: Group = {
  online: false,
  mutedBy: null,
  closed: false,
  unread: 0,
  lastSeq: 0,
  lastMessageSeq: 0,
  adminRead: 0,
  customerRead: 0,
};

/** All that one command may touch. */
export interface State {
  /** Whether the dealer exists. */
  readonly dealer: boolean;
  /** The group that the command names; null where it names none or the dealer has none of that name. */
  readonly group: Group | null;
  /** The last seq of the conversation of that name that was erased; null where none was. */
  readonly erased: number | null;
  /** Where the admin that the command names is present: groupIds, and `@desk` for the dealer itself. */
  readonly places: ReadonlySet<string>;
  /** The nodes that have sockets of the customer or admin who comes or leaves. */
  readonly nodes: ReadonlySet<string>;
  readonly user: Fields | null;
  readonly lead: Fields | null;
  /** The group's intent of the name that the command's message gives. */
  readonly intent: Fields | null;
}

/** [P-7.5] A node has a live socket of a customer or admin, or has it no longer and the grace is over. */
export type Presence =
  | {
      readonly type: 'CLIENT_JOIN';
      readonly dealerId: string;
      readonly groupId: string;
      readonly online: boolean;
      /** The node whose sockets these are. */
      readonly node: string;
      /** Joining without a token: only a group that nobody has may be taken so [P-3.1]. */
      readonly claim: boolean;
    }
  | {
      readonly type: 'ADMIN_JOIN';
      readonly dealerId: string;
      readonly adminId: string;
      readonly online: boolean;
      readonly node: string;
    };

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
  /** Who sent it, within the dealer: the namespace of its keys [P-8.4]. */
  readonly sender: string;
  /** The sender's own id for it; null: it gave none, and a repeat is a new event. */
  readonly key: string | null;
  readonly body: Body | Presence | Erasure;
}

/** Rules that a deployment may change. */
export interface Policy {
  /** [P-7.3] Whether an admin's message mutes the bot. */
  readonly autoMute: boolean;
}

/** The events in order (the last is the command's own, those before it are what it caused) and the state after them. */
export interface Accepted {
  readonly events: readonly Event[];
  readonly state: State;
}

export type Decision = Accepted | { readonly refusal: Refusal };

export const refuse = (code: Refusal['code'], message: string, details?: Refusal['details']): Decision => ({
  refusal: details ? { code, message, details } : { code, message },
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
    unread = group.unread,
    lastSeq = group.lastSeq,
    lastMessageSeq = group.lastMessageSeq,
    adminRead = group.adminRead,
    customerRead = group.customerRead,
  }: Partial<Group>,
): Group => ({ online, mutedBy, closed, unread, lastSeq, lastMessageSeq, adminRead, customerRead });

/** A state whose group has changed in the fields given. */
export const withGroup = (state: State, change: Partial<Group>): State => ({
  ...state,
  group: changed(groupOf(state), change),
});
