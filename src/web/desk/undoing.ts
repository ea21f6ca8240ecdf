/** Acts that can be undone for a while: some wait as long, others are done at once and then done back. */

/** For how long, in milliseconds. */
const WHILE = 5_000;

interface Act {
  /** Words for it. */
  readonly text: string;
  /** Done once the time is over, or the page is left. */
  readonly go?: () => void;
  /** Done where it is undone. */
  readonly back?: () => void;
}

interface Undoable extends Act {
  readonly name: string;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class Undoing {
  readonly #changed: () => void;
  /** By name, the last one last. */
  readonly #acts = new Map<string, Undoable>();

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get all(): readonly Pick<Undoable, 'name' | 'text'>[] {
    return [...this.#acts.values()];
  }

  has(name: string): boolean {
    return this.#acts.has(name);
  }

  /** Does it, in place of one of the same name that can still be undone. */
  do(name: string, act: Act): void {
    this.#take(name);
    this.#acts.set(name, { ...act, name, timer: setTimeout(() => this.#take(name)?.go?.(), WHILE) });
    this.#changed();
  }

  /** @param name absent: the last */
  undo(name = [...this.#acts.keys()].at(-1)): void {
    if (name !== undefined) this.#take(name)?.back?.();
  }

  /** Nothing can be undone any more: what waits is done. */
  finish(): void {
    for (const name of [...this.#acts.keys()]) this.#take(name)?.go?.();
  }

  #take(name: string): Undoable | undefined {
    const act = this.#acts.get(name);
    if (!act) return undefined;
    clearTimeout(act.timer);
    this.#acts.delete(name);
    this.#changed();
    return act;
  }
}
