/** How long honest users wait for their answers: measured where it is quiet, and where somebody makes trouble. */
import type { Answer, Guest } from './guest.ts';
import type { Ledger } from './scenario.ts';

/** What was waited, in ms: the median and the 99th percentile; and how often it was measured. */
export interface Waited {
  readonly p50: number;
  readonly p99: number;
  readonly count: number;
}

/** The answer to a message; null where none comes in all the time that it is waited for. */
async function answerTo(guest: Guest): Promise<Answer | null> {
  try {
    return await guest.ask('customer_message', { type: 'UPDATE_MSG', message: 'Hello' });
  } catch (fault) {
    if (!guest.isOpen) throw fault;
    return null;
  }
}

export class Pace {
  readonly #guests: readonly Guest[];
  readonly #pause: number;

  /**
   * @param guests customers who have joined
   * @param pause between an answer and the next message of each, in ms
   */
  constructor(guests: readonly Guest[], pause: number) {
    this.#guests = guests;
    this.#pause = pause;
  }

  /** Lets each of them talk, message by message, for as long as something takes. */
  async during(work: () => Promise<unknown>): Promise<Waited> {
    const waits: number[] = [];
    let isOver = false;
    const talk = async (guest: Guest) => {
      while (!isOver) {
        const from = performance.now();
        const answer = await answerTo(guest);
        if (answer?.channel === 'error') throw new Error(`an honest user was refused: ${answer.code}`);
        waits.push(performance.now() - from);
        await new Promise((resolve) => setTimeout(resolve, this.#pause));
      }
    };
    const working = work().finally(() => {
      isOver = true;
    });
    await Promise.all([working, ...this.#guests.map(talk)]);
    waits.sort((one, other) => one - other);
    const at = (share: number) => waits[Math.floor(waits.length * share)] ?? Number.POSITIVE_INFINITY;
    return { p50: at(0.5), p99: at(0.99), count: waits.length };
  }
}

/** What nobody notices, in ms: a wait below it is borne, however short the quiet one was. */
const UNNOTICED = 50;

/** Whether honest users wait at most twice as long as where it is quiet, or so little that nobody notices. */
export const isBearable = (quiet: Waited, busy: Waited, unnoticed = UNNOTICED): boolean =>
  busy.p99 <= Math.max(2 * quiet.p99, unnoticed);

/** Checks that it is bearable, and notes how long it was. */
export function bearable(ledger: Ledger, quiet: Waited, busy: Waited, unnoticed = UNNOTICED): void {
  const [there, here] = [quiet, busy].map(({ p50, p99 }) => `${p50.toFixed(1)}/${p99.toFixed(1)} ms`);
  const what = `honest users wait ${there} (p50/p99) where it is quiet, ${here} where it is not`;
  ledger.count(quiet.count + busy.count);
  ledger.notes.push(what);
  ledger.that(isBearable(quiet, busy, unnoticed), what);
}
