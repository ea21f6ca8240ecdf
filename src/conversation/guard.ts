/** Limits of each address, whatever number of sockets it uses. */
import { performance } from 'node:perf_hooks';
import { type RefusedError, refused } from '../../schemas/errors.ts';
import type { Settings } from '../../schemas/settings.ts';
import { giveBackAll, Holdings, Quota, takeAll } from '../commands/limits.ts';

const MINUTE = 60_000;

export class Guard {
  readonly #isOff: boolean;
  readonly #connections: Holdings;
  readonly #handshakes: Quota;
  readonly #claims: Quota;
  readonly #claimsOfDealer: Quota;
  readonly #refusals: Quota;

  constructor(settings: Settings) {
    this.#isOff = settings.RATE_LIMIT === 'off';
    this.#connections = new Holdings(() => settings.MAX_CONNECTIONS_PER_ADDRESS);
    this.#handshakes = new Quota(() => settings.MAX_HANDSHAKES_PER_ADDRESS, MINUTE);
    this.#claims = new Quota(() => settings.MAX_CLAIMS_PER_ADDRESS, MINUTE);
    this.#claimsOfDealer = new Quota(() => settings.MAX_CLAIMS_PER_DEALER, MINUTE);
    this.#refusals = new Quota(() => settings.MAX_REFUSALS_PER_ADDRESS, MINUTE);
  }

  /**
   * Counts a connection.
   * @param holder whom its address counts as
   * @returns what ends the count; null where that one has as many as it may
   */
  enter(holder: string): (() => void) | null {
    return this.#connections.take(holder) ? () => this.#connections.release(holder) : null;
  }

  /** Gives a socket's remaining allowance. @param of the holder that its address counts as; one through memory has no address, and no bounds */
  visitor(of: string | null): Visitor {
    const holder = this.#isOff ? null : of;
    let undoClaim = () => {};
    return {
      holder,
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
      wasRefused: (isUnauthorized) => {
        if (holder !== null && isUnauthorized) this.#refusals.take(holder, performance.now());
        undoClaim();
        undoClaim = () => {};
      },
      claim: (dealerId) => {
        if (holder === null) return;
        const now = performance.now();
        const shares = [
          { quota: this.#claims, key: holder, amount: 1 },
          { quota: this.#claimsOfDealer, key: dealerId, amount: 1 },
        ];
        const spent = takeAll(shares, now);
        if (spent) throw tooMany('too many new groups', spent.quota, now);
        undoClaim = () => giveBackAll(shares, now);
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
  /** The holder that its address counts as; null where it has none, or nothing is counted. */
  readonly holder: string | null;
  /** It asks for a socket. @throws RefusedError `rate_limited` */
  knock(): void;
  /** @throws RefusedError `rate_limited` where so many joins of its address were refused that no further one is looked at */
  mustNotBeBarred(): void;
  /** A join of its was refused: what it has claimed by it, it has not got, and that is counted no more. */
  wasRefused(isUnauthorized: boolean): void;
  /** It claims a group of a dealer, one at a time. @throws RefusedError `rate_limited` */
  claim(dealerId: string): void;
}
