/** Records of the customer that are sent to the dealer, beside messages. */
import type { Client } from '../../client/index.ts';
import type { Memory } from './memory.ts';

/** Any fields of a user [P-6.4]. */
export type Person = Readonly<Record<string, unknown>>;
/** A type, not an interface: a record may have other fields, too. */
export type Page = { readonly url: string; readonly title: string; readonly referrer: string };

const SOURCE = 'chat';
/** Ignores a failure: what was not sent is sent anew on the next page, or is of no use by then. */
const ignored = () => {};

export class Records {
  readonly #memory: Memory;
  #client: Client<'customer'> | undefined;
  #page: Page | undefined;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** From now on there is somebody to tell. */
  tellBy(client: Client<'customer'>): void {
    this.#client = client;
    this.#tellUser();
    this.#tellPage();
  }

  get user(): Person {
    return this.#memory.user.get().fields;
  }

  /** Says who the customer is; told once, while it stays the same. */
  setUser(person: Person): void {
    const fields = { ...this.user, ...person };
    if (JSON.stringify(fields) === JSON.stringify(this.user)) return;
    this.#memory.user.set({ fields, isTold: false });
    this.#tellUser();
  }

  /** The customer looks at a page. */
  view(page: Page): void {
    this.#page = page;
    this.#tellPage();
  }

  /** Sends how the customer is to be reached, and about what. @throws TelleError where the server does not take it */
  async submit(person: Person, intent: string): Promise<void> {
    const fields = { ...this.user, ...person };
    await Promise.all([
      this.#client?.send('customer_update', { type: 'UPDATE_USER', message: person }),
      this.#client?.send('customer_update', { type: 'UPDATE_LEAD', message: { ...person, source: SOURCE } }),
      this.#client?.send('customer_update', { type: 'CREATE_LEAD_INTENT', message: { intent } }),
    ]);
    this.#memory.user.set({ fields, isTold: true });
    this.#memory.hasBegun.set(true);
  }

  #tellUser(): void {
    const { fields, isTold } = this.#memory.user.get();
    if (isTold) return;
    this.#client
      ?.send('customer_update', { type: 'UPDATE_USER', message: fields })
      .then(() => this.#memory.user.set({ ...this.#memory.user.get(), isTold: true }), ignored);
  }

  #tellPage(): void {
    if (!this.#page) return;
    this.#client?.send('customer_update', { type: 'UPDATE_PAGEVIEW', message: this.#page }).catch(ignored);
  }
}
