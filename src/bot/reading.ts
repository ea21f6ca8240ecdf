/** Reading over HTTP: which conversations wait for a bot, and what one is about [P-11.3]. */
import type { Static } from '@sinclair/typebox';
import type { Event } from '../../schemas/delivered.ts';
import type { GroupItem, GroupList, PageviewList, RecordList } from '../../schemas/reading.ts';
import type { Fields, Message } from './types.ts';

/** A stored event, as the log of a conversation has it. */
export interface Stored {
  readonly payload: Event;
  readonly id: string;
  readonly seq: number;
  readonly at: string;
}

/** A conversation, and what is known of its customer. */
export interface Facts {
  readonly group: Static<typeof GroupItem>;
  /** Its latest events, the oldest first. */
  readonly events: readonly Stored[];
  readonly customer: Fields;
  readonly lead: Fields;
  readonly page: Fields | undefined;
  readonly vehicle: Fields | undefined;
}

/** A failure to read. */
export class ReadError extends Error {
  override readonly name = 'ReadError';
  readonly status: number;

  constructor(status: number) {
    super(`the server answered ${status}`);
    this.status = status;
  }

  /** True where it passes by itself. */
  get isPassing(): boolean {
    return this.status >= 500 || this.status === 429;
  }
}

/** Number of events of a conversation that are read, and of page views [P-14.5]. */
const EVENTS = 200;
const PAGEVIEWS = 20;
const END_OF_LOG = Number.MAX_SAFE_INTEGER;
const PATIENCE_MS = 10_000;

/** [P-14.5] The vehicle of a lead, else the one that was looked at last. */
function vehicleOf(lead: Fields, views: readonly Fields[]): Fields | undefined {
  const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
  if (isRecord(lead.vehicle)) return lead.vehicle;
  const view = views.find(({ vehicle, vin, stock }) => vehicle ?? vin ?? stock);
  if (view === undefined) return undefined;
  const { vehicle, vin, stock, url, title } = view;
  return isRecord(vehicle) ? vehicle : { vin, stock, url, title };
}

/** A conversation's messages, among its events. */
export function messagesIn(events: readonly Stored[]): Message[] {
  return events.flatMap(({ payload, seq, at }) => {
    if (payload.type !== 'CHAT_MSG') return [];
    const { user, adminId, message: text, content, replyTo, value } = payload;
    const more = { adminId, content, replyTo, value };
    const given = Object.fromEntries(Object.entries(more).filter(([, each]) => each !== undefined));
    return [{ seq, at, user, text, ...given }];
  });
}

/** The dealer's part of the HTTP API, read with a token. */
export class Reading {
  readonly #base: string;
  readonly #token: () => string | Promise<string>;

  /** @param url the endpoint of sockets: HTTP is beside it */
  constructor(url: string, dealerId: string, token: () => string | Promise<string>) {
    const { origin, pathname } = new URL(url.replace(/^ws/, 'http'));
    this.#base = `${origin}${pathname.replace(/\/ws\/?$/, '')}/v1/dealers/${encodeURIComponent(dealerId)}`;
    this.#token = token;
  }

  /** The groups that wait for a bot, the longest first. */
  async *waiting(): AsyncGenerator<string> {
    const query = '/groups?waiting=bot&order=waiting&limit=200';
    for (let next: string | null = ''; next !== null; ) {
      const page: Static<typeof GroupList> = await this.#get(next ? `${query}&cursor=${next}` : query);
      for (const { groupId } of page.items) yield groupId;
      next = page.next;
    }
  }

  /** All that is known of a conversation now. */
  async facts(groupId: string): Promise<Facts> {
    const id = encodeURIComponent(groupId);
    const [group, log, users, leads, pageviews] = await Promise.all([
      this.#get<Facts['group']>(`/groups/${id}`),
      this.#get<{ items: Stored[] }>(`/scopes/${id}/events?before=${END_OF_LOG}&limit=${EVENTS}`),
      this.#get<Static<typeof RecordList>>(`/users?groupId=${id}`),
      this.#get<Static<typeof RecordList>>(`/leads?groupId=${id}`),
      this.#get<Static<typeof PageviewList>>(`/pageviews?groupId=${id}&limit=${PAGEVIEWS}`),
    ]);
    const views = pageviews.items.map(({ fields }) => fields);
    const [{ fields: customer = {} } = {}] = users.items;
    const [{ fields: lead = {} } = {}] = leads.items;
    return { group, events: log.items, customer, lead, page: views[0], vehicle: vehicleOf(lead, views) };
  }

  async #get<Body>(path: string): Promise<Body> {
    const headers = { authorization: `Bearer ${await this.#token()}` };
    const response = await fetch(this.#base + path, { headers, signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!response.ok) throw new ReadError(response.status);
    return JSON.parse(await response.text());
  }
}
