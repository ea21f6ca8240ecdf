/** [P-7.5] Lapses: customers who are here by a server's word alone, in whose conversations nothing has been said for long. */
import { sql } from 'drizzle-orm';
import { all, type Database, list, type Row, tuple, valuesOf } from './sql.ts';

/** A conversation whose customer is said to be here. */
export interface SaidHere {
  readonly dealerId: string;
  readonly groupId: string;
}

export interface SaidPage {
  readonly said: readonly SaidHere[];
  /** Conversation that the next page comes after; null: there is none. */
  readonly next: SaidHere | null;
}

export interface LapseStore {
  /**
   * Looks through so many conversations whose customers are said to be here, in the order of their names, after the one given.
   * @returns those of whom no node has a socket, and that have not changed since a time in ms since 1970
   */
  saidHere(since: number, limit: number, after: SaidHere | null): Promise<SaidPage>;
}

const ORDER = [sql`g.dealer_id`, sql`g.group_id`];

/** It is bounded by what it looks at and not by what it finds: most who are here have a socket. */
export const lapsesIn = ({ rows, dialect }: Database): LapseStore => ({
  async saidHere(since, limit, after) {
    const isBehind = after ? sql`${tuple(ORDER)} > ${valuesOf([after.dealerId, after.groupId])}` : null;
    const found = await rows(sql`select h.dealer_id, h.group_id, h.updated_at < ${since} and not exists
        (select 1 from presences p where p.dealer_id = h.dealer_id and p.sender = 'customer:' || h.group_id) as is_said
      from (select g.dealer_id, g.group_id, g.updated_at from groups g
        where ${all([dialect.isSet(sql`g.online`), isBehind])} order by ${list(ORDER)} limit ${limit}) h
      order by h.dealer_id, h.group_id`);
    const nameOf = (row: Row): SaidHere => ({ dealerId: String(row.dealer_id), groupId: String(row.group_id) });
    const last = found.length === limit ? found.at(-1) : undefined;
    return { said: found.filter(({ is_said }) => Boolean(is_said)).map(nameOf), next: last ? nameOf(last) : null };
  },
});
