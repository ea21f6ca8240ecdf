/**
 * Budgets of bytes that may be stored in a day: of a customer's conversation, of an address, and of a dealer. Counted in memory, by
 * each node for itself, and before anything is asked of the database.
 */
import { performance } from 'node:perf_hooks';
import type { Body } from '../../schemas/accepted.ts';
import { refused } from '../../schemas/errors.ts';
import type { Role } from '../../schemas/kinds.ts';
import type { Settings } from '../../schemas/settings.ts';
import { ACCEPTED, ALL_DEALERS, DELIVERIES, eventTypeOf } from '../../schemas/table.ts';
import type { Session } from '../auth/session.ts';
import { giveBackAll, Quota, type Share, takeAll } from './limits.ts';

const DAY = 24 * 60 * 60 * 1000;
/** About what an event takes on disk besides what it says, in bytes: its row, its other fields, and where indexes name it. */
const ROW = 512;
/** A dealer's servers may store so many times what its customers may: its bot answers each of them, and at more length. */
const SERVERS = 4;

type Budget = 'group' | 'dealer' | 'address';

const SPENT: Readonly<Record<Budget, string>> = {
  group: 'this chat has stored as much as it may in a day',
  dealer: 'this dealer has stored as much as it may in a day',
  address: 'this address has stored as much as it may in a day',
};

interface Part extends Share {
  readonly budget: Budget;
}

/** Charge for something that is to be stored, so that it can be given back. */
interface Charge {
  readonly parts: readonly Part[];
  /** When, by a clock that only goes forward, in ms. */
  readonly at: number;
}

/** Counts the bytes that an accepted payload stores: nothing where it is only passed on, or kept as state. */
export function bytesStored(body: Body): number {
  if (!DELIVERIES[eventTypeOf(body)].stored) return 0;
  let bytes = ROW;
  for (const field of ACCEPTED.get(body.type)?.carries ?? []) {
    const value: unknown = Reflect.get(body, field);
    if (typeof value === 'string') bytes += Buffer.byteLength(value);
    else if (typeof value === 'object') bytes += Buffer.byteLength(JSON.stringify(value));
  }
  return bytes;
}

export class Budgets {
  readonly #isOff: boolean;
  readonly #groups: Quota;
  readonly #addresses: Quota;
  /** Apart for each role: what a dealer's customers use up silences neither its agents nor its servers. */
  readonly #dealers: Readonly<Record<Role, Quota>>;
  readonly #onRefusal: (budget: Budget) => void;

  /** @param onRefusal told of each send that is refused, and by which budget */
  constructor(settings: Settings, onRefusal: (budget: Budget) => void) {
    this.#isOff = settings.RATE_LIMIT === 'off';
    this.#groups = new Quota(() => settings.MAX_BYTES_PER_GROUP, DAY);
    this.#addresses = new Quota(() => settings.MAX_BYTES_PER_ADDRESS, DAY);
    this.#dealers = {
      customer: new Quota(() => settings.MAX_BYTES_PER_DEALER, DAY),
      admin: new Quota(() => settings.MAX_BYTES_PER_DEALER, DAY),
      server: new Quota(() => settings.MAX_BYTES_PER_DEALER * SERVERS, DAY),
    };
    this.#onRefusal = onRefusal;
  }

  /**
   * Charges what a send is going to store; what is then not stored must be {@link giveBack given back}.
   * @param holder whom its address counts as; null where it has none
   * @throws RefusedError `rate_limited`, which says how long the budget stays used up; nothing is charged then
   */
  charge(session: Session, holder: string | null, body: Body): Charge {
    const at = performance.now();
    const amount = this.#isOff ? 0 : bytesStored(body);
    const parts = amount === 0 ? [] : this.#partsOf(session, holder, amount);
    const spent = takeAll(parts, at);
    if (!spent) return { parts, at };
    this.#onRefusal(spent.budget);
    const retryAfter = spent.quota.secondsLeft(at);
    throw refused('rate_limited', `${SPENT[spent.budget]}: wait ${retryAfter} s`, { retryAfter });
  }

  giveBack({ parts, at }: Charge): void {
    giveBackAll(parts, at);
  }

  /** Which budgets a send of somebody counts towards. A server of all dealers is the platform's own, and has none. */
  #partsOf(session: Session, holder: string | null, amount: number): Part[] {
    const { role, dealerId } = session;
    if (dealerId === ALL_DEALERS) return [];
    const dealer: Part = { budget: 'dealer', quota: this.#dealers[role], key: dealerId, amount };
    if (role !== 'customer') return [dealer];
    const group: Part = { budget: 'group', quota: this.#groups, key: `${dealerId}/${session.groupId}`, amount };
    if (holder === null) return [group, dealer];
    return [group, { budget: 'address', quota: this.#addresses, key: holder, amount }, dealer];
  }
}
