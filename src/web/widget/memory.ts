/** State that is kept over page changes, by the conversation to which it belongs: in this browser, or in this tab alone. */
import type { Payload, TokenStorage } from '../../client/index.ts';
import { newId } from '../../client/platform.ts';
import { Shelf } from './shelf.ts';

/** Something that the customer has entered. */
export type Entered =
  | { readonly channel: 'customer_message'; readonly payload: Payload<'customer', 'customer_message'> }
  | { readonly channel: 'customer_update'; readonly payload: Payload<'customer', 'customer_update'> };

/** The same, as it is sent until it is acked. */
export type Kept = Entered & { readonly id: string; readonly at: string };

/** Record of the customer as the page has given it, and whether the server has it: not every page need send it again. */
export interface User {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly isTold: boolean;
}

/** Owner of the name under which something is kept; undefined while that is not known. */
interface Owner {
  path: string | undefined;
}

/** Value under one name, as JSON. While its owner is not known, nobody but this page has it. */
class Slot<Value> {
  readonly #owner: Owner;
  readonly #name: string;
  readonly #shelf: Shelf;
  readonly #initial: Value;
  #loose: string | null = null;

  constructor(owner: Owner, name: string, shelf: Shelf, initial: Value) {
    this.#owner = owner;
    this.#name = name;
    this.#shelf = shelf;
    this.#initial = initial;
  }

  get key(): string | undefined {
    const { path } = this.#owner;
    return path === undefined ? undefined : path + this.#name;
  }

  get(): Value {
    const text = this.key === undefined ? this.#loose : this.#shelf.get(this.key);
    try {
      return text ? JSON.parse(text) : this.#initial;
    } catch {
      return this.#initial; // the page's own script has written there
    }
  }

  set(value: Value): void {
    this.#put(JSON.stringify(value));
  }

  forget(): void {
    this.#put(null);
  }

  #put(text: string | null): void {
    if (this.key === undefined) this.#loose = text;
    else this.#shelf.put(this.key, text);
  }

  /** The owner is known now: what was said meanwhile is theirs. */
  settle(): void {
    if (this.#loose !== null) this.#put(this.#loose);
  }
}

/** Everything that is kept of one conversation. */
export class Memory {
  readonly #owner: Owner;
  readonly #browser: Shelf;
  readonly #loose = new Map<string, Kept>();
  /** Of a customer who is not logged in. */
  readonly token: Slot<string | null>;
  /** True once something was said: somebody who only looked into the panel has no conversation. */
  readonly hasBegun: Slot<boolean>;
  /** The last seq of each scope that was read. */
  readonly read: Slot<Readonly<Record<string, number>>>;
  readonly draft: Slot<string>;
  readonly user: Slot<User>;

  /** @param path begins the name of everything; undefined: it is not known yet whose it is */
  constructor(path: string | undefined, browser: Shelf, tab: Shelf) {
    this.#owner = { path };
    this.#browser = browser;
    const owner = this.#owner;
    this.token = new Slot<string | null>(owner, 'token', browser, null);
    this.hasBegun = new Slot<boolean>(owner, 'begun', browser, false);
    this.read = new Slot<Readonly<Record<string, number>>>(owner, 'read', browser, {});
    this.draft = new Slot<string>(owner, 'draft', browser, '');
    this.user = new Slot<User>(owner, 'user', tab, { fields: {}, isTold: true });
  }

  get #slots() {
    return [this.token, this.hasBegun, this.read, this.draft, this.user];
  }

  readonly tokens: TokenStorage = {
    getItem: () => this.token.get(),
    setItem: (_, value) => this.token.set(value),
    removeItem: () => this.token.forget(),
  };

  /** Everything that is not acked yet, in the order in which it was entered: a name for each, so that no tab replaces another's. */
  get kept(): readonly Kept[] {
    const { path } = this.#owner;
    if (path === undefined) return [...this.#loose.values()];
    // Ids begin with the time.
    const names = this.#browser.names(`${path}unsent/`).sort();
    return names.flatMap((name) => new Slot<Kept | []>({ path: '' }, name, this.#browser, []).get());
  }

  keep(kept: Kept): void {
    const { path } = this.#owner;
    if (path === undefined) this.#loose.set(kept.id, kept);
    else this.#browser.put(`${path}unsent/${kept.id}`, JSON.stringify(kept));
  }

  drop(id: string): void {
    this.#loose.delete(id);
    this.#browser.put(`${this.#owner.path}unsent/${id}`, null);
  }

  /** It is known whose it is. @returns whether that is new */
  settle(path: string): boolean {
    if (this.#owner.path !== undefined) return false;
    this.#owner.path = path;
    for (const slot of this.#slots) slot.settle();
    for (const kept of this.#loose.values()) this.keep(kept);
    return true;
  }

  forget(): void {
    for (const slot of this.#slots) slot.forget();
    for (const { id } of this.kept) this.drop(id);
  }
}

/** Customer whom this browser takes for the one at the page, who is not logged in: the page may have said who that is. */
interface Current {
  readonly key: string;
  readonly externalId?: string;
}

const NOBODY: Current = { key: '' };

/** Every customer of a dealer whom this browser has seen, each with a memory of their own. */
export class Memories {
  readonly isOpen: Slot<boolean>;
  readonly #root: string;
  readonly #browser = new Shelf('localStorage', 'sessionStorage');
  readonly #tab = new Shelf('sessionStorage');
  readonly #current: Slot<Current>;
  /** Keys of those whom the page has named, by `externalId`. */
  readonly #named: Slot<Readonly<Record<string, string>>>;

  constructor(dealerId: string) {
    this.#root = `telle/widget/${dealerId}/`;
    const owner = { path: this.#root };
    this.isOpen = new Slot<boolean>(owner, 'open', this.#tab, false);
    this.#current = new Slot<Current>(owner, 'current', this.#browser, NOBODY);
    this.#named = new Slot<Readonly<Record<string, string>>>(owner, 'named', this.#browser, {});
  }

  get currentKey(): string | undefined {
    return this.#current.key;
  }

  #pathOf(key: string): string {
    return key === '' ? this.#root : `${this.#root}${key}/`;
  }

  #of(path: string | undefined): Memory {
    return new Memory(path, this.#browser, this.#tab);
  }

  current(): Memory {
    return this.#of(this.#pathOf(this.#current.get().key));
  }

  /** The memory of a customer who comes with a token, once `settle` says whose. */
  loggedIn(): { memory: Memory; settle: (groupId: string) => boolean } {
    const memory = this.#of(undefined);
    return { memory, settle: (groupId) => memory.settle(this.#pathOf(`=${groupId}`)) };
  }

  /**
   * The page says by a number of its own who is there. Whoever had none is that customer from now on; whoever had another
   * is somebody else.
   * @returns whether it is somebody else now
   */
  identify(externalId: string): boolean {
    const { key, externalId: known } = this.#current.get();
    if (known === externalId) return false;
    const named = this.#named.get();
    const own = Object.hasOwn(named, externalId) ? named[externalId] : undefined;
    const next = own ?? (known === undefined ? key : newId());
    this.#current.set({ key: next, externalId });
    this.#named.set({ ...named, [externalId]: next });
    return next !== key;
  }

  /** Forgets who is not logged in, and who is: the next one is somebody new. */
  leave(memory: Memory): void {
    const { key, externalId } = this.#current.get();
    const { [externalId ?? '']: _, ...named } = this.#named.get();
    for (const each of [memory, this.#of(this.#pathOf(key))]) each.forget();
    this.#named.set(named);
    this.#current.set({ key: newId() });
  }
}
