/** State that is kept over page changes: in this browser, or in this tab alone. */
import type { TokenStorage } from '../../client/index.ts';
import type { Answer } from './log.ts';

/** Messages that were written and not yet acked. */
interface Unsent {
  readonly id: string;
  readonly text: string;
  readonly at: string;
  readonly answer?: Answer;
}

/** Record of the customer as the page has given it, and whether the server has it: not every page need send it again. */
export interface User {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly isTold: boolean;
}

/** Value of one key, as JSON; a browser that forbids storage has it for as long as the page is there. */
class Slot<Value> {
  readonly key: string;
  readonly #storage: Storage | undefined;
  readonly #initial: Value;
  #value: string | null = null;

  constructor(key: string, storage: Storage | undefined, initial: Value) {
    this.key = key;
    this.#storage = storage;
    this.#initial = initial;
  }

  get(): Value {
    const text = this.#storage ? this.#storage.getItem(this.key) : this.#value;
    try {
      return text ? JSON.parse(text) : this.#initial;
    } catch {
      return this.#initial; // the page's own script has written there
    }
  }

  set(value: Value): void {
    this.#value = JSON.stringify(value);
    try {
      this.#storage?.setItem(this.key, this.#value);
    } catch {
      // It is full: what is there stays.
    }
  }
}

function storageOf(name: 'localStorage' | 'sessionStorage'): Storage | undefined {
  try {
    return window[name];
  } catch {
    return undefined;
  }
}

export type Memory = ReturnType<typeof memoryOf>;

export function memoryOf(dealerId: string) {
  const [browser, tab] = [storageOf('localStorage'), storageOf('sessionStorage')];
  const key = (name: string) => `telle/widget/${dealerId}/${name}`;
  const token = new Slot<string | null>(key('token'), browser, null);
  const tokens: TokenStorage = {
    getItem: () => token.get(),
    setItem: (_, value) => token.set(value),
    removeItem: () => token.set(null),
  };
  return {
    /** Of a customer who is not logged in. */
    token,
    tokens,
    /** True once something was said: somebody who only looked into the panel has no conversation. */
    hasBegun: new Slot(key('begun'), browser, false),
    /** The last seq of each scope that was read. */
    read: new Slot<Readonly<Record<string, number>>>(key('read'), browser, {}),
    unsent: new Slot<readonly Unsent[]>(key('unsent'), tab, []),
    draft: new Slot(key('draft'), tab, ''),
    isOpen: new Slot(key('open'), tab, false),
    user: new Slot<User>(key('user'), tab, { fields: {}, isTold: true }),
  };
}
