/** Rows that batches have read or written, kept as they stand: most of what is said is said where something was just said. */
import type { Database } from 'better-sqlite3';
import type { Group, Rules } from '../../domain/state.ts';
import type { Doorway } from '../dealers.ts';
import type { Changes, DealerSeqs } from '../rows.ts';
import { minuteOf } from '../sql.ts';

/** The most rows of a table that are kept: some 4 MiB of groups. With one more, it begins anew. */
const MAX_ROWS = 20_000;

class Kept<Row> {
  #rows = new Map<string, Row>();

  peek(key: string): Row | undefined {
    return this.#rows.get(key);
  }

  get(key: string, read: () => Row | undefined): Row | undefined {
    const kept = this.#rows.get(key);
    if (kept !== undefined) return kept;
    const row = read();
    if (row !== undefined) this.set(key, row);
    return row;
  }

  set(key: string, row: Row): void {
    if (this.#rows.size >= MAX_ROWS) this.clear();
    this.#rows.set(key, row);
  }

  delete(key: string): void {
    this.#rows.delete(key);
  }

  clear(): void {
    this.#rows = new Map();
  }
}

/**
 * Dealers' seqs, doorways and rules, and groups and the minutes of their last changes, by the keys of `Rows`. Valid as long as nobody but
 * {@link RowCache.wrote} knows of a change.
 */
export class RowCache {
  readonly dealers = new Kept<DealerSeqs>();
  readonly doorways = new Kept<Doorway>();
  readonly rules = new Kept<Rules>();
  readonly groups = new Kept<Group>();
  readonly minutes = new Kept<number>();
  /** Positions of the last events of scopes, by dealer and scope. */
  readonly ends = new Kept<number>();
  readonly #version: () => unknown;
  #seen: unknown;
  #isOfThisTurn = false;

  constructor(client: Database) {
    const version = client.prepare('PRAGMA data_version').pluck();
    this.#version = () => version.get();
    this.#seen = this.#version();
  }

  /** To be called within a transaction, before anything is read: another connection may have written meanwhile. */
  refresh(): void {
    const version = this.#version();
    if (version !== this.#seen) this.clear();
    this.#seen = version;
  }

  /** To be called before anything is read outside of a transaction: looks once in a turn of the event loop. */
  refreshOnce(): void {
    if (this.#isOfThisTurn) return;
    this.refresh();
    this.#isOfThisTurn = true;
    setImmediate(() => {
      this.#isOfThisTurn = false;
    });
  }

  /** Takes in what was committed. */
  wrote({ dealers, groups, erasures, arrivals, rules, botsSpoke, at, times }: Changes): void {
    const minute = minuteOf(at);
    for (const { dealerId, sender } of arrivals) if (sender.startsWith('server:')) this.rules.delete(dealerId);
    for (const dealerId of [...rules.keys(), ...botsSpoke.keys()]) this.rules.delete(dealerId);
    for (const [key, row] of dealers) this.dealers.set(key, row);
    for (const [key, row] of groups) {
      this.groups.set(key, row);
      const time = times?.groups.get(key);
      this.minutes.set(key, time ? minuteOf(time.updated) : minute);
    }
    for (const { dealerId, groupId } of erasures) {
      this.groups.delete(`${dealerId}/${groupId}`);
      this.minutes.delete(`${dealerId}/${groupId}`);
      this.ends.delete(`${dealerId}/${groupId}`);
    }
  }

  clear(): void {
    this.dealers.clear();
    this.doorways.clear();
    this.rules.clear();
    this.groups.clear();
    this.minutes.clear();
    this.ends.clear();
  }
}
