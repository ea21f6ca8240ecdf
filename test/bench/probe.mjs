/** Loaded into each server before its own modules: collects garbage and tells of the event loop when it is asked to. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

let delay;
const answers = {
  collect: () => globalThis.gc(),
  watch: () => {
    delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
  },
  delay: () => ({ p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 }),
};
process.on('message', (question) => process.send({ probe: answers[question]() ?? null }));
process.channel?.unref();
