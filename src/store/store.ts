/**
 * A database as a whole: all of its faces, of which each room is handed those that it uses. SQLite and Postgres implement it,
 * and each must pass `test/conformance/store.ts`.
 */
import type { ActStore } from './acts.ts';
import type { Paged } from './bounded.ts';
import type { CommitStore } from './commits.ts';
import type { CredentialStore } from './credentials.ts';
import type { DealerStore } from './dealers.ts';
import type { ErasureStore } from './erasures.ts';
import type { GroupStore } from './groups.ts';
import type { ImportStore } from './importing.ts';
import type { LapseStore } from './lapses.ts';
import type { LetterStore } from './letters.ts';
import type { LogStore } from './log.ts';
import type { NodeStore } from './nodes.ts';
import type { RecordStore } from './records.ts';
import type { SearchStore } from './searching.ts';
import type { TimerStore } from './timers.ts';
import type { Upkeep } from './upkeep.ts';

/** The store that the doors read and change: all but what is the journal's, and what is done beside it. */
export interface OpenStore
  extends LogStore,
    GroupStore,
    RecordStore,
    SearchStore,
    DealerStore,
    LetterStore,
    CredentialStore,
    ActStore,
    Paged,
    Pick<ErasureStore, 'erasures' | 'erasure'>,
    Pick<Upkeep, 'check' | 'schema' | 'faultOfDisk'> {}

/** Every method rejects with the driver's own error where the database fails. */
export interface Store
  extends OpenStore,
    CommitStore,
    ErasureStore,
    ImportStore,
    NodeStore,
    TimerStore,
    LapseStore,
    Upkeep {
  /** True where it says for certain if a commit was done: then a node that is alone has nothing to mend. */
  readonly isCertain: boolean;
}

/** A fault of a database, and what to do about it, where that is known. */
export class UnfitError extends Error {
  readonly found: string;
  readonly advice: string;

  constructor(found: string, advice: string, options?: ErrorOptions) {
    super(advice === '' ? found : `${found}: ${advice}`, options);
    this.found = found;
    this.advice = advice;
  }
}

/** Thrown where something that was asked takes the database longer than it may. */
export class TooLongError extends Error {}

/** Thrown where the driver of such a database cannot be loaded, whatever the database is named. */
export class DriverError extends UnfitError {}

/** Thrown where another server has the database, or somebody its lock. */
export class ServedError extends Error {}

/** Thrown where the setting that names the database asks for what does not exist. */
export class MisusedError extends Error {}
