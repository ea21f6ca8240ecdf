/** [P-11.4] Erasures: their receipts, and what goes on with what they have marked. */
import { sql } from 'drizzle-orm';
import { after, type Part } from './bounded.ts';
import { deletingMarks, FINISHED, NEXT_MARKED, togetherOf } from './erasing.ts';
import { removeOn, WHOLE } from './removing.ts';
import { all, type Database, descending, type Row, type Steps, textOrNull } from './sql.ts';

/** [P-11.4] The record of an erased conversation, and of how much of it there was. */
export interface Receipt {
  readonly erasureId: string;
  readonly reason: string;
  /** The one who asked for it; null: an older version did not note it. */
  readonly by: string | null;
  readonly events: number;
  readonly pageviews: number;
  readonly users: number;
  readonly leads: number;
  readonly intents: number;
  readonly at: number;
}

export interface ErasureStore {
  /** Receipts of what was erased, the last first. */
  erasures(dealerId: string, part: Part): Promise<Receipt[]>;
  erasure(dealerId: string, erasureId: string): Promise<Receipt | null>;
  /**
   * Takes the next part of what erasures have marked out of the log, in a transaction of its own. Where another node is at it,
   * that counts as done. Answers whether there may be more.
   */
  erasePart(): Promise<boolean>;
  /**
   * Takes what has been erased out of where the database keeps it beside the tables, as far as it can. Answers whether that is
   * done: what hinders it passes, and it may be asked again.
   */
  scrub(): Promise<boolean>;
}

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

export const erasuresIn = ({ rows, transact, dialect }: Database): ErasureStore => ({
  async erasures(dealerId, { after: mark, limit }) {
    const order = [sql`at`, sql`erasure_id`];
    const where = all([sql`dealer_id = ${dealerId}`, after(order, mark)]);
    const found = await rows(sql`select * from erasures where ${where} order by ${descending(order)} limit ${limit}`);
    return found.map(receiptOfRow);
  },

  async erasure(dealerId, erasureId) {
    const [found] = await rows(sql`select * from erasures where dealer_id = ${dealerId} and erasure_id = ${erasureId}`);
    return found ? receiptOfRow(found) : null;
  },

  erasePart: () =>
    transact(function* (): Steps<boolean> {
      const part = togetherOf(yield sql`${NEXT_MARKED} ${dialect.skipLocked}`);
      if (part === null) return false;
      const { dealerId, marked } = part;
      if (marked.some(({ erasureId }) => erasureId === WHOLE)) yield* removeOn(dealerId, dialect);
      else yield* dialect.erasePart(dealerId, marked);
      return true;
    }),

  async scrub() {
    const finished = await rows(FINISHED);
    if (finished.length > 0 && !(await dialect.scrub())) return false;
    for (const statement of deletingMarks(finished, dialect.table)) await rows(statement);
    return true;
  },
});
