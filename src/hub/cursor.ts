/** Position in one scope: the end of what was delivered of it, and what waits for what came before it. */
import type { Publication } from './publication.ts';

/** Receivers of what has its turn. */
export interface Receiver {
  readonly deliver: (publication: Publication) => void;
  /** The event itself has been delivered, read from the log: its sender is still owed the ack, where it asked for one. */
  readonly acknowledge: (publication: Publication) => void;
}

export class Cursor {
  /** Null until it is known what came before the first event that was seen. */
  seq: number | null = null;
  /** Seats here of this scope's own customer. */
  seats = 0;
  timer: NodeJS.Timeout | null = null;
  /** When the last that was delivered happened, or else when this was made. */
  movedAt: number;
  /** Most scopes have nothing that waits, and there may be very many of them. */
  #waiting: Map<number, Publication> | null = null;

  constructor(now: number) {
    this.movedAt = now;
  }

  /** The first seq that waits; null: nothing does. */
  get first(): number | null {
    return this.#waiting && Math.min(...this.#waiting.keys());
  }

  has(seq: number): boolean {
    return (this.seq !== null && seq <= this.seq) || (this.#waiting?.has(seq) ?? false);
  }

  /** Has an event wait for its turn. */
  put(seq: number, publication: Publication): void {
    this.#waiting ??= new Map();
    this.#waiting.set(seq, publication);
  }

  /** Delivers what waits, as far as there is no gap. */
  drain({ deliver, acknowledge }: Receiver): void {
    const waiting = this.#waiting;
    if (this.seq === null || !waiting) return;
    for (const [seq, publication] of waiting) {
      if (seq > this.seq) continue;
      waiting.delete(seq);
      acknowledge(publication);
    }
    for (let next = waiting.get(this.seq + 1); next; next = waiting.get(this.seq + 1)) {
      this.seq += 1;
      waiting.delete(this.seq);
      this.movedAt = Math.max(this.movedAt, next.at ?? 0);
      deliver(next);
    }
    if (waiting.size > 0) return;
    this.#waiting = null;
    this.stop();
  }

  /** Waits for a loss no longer. */
  stop(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }
}
