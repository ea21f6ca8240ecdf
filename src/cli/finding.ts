import type { Settings } from '../../schemas/settings.ts';
import type { Warning } from './warning.ts';

/** A finding of `telle doctor`; `advice` says what to do, where something is. A fault keeps a server from starting, or from its work. */
export interface Finding {
  readonly state: 'ok' | 'warning' | 'fault';
  readonly found: string;
  readonly advice?: string;
}
export type Check = (settings: Settings) => Promise<readonly Finding[]> | readonly Finding[];

export const ok = (found: string): Finding => ({ state: 'ok', found });
export const warning = (found: string, advice: string): Finding => ({ state: 'warning', found, advice });
export const warned = ({ found, advice }: Warning): Finding => warning(found, advice);
export const fault = (found: string, advice: string): Finding => ({ state: 'fault', found, advice });

/** Clocks that differ by more than this, in ms, make events' times and tokens' ends look wrong. */
const MAX_SKEW = 1_000;

/** Checks that a clock and this machine's agree. */
export async function skewOf(whose: string, read: () => Promise<number>): Promise<Finding[]> {
  const before = Date.now();
  const theirs = await read();
  const skew = Math.round(theirs - (before + Date.now()) / 2);
  if (Math.abs(skew) <= MAX_SKEW) return [ok(`its clock and this one agree within ${MAX_SKEW} ms`)];
  const advice = 'let both follow NTP (timedatectl, chronyc tracking)';
  return [warning(`the clock of ${whose} is ${skew} ms ahead of this one`, advice)];
}
