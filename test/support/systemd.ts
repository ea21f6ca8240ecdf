/** systemd's own `systemd-analyze`, which reads units as systemd does. */
import { spawnSync } from 'node:child_process';
import { programOf } from './debian.ts';

const { path, env } = programOf({ binary: 'usr/bin/systemd-analyze', packages: ['systemd'], formula: 'systemd' });

/** @returns whether it succeeded, and what it said; of a unit that is not as it should be, it says so and succeeds */
export function systemdAnalyze(...args: readonly string[]): { readonly isGood: boolean; readonly said: string } {
  const { status, stdout, stderr, error } = spawnSync(path, args, { env, encoding: 'utf8' });
  if (error) throw error;
  return { isGood: status === 0, said: stdout + stderr };
}
