/** A server that tells about itself: run by itself, so that what it needs is not mixed with what its clients need. */
import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { census } from './census.ts';
import { startServer } from './server.ts';
import type { Measures, Stall, TargetOptions } from './target.ts';

const faults: string[] = [];
for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
  process.on(event, (fault: unknown) => {
    faults.push(`${event}: ${fault instanceof Error ? fault.stack : String(fault)}`);
  });
}

/** How often the event loop is looked at, in ms. */
const RESOLUTION = 5;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
delay.enable();

/** The longest between two looks for which this process was at work, in ms: when the machine gave it nothing, it waited. */
let busiest = 0;
let lookedAt = performance.now();
let worked = process.cpuUsage();
setInterval(() => {
  const now = performance.now();
  const { user, system } = process.cpuUsage(worked);
  busiest = Math.max(busiest, Math.min(now - lookedAt, (user + system) / 1000));
  lookedAt = now;
  worked = process.cpuUsage();
}, RESOLUTION).unref();

/** How long the event loop stood still since it was asked. */
function stall(): Stall {
  const longest = { seen: Math.max(0, delay.max / 1e6 - RESOLUTION), busy: Math.max(0, busiest - RESOLUTION) };
  delay.reset();
  busiest = 0;
  return longest;
}

/** Collects garbage until no more goes. */
async function used(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 4; turn += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { heapUsed, external } = process.memoryUsage();
    least = Math.min(least, heapUsed + external);
  }
  return least;
}

async function measure(): Promise<Measures> {
  const { user, system } = process.cpuUsage();
  const counts = await census();
  const files = readdirSync('/proc/self/fd').length;
  return { used: await used(), cpu: (user + system) / 1000, files, counts, faults };
}

const { settings, timing }: TargetOptions = JSON.parse(process.argv[2] ?? '{}');
const server = await startServer({
  settings: { LOG_LEVEL: 'error', ...settings },
  ...(timing && { timing }),
  logTo: process.stderr,
});
process.on('message', async (asked: 'measure' | 'stall') => {
  process.send?.(asked === 'measure' ? await measure() : stall());
});
process.on('disconnect', () => process.exit());
process.send?.(await server.listen());
