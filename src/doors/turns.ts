import { performance } from 'node:perf_hooks';

/** How long the event loop is held before everybody else has a turn, in ms. */
const TURN = 10;

/** Resolves when everybody else has had a turn. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lets those who ask go on in the order in which they asked, and gives way whenever they have taken a while. */
function makeLine(): () => Promise<void> {
  const waiting: (() => void)[] = [];
  let isWalking = false;

  async function walk(): Promise<void> {
    isWalking = true;
    let began = performance.now();
    for (let goOn = waiting.shift(); goOn; goOn = waiting.shift()) {
      goOn();
      // What it does before it waits for something is done when there is no microtask left.
      await new Promise((resolve) => process.nextTick(resolve));
      if (performance.now() - began < TURN) continue;
      await turn();
      began = performance.now();
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

/** {@link inTurn} for those who read pages: who joins or is stored does not wait behind them. */
export const readInTurn = makeLine();

/** Reads pages one by one, each {@link readInTurn in turn} with what others read. */
export async function* pagesInTurn<Page>(pages: AsyncIterable<Page>): AsyncGenerator<Page> {
  const reader = pages[Symbol.asyncIterator]();
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
