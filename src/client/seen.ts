import type { SessionPayload } from '../../schemas/frames.ts';
import type { Gap } from './types.ts';

/** [P-3.6] The most scopes that a join may name. */
const MAX_SCOPES = 100;

const isOfDealer = ([scope]: [string, number]) => Number(scope.startsWith('@'));

/** Record of what has been seen: the greatest seq of each scope, those of the latest events last. */
export class Seen {
  readonly #seqs: Map<string, number>;
  readonly #isTracked: (scope: string) => boolean;
  /** Scopes that were told as a gap, and may have been read anew from a log that was past by then. */
  readonly #told = new Set<string>();
  /** [P-21.1] The log that they are of. */
  epoch: string | undefined;

  constructor(
    seqs: Readonly<Record<string, number>>,
    epoch: string | undefined,
    isTracked: (scope: string) => boolean,
  ) {
    this.#seqs = new Map(Object.entries(seqs));
    this.epoch = epoch;
    this.#isTracked = isTracked;
  }

  get seqs(): Record<string, number> {
    return Object.fromEntries(this.#seqs);
  }

  /** Counts a seq as seen. @returns whether it is new */
  see(scope: string, seq: number): boolean {
    if (!this.#isTracked(scope)) return true;
    const last = this.#seqs.get(scope) ?? 0;
    if (seq <= last) return false;
    this.#seqs.delete(scope);
    this.#seqs.set(scope, seq);
    return true;
  }

  /**
   * [P-3.6] Builds the `since` of a join: the dealer's own scopes, and as many groups as it may, those of the latest
   * events.
   */
  since(): Record<string, number> {
    const scopes = [...this.#seqs].sort((a, b) => isOfDealer(a) - isOfDealer(b));
    return Object.fromEntries(scopes.slice(-MAX_SCOPES));
  }

  /** [P-3.5] Takes a session's word for what is caught up with. @returns what is not */
  join({ seqs, recovered, epoch }: SessionPayload): Gap[] {
    // Of another log everything is to be read anew.
    const isOther = this.epoch !== undefined && epoch !== undefined && epoch !== this.epoch;
    this.epoch = epoch ?? this.epoch;
    // `true` alone will do: a group may be called `constructor`.
    const gaps = [...this.#seqs].flatMap(([scope, after]) =>
      recovered[scope] === true ? [] : [{ scope, after: isOther ? 0 : after }],
    );
    if (isOther) {
      for (const { scope } of gaps) this.#told.delete(scope);
      for (const scope of this.#told) gaps.push({ scope, after: 0 });
      this.#told.clear();
    }
    for (const { scope } of gaps) {
      this.#seqs.delete(scope);
      this.#told.add(scope);
    }
    for (const [scope, seq] of Object.entries(seqs)) if (!this.#seqs.has(scope)) this.#seqs.set(scope, seq);
    return gaps;
  }
}
