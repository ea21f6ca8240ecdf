/** The table of scenarios, by name. */
import { clock } from './clock.ts';
import { faults } from './faults.ts';
import { floods, torrents } from './floods.ts';
import { ids } from './ids.ts';
import { limits } from './limits.ts';
import { mute } from './mute.ts';
import { order } from './order.ts';
import { presence } from './presence.ts';
import { recovery } from './recovery.ts';
import { redis } from './redis.ts';
import type { Scenarios } from './scenario.ts';
import { tokens } from './tokens.ts';

export const SCENARIOS: Scenarios = {
  ...recovery,
  ...order,
  ...ids,
  ...mute,
  ...presence,
  ...tokens,
  ...limits,
  ...faults,
  ...redis,
  ...clock,
  ...floods,
  ...torrents,
};

/** Those whose time or memory is measured: they run when little else does, or nothing. */
const quiet = Object.keys(floods);
const alone = ['slow-consumers', ...Object.keys(torrents)];

/** Which run together, one stage after the other, and how many at a time; `more`: one more than there are cores. */
export const STAGES: readonly { readonly names: readonly string[]; readonly atOnce: 'more' | number }[] = [
  { names: Object.keys(SCENARIOS).filter((name) => !quiet.includes(name) && !alone.includes(name)), atOnce: 'more' },
  { names: quiet, atOnce: 2 },
  { names: alone, atOnce: 1 },
];
