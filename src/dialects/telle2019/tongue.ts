/** [P-19.2] Language of one page or desk of 2019: it joins by writing, knows its own echo, and is given its numbers back. */
import type { Frame } from '../../../schemas/story.ts';
import type { Asked, Said, Tongue } from '../../doors/dialect.ts';
import { isKey } from '../../protocol/decode.ts';
import { readPayload } from './incoming.ts';
import { newId } from './marks.ts';
import { stampOf, wordsOf } from './outgoing.ts';
import type { Fields } from './records.ts';

/** Channels that have another name in Telle. */
const CHANNELS: ReadonlyMap<string, string> = new Map([
  ['unmute_bot', 'mute_bot'],
  ['end_session', 'close_chat'],
]);
const JOINS: ReadonlySet<string> = new Set(['client_join', 'admin_join', 'server_join']);
const OF_CUSTOMERS: ReadonlySet<string> = new Set(['customer_message', 'customer_update', 'close_chat']);
const OF_ADMINS: ReadonlySet<string> = new Set([
  'admin_message',
  'admin_update',
  'mute_bot',
  'close_chat',
  'sys_message',
  'chat_state',
]);
const IDS = ['dealerId', 'groupId', 'adminId'] as const;
/** Answers, as everybody gets them. */
const ANSWERS: ReadonlySet<string> = new Set(['session', 'ack', 'error', 'pong']);

/** A frame that is waited for: what is heard of it when it is stored, and whether its ack was asked for. */
interface Pending {
  readonly echo: Fields | null;
  readonly isAsked: boolean;
}

/** Makes the token of an admin who is believed without one; undefined where nobody is. */
export type TokenFor = (payload: Fields) => string | undefined;

export class PageTongue implements Tongue {
  readonly #tokenFor: TokenFor;
  readonly #pending = new Map<string, Pending>();
  /** Ids that this one says as numbers. */
  readonly #numbers = new Set<string>();
  #hasAskedToJoin = false;
  #hasJoined = false;

  constructor(tokenFor: TokenFor) {
    this.#tokenFor = tokenFor;
  }

  hear(said: string, given: Fields, id: string | undefined): readonly Asked[] {
    for (const name of IDS) {
      if (typeof given[name] === 'number') this.#numbers.add(name);
      else if (given[name] !== undefined) this.#numbers.delete(name);
    }
    const channel = CHANNELS.get(said) ?? said;
    if (JOINS.has(channel)) return [this.#join(channel, given, id)];
    const payloads = readPayload(said === 'unmute_bot' ? { muted: false, ...given } : given);
    const asked = payloads.map((payload, index): Asked => {
      const isLast = index === payloads.length - 1;
      return { channel, payload, id: isLast ? this.#answeredBy(given, id) : this.#own(null, false) };
    });
    return [...this.#implicitJoin(channel, given), ...asked];
  }

  #join(channel: string, payload: Fields, id: string | undefined): Asked {
    this.#hasAskedToJoin = true;
    const token = channel === 'admin_join' && payload.token === undefined ? this.#tokenFor(payload) : undefined;
    return { channel, payload: token === undefined ? payload : { ...payload, token }, id };
  }

  /** Joins whoever writes without having joined, as after a reconnect. */
  #implicitJoin(channel: string, { dealerId, groupId, adminId, token }: Fields): readonly Asked[] {
    if (this.#hasJoined || this.#hasAskedToJoin || dealerId === undefined) return [];
    const id = () => this.#own(null, false);
    if (OF_ADMINS.has(channel) && adminId !== undefined)
      return [this.#join('admin_join', { type: 'ADMIN_JOIN', dealerId, adminId, token }, id())];
    if (OF_CUSTOMERS.has(channel) && groupId !== undefined)
      return [this.#join('client_join', { type: 'CLIENT_JOIN', dealerId, groupId, token }, id())];
    return [];
  }

  /** The id of a frame: its own, or a message's `uid`. Whoever writes is told of it as all others are. */
  #answeredBy(given: Fields, id: string | undefined): string | undefined {
    if (given.type !== 'UPDATE_MSG') return id;
    const key = id ?? (isKey(given.uid) ? given.uid : newId(true));
    this.#pending.set(key, { echo: { ...given, type: 'CHAT_MSG' }, isAsked: id !== undefined });
    return key;
  }

  #own(echo: Fields | null, isAsked: boolean): string {
    const id = newId(false);
    this.#pending.set(id, { echo, isAsked });
    return id;
  }

  tell(frame: Frame): readonly Said[] {
    const { channel, payload } = frame;
    if (channel === 'session') this.#hasJoined = true;
    if (channel === 'error') this.#hasAskedToJoin = this.#hasJoined;
    const { id } = payload;
    const pending = channel === 'ack' || channel === 'error' ? this.#settle(id) : undefined;
    if (channel === 'ack' && pending !== undefined) return this.#acked(pending, frame);
    if (ANSWERS.has(channel)) return [{ event: channel, payload: this.#withNumbers(payload) }];
    return wordsOf(frame).map((each) => this.#numbered(each));
  }

  #settle(id: unknown): Pending | undefined {
    if (typeof id !== 'string') return undefined;
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  /** Its own words, as they came. */
  #acked({ echo, isAsked }: Pending, { payload }: Frame): readonly Said[] {
    const timestamp = typeof payload.at === 'string' ? stampOf(payload.at) : undefined;
    return [
      ...(echo === null ? [] : [{ event: 'CHAT_MESSAGE', payload: { ...echo, timestamp } }]),
      ...(isAsked ? [{ event: 'ack', payload }] : []),
    ];
  }

  /** The same where nothing is said as a number: what many are told is written once. */
  #numbered(said: Said): Said {
    if (this.#numbers.size === 0 || typeof said.payload === 'string') return said;
    return { ...said, payload: this.#withNumbers(said.payload) };
  }

  #withNumbers(payload: Fields): Fields {
    if (this.#numbers.size === 0) return payload;
    const given: Record<string, unknown> = { ...payload };
    for (const name of this.#numbers) {
      const value = Number(given[name]);
      if (String(value) === given[name]) given[name] = value;
    }
    return given;
  }
}
