/** What a suite of attacks tried and what got through, told in one table at its end. */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';

/** Whoever finds a fault with a seed finds it again with `SEED=<that seed>`. */
export const SEED = Number(process.env.SEED ?? 6455);

/** How many of those that got through are told in words. */
const SHOWN = 10;

interface Row {
  readonly scenario: string;
  tried: number;
  readonly through: string[];
  seconds: number;
}

/** Tries something; whatever throws has got through. */
type Attempt = (what: string, attack: () => Promise<unknown> | unknown) => Promise<void>;

export class Tally {
  readonly #suite: string;
  readonly #rows: Row[] = [];

  constructor(suite: string) {
    this.#suite = suite;
  }

  /**
   * Runs a scenario to its end, whatever gets through meanwhile, and fails where anything did or nothing was tried.
   * @param run is handed what tries one attack: it throws where that was not held off
   */
  async scenario(scenario: string, run: (attempt: Attempt) => Promise<void>): Promise<void> {
    const row: Row = { scenario, tried: 0, through: [], seconds: 0 };
    this.#rows.push(row);
    const from = performance.now();
    try {
      await run(async (what, attack) => {
        row.tried += 1;
        try {
          await attack();
        } catch (error) {
          row.through.push(`${what}: ${error instanceof Error ? error.message : error}`);
        }
      });
    } finally {
      row.seconds = (performance.now() - from) / 1000;
    }
    assert.ok(row.tried > 0, `${scenario}: nothing was tried`);
    assert.ok(row.through.length === 0, `${row.through.length} got through\n${row.through.slice(0, SHOWN).join('\n')}`);
  }

  /** Says on stdout what was tried. */
  print(): void {
    const cells = this.#rows.map(({ scenario, tried, through, seconds }) => [
      scenario,
      String(tried),
      String(through.length),
      seconds.toFixed(1),
    ]);
    const table = [['scenario', 'tried', 'got through', 'seconds'], ...cells];
    const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
    const line = (row: string[]) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)));
    const text = table.map((row) => line(row).join('  ')).join('\n');
    process.stdout.write(`\n${this.#suite} (seed ${SEED})\n${text}\n`);
  }
}

/** Draws numbers from 0 to 1, the same for the same seed (mulberry32). */
export function chance(seed = SEED): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
