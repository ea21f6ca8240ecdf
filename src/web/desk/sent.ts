/** Messages that were sent and are not acked yet: kept over a reload, and sent again under the same id [P-8.4]. */
import type { Shelf } from './shelf.ts';

export interface Sent {
  readonly id: string;
  readonly groupId: string;
  readonly message: string;
  /** Assignee of the conversation when it was written [P-12.4]. */
  readonly expect?: string | null;
  /** Why it was refused: it will not be sent again by itself. */
  readonly fault?: string;
}

const NAME = '@sent';

export class SentShelf {
  readonly #shelf: Shelf;
  #all: readonly Sent[];

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
    this.#all = JSON.parse(shelf.get(NAME) ?? '[]');
  }

  get all(): readonly Sent[] {
    return this.#all;
  }

  put(sent: Sent): void {
    this.#keep([...this.#all.filter(({ id }) => id !== sent.id), sent]);
  }

  drop(isGone: (sent: Sent) => boolean): void {
    this.#keep(this.#all.filter((sent) => !isGone(sent)));
  }

  #keep(all: readonly Sent[]): void {
    this.#all = all;
    this.#shelf.put(NAME, all.length === 0 ? '' : JSON.stringify(all));
  }
}
