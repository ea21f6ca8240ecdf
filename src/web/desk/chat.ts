/** The conversation that is open: its history, and what is known of its customer beyond the list. */
import type { Stamp } from '../../client/index.ts';
import type { Payload, Visit } from './conversation.ts';
import { EMPTY, type History } from './history.ts';
import type { Lists } from './reader.ts';
import { type Known, knownOf } from './record.ts';

export interface Chat extends History {
  readonly groupId: string;
  readonly status: 'reading' | 'ready' | 'gone';
  /** By intent. */
  readonly intents: ReadonlyMap<string, Known>;
  /** The last first. */
  readonly visits: readonly (Visit & { readonly seq: number })[];
  /** Last event that this admin has marked as read. */
  readonly readTo: number;
}

/** As many of the pages that a customer looked at as are kept. */
const VISITS = 50;

export const newChat = (groupId: string): Chat => ({
  ...EMPTY,
  groupId,
  status: 'reading',
  intents: new Map(),
  visits: [],
  readTo: 0,
});

export const intentsOf = (items: readonly Lists['lead-intents'][]): Chat['intents'] =>
  new Map(items.map((item) => [item.intent, knownOf(item)]));

/** With a page that its customer looks at. */
export function withVisit(chat: Chat, payload: Payload, { at, seq }: Stamp): Chat {
  if (payload.type !== 'UPDATE_PAGEVIEW' || chat.visits.some((visit) => visit.seq === seq)) return chat;
  return { ...chat, visits: [{ at, seq, fields: payload.message }, ...chat.visits].slice(0, VISITS) };
}
