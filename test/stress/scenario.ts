/** What a scenario is, and the ledger that it keeps: what it tried, and what got through. */
import { isDeepStrictEqual } from 'node:util';
import type { Dice } from '../support/chance.ts';

/** What a scenario is given. */
export interface Stage {
  readonly ledger: Ledger;
  readonly dice: Dice;
  /** A Postgres and a Redis that all scenarios of a run share: each makes a database and a prefix of its own. */
  readonly postgres: string;
  readonly redis: string;
}

export type Scenario = (stage: Stage) => Promise<void>;

/** Scenarios by name. A file of them is a theme. */
export type Scenarios = Readonly<Record<string, Scenario>>;

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
};

export class Ledger {
  tried = 0;
  readonly through: string[] = [];
  /** What was measured, for people to read. */
  readonly notes: string[] = [];

  /** Counts so many tries whose outcome is judged later. */
  count(tries: number): void {
    this.tried += tries;
  }

  /** Counts a try. What does not hold got through. */
  that(holds: boolean, what: string): void {
    this.tried += 1;
    if (!holds) this.through.push(what);
  }

  equal(actual: unknown, expected: unknown, what: string): void {
    this.that(isDeepStrictEqual(actual, expected), `${what}: expected ${shown(expected)}, got ${shown(actual)}`);
  }
}
