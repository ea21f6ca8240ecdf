/** Moving a database as a whole: what is read of one and written to another, and how the two are compared. */
import { createHash } from 'node:crypto';
import type { MovedTable } from '../../drizzle/moved.ts';

/** A row, by the names of its columns in the code, in values that are the same whatever database it comes from. */
export type MovedRow = Readonly<Record<string, unknown>>;

/** A database that nobody serves or changes while it is held. */
export interface Held {
  /** All tables that are moved, in the order in which they are written. */
  readonly tables: readonly MovedTable[];
  /** All rows of a table, in pages: those of a scope's log in the order of their seqs. */
  rows(table: MovedTable): AsyncIterable<readonly MovedRow[]>;
  count(table: MovedTable): Promise<number>;
  /** @throws ServedError where a server has come to it all the same */
  assertUnserved(): Promise<void>;
  /** Lets go of it. What was written and not kept is gone. */
  close(): Promise<void>;
}

export interface Source extends Held {
  readonly epoch: string;
}

/** A database that had no rows. Until it is kept, nobody else sees any. */
export interface Target extends Held {
  write(table: MovedTable, rows: readonly MovedRow[]): Promise<void>;
  /** Keeps all that was written, as a log of that epoch. */
  keep(epoch: string): Promise<void>;
}

/** Bytes of a digest, as numbers of 64 bits. */
const LANES = 4;

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
};

/** Counts rows, and sums their digests up: databases have them in different orders. */
export class Tally {
  readonly #columns: MovedTable['columns'];
  readonly #sums = new BigUint64Array(LANES);
  #rows = 0;

  constructor({ columns }: MovedTable) {
    this.#columns = columns;
  }

  add(rows: readonly MovedRow[]): void {
    for (const row of rows) {
      const values = this.#columns.map(({ property, kind }) =>
        kind === 'json' ? sorted(row[property]) : row[property],
      );
      const digest = createHash('sha256').update(JSON.stringify(values)).digest();
      for (let lane = 0; lane < LANES; lane += 1) {
        this.#sums[lane] = (this.#sums[lane] ?? 0n) + digest.readBigUInt64LE(lane * 8); // it wraps around
      }
    }
    this.#rows += rows.length;
  }

  get rows(): number {
    return this.#rows;
  }

  get checksum(): string {
    return [...this.#sums].map((sum) => sum.toString(16).padStart(16, '0')).join('');
  }
}

/** A table that was moved. */
export interface Moved {
  readonly name: string;
  readonly rows: number;
  readonly checksum: string;
}

/** Told of rows as they go by. */
type Watch = (rows: number) => void;

async function tallied(
  { rows }: Held,
  table: MovedTable,
  each: (page: readonly MovedRow[]) => Promise<void> | void,
): Promise<Moved> {
  const tally = new Tally(table);
  for await (const page of rows(table)) {
    tally.add(page);
    await each(page);
  }
  return { name: table.name, rows: tally.rows, checksum: tally.checksum };
}

/** Writes all of a database to another. */
export async function copyAll(source: Source, target: Target, watch: Watch): Promise<Moved[]> {
  const moved: Moved[] = [];
  for (const table of source.tables) {
    const copy = async (page: readonly MovedRow[]) => {
      await target.write(table, page);
      watch(page.length);
    };
    moved.push(await tallied(source, table, copy));
  }
  return moved;
}

/** Reads all of the other again. @throws where it has not what was read */
export async function compareAll(moved: readonly Moved[], target: Target, watch: Watch): Promise<void> {
  for (const [index, table] of target.tables.entries()) {
    const [read, written] = [moved[index], await tallied(target, table, (page) => watch(page.length))];
    if (read?.rows === written.rows && read.checksum === written.checksum) continue;
    throw new Error(
      `${table.name} has ${written.rows} rows of ${written.checksum}, and not ${read?.rows} of ${read?.checksum}`,
    );
  }
}
