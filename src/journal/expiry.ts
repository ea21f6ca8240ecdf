/** [P-11.5] Erases what is older than its dealer's `retentionDays`, now and every hour; of several nodes, one does. */
import type { CredentialStore } from '../store/credentials.ts';
import type { DealerStore } from '../store/dealers.ts';
import type { GroupStore } from '../store/groups.ts';
import type { Journal } from './journal.ts';
import { type Pruned, prune } from './retention.ts';

/** As much of a log as is needed. */
interface Log {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

interface Options {
  readonly store: DealerStore & GroupStore & Pick<CredentialStore, 'pruneSpent'>;
  readonly journal: Journal;
  /** The time, in ms since 1970. */
  readonly now: () => number;
  /** Says whether it is this node that does. */
  readonly nodes: { isFirst(): Promise<boolean> };
  readonly interval: number;
  readonly log: Log;
  /** Told what became of conversations that were too old. */
  readonly onExpired: (outcome: 'erased' | 'failed', count: number) => void;
}

export class Expiry {
  readonly #options: Options;
  readonly #timer: NodeJS.Timeout;
  #isClosed = false;
  #isRunning = false;

  constructor(options: Options) {
    this.#options = options;
    this.#timer = setInterval(() => this.#run(), options.interval).unref();
    this.#run();
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      await this.#erase();
    } catch (err) {
      if (!this.#isClosed) this.#options.log.error({ err }, 'conversations that are too old could not be looked for');
    } finally {
      this.#isRunning = false;
    }
  }

  async #erase(): Promise<void> {
    const { store, journal, now, nodes, log, onExpired } = this.#options;
    if (!(await nodes.isFirst())) return;
    let pruned: Pruned = { dealers: 0, groups: 0, failed: 0 };
    for await (pruned of prune(store, journal, now()));
    await store.pruneSpent();
    onExpired('erased', pruned.groups);
    onExpired('failed', pruned.failed);
    if (pruned.failed > 0) log.error(pruned, 'conversations that are too old could not be erased');
    else if (pruned.groups > 0) log.info(pruned, 'conversations were erased, as their dealers ask');
  }
}
