/** The records of customers, as people list them: users, leads, intents and page views. */
import { type SQL, sql } from 'drizzle-orm';
import { ERASED } from '../../schemas/events/kind.ts';
import type { Known } from '../domain/state.ts';
import { after, type Bounds, beginningOf, type Part } from './bounded.ts';
import { blankedBy } from './erasing.ts';
import { EVENT, eventOfRow, type KeptEvent } from './log.ts';
import { all, type Database, descending, type Row, textOrNull, texts, valuesOf } from './sql.ts';

/** A user, a lead or an intent (which alone has the word) as it is kept. Times are ms since 1970. */
export interface KeptRecord extends Known {
  readonly groupId: string;
  readonly intent: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** The tables of records. */
export type RecordTable = 'users' | 'leads' | 'lead_intents';

/** A lead or an intent, and its customer. */
export interface RecordOfUser extends KeptRecord {
  readonly user: Known | null;
}

/** A part of a list of records; of the groups named alone, where any are. */
export interface RecordsPart extends Part {
  readonly groupIds?: readonly string[];
}

/** A part of a dealer's page views, before a seq of `@desk`; of one group alone, where it is named. */
interface PageviewsPart extends Bounds {
  readonly before?: number;
  readonly groupId?: string;
}

export interface RecordStore {
  /** Records of one table, those first that were made last. */
  records(table: RecordTable, dealerId: string, part: RecordsPart): Promise<KeptRecord[]>;
  /** {@link records}, each with its customer. */
  recordsOfUsers(table: Exclude<RecordTable, 'users'>, dealerId: string, part: RecordsPart): Promise<RecordOfUser[]>;
  /** The intents of the groups named, by group and word, after the one given. */
  intentsOf(
    dealerId: string,
    groupIds: readonly string[],
    after: Pick<KeptRecord, 'groupId' | 'intent'> | undefined,
    limit: number,
  ): Promise<KeptRecord[]>;
  /**
   * The groups whose leads have the e-mail or the phone of the leads of those named, by these, in order, and no more than
   * {@link MAX_SAME}. Who is named and has none in common is not in it.
   */
  sameAs(dealerId: string, groupIds: readonly string[]): Promise<Map<string, string[]>>;
  /** Events of the desk that are about a group, by seq, after one. */
  deskEvents(dealerId: string, groupId: string, part: Bounds & { readonly after: number }): Promise<KeptEvent[]>;
  /** Page views, the last first. */
  pageviews(dealerId: string, part: PageviewsPart): Promise<KeptEvent[]>;
}

/** Other leads of the same customer that are named at most. */
const MAX_SAME = 20;

/** The groups of a dealer's leads whose key is that of a lead `r`, which is among them, in one text: none has a space. */
const sharing = (key: SQL) => sql`(select string_agg(group_id, ' ') from (select o.group_id from leads o
  where o.dealer_id = r.dealer_id and o.${key} = r.${key} order by o.group_id limit ${MAX_SAME + 1}) as few)`;

const knownOf = (fields: unknown, customer: unknown): Known => ({
  fields: JSON.parse(String(fields)),
  customer: JSON.parse(String(customer)),
});

const recordOfRow = (row: Row): KeptRecord => ({
  groupId: String(row.group_id),
  intent: textOrNull(row.intent),
  ...knownOf(row.fields, row.customer),
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
});

/** A dealer's records `r` of one table: which, and in which order. */
function listOf(table: RecordTable, dealerId: string, { after: mark, groupIds }: RecordsPart) {
  // Those of some groups are found by their names and then put in order: by the time, all of a dealer's would be gone through for them.
  const time = groupIds ? sql`+r.created_at` : sql`r.created_at`;
  const order = [time, sql`r.group_id`, ...(table === 'lead_intents' ? [sql`r.intent`] : [])];
  const where = all([
    sql`r.dealer_id = ${dealerId}`,
    groupIds ? sql`r.group_id in (${texts(groupIds)})` : null,
    after(order, mark),
  ]);
  return { from: sql`${sql.raw(table)} r`, where, order: descending(order) };
}

export const recordsIn = ({ rows }: Database): RecordStore => ({
  async records(table, dealerId, part) {
    const records = { columns: sql`r.*`, texts: [sql`r.fields`], ...listOf(table, dealerId, part) };
    const found = await rows(beginningOf(records, part));
    return found.map(recordOfRow);
  },

  async recordsOfUsers(table, dealerId, part) {
    const { from, ...list } = listOf(table, dealerId, part);
    const records = {
      columns: sql`r.*, u.fields as user_fields, u.customer as user_customer`,
      texts: [sql`r.fields`, sql`u.fields`],
      from: sql`${from} left join users u on u.dealer_id = r.dealer_id and u.group_id = r.group_id`,
      ...list,
    };
    const found = await rows(beginningOf(records, part));
    return found.map((row) => ({
      ...recordOfRow(row),
      user: row.user_fields === null ? null : knownOf(row.user_fields, row.user_customer),
    }));
  },

  async intentsOf(dealerId, groupIds, last, limit) {
    if (groupIds.length === 0) return [];
    const where = all([
      sql`dealer_id = ${dealerId} and group_id in (${texts(groupIds)})`,
      last ? sql`(group_id, intent) > ${valuesOf([last.groupId, last.intent ?? ''])}` : null,
    ]);
    const found = await rows(sql`select * from lead_intents where ${where} order by group_id, intent limit ${limit}`);
    return found.map(recordOfRow);
  },

  async sameAs(dealerId, groupIds) {
    if (groupIds.length === 0) return new Map();
    const found = await rows(sql`select r.group_id, ${sharing(sql`email_key`)} as by_email,
      ${sharing(sql`phone_key`)} as by_phone from leads r
      where r.dealer_id = ${dealerId} and r.group_id in (${texts(groupIds)})`);
    const same = found.map(({ group_id, by_email, by_phone }): [string, string[]] => {
      const all = new Set(`${by_email ?? ''} ${by_phone ?? ''}`.split(' ').filter(Boolean));
      all.delete(String(group_id));
      return [String(group_id), [...all].sort().slice(0, MAX_SAME)];
    });
    return new Map(same.filter(([, others]) => others.length > 0));
  },

  async deskEvents(dealerId, groupId, { after, ...bounds }) {
    const where = all([
      sql`dealer_id = ${dealerId} and scope = '@desk' and group_id = ${groupId} and seq > ${after}`,
      sql`${sql.raw(blankedBy('events'))} is null`,
    ]);
    const told = { columns: EVENT, from: sql`events`, where, order: sql`seq`, texts: [sql`payload`] };
    return (await rows(beginningOf(told, bounds))).map(eventOfRow);
  },

  async pageviews(dealerId, { before: seq, groupId, ...bounds }) {
    const where = all([
      sql`dealer_id = ${dealerId} and scope = '@desk' and type = 'UPDATE_PAGEVIEW' and sender <> ${ERASED}`,
      sql`${sql.raw(blankedBy('events'))} is null`,
      groupId === undefined ? null : sql`group_id = ${groupId}`,
      seq === undefined ? null : sql`seq < ${seq}`,
    ]);
    const views = { columns: EVENT, from: sql`events`, where, order: sql`seq desc`, texts: [sql`payload`] };
    const found = await rows(beginningOf(views, bounds));
    return found.map(eventOfRow);
  },
});
