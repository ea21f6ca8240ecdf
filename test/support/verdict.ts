/** What the suites of attack end in: one table of what was tried and what got through. */

/** One line of it. */
export interface Verdict {
  readonly scenario: string;
  readonly tried: number;
  /** What should not have happened, one sentence each. */
  readonly through: readonly string[];
  readonly seconds: number;
  /** What was measured, one sentence each. */
  readonly notes?: readonly string[];
}

/** How many of a scenario's faults are told. */
const TOLD = 5;

const cells = ({ scenario, tried, through, seconds }: Verdict): string[] => [
  scenario,
  tried.toLocaleString('en'),
  String(through.length),
  seconds.toFixed(1),
];

/** Prints the table, and what got through before it. @returns the exit code: 1 where anything got through */
export function conclude(verdicts: readonly Verdict[], seed: number): number {
  for (const { scenario, through } of verdicts) {
    for (const what of through.slice(0, TOLD)) console.log(`GOT THROUGH  ${scenario}: ${what}`);
    if (through.length > TOLD) console.log(`             ${scenario}: and ${through.length - TOLD} more`);
  }
  const sum: Verdict = {
    scenario: `${verdicts.length} in all, seed ${seed}`,
    tried: verdicts.reduce((total, { tried }) => total + tried, 0),
    through: verdicts.flatMap(({ through }) => through),
    seconds: verdicts.reduce((total, { seconds }) => total + seconds, 0),
  };
  const lines = [['scenario', 'tried', 'got through', 'seconds'], ...[...verdicts, sum].map(cells)];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  for (const [name = '', ...figures] of lines) {
    console.log(
      [name.padEnd(widths[0] ?? 0), ...figures.map((text, index) => text.padStart(widths[index + 1] ?? 0))].join('  '),
    );
  }
  for (const { scenario, notes = [] } of verdicts) for (const note of notes) console.log(`${scenario}: ${note}`);
  return sum.through.length === 0 && verdicts.length > 0 ? 0 : 1;
}
