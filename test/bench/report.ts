/** The tables: medians and spreads of the rounds, and ratios of the medians of what was measured. */
import { type Figures, METRICS, type Metric } from './metrics.ts';
import type { Contest, Target } from './shapes.ts';
import { type Spread, spreadOf } from './statistics.ts';

/** What a contest gave: each contestant's figures, a round each. */
export interface Outcome {
  readonly contest: Contest;
  readonly rounds: Readonly<Record<string, readonly Figures[]>>;
}

/** A generator that used more of a CPU than this may have been the bottleneck. */
const BUSY = 0.9;

const number = (value: number, digits: number): string =>
  Number.isFinite(value)
    ? value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
    : '–';

function shown(metric: Metric, { median, min, max }: Spread, isOne: boolean): string {
  const { digits } = METRICS[metric];
  const spread = isOne || !Number.isFinite(median) ? '' : ` (${number(min, digits)}–${number(max, digits)})`;
  return `${number(median, digits)}${spread}${metric === 'generator' && max > BUSY ? ' **!**' : ''}`;
}

const valuesOf = (figures: readonly Figures[], metric: Metric): number[] =>
  figures.flatMap((each) => each[metric] ?? []);

/** The ratio of two contestants, round by round: the median of the ratios. */
function ratioOf({ rounds }: Outcome, metric: Metric, of: string, to: string): Spread {
  const [ours, theirs] = [valuesOf(rounds[of] ?? [], metric), valuesOf(rounds[to] ?? [], metric)];
  return spreadOf(ours.flatMap((value, round) => (theirs[round] === undefined ? [] : value / theirs[round])));
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function table(outcome: Outcome): string[] {
  const names = Object.keys(outcome.rounds);
  const all = names.flatMap((name) => outcome.rounds[name] ?? []);
  const metrics = (Object.keys(METRICS) as Metric[]).filter((metric) => all.some((each) => each[metric] !== undefined));
  const { compared } = outcome.contest;
  const [first = ''] = names;
  const lines = names.map((name) => {
    const figures = outcome.rounds[name] ?? [];
    const cells = metrics.map((metric) => shown(metric, spreadOf(valuesOf(figures, metric)), figures.length === 1));
    const ratio = name !== first ? `${number(ratioOf(outcome, compared, first, name).median, 2)} ×` : '';
    return row([name, ...cells, ratio]);
  });
  const titles = ['', ...metrics.map((metric) => METRICS[metric].title), `${first} to it: ${METRICS[compared].title}`];
  return [row(titles), row(titles.map((_, index) => (index === 0 ? '---' : '---:'))), ...lines];
}

const isReached = ({ bound, ratio }: Target, value: number): boolean =>
  bound === 'at least' ? value >= ratio : value <= ratio;

/** A contest as Markdown. */
export function told(outcome: Outcome): string {
  const { title } = outcome.contest;
  const isBusy = Object.values(outcome.rounds)
    .flat()
    .some(({ generator = 0 }) => generator > BUSY);
  const warning = ['', '**!** The generator used more than 90 % of a CPU: it may have been what bounds this figure.'];
  return [`### ${title}`, '', ...table(outcome), ...(isBusy ? warning : []), ''].join('\n');
}

/** What a contest must reach, beside what it did: lines of {@link targetsTold}. */
export const targetLines = (shape: string, outcome: Outcome): string[] =>
  (outcome.contest.targets ?? []).flatMap((target) => {
    const { median, min, max } = ratioOf(outcome, target.metric, target.of, target.to);
    if (!Number.isFinite(median)) return [];
    const what = `${shape}: ${METRICS[target.metric].title}, ${target.of} to ${target.to}`;
    const figure = `${number(median, 2)} × (${number(min, 2)}–${number(max, 2)})`;
    const sign = target.bound === 'at least' ? '≥' : '≤';
    return [row([what, `${sign} ${target.ratio} ×`, figure, isReached(target, median) ? 'yes' : 'no'])];
  });

/** What must be reached, beside what was, as Markdown. */
export function targetsTold(lines: readonly string[]): string {
  return [row(['', 'target', 'median (spread)', 'reached']), row(['---', '---:', '---:', '---']), ...lines, ''].join(
    '\n',
  );
}
