/** Feed of a dealer's events to this node while it has sockets of that dealer, and only then. */
import { ALL_DEALERS, DEALER_SCOPE } from '../../schemas/table.ts';
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
    if (groupId !== undefined) this.#sequencer?.follow(dealerId, [groupId, DEALER_SCOPE]);
    await this.#bus.follow(dealerId);
    if (role !== 'customer' && dealerId !== ALL_DEALERS) await this.#sequencer?.followAll(dealerId);
  }

  /** Notes how far a seat's scopes go, as was read for it. @returns false where it must be read again */
  know(dealerId: string, tails: ReadonlyMap<string, number>): boolean {
    return this.#sequencer?.know(dealerId, tails) ?? true;
  }

  /** The dealer's last seat here is empty. */
  close(dealerId: string): void {
    this.#bus.unfollow(dealerId);
    this.#sequencer?.forget(dealerId);
  }
}
