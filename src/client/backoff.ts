/** Pauses before another try, in milliseconds: all at random, since thousands of clients lose the same server at once. */
import type { AnyOptions, Closed } from './types.ts';

type Backoff = AnyOptions['backoff'];

const PRESET = { first: 1000, most: 30_000 };

/** [P-9] Full jitter: up to a bound that doubles with each failure. */
export function pauseAfter(failures: number, { first, most }: Backoff = PRESET): number {
  return Math.random() * Math.min(most, first * 2 ** failures);
}

/** [P-9] Time after which a server that ends has asked to come back, within a quarter of it; undefined where it has not. */
export function askedPause({ code, reason }: Closed, { most }: Backoff = PRESET): number | undefined {
  const ms = code === 1012 ? / in (\d+) ms$/.exec(reason)?.[1] : undefined;
  return ms === undefined ? undefined : Math.min(most, Number(ms) * (0.75 + Math.random() / 2));
}
