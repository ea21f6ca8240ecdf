/**
 * [P-21.1] The epoch of a file: a number in its header, which copies of it have too until they are put in its place. A log that was
 * brought here whole keeps the epoch that it had, as long as the number is the same.
 */
import { randomInt } from 'node:crypto';
import type { Database } from 'better-sqlite3';

/** The greatest number that the header has room for. */
const MOST = 2 ** 31 - 1;

/** A file's epoch. */
export function epochOf(client: Database): string {
  const own = ownEpoch(client);
  return client.prepare<[string], string>('select epoch from epochs where log = ?').pluck().get(own) ?? own;
}

const ownEpoch = (client: Database): string => numberIn(client).toString(36).padStart(6, '0');

/** Gives a file whose log was brought here the epoch that it had. */
export function bringEpoch(client: Database, epoch: string): void {
  client.prepare('insert into epochs (log, epoch) values (?, ?)').run(ownEpoch(client), epoch);
}

const numberIn = (client: Database): number => Number(client.pragma('user_version', { simple: true }));

/** Gives a file that has no epoch its first. */
export function beginEpoch(client: Database): void {
  if (numberIn(client) === 0) changeEpoch(client);
}

/** Gives a file another epoch. */
export function changeEpoch(client: Database): void {
  client.pragma(`user_version = ${randomInt(1, MOST)}`);
}
