/** Messages in order: those that the server has stored, then those on their way. */
import type { Delivered, Stamp } from '../../client/index.ts';
import type { Content } from '../content/shown.ts';
import type { Kept } from './memory.ts';
import type { Words } from './words.ts';

export const DEALER_SCOPE = '@dealer';

/** A stored event as it comes over the socket, and over HTTP [P-11.3]. */
export type Frame = {
  [Channel in keyof Delivered]: Stamp & { readonly channel: Channel; readonly payload: Delivered[Channel][0] };
}[keyof Delivered];

/** [P-18.1] The choice that a customer took: of which message, and what it is to whoever offered it. */
export interface Answer {
  readonly replyTo: number;
  readonly value?: string;
}

export interface Entry {
  readonly kind: 'customer' | 'bot' | 'admin' | 'announcement' | 'joined' | 'left' | 'ended';
  readonly id: string;
  /** RFC 3339. */
  readonly at: string;
  readonly text?: string | undefined;
  readonly name?: string | undefined;
  /** Place in the group's log. */
  readonly seq?: number | undefined;
  /** [P-18.1] */
  readonly content?: Content | undefined;
  readonly answer?: Pick<Answer, 'replyTo'> | undefined;
  readonly status?: 'sending' | 'failed' | undefined;
}

/** Makes the entry that an event shows to a customer; null where it shows nothing. */
export function entryOf({ channel, payload, id, at, seq }: Frame): Entry | null {
  switch (channel) {
    case 'CHAT_MESSAGE': {
      const { user: kind, adminId: name, message: text, content, replyTo } = payload;
      return { id, at, seq, kind, name, text, content, answer: replyTo === undefined ? undefined : { replyTo } };
    }
    case 'SYS_MESSAGE':
      return { id, at, kind: 'announcement', text: payload.message };
    case 'MUTE_STATE':
      return { id, at, kind: payload.muted ? 'joined' : 'left', name: payload.adminId };
    case 'CLOSE_CHAT':
      return { id, at, kind: 'ended' };
    default:
      return null;
  }
}

/** Makes the entry of a message on its way; null of what is none. */
export function entrySent({ id, at, channel, payload }: Kept): Entry | null {
  if (channel !== 'customer_message' || !('message' in payload)) return null;
  const { message: text, replyTo } = payload;
  return { kind: 'customer', id, at, text, answer: replyTo === undefined ? undefined : { replyTo }, status: 'sending' };
}

export const isFromOthers = ({ kind }: Entry) => kind === 'admin' || kind === 'bot' || kind === 'announcement';

/** Names the author, by name where there is one. */
export const nameOf = ({ kind, name }: Pick<Entry, 'kind' | 'name'>, words: Words): string => {
  if (kind === 'customer') return words.you;
  if (kind === 'announcement') return words.announcement;
  return kind === 'bot' ? words.bot : (name ?? words.admin);
};

export class Log {
  /** By scope, and there by seq. */
  readonly #scopes = new Map<string, Map<number, Entry>>();
  /** By id. */
  readonly #unsent = new Map<string, Entry>();

  put(scope: string, seq: number, entry: Entry): void {
    const entries = this.#scopes.get(scope) ?? new Map<number, Entry>();
    this.#scopes.set(scope, entries.set(seq, entry));
    if (entry.kind === 'customer') this.#unsent.delete(entry.id);
  }

  putUnsent(entry: Entry): void {
    this.#unsent.set(entry.id, entry);
  }

  /** Forgets what is stored elsewhere. */
  clear(): void {
    this.#scopes.clear();
  }

  /** Messages of others after the seqs that were read. */
  unread(read: Readonly<Record<string, number>>): Entry[] {
    return [...this.#scopes].flatMap(([scope, entries]) =>
      [...entries].flatMap(([seq, entry]) => (seq > (read[scope] ?? 0) && isFromOthers(entry) ? [entry] : [])),
    );
  }

  #sorted(scope: string): Entry[] {
    const entries = [...(this.#scopes.get(scope) ?? [])];
    return entries.sort(([a], [b]) => a - b).map(([, entry]) => entry);
  }

  /** Everything of a group, with the announcements where they fell. */
  entries(group: string): Entry[] {
    const announcements = this.#sorted(DEALER_SCOPE);
    const entries: Entry[] = [];
    for (const entry of this.#sorted(group)) {
      while (announcements[0] && announcements[0].at < entry.at) entries.push(...announcements.splice(0, 1));
      entries.push(entry);
    }
    return [...entries, ...announcements, ...this.#unsent.values()];
  }
}
