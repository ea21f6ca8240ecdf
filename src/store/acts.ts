/** Acts: who did what that a dealer may have to answer for. */
import { sql } from 'drizzle-orm';
import { type Database, inserted, type Row, textOrNull } from './sql.ts';

/** An act as it is kept. */
export interface KeptAct {
  /** In the order of time. */
  readonly auditId: string;
  readonly dealerId: string;
  readonly by: string;
  readonly action: string;
  readonly route: string;
  readonly address: string | null;
  readonly detail: string | null;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface ActStore {
  /** Keeps acts: all of them, or none. */
  keepActs(acts: readonly KeptAct[]): Promise<void>;
  /** The acts on a dealer and who did them, in the order of time, after the one named. */
  acts(dealerId: string, after: string, limit: number): Promise<Omit<KeptAct, 'dealerId'>[]>;
}

const rowOf = ({ auditId, dealerId, ...act }: KeptAct): Row => ({ audit_id: auditId, dealer_id: dealerId, ...act });

const actOfRow = (row: Row): Omit<KeptAct, 'dealerId'> => ({
  auditId: String(row.audit_id),
  at: Number(row.at),
  by: String(row.by),
  action: String(row.action),
  route: String(row.route),
  address: textOrNull(row.address),
  detail: textOrNull(row.detail),
});

export const actsIn = ({ rows }: Database): ActStore => ({
  async keepActs(acts) {
    await rows(sql`insert into audit ${inserted(acts.map(rowOf))}`);
  },

  async acts(dealerId, after, limit) {
    const found = await rows(sql`select * from audit
      where dealer_id = ${dealerId} and audit_id > ${after} order by audit_id limit ${limit}`);
    return found.map(actOfRow);
  },
});
