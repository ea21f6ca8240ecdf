/** [P-7.5] Which nodes live, and whose sockets went with those that died. */
import type { NodeStore } from '../store/nodes.ts';

interface Options {
  readonly store: NodeStore;
  readonly nodeId: string;
  /** Pause between two signs of this node's life, in ms. */
  readonly interval: number;
  /** Time for which another node may be silent before it counts as dead, in ms. */
  readonly silence: number;
  /** A dead node had sockets of somebody. Rejects where that could not be stored. */
  readonly gone: (who: { dealerId: string; sender: string }, nodeId: string) => Promise<void>;
  /** The database has answered once more. */
  readonly beaten: () => Promise<void>;
  /** A node died: what it had committed it may not have published. */
  readonly died: () => void;
  /** This node had been taken for dead: whoever is here must be told anew. */
  readonly revived: () => Promise<void>;
}

export class Membership {
  readonly #options: Options;
  readonly #timer: NodeJS.Timeout;
  #beating: Promise<void> | null = null;
  /** Since when this node has been able to say that it lives: only then can it tell that another has not been heard. */
  #since: number | null = null;
  #hasBeaten = false;

  constructor(options: Options) {
    this.#options = options;
    this.#timer = setInterval(() => this.beat(), options.interval).unref();
    this.beat();
  }

  /** Says that this node lives, and looks for those that no longer do. */
  beat(): void {
    this.#beating ??= this.#beat()
      .catch(() => {
        this.#since = null;
      })
      .finally(() => {
        this.#beating = null;
      });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
  }

  async #beat(): Promise<void> {
    const { store, nodeId, silence, revived, beaten } = this.#options;
    const isKnown = await store.beat(nodeId);
    await beaten();
    if (!isKnown && this.#hasBeaten) await revived();
    this.#hasBeaten = true;
    this.#since ??= Date.now();
    if (Date.now() - this.#since < silence) return;
    for (const dead of await store.silentNodes(nodeId, silence)) await this.#bury(dead);
  }

  async #bury(dead: string): Promise<void> {
    const { store, gone, died } = this.#options;
    const presences = await store.presencesOf(dead);
    await Promise.all(presences.map((who) => gone(who, dead)));
    await store.removeNode(dead);
    died();
  }
}
