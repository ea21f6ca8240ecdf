import { performance } from 'node:perf_hooks';

/** How long the event loop is held before everybody else has a turn, in ms. */
const TURN = 10;

/** Resolves when everybody else has had a turn. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** When those who ask for a turn began to hold this one; null where none has asked yet. */
let heldSince: number | null = null;

/**
 * For many who go on: resolves as long as those before have not held the event loop for a while, else in a later turn. Those who
 * ask together, before any of them has done anything, go on together.
 */
export async function inTurn(): Promise<void> {
  while (heldSince !== null && performance.now() - heldSince > TURN) await turn();
  if (heldSince !== null) return;
  heldSince = performance.now();
  setImmediate(() => {
    heldSince = null;
  });
}

/**
 * Does something with each of many, in order, and gives way to the rest of the server whenever that has taken a while.
 * @param items asked for one by one
 * @returns what was made of each; rejects with what `work` or `items` throws, and the rest is not done
 */
export async function inTurns<T, R>(items: Iterable<T>, work: (item: T) => R): Promise<R[]> {
  const made: R[] = [];
  let began = performance.now();
  for (const item of items) {
    made.push(work(item));
    if (performance.now() - began < TURN) continue;
    await turn();
    began = performance.now();
  }
  return made;
}
