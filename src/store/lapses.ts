/** [P-7.5] Lapses: customers who are here by a server's word alone, in whose conversations nothing has been said for long. */
import { sql } from 'drizzle-orm';
import { all, type Database, list, tuple, valuesOf } from './sql.ts';

/** A conversation whose customer is said to be here. */
export interface SaidHere {
  readonly dealerId: string;
  readonly groupId: string;
}

export interface LapseStore {
  /**
   * Conversations whose customers are said to be here, of whom no node has a socket, and that have not changed since a time in ms since
   * 1970: in the order of their names, after the one given.
   */
  saidHere(since: number, limit: number, after?: SaidHere): Promise<SaidHere[]>;
}

const ORDER = [sql`g.dealer_id`, sql`g.group_id`];

export const lapsesIn = ({ rows, dialect }: Database): LapseStore => ({
  async saidHere(since, limit, after) {
    const where = all([
      dialect.isSet(sql`g.online`),
      sql`g.updated_at < ${since}`,
      sql`not exists (select 1 from presences p where p.dealer_id = g.dealer_id and p.sender = 'customer:' || g.group_id)`,
      after ? sql`${tuple(ORDER)} > ${valuesOf([after.dealerId, after.groupId])}` : null,
    ]);
    const found = await rows(
      sql`select g.dealer_id, g.group_id from groups g where ${where} order by ${list(ORDER)} limit ${limit}`,
    );
    return found.map((row) => ({ dealerId: String(row.dealer_id), groupId: String(row.group_id) }));
  },
});
