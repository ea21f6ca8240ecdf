/** Works of migrations on tables that may be large, so that somebody can be told before. */

/** Manner of a migration with a table: only the last takes as long for a large table as for a small one. */
export type Manner = 'rewrites' | 'writes' | 'indexes' | 'alters';

/** Work of a migration on a table that was there before it. */
interface Work {
  readonly table: string;
  readonly manner: Manner;
  /** Times that were measured, of the fewest rows first. */
  readonly measured?: readonly Measure[];
}

interface Measure {
  readonly rows: number;
  readonly seconds: number;
}

/** The works of each migration, by its name. */
export type Works = Readonly<Record<string, readonly Work[]>>;

/** A migration that is pending. */
export interface Planned {
  readonly name: string;
  /** Each with the table's rows, as far as they are known without being counted. */
  readonly works: readonly (Work & { readonly rows: number | null })[];
}

/** @param rowsOf the rows of a table, null where they are not known; undefined where there is no such table yet */
export const planOf = (
  pending: readonly { readonly name: string }[],
  works: Works,
  rowsOf: (table: string) => number | null | undefined,
): Planned[] =>
  pending.map(({ name }) => ({
    name,
    works: (works[name] ?? []).flatMap((work) => {
      const rows = rowsOf(work.table);
      return rows === undefined ? [] : [{ ...work, rows }];
    }),
  }));

/** The name of the last migration. */
export const lastOf = (works: Works): string => Object.keys(works).at(-1) ?? 'none';

/** The tables that works are on. */
export const tablesOf = (works: Works): string[] => [
  ...new Set(
    Object.values(works)
      .flat()
      .map(({ table }) => table),
  ),
];

/** Seconds that it takes by what was measured of the next larger table, or of the largest. */
export function secondsFor(rows: number, measured: readonly Measure[]): number | null {
  const nearest = measured.find((each) => rows <= each.rows) ?? measured.at(-1);
  return nearest ? (rows * nearest.seconds) / nearest.rows : null;
}
