/** Plain statistics. */
const ascending = (values: readonly number[]): Float64Array => Float64Array.from(values).sort();

/** The value below which a part of the values is; NaN of none. */
function at(sorted: Float64Array, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export function quantiles(values: readonly number[]): Quantiles {
  const sorted = ascending(values);
  return { p50: at(sorted, 0.5), p99: at(sorted, 0.99), p999: at(sorted, 0.999) };
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = ascending(values);
  const half = sorted.length / 2;
  const median = ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2;
  return { median, min: at(sorted, 0), max: at(sorted, 1) };
}
