import type { Due } from './due.ts';
import type { Planned } from './planning.ts';

/** Connections of one kind. */
export interface PoolState {
  readonly most: number;
  readonly open: number;
  readonly used: number;
  /** Questions that wait for one. */
  readonly waiting: number;
}

/** The upkeep of a database, for whoever starts, looks after and ends it. */
export interface Upkeep {
  /**
   * Brings the tables up to date. Idempotent. Answers whether there were none: whether the database is new.
   * @param onUpgrade told first, where there are tables, how many migrations they are to have: a large log takes minutes
   * @param onBusy told, in words, each time that somebody has a table and it is tried again
   * @throws UnfitError where this program cannot use it, or may not; ServedError where somebody has a table all the time
   */
  migrate(onUpgrade?: (migrations: number) => void, onBusy?: (sentence: string) => void): Promise<boolean>;
  /** Counts the migrations that it has not had yet. @throws UnfitError where it has had others */
  pendingMigrations(): Promise<number>;
  /** Tells what each of them will do to the tables that are there. Changes nothing. @throws as `pendingMigrations` */
  plan(): Promise<readonly Planned[]>;
  /** Looks at all of it, which takes its time. @throws UnfitError where something is wrong with it */
  examine(): Promise<void>;
  /** Names the database: the same name to all that serve it, and to nobody who serves another. */
  platform(): Promise<string>;
  /** Resolves where the database answers and can be written to. */
  check(): Promise<void>;
  /** The last migration of its tables that this program knows, by name. */
  readonly schema: string;
  /** Tells of the disk that an embedded database is on that it will soon be full, or else null; null: it is on none of this machine's. */
  readonly faultOfDisk: (() => Promise<string | null>) | null;
  /** Tells what is to be done, and what waits to be looked at. */
  due(): Promise<Due>;
  /** The connections by what they are for; null: there are none. */
  readonly pools: (() => Readonly<Record<string, PoolState>>) | null;
  /** The bytes of the write-ahead log that is kept beside the database; null: it has none. */
  readonly walBytes: (() => number) | null;
  /** Writes one moment's copy of the database to a file that is not there; null: it has no way to. */
  readonly copyTo: ((file: string) => Promise<void>) | null;
  close(): Promise<void>;
}
