/** How long honest users wait for their answers: measured while it is quiet, and while somebody makes trouble. */
import type { Guest } from './guest.ts';
import type { Ledger } from './scenario.ts';

/** The 99th percentile of what was waited, in ms, and how often it was measured. */
export interface Waited {
  readonly p99: number;
  readonly count: number;
}

/** Between two messages of an honest user, in ms. */
const PAUSE = 4;

export class Pace {
  readonly #guests: readonly Guest[];

  /** @param guests customers who have joined */
  constructor(...guests: Guest[]) {
    this.#guests = guests;
  }

  /** Lets each of them talk, message by message, for as long as something takes. */
  async during(work: () => Promise<unknown>): Promise<Waited> {
    const waits: number[] = [];
    let isOver = false;
    const talk = async (guest: Guest) => {
      while (!isOver) {
        const from = performance.now();
        const { channel } = await guest.ask('customer_message', { type: 'UPDATE_MSG', message: 'Hello' });
        if (channel !== 'ack') throw new Error(`an honest user was refused: ${JSON.stringify(guest.of('error'))}`);
        waits.push(performance.now() - from);
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    };
    await Promise.all([
      work().finally(() => {
        isOver = true;
      }),
      ...this.#guests.map(talk),
    ]);
    waits.sort((one, other) => one - other);
    return { p99: waits[Math.floor(waits.length * 0.99)] ?? Number.POSITIVE_INFINITY, count: waits.length };
  }
}

/** What nobody notices, in ms: a wait below it is borne, however short the quiet one was. */
const UNNOTICED = 50;

/** Checks that honest users wait at most twice as long as when it was quiet, or so little that nobody notices. */
export function bearable(ledger: Ledger, quiet: Waited, busy: Waited): void {
  ledger.count(quiet.count + busy.count);
  ledger.that(
    busy.p99 <= Math.max(2 * quiet.p99, UNNOTICED),
    `honest users wait ${busy.p99.toFixed(1)} ms (p99), where it was ${quiet.p99.toFixed(1)} ms when quiet`,
  );
}
