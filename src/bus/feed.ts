/** Feed of a dealer's events to this node while it has sockets of that dealer, and only then. */
import { ALL_DEALERS } from '../../schemas/table.ts';
import type { Audience } from '../hub/hub.ts';
import type { Sequencer } from '../hub/sequencer.ts';
import type { Bus } from './bus.ts';

export class Feed {
  readonly #bus: Bus;
  readonly #sequencer: Sequencer | null;

  /** @param sequencer puts in order what comes from several nodes; null where this node is alone */
  constructor(bus: Bus, sequencer: Sequencer | null) {
    this.#bus = bus;
    this.#sequencer = sequencer;
  }

  /** Resolves when nothing that is committed from now on can pass the seat by. */
  async open({ role, dealerId, groupId }: Audience): Promise<void> {
    if (groupId !== undefined) this.#sequencer?.follow(dealerId, groupId);
    await this.#bus.follow(dealerId);
    if (role !== 'customer' && dealerId !== ALL_DEALERS) await this.#sequencer?.followAll(dealerId);
  }

  /** Notes how far a seat's scopes go, as was read for it. @returns false where it must be read again */
  know(dealerId: string, tails: ReadonlyMap<string, number>): boolean {
    return this.#sequencer?.know(dealerId, tails) ?? true;
  }

  /** A seat here is empty. @param isLast whether it was the dealer's last */
  close({ dealerId, groupId }: Audience, isLast: boolean): void {
    if (groupId !== undefined) this.#sequencer?.leave(dealerId, groupId);
    if (!isLast) return;
    this.#bus.unfollow(dealerId);
    this.#sequencer?.forget(dealerId);
  }
}
