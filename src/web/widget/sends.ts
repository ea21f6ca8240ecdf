/** Everything that the customer has entered, until the server has it: kept over page changes, and sent as often as it takes [P-8.4]. */
import { type AckPayload, type Client, TelleError } from '../../client/index.ts';
import type { Kept, Memory } from './memory.ts';

interface Outcome {
  readonly acked: (kept: Kept, ack: AckPayload) => void;
  readonly refused: (kept: Kept) => void;
}

export class Sends {
  readonly #memory: Memory;
  readonly #outcome: Outcome;
  #client: Client<'customer'> | undefined;

  constructor(memory: Memory, outcome: Outcome) {
    this.#memory = memory;
    this.#outcome = outcome;
  }

  get waiting(): readonly Kept[] {
    return this.#memory.kept;
  }

  /** From now on there is somebody to send it by: what waits goes out. */
  by(client: Client<'customer'>): void {
    this.#client = client;
    for (const kept of this.waiting) this.#post(kept);
  }

  /** Keeps it, and sends it now or later. */
  add(kept: Kept): void {
    this.#memory.keep(kept);
    this.#post(kept);
  }

  async #post(kept: Kept): Promise<void> {
    const { id } = kept;
    const client = this.#client;
    if (!client) return;
    try {
      const ack = await (kept.channel === 'customer_message'
        ? client.send(kept.channel, kept.payload, { id })
        : client.send(kept.channel, kept.payload, { id }));
      this.#memory.drop(id);
      this.#outcome.acked(kept, ack);
    } catch (error) {
      // What a connection that has ended did not send waits for the next.
      if (error instanceof TelleError && error.code === 'closed') return;
      if (kept.channel === 'customer_update') this.#memory.drop(id);
      this.#outcome.refused(kept);
    }
  }
}
