/** Prometheus's own `promtool`, which reads rules of alerts as Prometheus does. */
import { spawnSync } from 'node:child_process';
import { programOf } from './debian.ts';

const { path, env } = programOf({ binary: 'usr/bin/promtool', packages: ['prometheus'], formula: 'prometheus' });

/** @returns whether it succeeded, and what it said */
export function promtool(...args: readonly string[]): { readonly isGood: boolean; readonly said: string } {
  const { status, stdout, stderr, error } = spawnSync(path, args, { env, encoding: 'utf8' });
  if (error) throw error;
  return { isGood: status === 0, said: stdout + stderr };
}
