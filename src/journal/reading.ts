/**
 * What is read for people: lists of groups, records and page views, newest first, and everything of a dealer from
 * beginning to end. One text of SQL does for both databases, but for what has an index of its own in each.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { Event } from '../../schemas/delivered.ts';
import { ERASED } from '../../schemas/events/kind.ts';
import type { GroupFilter } from '../../schemas/reading.ts';
import { isEventType } from '../../schemas/table.ts';
import type { Known } from '../domain/state.ts';
import type { KeptAct } from './audit.ts';
import { type Bounds, beginningOf } from './bounded.ts';
import { Credentials } from './credentials.ts';
import type { Digests } from './digests.ts';
import { blankedBy } from './erasing.ts';

/** A place in a list that is ordered by time: ms since 1970, and what comes after it in the key of the row there. */
export interface Mark {
  readonly at: number;
  readonly key: readonly string[];
}

/** A part of a list, after a place in it. */
export interface Part extends Bounds {
  readonly after?: Mark | undefined;
}

/** A part of a dealer's page views, before a seq of `@desk`; of one group alone, where it is named. */
export interface PageviewsPart extends Bounds {
  readonly before?: number;
  readonly groupId?: string;
}

/** A group as it stands, with its last chat message. Times are ms since 1970. */
export interface KeptGroup {
  readonly groupId: string;
  readonly online: boolean;
  readonly mutedBy: string | null;
  readonly closed: boolean;
  /** Who closed it, where that is known [P-7.4]. */
  readonly closedBy: string | null;
  readonly unread: number;
  readonly seq: number;
  readonly adminRead: number;
  readonly customerRead: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** [P-3.1] Whether it had to give its name to a customer with a minted token. */
  readonly setAside: boolean;
  /** The payload of the last `CHAT_MSG`, as JSON text. */
  readonly lastMessage: { readonly seq: number; readonly at: number; readonly payload: string } | null;
}

/** A user, a lead or an intent (which alone has the word) as it is kept. Times are ms since 1970. */
export interface KeptRecord extends Known {
  readonly groupId: string;
  readonly intent: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** The tables of records. */
export type RecordTable = 'users' | 'leads' | 'lead_intents';

/** An event of the log, as much as is shown of it. */
export interface KeptEvent {
  readonly scope: string;
  readonly seq: number;
  readonly id: string;
  readonly type: Event['type'];
  readonly groupId: string | null;
  readonly payload: string;
  readonly at: number;
}

/** A place in the log of a dealer. */
export type Place = Pick<KeptEvent, 'scope' | 'seq'>;

/** [P-11.4] That a conversation was erased, and how much of it there was. */
export interface Receipt {
  readonly erasureId: string;
  readonly reason: string;
  /** Who asked for it; null: an older version did not note it. */
  readonly by: string | null;
  readonly events: number;
  readonly pageviews: number;
  readonly users: number;
  readonly leads: number;
  readonly intents: number;
  readonly at: number;
}

export interface Reading {
  /** A dealer's groups, those first that changed last. */
  groups(dealerId: string, filter: GroupFilter, part: Part): Promise<KeptGroup[]>;
  group(dealerId: string, groupId: string): Promise<KeptGroup | null>;
  /** The conversation that had this name and was set aside; null where there is none. */
  setAside(dealerId: string, groupId: string): Promise<string | null>;
  /** Records of one table, those first that were made last; of the groups named alone, where any are. */
  records(table: RecordTable, dealerId: string, part: Part & { groupIds?: readonly string[] }): Promise<KeptRecord[]>;
  /** The intents of the groups named, by group and word, after the one given. */
  intentsOf(
    dealerId: string,
    groupIds: readonly string[],
    after: Pick<KeptRecord, 'groupId' | 'intent'> | undefined,
    limit: number,
  ): Promise<KeptRecord[]>;
  /** Page views, the last first. */
  pageviews(dealerId: string, part: PageviewsPart): Promise<KeptEvent[]>;
  /** Receipts of what was erased, the last first. */
  erasures(dealerId: string, part: Part): Promise<Receipt[]>;
  erasure(dealerId: string, erasureId: string): Promise<Receipt | null>;
  /** Those of the groups named that there are. */
  existing(dealerId: string, groupIds: readonly string[]): Promise<Set<string>>;
  /** Groups by their names, after the one named. */
  groupsByName(dealerId: string, after: string, bounds: Bounds): Promise<KeptGroup[]>;
  /** Every event of a dealer by scope and seq, after the one named. */
  log(dealerId: string, after: Place | null, bounds: Bounds): Promise<KeptEvent[]>;
  /** Who did what with a dealer, in the order of time, after the one named. */
  acts(dealerId: string, after: string, limit: number): Promise<Omit<KeptAct, 'dealerId'>[]>;
  /** How many events a dealer's log has. */
  logSize(dealerId: string): Promise<number>;
  /** The last seq of each group of the dealer that has changed since a time, in ms since 1970. */
  tailsSince(dealerId: string, since: number): Promise<Map<string, number>>;
  /**
   * Groups without their customer in which nothing has happened since a time, in ms since 1970, and how far they go: the
   * longest first, after so many.
   */
  idleGroups(
    dealerId: string,
    since: number,
    part: { after?: number; limit: number },
  ): Promise<{ groupId: string; lastSeq: number }[]>;
}

type Row = Readonly<Record<string, unknown>>;

const textOrNull = (value: unknown): string | null => (value === null || value === undefined ? null : String(value));

function typeOf(value: unknown): Event['type'] {
  const word = String(value);
  if (!isEventType(word)) throw new Error(`an event of the unknown type ${word}`);
  return word;
}

const groupOfRow = (row: Row): KeptGroup => ({
  groupId: String(row.group_id),
  online: Boolean(row.online),
  mutedBy: textOrNull(row.muted_by),
  closed: Boolean(row.closed),
  closedBy: textOrNull(row.closed_by),
  unread: Number(row.unread),
  seq: Number(row.last_seq),
  adminRead: Number(row.admin_read),
  customerRead: Number(row.customer_read),
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
  setAside: row.formerly !== null,
  lastMessage:
    row.payload === null
      ? null
      : { seq: Number(row.last_message_seq), at: Number(row.message_at), payload: String(row.payload) },
});

const recordOfRow = (row: Row): KeptRecord => ({
  groupId: String(row.group_id),
  intent: textOrNull(row.intent),
  fields: JSON.parse(String(row.fields)),
  customer: JSON.parse(String(row.customer)),
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
});

export const eventOfRow = (row: Row): KeptEvent => ({
  scope: String(row.scope),
  seq: Number(row.seq),
  id: String(row.id),
  type: typeOf(row.type),
  groupId: textOrNull(row.group_id),
  payload: String(row.payload),
  at: Number(row.at),
});

const receiptOfRow = (row: Row): Receipt => ({
  erasureId: String(row.erasure_id),
  reason: String(row.reason),
  by: textOrNull(row.by),
  events: Number(row.events),
  pageviews: Number(row.pageviews),
  users: Number(row.users),
  leads: Number(row.leads),
  intents: Number(row.intents),
  at: Number(row.at),
});

const actOfRow = (row: Row): Omit<KeptAct, 'dealerId'> => ({
  auditId: String(row.audit_id),
  at: Number(row.at),
  by: String(row.by),
  action: String(row.action),
  route: String(row.route),
  address: textOrNull(row.address),
  detail: textOrNull(row.detail),
});

const named = (name: string): SQL => sql.raw(`"${name}"`);
const all = (conditions: readonly (SQL | null)[]): SQL =>
  sql.join(
    conditions.filter((condition) => condition !== null),
    sql` and `,
  );
/** A flag that may be asked for: columns that are true or false are so in both databases by themselves. */
const flag = (condition: SQL, wanted: boolean | undefined): SQL | null =>
  wanted === undefined ? null : wanted ? condition : sql`not ${condition}`;

const list = (parts: readonly SQL[]): SQL => sql.join([...parts], sql`, `);
type Values = readonly (string | number)[];
const tuple = (parts: readonly SQL[]): SQL => sql`(${list(parts)})`;
const valuesOf = (place: Values): SQL => tuple(place.map((part) => sql`${part}`));
/** Before a place in the order of these columns; and there, or after it. */
const before = (columns: readonly SQL[], place: Values): SQL => sql`${tuple(columns)} < ${valuesOf(place)}`;
const notBefore = (columns: readonly SQL[], place: Values): SQL => sql`${tuple(columns)} >= ${valuesOf(place)}`;
/** After a place in a list that is ordered by these columns, all of them descending. */
const after = (columns: readonly SQL[], mark: Mark | undefined, at: ChangeOrder['at'] = (ms) => [ms]): SQL | null =>
  mark ? before(columns, [...at(mark.at), ...mark.key]) : null;
const descending = (columns: readonly SQL[]): SQL => list(columns.map((column) => sql`${column} desc`));

export const EVENT = sql`scope, seq, id, type, group_id, payload, at`;

/** What finds events in the log that may be read. Each database has it in its own order. */
export interface EventsWhere {
  readonly ofDealer: (dealerId: string) => SQL;
  /** Those of a group's own scope. */
  readonly ofGroup: (dealerId: string, groupId: string) => SQL;
  /** An event `m` is the last message of a group `g`. */
  readonly isLastMessage: SQL;
}

/** By what groups `g` are in the order of their last changes, as each database has an index of it. */
export interface ChangeOrder {
  readonly columns: readonly SQL[];
  /** What they are at a time, in ms since 1970. */
  readonly at: (ms: number) => readonly number[];
}

/** Dead letters by id, as `letterOfRow` takes them. */
export const lettersAfter = (after: string, bounds: Bounds): SQL =>
  beginningOf(
    {
      columns: sql`dead_letter_id as "deadLetterId", source, payload, code, message, details, at`,
      from: sql`dead_letters`,
      where: sql`dead_letter_id > ${after}`,
      order: sql`dead_letter_id`,
      text: sql`payload`,
    },
    bounds,
  );

/** The reading half of a store, over whatever runs a query. */
export abstract class Reader extends Credentials implements Reading {
  abstract log(dealerId: string, after: Place | null, bounds: Bounds): Promise<KeptEvent[]>;
  readonly #eventsWhere: EventsWhere;
  readonly #changeOrder: ChangeOrder;
  readonly #groups: { readonly columns: SQL; readonly from: SQL };

  constructor(eventsWhere: EventsWhere, changeOrder: ChangeOrder, digests: Digests, clock: SQL) {
    super(digests, clock);
    this.#eventsWhere = eventsWhere;
    this.#changeOrder = changeOrder;
    this.#groups = {
      columns: sql`g.*, m.payload, m.at as message_at`,
      from: sql`groups g left join events m on ${eventsWhere.isLastMessage}`,
    };
  }

  async groups(dealerId: string, filter: GroupFilter, { after: mark, ...bounds }: Part): Promise<KeptGroup[]> {
    const { columns, at } = this.#changeOrder;
    const order = [...columns, sql`g.group_id`];
    const where = all([
      sql`g.dealer_id = ${dealerId}`,
      flag(sql`g.closed`, filter.open === undefined ? undefined : !filter.open),
      flag(sql`g.muted`, filter.muted),
      flag(sql`g.online`, filter.online),
      flag(sql`(g.unread > 0)`, filter.unread),
      after(order, mark, at),
    ]);
    const groups = { ...this.#groups, where, order: descending(order), text: sql`m.payload` };
    const found = await this.rows(beginningOf(groups, bounds));
    return found.map(groupOfRow);
  }

  async group(dealerId: string, groupId: string): Promise<KeptGroup | null> {
    const { columns, from } = this.#groups;
    const where = sql`g.dealer_id = ${dealerId} and g.group_id = ${groupId}`;
    const [found] = await this.rows(sql`select ${columns} from ${from} where ${where}`);
    return found ? groupOfRow(found) : null;
  }

  async setAside(dealerId: string, groupId: string): Promise<string | null> {
    const digests = this.digests.all(dealerId, groupId).map((digest) => sql`${digest}`);
    const [found] = await this.rows(
      sql`select group_id from groups where dealer_id = ${dealerId} and formerly in (${list(digests)}) limit 1`,
    );
    return found ? String(found.group_id) : null;
  }

  async records(
    table: RecordTable,
    dealerId: string,
    { after: mark, groupIds, ...bounds }: Part & { groupIds?: readonly string[] },
  ): Promise<KeptRecord[]> {
    const order = [sql`created_at`, sql`group_id`, ...(table === 'lead_intents' ? [sql`intent`] : [])];
    const groups = groupIds?.map((groupId) => sql`${groupId}`);
    const where = all([
      sql`dealer_id = ${dealerId}`,
      groups ? sql`group_id in (${list(groups)})` : null,
      after(order, mark),
    ]);
    const records = { columns: sql`*`, from: named(table), where, order: descending(order), text: sql`fields` };
    const found = await this.rows(beginningOf(records, bounds));
    return found.map(recordOfRow);
  }

  async intentsOf(
    dealerId: string,
    groupIds: readonly string[],
    last: Pick<KeptRecord, 'groupId' | 'intent'> | undefined,
    limit: number,
  ): Promise<KeptRecord[]> {
    if (groupIds.length === 0) return [];
    const where = all([
      sql`dealer_id = ${dealerId} and group_id in (${list(groupIds.map((groupId) => sql`${groupId}`))})`,
      last ? sql`(group_id, intent) > ${valuesOf([last.groupId, last.intent ?? ''])}` : null,
    ]);
    const found = await this.rows(
      sql`select * from lead_intents where ${where} order by group_id, intent limit ${limit}`,
    );
    return found.map(recordOfRow);
  }

  async pageviews(dealerId: string, { before: seq, groupId, ...bounds }: PageviewsPart): Promise<KeptEvent[]> {
    const where = all([
      sql`dealer_id = ${dealerId} and scope = '@desk' and type = 'UPDATE_PAGEVIEW' and sender <> ${ERASED}`,
      sql`${sql.raw(blankedBy('events'))} is null`,
      groupId === undefined ? null : sql`group_id = ${groupId}`,
      seq === undefined ? null : sql`seq < ${seq}`,
    ]);
    const views = { columns: EVENT, from: sql`events`, where, order: sql`seq desc`, text: sql`payload` };
    const found = await this.rows(beginningOf(views, bounds));
    return found.map(eventOfRow);
  }

  async erasures(dealerId: string, { after: mark, limit }: Part): Promise<Receipt[]> {
    const order = [sql`at`, sql`erasure_id`];
    const where = all([sql`dealer_id = ${dealerId}`, after(order, mark)]);
    const found = await this.rows(
      sql`select * from erasures where ${where} order by ${descending(order)} limit ${limit}`,
    );
    return found.map(receiptOfRow);
  }

  async erasure(dealerId: string, erasureId: string): Promise<Receipt | null> {
    const [found] = await this.rows(
      sql`select * from erasures where dealer_id = ${dealerId} and erasure_id = ${erasureId}`,
    );
    return found ? receiptOfRow(found) : null;
  }

  async existing(dealerId: string, groupIds: readonly string[]): Promise<Set<string>> {
    if (groupIds.length === 0) return new Set();
    const names = list(groupIds.map((groupId) => sql`${groupId}`));
    const found = await this.rows(
      sql`select group_id from groups where dealer_id = ${dealerId} and group_id in (${names})`,
    );
    return new Set(found.map((row) => String(row.group_id)));
  }

  async groupsByName(dealerId: string, after: string, bounds: Bounds): Promise<KeptGroup[]> {
    const where = sql`g.dealer_id = ${dealerId} and g.group_id > ${after}`;
    const groups = { ...this.#groups, where, order: sql`g.group_id`, text: sql`m.payload` };
    const found = await this.rows(beginningOf(groups, bounds));
    return found.map(groupOfRow);
  }

  async acts(dealerId: string, after: string, limit: number): Promise<Omit<KeptAct, 'dealerId'>[]> {
    const found = await this.rows(sql`select * from audit
      where dealer_id = ${dealerId} and audit_id > ${after} order by audit_id limit ${limit}`);
    return found.map(actOfRow);
  }

  async logSize(dealerId: string): Promise<number> {
    const ofDealer = this.#eventsWhere.ofDealer(dealerId);
    const [found] = await this.rows(sql`select count(*) as size from events where ${ofDealer}`);
    return Number(found?.size);
  }

  async tailsSince(dealerId: string, since: number): Promise<Map<string, number>> {
    const { columns, at } = this.#changeOrder;
    const found = await this.rows(sql`select g.group_id, g.last_seq from groups g where g.dealer_id = ${dealerId}
      and ${notBefore(columns, at(since))}`);
    return new Map(found.map((row) => [String(row.group_id), Number(row.last_seq)]));
  }

  async idleGroups(
    dealerId: string,
    since: number,
    { after = 0, limit }: { after?: number; limit: number },
  ): Promise<{ groupId: string; lastSeq: number }[]> {
    const { columns, at } = this.#changeOrder;
    const found = await this.rows(sql`select g.group_id, g.last_seq from groups g where g.dealer_id = ${dealerId}
      and ${before(columns, at(since))} and not g.online order by ${list(columns)} limit ${limit} offset ${after}`);
    return found.map((row) => ({ groupId: String(row.group_id), lastSeq: Number(row.last_seq) }));
  }
}
