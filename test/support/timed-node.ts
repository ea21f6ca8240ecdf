/** A node by the clock of a test: a journal and a sweep on a database, and no sockets. */
import assert from 'node:assert/strict';
import type { Command } from '../../src/domain/state.ts';
import { Sweep } from '../../src/doors/timers/sweep.ts';
import type { Store } from '../../src/store/store.ts';
import type { TimerStore } from '../../src/store/timers.ts';
import { journalOn } from './journal.ts';

const DAY = 24 * 60 * 60 * 1000;

/** An event that was told, stored or not. */
export interface Told {
  readonly at: number;
  readonly type: string;
  readonly groupId: string;
  readonly payload: Record<string, unknown>;
}

export class TimedNode {
  readonly journal: ReturnType<typeof journalOn>;
  /** Conversations that the sweep was given by the database so far. */
  read = 0;
  readonly #sweep: Sweep;
  #under = 0;

  constructor(store: Store, clock: { readonly now: number }, onTold: (told: Told) => void) {
    this.journal = journalOn(store, {
      now: () => clock.now,
      policy: { autoMute: true, autoAssign: true },
      onEvents: (_, events) => {
        for (const { type, groupId, payload, stored } of events)
          onTold({ at: stored?.at ?? clock.now, type, groupId: groupId ?? '', payload: JSON.parse(payload) });
      },
    });
    const timers: TimerStore = {
      dueGroups: async (...of) => {
        const found = await this.#counted(store.dueGroups(...of));
        this.read += found.length;
        return found;
      },
      dueDealers: (...of) => this.#counted(store.dueDealers(...of)),
      pendingGroups: (...of) => this.#counted(store.pendingGroups(...of)),
    };
    const onFault = (fault: unknown) => assert.fail(String(fault));
    const journal = { append: (command: Command) => this.#counted(this.journal.append(command)) };
    this.#sweep = new Sweep({ store: timers, journal, now: () => clock.now, interval: DAY, onFault });
  }

  async #counted<T>(work: Promise<T>): Promise<T> {
    this.#under += 1;
    try {
      return await work;
    } finally {
      this.#under -= 1;
    }
  }

  /** Resolves when all that is due is done. */
  async look(): Promise<void> {
    await this.#sweep.run();
    for (let quiet = 0; quiet < 3; quiet = this.#under === 0 ? quiet + 1 : 0) await new Promise(setImmediate);
  }

  async close(): Promise<void> {
    await this.#sweep.close();
    await this.journal.close();
  }
}
