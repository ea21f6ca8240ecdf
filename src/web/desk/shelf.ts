/** Texts that outlive a reload but not the tab, under names of their own; where the browser forbids it, nothing is kept. */
export class Shelf {
  readonly #prefix: string;

  constructor(...parts: string[]) {
    this.#prefix = `${parts.join('/')}/`;
  }

  get(name: string): string | null {
    return attempt(() => sessionStorage.getItem(this.#prefix + name)) ?? null;
  }

  /** An empty text is not kept. */
  put(name: string, text: string): void {
    if (text === '') this.drop(name);
    else attempt(() => sessionStorage.setItem(this.#prefix + name, text));
  }

  drop(name: string): void {
    attempt(() => sessionStorage.removeItem(this.#prefix + name));
  }
}

function attempt<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}
