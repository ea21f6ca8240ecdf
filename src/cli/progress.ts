import { Presets, SingleBar } from 'cli-progress';

/** A bar on stderr for long work, where somebody watches: a terminal. Elsewhere it draws nothing. */
export function progressBar(unit: string, total?: number): { add(count: number): void; end(): void } {
  const format =
    total === undefined ? `{value} ${unit}` : `{bar} {percentage}% {value}/{total} ${unit}, {eta_formatted} to go`;
  const bar = new SingleBar({ format, hideCursor: true, noTTYOutput: false }, Presets.shades_classic);
  bar.start(total ?? 0, 0);
  return { add: (count) => bar.increment(count), end: () => bar.stop() };
}
