import { performance } from 'node:perf_hooks';

/**
 * Time for which all lines together hold a turn of the event loop before everybody else has one, in ms. A message waits for
 * two such turns, the one in which it comes and the one in which it is stored: pieces of work should be no longer than this.
 */
const TURN = 1;

/** Resolves when everybody else has had a turn. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** When the turn began that lines hold, and the next one, while a line waits for it. */
let began = Number.NEGATIVE_INFINITY;
let next: Promise<void> | null = null;

async function begin(): Promise<void> {
  await turn();
  next = null;
  began = performance.now();
}

/** Lets those who ask go on in the order in which they asked, one at least in a turn, and gives way when it was held a while. */
function makeLine(): () => Promise<void> {
  const waiting: (() => void)[] = [];
  let isWalking = false;

  async function walk(): Promise<void> {
    isWalking = true;
    for (let goOn = waiting.shift(); goOn; goOn = waiting.shift()) {
      goOn();
      // What it does before it waits for something is done when there is no microtask left.
      await new Promise((resolve) => process.nextTick(resolve));
      if (performance.now() - began < TURN) continue;
      next ??= begin();
      await next;
    }
    isWalking = false;
  }

  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (!isWalking) void walk();
    });
}

/**
 * For many who go on at once: resolves for one after the other, and gives way to the rest of the server whenever they have
 * taken a while.
 */
export const inTurn = makeLine();

/** {@link inTurn} for requests that begin: hundreds come in one turn of the event loop, and each is looked at a while. */
export const beginInTurn = makeLine();

/** {@link inTurn} for those who read pages: who joins or is stored does not wait behind them. */
export const readInTurn = makeLine();

/** Reads pages one by one, each {@link readInTurn in turn} with what others read. */
export async function* pagesInTurn<Page>(pages: AsyncIterable<Page> | Iterable<Page>): AsyncGenerator<Page> {
  const reader = Symbol.asyncIterator in pages ? pages[Symbol.asyncIterator]() : pages[Symbol.iterator]();
  try {
    for (;;) {
      await readInTurn();
      const { value, done } = await reader.next();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.return?.();
  }
}

/**
 * Does something with each of many, in order, each of them {@link inTurn}.
 * @param items asked for one by one
 * @returns what was made of each; rejects with what `work` or `items` throws, and the rest is not done
 */
export async function inTurns<T, R>(items: Iterable<T>, work: (item: T) => R): Promise<R[]> {
  const made: R[] = [];
  for (const item of items) {
    await inTurn();
    made.push(work(item));
  }
  return made;
}

/** The last that was asked to be made of each. */
const lastOf = new Map<string, Promise<unknown>>();

/**
 * Makes one thing after the other of the same name: what is made of many in turn would all be in memory until the last is made.
 * @returns what was made; rejects with what `make` throws, and the next is made all the same
 */
export async function oneAtATime<Made>(name: string, make: () => Promise<Made>): Promise<Made> {
  const made = (lastOf.get(name) ?? Promise.resolve()).then(make);
  const over = made.catch(() => {});
  lastOf.set(name, over);
  try {
    return await made;
  } finally {
    if (lastOf.get(name) === over) lastOf.delete(name);
  }
}
