/** The conversation that is open: its history, and what is known of its customer beyond the list. */
import type { Fields } from '../../../schemas/records.ts';
import type { Stamp } from '../../client/index.ts';
import { merge, type Payload, type Visit } from './conversation.ts';
import { EMPTY, type History } from './history.ts';
import type { Lists } from './reader.ts';

export interface Chat extends History {
  readonly groupId: string;
  readonly status: 'reading' | 'ready' | 'gone';
  /** By intent. */
  readonly intents: ReadonlyMap<string, Fields>;
  /** The last first. */
  readonly visits: readonly (Visit & { readonly seq: number })[];
  /** How far this admin has said to have read. */
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

export const withRecords = (
  chat: Chat,
  intents: readonly Lists['lead-intents'][],
  visits: readonly Lists['pageviews'][],
): Chat => ({ ...chat, intents: new Map(intents.map(({ intent, fields }) => [intent, fields])), visits });

/** With an event of its customer [P-6.5]. */
export function merged(chat: Chat, payload: Payload, { at, seq }: Stamp): Chat {
  switch (payload.type) {
    case 'UPDATE_PAGEVIEW': {
      if (chat.visits.some((visit) => visit.seq === seq)) return chat;
      return { ...chat, visits: [{ at, seq, fields: payload.message }, ...chat.visits].slice(0, VISITS) };
    }
    case 'CREATE_LEAD_INTENT':
    case 'UPDATE_LEAD_INTENT': {
      const { intent } = payload.message;
      const known = chat.intents.get(intent) ?? { status: 'open' };
      return { ...chat, intents: new Map([...chat.intents, [intent, merge(known, payload.message)]]) };
    }
    default:
      return chat;
  }
}
