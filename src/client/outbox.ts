import { TelleError } from './error.ts';
import { Pace } from './pace.ts';
import type { AckPayload, ErrorPayload } from './types.ts';

/** Fields of a payload that the outbox looks at. */
interface Sendable {
  readonly type?: unknown;
  readonly groupId?: unknown;
}

interface Entry {
  readonly id: string;
  readonly text: string;
  /** Its conversation: there, one waits for the other. */
  readonly lane: unknown;
  /** [P-8.4] True where it is sent again. Typing is of interest only while it lasts. */
  readonly isLasting: boolean;
  readonly promise: Promise<AckPayload>;
  readonly resolve: (ack: AckPayload) => void;
  readonly reject: (error: TelleError) => void;
  state: 'waiting' | 'sent' | 'resting';
  refusals: number;
}

interface OutboxOptions {
  readonly max: number;
  readonly isPaced: boolean;
  /** Time to rest after so many retryable refusals, in milliseconds. */
  readonly pause: (refusals: number) => number;
}

const offline = () => new TelleError('offline', 'there is no connection', true);
const bytes = ({ text }: Entry) => new TextEncoder().encode(text).length;

/**
 * Frames that are sent, until they are acked [P-8.4]. Each conversation has one frame on its way at a time, so that none overtakes
 * another: neither when the first is refused for a moment, nor across connections.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #entries = new Map<string, Entry>();
  #pace = new Pace();
  /** Sends on the joined socket, while there is one. */
  #put: ((text: string) => void) | undefined;
  #ended: TelleError | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Sends a frame as soon as it may be. An `id` that waits already is the same send. */
  add(channel: string, payload: object, id: string): Promise<AckPayload> {
    const waiting = this.#entries.get(id);
    if (waiting) return waiting.promise;
    const { type, groupId }: Sendable = payload;
    const isLasting = type !== 'TYPING';
    const entry = newEntry(id, JSON.stringify({ channel, payload, id }), groupId, isLasting);
    if (!isLasting) entry.promise.catch(() => {}); // nobody need look after it
    const error = this.#ended ?? this.#refusal(isLasting);
    if (error) entry.reject(error);
    else this.#entries.set(id, entry);
    this.#flush();
    return entry.promise;
  }

  /** Why one more is not taken. */
  #refusal(isLasting: boolean): TelleError | undefined {
    const { max } = this.#options;
    if (this.#entries.size >= max) return new TelleError('queue_full', `${max} sends wait for their acks`, true);
    return isLasting || this.#put ? undefined : offline();
  }

  /** There is a joined socket, fresh and with everything ahead of it. */
  open(put: (text: string) => void): void {
    this.#put = put;
    this.#pace = new Pace();
    this.#flush();
  }

  /** The socket is gone, with this close code: what was on its way waits again. */
  shut(code: number): void {
    this.#put = undefined;
    const sent = [...this.#entries.values()].filter(({ state }) => state === 'sent');
    for (const entry of sent) entry.state = 'waiting';
    for (const entry of this.#entries.values()) if (!entry.isLasting) this.#reject(entry, offline());
    // [P-2.5] One of them was too large, and would be again: then the largest was.
    const [largest] = code === 1009 ? sent.sort((a, b) => bytes(b) - bytes(a)) : [];
    if (largest) this.#reject(largest, new TelleError('too_large', 'the server takes no frame of this size', false));
  }

  /** @returns whether it is the ack of one that waited for it */
  ack(ack: AckPayload): boolean {
    const entry = this.#entries.get(ack.id);
    if (!entry) return false;
    this.#entries.delete(entry.id);
    entry.resolve(ack);
    this.#flush();
    return true;
  }

  /** [P-9] A refusal that passes by itself is answered by the same frame, after a pause. */
  refuse({ id = '', code, message, retryable, details }: ErrorPayload): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    if (code === 'rate_limited' || code === 'unavailable') {
      if (code === 'rate_limited') this.#pace.spend();
      entry.state = 'resting';
      setTimeout(
        () => {
          entry.state = 'waiting';
          this.#flush();
        },
        this.#options.pause(entry.refusals++),
      );
    } else {
      this.#reject(entry, new TelleError(code, message, retryable, details));
      this.#flush();
    }
  }

  /** Nothing is sent any more. */
  end(error: TelleError): void {
    this.#ended = error;
    for (const entry of this.#entries.values()) this.#reject(entry, error);
  }

  #reject(entry: Entry, error: TelleError): void {
    this.#entries.delete(entry.id);
    entry.reject(error);
  }

  /** Puts the first of each conversation on its way. */
  #flush(): void {
    clearTimeout(this.#timer);
    const lanes = new Set<unknown>();
    for (const entry of this.#entries.values()) {
      if (!this.#put) return;
      if (lanes.has(entry.lane)) continue;
      lanes.add(entry.lane);
      if (entry.state !== 'waiting') continue;
      const wait = this.#options.isPaced ? this.#pace.take() : 0;
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#flush(), wait);
        return;
      }
      entry.state = 'sent';
      this.#put(entry.text);
    }
  }
}

function newEntry(id: string, text: string, lane: unknown, isLasting: boolean): Entry {
  let resolve: Entry['resolve'] = () => {};
  let reject: Entry['reject'] = () => {};
  const promise = new Promise<AckPayload>((...settle) => {
    [resolve, reject] = settle;
  });
  return { id, text, lane, isLasting, promise, resolve, reject, state: 'waiting', refusals: 0 };
}
