/** Who types where. Nobody types for ever: it is over when nothing more is heard of it. */
const LASTING = 8_000;

export class Typists {
  readonly #changed: () => void;
  /** By conversation and name, what ends it. */
  readonly #timers = new Map<string, Map<string, ReturnType<typeof setTimeout>>>();

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  of(groupId: string): string[] {
    return [...(this.#timers.get(groupId)?.keys() ?? [])];
  }

  set(groupId: string, who: string, isTyping: boolean): void {
    const timers = this.#timers.get(groupId) ?? new Map<string, ReturnType<typeof setTimeout>>();
    clearTimeout(timers.get(who));
    timers.delete(who);
    if (isTyping) {
      timers.set(
        who,
        setTimeout(() => this.set(groupId, who, false), LASTING),
      );
    }
    if (timers.size > 0) this.#timers.set(groupId, timers);
    else this.#timers.delete(groupId);
    this.#changed();
  }
}
