/** The records of customers, as people list them: users, leads, intents and page views. */
import { sql } from 'drizzle-orm';
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

/** A part of a dealer's page views, before a seq of `@desk`; of one group alone, where it is named. */
interface PageviewsPart extends Bounds {
  readonly before?: number;
  readonly groupId?: string;
}

export interface RecordStore {
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
}

const recordOfRow = (row: Row): KeptRecord => ({
  groupId: String(row.group_id),
  intent: textOrNull(row.intent),
  fields: JSON.parse(String(row.fields)),
  customer: JSON.parse(String(row.customer)),
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
});

export const recordsIn = ({ rows }: Database): RecordStore => ({
  async records(table, dealerId, { after: mark, groupIds, ...bounds }) {
    // Those of some groups are found by their names and then put in order: by the time, all of a dealer's would be gone through for them.
    const time = groupIds ? sql`+created_at` : sql`created_at`;
    const order = [time, sql`group_id`, ...(table === 'lead_intents' ? [sql`intent`] : [])];
    const where = all([
      sql`dealer_id = ${dealerId}`,
      groupIds ? sql`group_id in (${texts(groupIds)})` : null,
      after(order, mark),
    ]);
    const records = { columns: sql`*`, from: sql.raw(table), where, order: descending(order), text: sql`fields` };
    const found = await rows(beginningOf(records, bounds));
    return found.map(recordOfRow);
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

  async pageviews(dealerId, { before: seq, groupId, ...bounds }) {
    const where = all([
      sql`dealer_id = ${dealerId} and scope = '@desk' and type = 'UPDATE_PAGEVIEW' and sender <> ${ERASED}`,
      sql`${sql.raw(blankedBy('events'))} is null`,
      groupId === undefined ? null : sql`group_id = ${groupId}`,
      seq === undefined ? null : sql`seq < ${seq}`,
    ]);
    const views = { columns: EVENT, from: sql`events`, where, order: sql`seq desc`, text: sql`payload` };
    const found = await rows(beginningOf(views, bounds));
    return found.map(eventOfRow);
  },
});
