/** Room on the disk that an embedded database is on. */
import { statfs } from 'node:fs/promises';

/** Free bytes of a disk below which it is soon full. */
export const LITTLE_SPACE = 1024 ** 3;

/** Free bytes of the disk that a folder is on. */
export async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

export const inGiB = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;

/** @returns what is wrong, where there is little room left; null: nothing */
export async function faultOfDisk(folder: string): Promise<string | null> {
  const free = await freeBytesOf(folder);
  return free > LITTLE_SPACE ? null : `only ${inGiB(free)} are free`;
}
