/** [P-9] The end of a node, of which nobody is to notice: first no more are sent to it, then those who are here go elsewhere. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Timing } from '../timing.ts';

/** Why a node that is about to end takes nobody in. */
export const ENDING = 'this node is about to end: try another';

interface Leaving {
  /** From now on nobody is let in. */
  shut(): void;
  /** Resolves when everybody has been told to go. */
  sendAway(): Promise<void>;
}

export class Drain {
  readonly #timing: Timing;
  #isUnderWay = false;

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  /** True from the beginning: load balancers are to send nobody any more. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** Begins it. Resolves when what is left is the end itself. */
  async run({ shut, sendAway }: Leaving): Promise<void> {
    this.#isUnderWay = true;
    await pause(this.#timing.drainPause);
    shut();
    if (this.#timing.drainSpread > 0) await sendAway();
  }
}
