/** [P-4] Credentials that are taken back: who came in by one is shown out, on every node. */
import { CLOSE } from '../../schemas/errors.ts';
import { ALL_DEALERS } from '../../schemas/table.ts';
import type { Bus } from '../bus/bus.ts';
import type { Hub, Seat } from '../hub/hub.ts';
import type { Clock } from '../journal/clock.ts';
import { errorFrame } from '../protocol/encode.ts';
import type { CredentialStore } from '../store/credentials.ts';
import type { DealerStore } from '../store/dealers.ts';
import type { Digests } from '../store/digests.ts';
import { keptAs, type Subject, WHOLE_DEALER } from '../store/subjects.ts';

/** Time that a look reaches back beyond the last one, in ms: what was raised may be committed as much later. */
const OVERLAP = 60_000;

interface Options {
  readonly store: CredentialStore & DealerStore;
  /** Compared with the database's whenever that is looked at. */
  readonly clock: Clock;
  readonly hub: Hub;
  readonly bus: Bus;
  readonly digests: Digests;
  readonly onFault: (fault: unknown, what: string) => void;
}

/** The generations that were raised of one dealer, by subject. */
type RaisedOfDealer = Map<string, number>;

export class Revocations {
  readonly #options: Options;
  /** When it was last looked, by the database's clock. */
  #lookedAt = 0;
  #looking: Promise<void> | null = null;
  /** True where something may have been raised since the look that goes on began. */
  #isAskedAgain = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * Takes back every token of a subject, or of a whole dealer (`*`: of servers of all dealers), that was signed until now.
   * @returns the least generation of which tokens are taken from now on
   */
  async revoke(dealerId: string, subject?: Omit<Subject, 'dealer'>): Promise<number> {
    const gen = await this.#options.store.raise(dealerId, subject);
    await this.told(dealerId);
    return gen;
  }

  /** Takes back one token. @returns whether it was good until now @param expiresAt ms since 1970 */
  async spend(dealerId: string, tokenId: string, expiresAt: number): Promise<boolean> {
    const wasGood = await this.#options.store.spend(dealerId, tokenId, expiresAt);
    if (wasGood) await this.told(dealerId);
    return wasGood;
  }

  /** Something of a dealer was taken back here: closes its sockets on this node, and lets the others look. */
  async told(dealerId: string): Promise<void> {
    await this.look();
    this.#options.bus.resync([dealerId]);
  }

  /** {@link look}, for whom nothing depends on: what fails is looked for at the next heartbeat. */
  async lookSoon(): Promise<void> {
    await this.look().catch((fault: unknown) => this.#options.onFault(fault, 'revoked tokens were not looked for'));
  }

  /** Closes the sockets of whoever came in by what was taken back lately. Rejects where the database fails. */
  async look(): Promise<void> {
    if (this.#looking) {
      this.#isAskedAgain = true;
      return this.#looking;
    }
    this.#looking = this.#lookUntilDone().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #lookUntilDone(): Promise<void> {
    do {
      this.#isAskedAgain = false;
      await this.#look();
    } while (this.#isAskedAgain);
  }

  async #look(): Promise<void> {
    const { store, clock } = this.#options;
    const now = await clock.ask(() => store.now());
    const { raised, spent } = await store.revokedSince((this.#lookedAt || now) - OVERLAP);
    const dealers = new Map<string, RaisedOfDealer>();
    for (const { dealerId, subject, gen } of raised) {
      const ofDealer = dealers.get(dealerId) ?? new Map<string, number>();
      dealers.set(dealerId, ofDealer.set(subject, gen));
    }
    for (const [dealerId, subjects] of dealers) await this.#closeRaised(dealerId, subjects);
    for (const { dealerId, tokenId } of spent) {
      for (const seat of this.#seatsOf(dealerId)) if (seat.credential.tokenId === tokenId) refuse(seat);
    }
    this.#lookedAt = now;
  }

  async #closeRaised(dealerId: string, subjects: RaisedOfDealer): Promise<void> {
    const { store, digests, hub } = this.#options;
    const whole = subjects.get(WHOLE_DEALER);
    const isGone = whole !== undefined && dealerId !== ALL_DEALERS && !(await store.dealer(dealerId));
    if (isGone) {
      hub.close(CLOSE.unknownDealer, 'the dealer was removed', dealerId);
      return;
    }
    for (const seat of this.#seatsOf(dealerId)) {
      const { claims, gen } = seat.credential;
      const names = [WHOLE_DEALER, ...keptAs(digests, claims)];
      if (names.some((name) => gen < (subjects.get(name) ?? 0))) refuse(seat);
    }
  }

  /** The seats that were taken with a token of this dealer. */
  *#seatsOf(dealerId: string): Generator<Seat> {
    for (const seat of this.#options.hub.seats(dealerId === ALL_DEALERS ? undefined : dealerId)) {
      if (seat.credential.claims.dealer === dealerId) yield seat;
    }
  }
}

/** [P-9] The error is sent before the close. */
function refuse({ peer }: Seat): void {
  const code = 'unauthorized';
  peer.send(errorFrame(undefined, { code, message: 'the token was revoked' }));
  peer.close(CLOSE.unauthorized, code);
}
