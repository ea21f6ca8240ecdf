/** The table of scenarios, by name. */
import { clock } from './clock.ts';
import { faults } from './faults.ts';
import { floods } from './floods.ts';
import { ids } from './ids.ts';
import { limits } from './limits.ts';
import { mute } from './mute.ts';
import { obeys } from './obeys.ts';
import { order } from './order.ts';
import { presence } from './presence.ts';
import { recovery } from './recovery.ts';
import { redis } from './redis.ts';
import type { Scenarios } from './scenario.ts';
import { stalls } from './stalls.ts';
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
  ...stalls,
  ...clock,
  ...floods,
  ...obeys,
};

/** Those that wait for a time that is the protocol's, and do little else. */
const WAITING = ['join-timeout', 'database-locked', 'stream-of-a-dead-node', 'clock-jumps-and-limits'];

/**
 * Those whose time or memory is measured: they run when all others have ended, each row of them on a worker; and beside them
 * those that leave the machine to them.
 */
export const ALONE: readonly (readonly string[])[] = [
  ['slow-consumers', ...Object.keys(stalls)],
  [...Object.keys(floods), ...Object.keys(obeys)],
  WAITING,
];
