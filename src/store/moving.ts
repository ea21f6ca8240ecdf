/** Moving a database as a whole: what is read of one and written to another, and how the two are compared. */
import { createHash } from 'node:crypto';
import type { MovedColumn, MovedTable } from '../../drizzle/moved.ts';
import type { Bounds } from './bounded.ts';

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
  /** Keeps all that was written, as a log of that epoch. @param warn told what is not as it should be, though all is kept */
  keep(epoch: string, warn: (warning: { readonly found: string; readonly advice: string }) => void): Promise<void>;
}

/** Tells of a column whether its values may be long. */
export const isLong = ({ kind }: MovedColumn): boolean => kind === 'text' || kind === 'json';

/** A page of rows, which is in memory as a whole: many, or fewer where they are long, but one at least. */
export const PAGE = { limit: 1000, bytes: 4 * 1024 * 1024 } satisfies Bounds;

/** Cuts rows, as they come, into pages. */
export function* paged<Row>(rows: Iterable<Row>, bytesOf: (row: Row) => number): Generator<Row[]> {
  let page: Row[] = [];
  let total = 0;
  for (const row of rows) {
    const bytes = bytesOf(row);
    if (page.length === PAGE.limit || (page.length > 0 && total + bytes > PAGE.bytes)) {
      yield page;
      page = [];
      total = 0;
    }
    page.push(row);
    total += bytes;
  }
  if (page.length > 0) yield page;
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

/** The beginning of a checksum, which tells two apart. */
const shortOf = (moved?: Moved): string => `${moved?.checksum.slice(0, 8)}…`;

/** Reads all of the other again. @throws where it has not what was read */
export async function compareAll(moved: readonly Moved[], target: Target, watch: Watch): Promise<void> {
  for (const [index, table] of target.tables.entries()) {
    const [written, read] = [moved[index], await tallied(target, table, (page) => watch(page.length))];
    if (written?.rows === read.rows && written.checksum === read.checksum) continue;
    throw new Error(
      `${table.name} is not the same there: ${written?.rows} rows (checksum ${shortOf(written)}) were written, ${read.rows} (${shortOf(read)}) were read`,
    );
  }
}
