import type { Events } from './types.ts';

/** A method, for it takes what its name's events have: `on` and `emit` see to that. */
interface Listener {
  hear(...heard: unknown[]): void;
}

/** Listeners by event. */
export class Emitter {
  readonly #listeners = new Map<string, Set<Listener>>();

  /** @returns what unsubscribes */
  on<Name extends keyof Events>(name: Name, listener: (...heard: Events[Name]) => void): () => void {
    const own: Listener = { hear: listener }; // the same function may listen twice
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(own));
    return () => void listeners.delete(own);
  }

  /** Tells every listener. One that throws is the page's or the process's to report, and stops no other. */
  emit<Name extends keyof Events>(name: Name, ...heard: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        listener.hear(...heard);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
