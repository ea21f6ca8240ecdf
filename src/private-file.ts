/**
 * Files that hold data, a secret or a lock: made for their owner alone, whatever the umask. On Windows, which has no such
 * modes, the rights of their folder hold.
 */
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** The mode of a file that its owner alone may read and write. */
export const PRIVATE = 0o600;

/** Makes the folder that a file is to be in, for its owner alone. One that is there stays as it is. */
export function makeFolderOf(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
}

/** Makes a file that its owner alone may read and write. One that is there stays as it is. */
export function makePrivate(file: string, text = ''): void {
  try {
    writeFileSync(file, text, { mode: PRIVATE, flag: 'wx' });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'EEXIST') return;
    if (code === 'ENOSPC') rmSync(file, { force: true }); // half of it is none
    throw error;
  }
}

/** Tells whether others than its owner may read or write a file; false where there is none. */
export function isShared(file: string): boolean {
  const found = process.platform === 'win32' ? undefined : statSync(file, { throwIfNoEntry: false });
  return found !== undefined && (found.mode & 0o077) !== 0;
}
