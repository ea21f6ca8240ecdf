/** [P-9] Limits of how much a socket may send, and of how often it may be wrong before it is closed. */
import { performance } from 'node:perf_hooks';
import { CLOSE, type CloseCode, type ErrorCode } from '../../schemas/errors.ts';
import { Strikes, TokenBucket } from '../commands/limits.ts';

/** Frames at once, and a second after that. */
const RATE = { burst: 20, perSecond: 10 };

/** An act that must stay below so many times within so many ms, and the close of a socket that reaches that number. */
interface Offence {
  readonly limit: number;
  readonly window: number;
  readonly close: CloseCode;
  readonly reason: string;
}

const BAD: Offence = { limit: 20, window: 60_000, close: CLOSE.badFrames, reason: 'too many bad frames' };
const LIMITED: Offence = { limit: 100, window: 10_000, close: CLOSE.rateLimited, reason: 'too many frames' };

/** Offences by the code with which they are refused. */
const OFFENCES: Readonly<Partial<Record<ErrorCode, Offence>>> = {
  bad_frame: BAD,
  unknown_channel: BAD,
  invalid_payload: BAD,
  rate_limited: LIMITED,
};

/** Refusals that a server's socket is told of and not cut for: it passes on what others say. */
const BORNE: ReadonlySet<ErrorCode> = new Set(['unknown_channel', 'invalid_payload']);

export class Conduct {
  readonly #bucket = new TokenBucket(RATE.burst, RATE.perSecond, performance.now());
  readonly #strikes = new Map<Offence, Strikes>();

  /** Takes one frame's share of the rate, if there is one left. */
  take(): boolean {
    return this.#bucket.take(performance.now());
  }

  /** A frame was more work than it looked: those that follow wait for it. @param weight in bytes */
  charge(weight: number): void {
    this.#bucket.charge(weight);
  }

  /** Counts a refusal. @param isServer true where another server sent it @returns the offence, where that makes too many of its kind */
  strike(code: ErrorCode, isServer: boolean): Offence | null {
    const offence = OFFENCES[code];
    if (!offence || (isServer && BORNE.has(code))) return null;
    const strikes = this.#strikes.get(offence) ?? new Strikes(offence.limit, offence.window);
    this.#strikes.set(offence, strikes);
    return strikes.add(performance.now()) ? offence : null;
  }
}
