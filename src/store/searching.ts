/**
 * [P-17.1] Search through a dealer's conversations, those first in which something happened last. There is no index: they are looked
 * through, so many at a time, and whoever asks may go on.
 */
import { performance } from 'node:perf_hooks';
import type { Fields } from '../../schemas/records.ts';
import { DESK_SCOPE } from '../../schemas/table.ts';
import type { Known } from '../domain/state.ts';
import type { Mark } from './bounded.ts';
import type { GroupStore } from './groups.ts';
import type { LogStore } from './log.ts';
import { type Matcher, matcherOf } from './matching.ts';
import { Readings } from './readings.ts';
import type { KeptRecord, RecordStore } from './records.ts';
import type { StoredEvent } from './rows.ts';

/** A conversation that was found, by what of it fits best: what is known of its customer, else what was said last. */
export interface Hit {
  readonly groupId: string;
  readonly scope: string;
  /** Of a message. */
  readonly seq?: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly field: 'name' | 'email' | 'phone' | 'vin' | 'stock' | 'message';
  readonly snippet: string;
}

export interface Hits {
  readonly hits: readonly Hit[];
  /** Place up to which was looked: the mark of a conversation, and the seq before which there is more in it; null: to the end. */
  readonly lookedTo: Mark | null;
}

export interface SearchStore {
  search(dealerId: string, search: string, part: { after?: Mark | undefined; limit: number }): Promise<Hits>;
}

/** Bounds of what one call looks through: some 100 ms of work, a moment at a time. */
const GROUPS = 300;
const EVENTS = 3_000;
/** Conversations, and events of one, that are read at a time. */
const PAGE = 50;
const LINES = { limit: 100, bytes: 64 * 1024 };
/** More intents of so many conversations are not looked at. */
const INTENTS = 200;
/** Time that is taken at once, in ms: of an embedded database everybody else waits as long. */
const MOMENT = 1;
const END = Number.MAX_SAFE_INTEGER;

const textIn = (fields: Fields, name: string): string => {
  const value = fields[name];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
};

const vehicleIn = ({ vehicle }: Fields): Fields =>
  typeof vehicle === 'object' && vehicle !== null && !Array.isArray(vehicle) ? { ...vehicle } : {};

const nameIn = (fields: Fields): string =>
  [textIn(fields, 'name'), textIn(fields, 'firstName'), textIn(fields, 'lastName')].filter(Boolean).join(' ');

/** Where to look in a record, best first. */
const PLACES: readonly { field: Hit['field']; of: (fields: Fields) => string[]; by: keyof Matcher }[] = [
  { field: 'name', of: (fields) => [nameIn(fields)], by: 'inText' },
  { field: 'email', of: (fields) => [textIn(fields, 'email')], by: 'inText' },
  { field: 'phone', of: (fields) => [textIn(fields, 'phone')], by: 'isPhone' },
  { field: 'vin', of: (fields) => [textIn(vehicleIn(fields), 'vin')], by: 'isExactly' },
  { field: 'stock', of: (fields) => [textIn(vehicleIn(fields), 'stock')], by: 'isExactly' },
];

/** The fields of a record, and beside them what the customer says otherwise. */
const wordsOf = ({ fields, customer }: Known): Fields[] => [fields, customer];

function inRecords(matcher: Matcher, records: readonly KeptRecord[]): Hit | null {
  for (const { field, of, by } of PLACES) {
    for (const record of records) {
      const snippet = wordsOf(record)
        .flatMap(of)
        .find((value) => matcher[by](value));
      const { groupId, updatedAt: at } = record;
      if (snippet !== undefined) return { groupId, scope: DESK_SCOPE, at, field, snippet };
    }
  }
  return null;
}

function inMessages(matcher: Matcher, events: readonly StoredEvent[]): Hit | null {
  for (const { type, scope, seq, at, payload } of events.toReversed()) {
    const snippet = type === 'CHAT_MSG' ? matcher.inText(JSON.parse(payload).message) : null;
    if (snippet !== null) return { groupId: scope, scope, seq, at, field: 'message', snippet };
  }
  return null;
}

type Faces = Pick<GroupStore, 'groups'> & Pick<RecordStore, 'records' | 'intentsOf'> & Pick<LogStore, 'events'>;

/** A conversation that is to be looked through, and the seq before which there is more in it. */
interface Next {
  readonly groupId: string;
  readonly at: number;
  readonly records: readonly KeptRecord[];
  readonly before: number;
}

/** One search on its way, step by step. */
class Walk {
  readonly hits: Hit[] = [];
  readonly #store: Faces;
  readonly #dealerId: string;
  readonly #matcher: Matcher;
  readonly #limit: number;
  /** Those that were read and not looked through yet, the next one first. */
  #next: Next[] = [];
  /** The last that was looked through. */
  #mark: Mark | undefined;
  #isLast = false;
  #groups = 0;
  #events = 0;

  constructor(
    store: Faces,
    dealerId: string,
    matcher: Matcher,
    { after, limit }: Parameters<SearchStore['search']>[2],
  ) {
    [this.#store, this.#dealerId, this.#matcher, this.#limit] = [store, dealerId, matcher, limit];
    if (!after) return;
    const [groupId = '', before = '0'] = after.key;
    this.#mark = { at: after.at, key: [groupId] };
    if (Number(before) > 0) this.#next = [{ groupId, at: after.at, records: [], before: Number(before) }];
  }

  get isOver(): boolean {
    const isEnough = this.hits.length === this.#limit || this.#groups >= GROUPS || this.#events >= EVENTS;
    return isEnough || (this.#isLast && this.#next.length === 0);
  }

  get lookedTo(): Mark | null {
    const [next] = this.#next;
    if (next && next.before < END) return { at: next.at, key: [next.groupId, String(next.before)] };
    if (this.#isLast && !next) return null;
    return this.#mark ? { at: this.#mark.at, key: [...this.#mark.key, '0'] } : null;
  }

  /** Goes on for a moment. */
  async go(): Promise<void> {
    for (const began = performance.now(); performance.now() - began < MOMENT && !this.isOver; ) {
      const [next] = this.#next;
      await (next ? this.#look(next) : this.#readOn());
    }
  }

  async #readOn(): Promise<void> {
    const dealerId = this.#dealerId;
    const { groups } = await this.#store.groups(dealerId, {}, { after: this.#mark, limit: PAGE });
    this.#isLast = groups.length < PAGE;
    if (groups.length === 0) return;
    const groupIds = groups.map(({ groupId }) => groupId);
    const part = { groupIds, limit: groupIds.length };
    const known = await Promise.all([
      this.#store.records('users', dealerId, part),
      this.#store.records('leads', dealerId, part),
      this.#store.intentsOf(dealerId, groupIds, undefined, INTENTS),
    ]);
    const records = Map.groupBy(known.flat(), ({ groupId }) => groupId);
    this.#next = groups.map(({ groupId, updatedAt }) => ({
      groupId,
      at: updatedAt,
      records: records.get(groupId) ?? [],
      before: END,
    }));
  }

  /** Looks at what is known of a customer, and at the next part of what was said. */
  async #look({ groupId, at, records, before }: Next): Promise<void> {
    const known = inRecords(this.#matcher, records);
    const events = known ? [] : await this.#store.events(this.#dealerId, groupId, { before, ...LINES });
    const hit = known ?? inMessages(this.#matcher, events);
    if (hit) this.hits.push(hit);
    this.#events += events.length;
    const first = events[0]?.seq ?? 0;
    const isMore = !hit && first > 1;
    if (isMore) {
      this.#next[0] = { groupId, at, records: [], before: first };
      return;
    }
    this.#next.shift();
    this.#groups += 1;
    this.#mark = { at, key: [groupId] };
  }
}

export function searchIn(store: Faces): SearchStore {
  const readings = new Readings(1, true);
  return {
    async search(dealerId, search, part) {
      const walk = new Walk(store, dealerId, matcherOf(search), part);
      while (!walk.isOver) await readings.read(dealerId, () => walk.go());
      return { hits: walk.hits, lookedTo: walk.lookedTo };
    },
  };
}
