/** Receipts of how far the customer has read: kept, and told to the dealer. */
import type { Memory } from './memory.ts';

type Seqs = Readonly<Record<string, number>>;

export class Receipts {
  readonly #memory: Memory;
  /** Tells a seq; resolves when that is over, whatever became of it. */
  readonly #tell: (seq: number) => Promise<void>;
  #told = 0;
  #isTelling = false;

  constructor(memory: Memory, tell: (seq: number) => Promise<void>) {
    this.#memory = memory;
    this.#tell = tell;
  }

  get seqs(): Seqs {
    return this.#memory.read.get();
  }

  keep(seqs: Seqs): void {
    const read = this.seqs;
    const later = Object.entries(seqs).filter(([scope, seq]) => seq > (read[scope] ?? 0));
    if (later.length > 0) this.#memory.read.set({ ...read, ...Object.fromEntries(later) });
  }

  /** The conversation begins here, on this page. Where nothing is known of what was read, there is nothing that waits to be. */
  begin(group: string, seqs: Seqs): void {
    if (!Object.hasOwn(this.seqs, group)) this.#memory.read.set(seqs);
    this.#told = this.seqs[group] ?? 0;
  }

  /** [P-21.1] A log that was restored may end before what was read of the one before it. */
  readNoFurther(group: string, seqs: Seqs): void {
    const read = Object.entries(this.seqs);
    this.#memory.read.set(Object.fromEntries(read.map(([scope, seq]) => [scope, Math.min(seq, seqs[scope] ?? seq)])));
    this.#told = Math.min(this.#told, seqs[group] ?? this.#told);
  }

  /** Tells how far was read: once at a time, so that what the customer says need not wait for it. */
  async tell(group: string): Promise<void> {
    const seq = this.seqs[group] ?? 0;
    if (this.#isTelling || seq <= this.#told) return;
    this.#isTelling = true;
    this.#told = seq;
    await this.#tell(seq);
    this.#isTelling = false;
    this.tell(group);
  }
}
