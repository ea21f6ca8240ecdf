/** [P-21.1] The epoch of a file: a number in its header, which copies of it have too until they are put in its place. */
import { randomInt } from 'node:crypto';
import type { Database } from 'better-sqlite3';

/** The greatest number that the header has room for. */
const MOST = 2 ** 31 - 1;

/** A file's epoch. */
export const epochOf = (client: Database): string => numberIn(client).toString(36).padStart(6, '0');

const numberIn = (client: Database): number => Number(client.pragma('user_version', { simple: true }));

/** Gives a file that has no epoch its first. */
export function beginEpoch(client: Database): void {
  if (numberIn(client) === 0) changeEpoch(client);
}

/** Gives a file another epoch. */
export function changeEpoch(client: Database): void {
  client.pragma(`user_version = ${randomInt(1, MOST)}`);
}
