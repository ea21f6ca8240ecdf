/** Gathering of what is needed: many ask one by one, and are answered together. */

/** Time for which they are gathered, in milliseconds. */
const GATHERING = 100;
/** As many as one request may name. */
const AT_ONCE = 50;

export class Needs {
  readonly #read: (names: readonly string[]) => Promise<void>;
  /** Names that are read, or will be, and when that is done. */
  readonly #asked = new Map<string, Promise<void>>();
  #next: { readonly names: string[]; readonly done: Promise<void> } | undefined;

  constructor(read: (names: readonly string[]) => Promise<void>) {
    this.#read = read;
  }

  /** Resolves when it was read, or cannot be. */
  need(name: string): Promise<void> {
    const asked = this.#asked.get(name);
    if (asked) return asked;
    this.#next ??= this.#begin();
    const { names, done } = this.#next;
    names.push(name);
    if (names.length === AT_ONCE) this.#next = undefined;
    this.#asked.set(name, done);
    return done;
  }

  #begin() {
    const names: string[] = [];
    const done = new Promise<void>((resolve) => setTimeout(resolve, GATHERING)).then(async () => {
      if (this.#next?.names === names) this.#next = undefined;
      await this.#read(names).finally(() => {
        for (const name of names) this.#asked.delete(name);
      });
    });
    return { names, done };
  }
}
