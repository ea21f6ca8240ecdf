/** A customer who does not give up: it comes back with `since`, and says again, under the same id, what was not acked. */
import type { Guest } from './guest.ts';
import type { Ledger } from './scenario.ts';

/** How many messages are on the way at a time. */
const WINDOW = 4;
/** Between two tries of what may succeed later, in ms. */
const RETRY = 50;

interface Options {
  readonly groupId: string;
  /** Whether it has more to say, after so many messages. */
  readonly goesOn: (said: number) => boolean;
  /** Comes (back) in, from where it was. */
  readonly join: (since: Readonly<Record<string, number>>) => Promise<Guest>;
}

export class Persistent {
  readonly groupId: string;
  /** The seq that each acked id got. */
  readonly acked = new Map<string, number>();
  /** What it was answered that is no ack, and how often. */
  readonly refusals = new Map<string, number>();
  /** The seqs that it has seen in its group, over all its sockets. */
  readonly seen: number[] = [];
  readonly #options: Options;
  #since: Record<string, number> = {};
  #guest: Guest | null = null;
  joins = 0;
  #said = 0;

  constructor(options: Options) {
    this.#options = options;
    this.groupId = options.groupId;
    this.#since = { [options.groupId]: 0 };
  }

  /** Talks as long as it has something to say, and until everything is acked. */
  async talk(): Promise<void> {
    const say = async () => {
      while (this.#options.goesOn(this.#said)) await this.#say(`${this.groupId}-${this.#said++}`);
    };
    await Promise.all(Array.from({ length: WINDOW }, say));
  }

  async #say(id: string): Promise<void> {
    while (!this.acked.has(id)) {
      try {
        const guest = await this.#here();
        const { channel, code, seq } = await guest.ask('customer_message', { type: 'UPDATE_MSG', message: id }, id);
        if (channel === 'ack') this.acked.set(id, seq ?? 0);
        else this.refusals.set(code ?? '', (this.refusals.get(code ?? '') ?? 0) + 1);
      } catch {
        // The socket is gone, or the join was refused: another try.
      }
      if (!this.acked.has(id)) await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }

  #joining: Promise<Guest> | null = null;

  async #here(): Promise<Guest> {
    if (this.#guest?.isOpen) return this.#guest;
    this.#joining ??= this.#join().finally(() => {
      this.#joining = null;
    });
    return this.#joining;
  }

  async #join(): Promise<Guest> {
    this.leave();
    const guest = await this.#options.join(this.#since);
    this.joins += 1;
    this.#guest = guest;
    return guest;
  }

  /** Takes note of what the last socket has seen. */
  leave(): void {
    const guest = this.#guest;
    if (!guest) return;
    this.#guest = null;
    guest.socket.terminate();
    this.#since = { [this.groupId]: guest.since[this.groupId] ?? 0 };
    for (const frame of guest.frames) {
      const { scope, seq, duplicate } = frame.channel === 'ack' ? frame.payload : frame;
      if (scope === this.groupId && seq !== undefined && !duplicate) this.seen.push(seq);
    }
  }

  /** Resolves when it has seen its group up to a seq, over whatever sockets that takes. */
  async sees(seq: number): Promise<void> {
    await (await this.#here()).sees(this.groupId, seq);
  }
}

/** Checks that a group's log holds each message once, in the place that its ack said, and that its customer saw all of it once. */
export async function checkNothingLost(
  ledger: Ledger,
  customer: Persistent,
  log: readonly { readonly id: string; readonly seq: number; readonly type: string }[],
): Promise<void> {
  const { groupId, acked } = customer;
  const tail = log.length;
  ledger.count(acked.size);
  ledger.equal(
    log.map(({ seq }) => seq),
    log.map((_, index) => index + 1),
    `the numbers of ${groupId}'s log`,
  );
  const said = log.filter(({ type }) => type === 'CHAT_MSG');
  ledger.equal(said.length, acked.size, `stored and acked of ${groupId}`);
  const misplaced = said.filter(({ id, seq }) => acked.get(id) !== seq);
  ledger.equal(misplaced, [], `stored of ${groupId} elsewhere than acked`);
  await customer.sees(tail);
  customer.leave();
  ledger.equal(
    customer.seen,
    log.map(({ seq }) => seq),
    `seen by ${groupId}`,
  );
}
