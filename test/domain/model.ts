/** The protocol's rules for a chat, told once more as simply as they can be: what a right server would answer. */
import type { Command, Erasure } from '../../src/domain/state.ts';

interface Chat {
  muted: boolean;
  closed: boolean;
  closedByCustomer: boolean;
  unread: number;
  lastSeq: number;
  intents: Set<string>;
}

const newChat = (lastSeq = 0): Chat => ({
  muted: false,
  closed: false,
  closedByCustomer: false,
  unread: 0,
  lastSeq,
  intents: new Set(),
});

/** What the command's ack or error must be, and what its CHAT_MSG must say, where it is one. */
export type Expected = 'repeat' | { refused: string } | { muted: boolean; unread: number } | 'done';

export class Model {
  /** d1 and its g1 are there from the beginning. */
  readonly chats = new Map<string, Chat>([['d1 g1', newChat()]]);
  readonly #dealers = new Set(['d1']);
  readonly #openChats = new Map<string, Set<string>>();
  /** The nodes that each admin is at. */
  readonly #nodes = new Map<string, Set<string>>();
  /** The keys that were used, and in which chat. */
  readonly #keys = new Map<string, string>();
  /** Where the chats that were erased had come to. */
  readonly #erased = new Map<string, number>();
  readonly #autoMute: boolean;

  constructor(autoMute: boolean) {
    this.#autoMute = autoMute;
  }

  apply({ role, sender, key, body }: Command): Expected {
    const { dealerId } = body;
    if (body.type === 'ERASE_GROUP') return this.#erase(dealerId, body.groupId);
    const groupId = 'groupId' in body ? body.groupId : undefined;
    const known = key === null || !isStored(body) ? null : [dealerId, scopeName(body), sender, key].join(' ');
    if (known !== null && this.#keys.has(known)) return 'repeat';
    if (role !== 'server' && !this.#dealers.has(dealerId)) return { refused: 'unknown_dealer' };
    const name = `${dealerId} ${groupId}`;
    const chat = this.chats.get(name);
    if (groupId !== undefined && !chat && role !== 'server' && body.type !== 'CLIENT_JOIN') {
      return { refused: 'unknown_group' };
    }
    const fresh = chat ?? newChat(this.#erased.get(name));
    const expected = this.#happen(body, fresh, chat !== undefined || this.#erased.has(name));
    if (typeof expected === 'object' && 'refused' in expected) return expected;
    if (body.type === 'CLIENT_JOIN' && !body.online && !chat) return expected;
    this.#dealers.add(dealerId);
    if (groupId !== undefined) this.chats.set(name, fresh);
    if (known !== null) this.#keys.set(known, name);
    return expected;
  }

  /** [P-11.4] Nothing is left of the chat but where it had come to; a server, too, can erase only what is there. */
  #erase(dealerId: string, groupId: string): Expected {
    const name = `${dealerId} ${groupId}`;
    const chat = this.chats.get(name);
    if (!this.#dealers.has(dealerId)) return { refused: 'unknown_dealer' };
    if (!chat) return { refused: 'unknown_group' };
    this.chats.delete(name);
    this.#erased.set(name, chat.lastSeq);
    for (const [key, of] of this.#keys) if (of === name) this.#keys.delete(key);
    for (const [who, openChats] of this.#openChats) if (who.startsWith(`${dealerId} `)) openChats.delete(groupId);
    return 'done';
  }

  #happen(body: Exclude<Command['body'], Erasure>, chat: Chat, isTaken: boolean): Expected {
    switch (body.type) {
      case 'UPDATE_MSG':
        return this.#say(body.user, chat);
      case 'MUTE_BOT':
      case 'UNMUTE_BOT':
        chat.muted = body.type === 'MUTE_BOT';
        chat.lastSeq += 1;
        return 'done';
      case 'CLOSE_CHAT':
        chat.closedByCustomer = body.user === 'customer' && (chat.closedByCustomer || !chat.closed);
        chat.closed = true;
        chat.lastSeq += 1;
        return 'done';
      case 'READ':
        if (body.seq > chat.lastSeq) return { refused: 'invalid_payload' };
        if (body.user === 'admin') chat.unread = 0;
        return 'done';
      case 'CLIENT_JOIN':
        return body.entry?.by === 'claim' && isTaken ? { refused: 'unauthorized' } : 'done';
      case 'UPDATE_CHAT':
        if (body.user === 'customer') return 'done';
        if (body.groupId !== undefined) chat.lastSeq += 1;
        this.#move(`${body.dealerId} ${body.adminId}`, body.groupId, body.online);
        return 'done';
      case 'ADMIN_JOIN':
        this.#join(body.dealerId, body.adminId, body.node, body.online);
        return 'done';
      case 'CREATE_LEAD_INTENT':
        chat.intents.add(body.message.intent);
        return 'done';
      case 'UPDATE_LEAD_INTENT':
        return chat.intents.has(body.message.intent) ? 'done' : { refused: 'unknown_intent' };
      default:
        return 'done';
    }
  }

  /** [P-7.1, P-7.3, P-7.4] */
  #say(user: 'customer' | 'admin' | 'bot', chat: Chat): Expected {
    if (user === 'bot' && chat.closed) return { refused: 'group_closed' };
    if (user === 'bot' && chat.muted) return { refused: 'bot_muted' };
    const wasMuted = chat.muted;
    if (user === 'customer') {
      chat.unread += 1;
      if (chat.closed && !chat.closedByCustomer) chat.muted = false;
    } else if (user === 'admin') {
      chat.unread = 0;
      if (this.#autoMute) chat.muted = true;
    }
    chat.closed = false;
    chat.closedByCustomer = false;
    chat.lastSeq += chat.muted === wasMuted ? 1 : 2;
    return { muted: chat.muted, unread: chat.unread };
  }

  #move(who: string, groupId: string | undefined, online: boolean): void {
    if (groupId === undefined) return;
    const openChats = this.#openChats.get(who) ?? new Set<string>();
    this.#openChats.set(who, openChats);
    if (online) openChats.add(groupId);
    else openChats.delete(groupId);
  }

  /** [P-7.5] Online means at least one node that has a socket. */
  #join(dealerId: string, adminId: string, node: string, online: boolean): void {
    const nodes = this.#nodes.get(`${dealerId} ${adminId}`) ?? new Set<string>();
    this.#nodes.set(`${dealerId} ${adminId}`, nodes);
    if (online) nodes.add(node);
    else if (nodes.delete(node) && nodes.size === 0) this.#leaveAll(dealerId, adminId);
  }

  /** An admin who leaves the dealer leaves each chat, which is an event in it. */
  #leaveAll(dealerId: string, adminId: string): void {
    for (const groupId of this.#openChats.get(`${dealerId} ${adminId}`) ?? []) {
      const chat = this.chats.get(`${dealerId} ${groupId}`);
      if (chat) chat.lastSeq += 1;
    }
    this.#openChats.delete(`${dealerId} ${adminId}`);
  }
}

/** [P-7] What is only passed on has no key to be known again by. */
const isStored = ({ type }: Command['body']) => type !== 'TYPING' && type !== 'READ';

/** [P-7] Where a key is one's own: the scope of the event. */
function scopeName(body: Command['body']): string {
  switch (body.type) {
    case 'SYS_MSG':
      return '@dealer';
    case 'UPDATE_MSG':
    case 'MUTE_BOT':
    case 'UNMUTE_BOT':
    case 'CLOSE_CHAT':
      return body.groupId;
    case 'UPDATE_CHAT':
      return body.user === 'admin' && body.groupId !== undefined ? body.groupId : '@desk';
    default:
      return '@desk';
  }
}
