/** Longer than anything that is waited for takes. It is a bound on hanging, never a measure. */
const PATIENCE = 10_000;

/** Asks again and again, without a pause but the asking itself, until the answer is yes. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${PATIENCE} ms`);
    await new Promise(setImmediate);
  }
}

/** What comes one by one, kept; and a wait for there to be as much as is wanted. */
export class Inbox<Item> {
  readonly items: Item[] = [];
  #wake: () => void = () => {};
  readonly #listeners: ((item: Item) => void)[] = [];

  readonly put = (item: Item): void => {
    this.items.push(item);
    this.#wake();
    for (const listener of this.#listeners) listener(item);
  };

  /** Has somebody told of each that comes from now on. */
  listen(listener: (item: Item) => void): void {
    this.#listeners.push(listener);
  }

  /** Resolves with the first `count` that a function picks, as soon as so many have come. */
  async first(count: number, picks: (item: Item) => boolean = () => true): Promise<Item[]> {
    for (;;) {
      const found = this.items.filter(picks);
      if (found.length >= count) return found.slice(0, count);
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`${found.length} of ${count} came: ${JSON.stringify(this.items.slice(-5))}`)),
          PATIENCE,
        );
        const wake = this.#wake;
        this.#wake = () => {
          clearTimeout(timer);
          wake();
          resolve();
        };
      });
    }
  }
}
