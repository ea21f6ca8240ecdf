/** Records of the customer that are sent to the dealer, beside messages. */
import { type Client, type Payload, TelleError } from '../../client/index.ts';
import type { Page } from './address.ts';
import type { Memory } from './memory.ts';
import type { Vehicle } from './vehicle.ts';

/** Any fields of a user [P-6.4]. */
export type Person = Readonly<Record<string, unknown>>;

/** The page that the customer looks at, whoever that is: the page's, not the conversation's. */
export interface Visit {
  /** The page, as the dealer may be told of it. */
  readonly page: () => Promise<Page | undefined>;
  /** The vehicle that the page is about, as far as that is known. */
  readonly vehicle: () => Promise<Vehicle | undefined>;
}

/** A lead's subject: an intent, the vehicle that the page is about, and the one that the customer has named [P-6.4]. */
export interface About {
  readonly intent: string;
  readonly shown?: Vehicle | undefined;
  readonly named?: Vehicle | undefined;
}
type Update = Payload<'customer', 'customer_update'>;

const SOURCE = 'chat';
/** Intents about the customer's own vehicle: it is not the one that they want. */
const OWN: readonly string[] = ['trade_in', 'service'];
/** Ignores a failure: what was not sent is sent anew on the next page, or is of no use by then. */
const ignored = () => {};

export class Records {
  readonly #memory: Memory;
  readonly #visit: Visit;
  #client: Client<'customer'> | undefined;
  /** Page, and vehicle, of which was told last. */
  #toldOf = '';

  constructor(memory: Memory, visit: Visit) {
    this.#memory = memory;
    this.#visit = visit;
  }

  /** From now on there is somebody to tell. */
  tellBy(client: Client<'customer'>): void {
    this.#client = client;
    this.#tellUser();
    this.tellPage();
  }

  get user(): Person {
    return this.#memory.user.get().fields;
  }

  vehicle(): Promise<Vehicle | undefined> {
    return this.#visit.vehicle();
  }

  /** Says who the customer is; told once, while it stays the same. */
  setUser(person: Person): void {
    const fields = { ...this.user, ...person };
    if (JSON.stringify(fields) === JSON.stringify(this.user)) return;
    this.#memory.user.set({ fields, isTold: false });
    this.#tellUser();
  }

  /** Makes the updates that say how the customer is to be reached, and about what. */
  detailsOf(person: Person, { intent, shown, named }: About): readonly Update[] {
    this.#memory.user.set({ fields: { ...this.user, ...person }, isTold: true });
    const isOwn = OWN.includes(intent);
    const wanted = shown ?? (isOwn ? undefined : named);
    return [
      { type: 'UPDATE_USER', message: person },
      { type: 'UPDATE_LEAD', message: { ...person, source: SOURCE, ...(wanted && { vehicle: wanted }) } },
      { type: 'CREATE_LEAD_INTENT', message: { intent, ...(isOwn && named && { vehicle: named }) } },
    ];
  }

  #tellUser(): void {
    const { fields, isTold } = this.#memory.user.get();
    if (isTold) return;
    this.#client
      ?.send('customer_update', { type: 'UPDATE_USER', message: fields })
      .then(() => this.#memory.user.set({ ...this.#memory.user.get(), isTold: true }))
      .catch((error) => {
        if (error instanceof TelleError && !error.retryable && error.code !== 'closed') {
          console.error(`telle: what setUser said was not taken: ${error.message}`, error.details);
        }
      });
  }

  /** Tells of the page, and of what it is about. */
  async tellPage(): Promise<void> {
    if (!this.#client) return;
    const page = await this.#visit.page();
    const vehicle = await this.vehicle();
    if (!page || JSON.stringify([page.url, vehicle]) === this.#toldOf) return;
    this.#toldOf = JSON.stringify([page.url, vehicle]);
    const { vin, stock } = vehicle ?? {};
    const message = { ...page, ...(vin && { vin }), ...(stock && { stock }), ...(vehicle && { vehicle }) };
    this.#client?.send('customer_update', { type: 'UPDATE_PAGEVIEW', message }).catch(ignored);
  }
}
