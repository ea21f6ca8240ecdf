import type { Publication } from '../hub/publication.ts';
import type { Bus, Listener } from './bus.ts';

/** The bus of a node that is alone: everything that is committed is published here, and nowhere else. */
export class MemoryBus implements Bus {
  #listener: Listener | undefined;

  listen(listener: Listener): void {
    this.#listener = listener;
  }

  publish(publications: readonly Publication[]): void {
    for (const publication of publications) this.#listener?.deliver(publication);
  }

  async follow(): Promise<void> {}

  unfollow(): void {}

  resync(dealerIds: Iterable<string>): void {
    for (const dealerId of dealerIds) this.#listener?.missed(dealerId);
  }

  async close(): Promise<void> {
    this.#listener = undefined;
  }
}
