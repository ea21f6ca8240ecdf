/** Timers: what falls due [P-12, P-13]: found by indexes that have what may, and nothing else. */
import { type SQL, sql } from 'drizzle-orm';
import { all, type Database, list, tuple, valuesOf } from './sql.ts';

/** A conversation that is to be looked at, and by when, in ms since 1970. */
export interface DueGroup {
  readonly dealerId: string;
  readonly groupId: string;
  readonly due: number;
}

export interface TimerStore {
  /** Conversations that are to be looked at by now, in ms since 1970: those first that are late the longest, after the one given. */
  dueGroups(now: number, limit: number, after?: DueGroup): Promise<DueGroup[]>;
  /** Dealers that are to be looked at as a whole by now: those first that are late the longest. */
  dueDealers(now: number, limit: number): Promise<string[]>;
  /** A dealer's conversations in which something may fall due, by their names, after the one named. */
  pendingGroups(dealerId: string, after: string, limit: number): Promise<string[]>;
}

const ORDER: readonly SQL[] = [sql`due`, sql`dealer_id`, sql`group_id`];

export const timersIn = ({ rows }: Database): TimerStore => ({
  async dueGroups(now, limit, after) {
    const where = all([
      sql`due is not null and due <= ${now}`,
      // The first column by itself: by the whole, SQLite would begin at the beginning.
      after ? sql`due >= ${after.due}` : null,
      after ? sql`${tuple(ORDER)} > ${valuesOf([after.due, after.dealerId, after.groupId])}` : null,
    ]);
    const found = await rows(
      sql`select dealer_id, group_id, due from groups where ${where} order by ${list(ORDER)} limit ${limit}`,
    );
    return found.map((row) => ({
      dealerId: String(row.dealer_id),
      groupId: String(row.group_id),
      due: Number(row.due),
    }));
  },

  async dueDealers(now, limit) {
    const found = await rows(
      sql`select dealer_id from dealers where look_at is not null and look_at <= ${now} order by look_at limit ${limit}`,
    );
    return found.map((row) => String(row.dealer_id));
  },

  async pendingGroups(dealerId, after, limit) {
    const found = await rows(sql`select group_id from groups
      where dealer_id = ${dealerId} and due is not null and group_id > ${after} order by group_id limit ${limit}`);
    return found.map((row) => String(row.group_id));
  },
});
