/** [P-7.5] Which nodes live, and whose sockets went with those that died. */
import { performance } from 'node:perf_hooks';
import type { NodeStore, Present } from '../store/nodes.ts';
import { inParts } from './paced.ts';

/** Number of those who went with a node that are read at a time. */
const PAGE = 1_000;

interface Options {
  readonly store: NodeStore;
  readonly nodeId: string;
  /** Pause between two signs of this node's life, in ms. */
  readonly interval: number;
  /** Time for which another node may be silent before it counts as dead, in ms. */
  readonly silence: number;
  /** Of the nodes that live, those that hear each other: the first of them by name buries the dead. */
  readonly hearing: (living: readonly string[]) => readonly string[];
  /** A dead node had sockets of somebody. Rejects where that could not be stored. */
  readonly gone: (who: Present, nodeId: string) => Promise<void>;
  /** The database has answered once more. */
  readonly beaten: () => Promise<void>;
  /** A node died: what it had committed it may not have published. */
  readonly died: () => void;
  /** This node had been taken for dead: whoever is here must be told anew. Rejects where that could not be stored. */
  readonly revived: (signal: AbortSignal) => Promise<void>;
}

export class Membership {
  readonly #options: Options;
  readonly #timer: NodeJS.Timeout;
  readonly #stop = new AbortController();
  #beating: Promise<void> | null = null;
  /** Work that takes longer than a beat: who is here is told, and then the dead are buried. */
  #aside: Promise<void> | null = null;
  /** Since when this node has been able to say that it lives: only then can it tell that another has not been heard. */
  #since: number | null = null;
  #hasBeaten = false;
  #isUntold = false;
  #isBurying = false;

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

  /** True while it takes those offline who went with a node that died. */
  get isBurying(): boolean {
    return this.#isBurying;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await this.#beating;
    await this.#aside;
  }

  async #beat(): Promise<void> {
    const { store, nodeId, silence, beaten } = this.#options;
    const isKnown = await store.beat(nodeId);
    if (!isKnown && this.#hasBeaten) this.#isUntold = true;
    this.#hasBeaten = true;
    await beaten();
    this.#since ??= performance.now();
    const dead = performance.now() - this.#since < silence ? [] : await store.silentNodes(nodeId, silence);
    if (dead.length === 0 && !this.#isUntold) return;
    this.#aside ??= this.#tell(dead)
      .catch(() => {}) // the next beat finds what is left
      .finally(() => {
        this.#aside = null;
      });
  }

  async #tell(dead: readonly string[]): Promise<void> {
    if (this.#isUntold) {
      this.#isUntold = false;
      await this.#options.revived(this.#stop.signal).catch(() => {
        this.#isUntold = true;
      });
    }
    for (const nodeId of dead) if (!this.#stop.signal.aborted) await this.#bury(nodeId).catch(() => {}); // the next beat finds what is left
  }

  /** Tells who went with a node, part by part, behind what everybody else does. Where this node dies, the next one goes on. */
  async #bury(dead: string): Promise<void> {
    const { store, nodeId, silence } = this.#options;
    if (!(await this.isFirst())) return;
    // Those before it may have taken long: it may live again.
    if (!(await store.silentNodes(nodeId, silence)).includes(dead)) return;
    await store.markDead(dead);
    this.#isBurying = true;
    try {
      await this.#tellOf(dead);
    } finally {
      this.#isBurying = false;
    }
  }

  async #tellOf(dead: string): Promise<void> {
    const { store, nodeId, silence, gone, died } = this.#options;
    let isWhole = true;
    // One who cannot be told of now, since its dealer's rows are locked, hinders nobody behind it.
    const tell = (who: Present) =>
      gone(who, dead).catch(() => {
        isWhole = false;
      });
    for (let last: Present | undefined; ; ) {
      const page = await store.presencesOf(dead, PAGE, last);
      last = page.at(-1);
      if (!last) break;
      await inParts(page, tell, this.#stop.signal);
      // One that lives after all is forgotten, too, so that it tells anew who is there.
      if (!(await store.silentNodes(nodeId, silence)).includes(dead)) break;
      if (!(await this.isFirst())) return;
    }
    if (!isWhole) return;
    await store.removeNode(dead);
    died();
  }

  /** Tells whether it is this node that does what one of them has to: the first by name of those that hear each other. */
  async isFirst(): Promise<boolean> {
    const { store, nodeId, silence, hearing } = this.#options;
    const [first = nodeId] = hearing(await store.livingNodes(silence)).toSorted();
    return first === nodeId;
  }
}
