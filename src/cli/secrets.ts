/** The secrets that sign tokens: given, or for an embedded database made once and kept beside it. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { MEMORY, type Settings, sqliteFile } from '../../schemas/settings.ts';
import { UsageError } from './usage-error.ts';

/** Where the secret of an embedded database is kept. */
export const secretFile = (database: string): string => `${database.replace(/\.db$/, '')}.secret`;

const made = (): string => randomBytes(32).toString('base64url');

/** @returns at least one; the first signs, all verify */
export function readSecrets(settings: Settings): string[] {
  if (settings.AUTH_SECRET !== undefined) {
    const secrets = settings.AUTH_SECRET.split(',').map((secret) => secret.trim());
    if (secrets.some((secret) => secret === ''))
      throw new UsageError('AUTH_SECRET has an empty part between its commas');
    return secrets;
  }
  if (settings.REDIS_URL !== undefined) {
    throw new UsageError('AUTH_SECRET is missing: nodes that share a Redis (REDIS_URL) need a secret that they share');
  }
  const file = sqliteFile(settings);
  if (file === null)
    throw new UsageError('AUTH_SECRET is missing: a database that nodes share needs a secret that they share');
  return [file === MEMORY ? made() : readFileOrMake(secretFile(file))];
}

function readFileOrMake(file: string): string {
  mkdirSync(dirname(file), { recursive: true });
  try {
    writeFileSync(file, `${made()}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const secret = readFileSync(file, 'utf8').trim();
  if (secret === '') throw new UsageError(`${file} is empty: remove it to have a new secret made, or set AUTH_SECRET`);
  return secret;
}
