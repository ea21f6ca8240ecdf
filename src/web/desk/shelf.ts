/** Texts under names of their own: for as long as the tab is there, or for every tab. What the browser refuses is kept in memory. */

type Place = 'sessionStorage' | 'localStorage';

/** Texts that the browser refused, by place and name: newer than what it may still have of them. */
const refused = new Map<string, string>();

export class Shelf {
  readonly #place: Place;
  readonly #prefix: string;

  constructor(place: Place, ...parts: string[]) {
    this.#place = place;
    this.#prefix = `${parts.join('/')}/`;
  }

  get(name: string): string | null {
    const key = this.#prefix + name;
    return refused.get(`${this.#place} ${key}`) ?? attempt(() => globalThis[this.#place].getItem(key)) ?? null;
  }

  /** An empty text is not kept. */
  put(name: string, text: string): void {
    this.drop(name);
    if (text === '') return;
    const key = this.#prefix + name;
    const isKept = attempt(() => {
      globalThis[this.#place].setItem(key, text);
      return true;
    });
    if (!isKept) refused.set(`${this.#place} ${key}`, text);
  }

  drop(name: string): void {
    const key = this.#prefix + name;
    refused.delete(`${this.#place} ${key}`);
    attempt(() => globalThis[this.#place].removeItem(key));
  }

  /** Tells whether the browser keeps anything at all here. */
  get isKept(): boolean {
    this.put('@probe', 'x');
    const isKept = attempt(() => globalThis[this.#place].getItem(`${this.#prefix}@probe`)) === 'x';
    this.drop('@probe');
    return isKept;
  }
}

function attempt<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}
