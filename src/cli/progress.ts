import { Presets, SingleBar } from 'cli-progress';

/** A bar on stderr for long work, where somebody watches: a terminal. Elsewhere it draws nothing. */
export function progressBar(unit: string, total: number): { add(count: number): void; end(): void } {
  const bar = new SingleBar(
    {
      format: `{bar} {percentage}% {value}/{total} ${unit}, {eta_formatted} to go`,
      hideCursor: true,
      noTTYOutput: false,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return { add: (count) => bar.increment(count), end: () => bar.stop() };
}
