/** The journal's part of a database: batches that are stored whole, or not at all. */
import type { Changes, Needs, Rows } from './rows.ts';

/** Dealers of which somebody else has locked rows, for longer than a batch takes. None: what was to be done is done. */
export type Locked = ReadonlySet<string>;
export const NONE_LOCKED: Locked = new Set();

export interface CommitStore {
  /** Number of transactions that may be under way, each of other dealers: batches, and beside them those of dealers that are kept apart. */
  readonly atOnce: { readonly batches: number; readonly apart: number };
  /**
   * One transaction: load the rows needed, let `work` say what changes, write it, commit (to disk). `work` is called
   * inside the transaction, synchronously; again, on other rows, where another node was first or a key proved to be
   * taken. When it or the database fails, nothing is written and the promise rejects.
   * @returns those that are locked: then nothing is written, and the others may be tried without them
   */
  commit(needs: Needs, work: (rows: Rows) => Changes): Promise<Locked>;
}
