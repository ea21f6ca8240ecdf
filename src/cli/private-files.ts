/** Check that the files of the embedded database are their owner's alone. Others are reported, and stay as they are. */
import { existsSync, realpathSync } from 'node:fs';
import { MEMORY, type Settings, sqliteFile } from '../../schemas/settings.ts';
import { isShared } from '../private-file.ts';
import { secretFile } from './secrets.ts';
import type { Warning } from './warning.ts';

/** Warnings of files that hold data, the secret or the lock, and that others on this machine may open. */
export function warningsOfFiles(settings: Settings): Warning[] {
  const file = sqliteFile(settings);
  if (file === null || file === MEMORY || !existsSync(file)) return [];
  const database = realpathSync(file);
  const shared = [database, `${database}-wal`, `${database}-shm`, `${database}.lock`, secretFile(file)].filter(
    isShared,
  );
  if (shared.length === 0) return [];
  const files = shared.join(' ');
  return [{ found: `others on this machine may open ${files}`, advice: `chmod 600 ${files}` }];
}
