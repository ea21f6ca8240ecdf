/** The journal's part of a database: batches that are stored whole, or not at all. */
import type { Changes, Needs, Rows } from './rows.ts';

export interface CommitStore {
  /**
   * One transaction: load the rows needed, let `work` say what changes, write it, commit (to disk). `work` is called
   * inside the transaction, synchronously; again, on other rows, where another node was first or a key proved to be
   * taken. When it or the database fails, nothing is written and the promise rejects.
   */
  commit(needs: Needs, work: (rows: Rows) => Changes): Promise<void>;
}
