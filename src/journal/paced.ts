/** Pace of what nobody waits for: burying, erasing, retention. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** The least pause between two parts, in ms. */
const LEAST_PAUSE = 5;
/** Commands that make a part: those who speak meanwhile share a transaction with them. */
const PART = 50;

/**
 * Does a part, and then leaves the database to everybody else for as long as that took: the busier they are, the longer.
 * @returns what the part gave; rejects with what it throws, and where the signal says so
 */
export async function paced<Done>(part: () => Promise<Done>, signal?: AbortSignal): Promise<Done> {
  const began = performance.now();
  const done = await part();
  await sleep(Math.max(LEAST_PAUSE, performance.now() - began), undefined, { signal });
  return done;
}

/** Does something with each of many, a part at a time, {@link paced}. Rejects with what `work` throws, and the rest is not done. */
export async function inParts<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  for (let at = 0; at < items.length; at += PART) {
    await paced(() => Promise.all(items.slice(at, at + PART).map(work)), signal);
  }
}
