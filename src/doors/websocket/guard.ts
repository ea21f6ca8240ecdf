/** What each address may do, whatever number of sockets it does it with. */
import { performance } from 'node:perf_hooks';
import { type RefusedError, refused } from '../../../schemas/errors.ts';
import type { Settings } from '../../../schemas/settings.ts';
import { Holdings, Quota } from './limits.ts';

const MINUTE = 60_000;
/** Half of an IPv6 address names a network: who has one address of it has all. */
const NETWORK_GROUPS = 4;

/**
 * Who an address counts as: itself, or for IPv6 its network of 64 bits.
 * @param address as Node tells it: an IPv4 address may come as `::ffff:1.2.3.4`
 */
export function holderOf(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail = ''] = address.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0');
  const groups = [...head, ...(address.includes('::') ? zeros : []), ...tail];
  const network = groups.slice(0, NETWORK_GROUPS).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}

export class Guard {
  readonly #isOff: boolean;
  readonly #connections: Holdings;
  readonly #handshakes: Quota;
  readonly #claims: Quota;
  readonly #claimsOfDealer: Quota;
  readonly #refusals: Quota;

  constructor(settings: Settings) {
    this.#isOff = settings.RATE_LIMIT === 'off';
    this.#connections = new Holdings(settings.MAX_CONNECTIONS_PER_ADDRESS);
    this.#handshakes = new Quota(settings.MAX_HANDSHAKES_PER_ADDRESS, MINUTE);
    this.#claims = new Quota(settings.MAX_CLAIMS_PER_ADDRESS, MINUTE);
    this.#claimsOfDealer = new Quota(settings.MAX_CLAIMS_PER_DEALER, MINUTE);
    this.#refusals = new Quota(settings.MAX_REFUSALS_PER_ADDRESS, MINUTE);
  }

  /**
   * Counts a connection of an address.
   * @returns what ends the count; null where the address has as many as it may
   */
  enter(address: string): (() => void) | null {
    const holder = holderOf(address);
    return this.#connections.take(holder) ? () => this.#connections.release(holder) : null;
  }

  /** What a socket of an address may still do; one through memory has no address, and no bounds. */
  visitor(address: string | undefined): Visitor {
    const holder = address === undefined || this.#isOff ? null : holderOf(address);
    return {
      knock: () => {
        const now = performance.now();
        if (holder === null || this.#handshakes.take(holder, now)) return;
        throw tooMany('too many handshakes of this address', this.#handshakes, now);
      },
      mustNotBeBarred: () => {
        const now = performance.now();
        if (holder === null || !this.#refusals.isSpent(holder, now)) return;
        throw tooMany('too many joins of this address were refused', this.#refusals, now);
      },
      wasRefused: () => {
        if (holder !== null) this.#refusals.take(holder, performance.now());
      },
      claim: (dealerId) => {
        if (holder === null) return;
        const now = performance.now();
        for (const [quota, key] of [
          [this.#claims, holder],
          [this.#claimsOfDealer, dealerId],
        ] as const) {
          if (!quota.take(key, now)) throw tooMany('too many new groups', quota, now);
        }
      },
    };
  }
}

/** [P-9] A quota of a minute is spent: it tells when that is over. */
function tooMany(what: string, quota: Quota, now: number): RefusedError {
  const retryAfter = quota.secondsLeft(now);
  return refused('rate_limited', `${what}: wait ${retryAfter} s`, { retryAfter });
}

export interface Visitor {
  /** It asks for a socket. @throws RefusedError `rate_limited` */
  knock(): void;
  /** @throws RefusedError `rate_limited` where so many joins of its address were refused that no further one is looked at */
  mustNotBeBarred(): void;
  /** A join of its was refused as unauthorized. */
  wasRefused(): void;
  /** It claims a group of a dealer. @throws RefusedError `rate_limited` */
  claim(dealerId: string): void;
}
