/** Texts by name, kept where the browser lets them be kept. */

/** As much of a `Storage` as is needed. */
interface Place {
  getItem(key: string): string | null;
  setItem(key: string, text: string): void;
  removeItem(key: string): void;
  names(): string[];
}

function attempt<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined; // it is forbidden here, or full
  }
}

function storage(name: 'localStorage' | 'sessionStorage'): Place[] {
  const found = attempt(() => window[name]);
  if (!found) return [];
  return [
    {
      getItem: (key) => found.getItem(key),
      setItem: (key, text) => found.setItem(key, text),
      removeItem: (key) => found.removeItem(key),
      names: () => Object.keys(found),
    },
  ];
}

function memory(): Place {
  const texts = new Map<string, string>();
  return {
    getItem: (key) => texts.get(key) ?? null,
    setItem: (key, text) => void texts.set(key, text),
    removeItem: (key) => void texts.delete(key),
    names: () => [...texts.keys()],
  };
}

/** Places in the order in which they are tried: what one refuses the next one has, at last this page alone. */
export class Shelf {
  readonly #places: readonly Place[];

  /** @param names of the storages, the one that keeps the longest first; none: it is kept on this page alone */
  constructor(...names: readonly ('localStorage' | 'sessionStorage')[]) {
    this.#places = [...names.flatMap(storage), memory()];
  }

  get(key: string): string | null {
    for (const place of this.#places) {
      const text = attempt(() => place.getItem(key)) ?? null;
      if (text !== null) return text;
    }
    return null;
  }

  /** Puts a text there, or with null takes it away. What an earlier place still has of it, and would be read, goes too. */
  put(key: string, text: string | null): void {
    let isKept = text === null;
    for (const place of this.#places) {
      const took =
        !isKept &&
        attempt(() => {
          place.setItem(key, text ?? '');
          return true;
        });
      if (took) isKept = true;
      else attempt(() => place.removeItem(key));
    }
  }

  /** Names that begin so. */
  names(beginning: string): string[] {
    const names = this.#places.flatMap((place) => attempt(() => place.names()) ?? []);
    return [...new Set(names)].filter((name) => name.startsWith(beginning));
  }
}
