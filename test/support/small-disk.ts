/** A folder whose disk can be filled. */
import { execFileSync } from 'node:child_process';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inFolder } from './server.ts';

interface SmallDisk {
  readonly folder: string;
  /** Leaves no room in it for what is written from now on. */
  fill(): void;
  /** Makes room again. */
  free(): void;
}

const run = (command: string, ...args: string[]): boolean => {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** A file system in memory, filled by a file: the disk is full as disks are. Who is not root cannot have it. */
async function onTmpfs(folder: string, use: (disk: SmallDisk) => Promise<void>): Promise<boolean> {
  if (!run('mount', '-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', folder)) return false;
  const filler = join(folder, 'filler');
  const fill = () => {
    for (let size = 1024 * 1024; size >= 1024; size /= 2) {
      try {
        for (;;) writeFileSync(filler, Buffer.alloc(size), { flag: 'a' });
      } catch {
        // This much is not left.
      }
    }
  };
  try {
    await use({ folder, fill, free: () => rmSync(filler) });
  } finally {
    run('umount', '-l', folder);
  }
  return true;
}

/** The bound that the system sets to the files that this process writes: what would exceed it fails. */
async function withinBounds(folder: string, use: (disk: SmallDisk) => Promise<void>): Promise<void> {
  const bound = (bytes: number | 'unlimited') => {
    if (!run('prlimit', '--pid', String(process.pid), `--fsize=${bytes}:unlimited`)) throw new Error('no prlimit');
  };
  const size = () => statSync(join(folder, 'telle.db-wal')).size;
  try {
    await use({ folder, fill: () => bound(size()), free: () => bound('unlimited') });
  } finally {
    bound('unlimited');
  }
}

export const onSmallDisk = (use: (disk: SmallDisk) => Promise<void>): Promise<void> =>
  inFolder(async (folder) => {
    if (!(await onTmpfs(folder, use))) await withinBounds(folder, use);
  });
