/** Answers to a socket: acks, errors, and a close where its conduct asks for that. */
import { type CloseCode, type ErrorCode, errorKind, type Refusal, RefusedError } from '../../schemas/errors.ts';
import type { Role } from '../../schemas/kinds.ts';
import type { Cause } from '../journal/journal.ts';
import { ackFrame, errorFrame, PONG, type StoredAt } from '../protocol/encode.ts';
import { Conduct } from './conduct.ts';
import type { House } from './house.ts';
import type { Outlet } from './outlet.ts';
import type { Socket } from './socket.ts';

type Answering = Pick<House, 'metrics' | 'settings' | 'log'>;

export class Answers {
  readonly #house: Answering;
  readonly #socket: Socket;
  readonly #outlet: Outlet;
  readonly #cause: Cause;
  readonly #role: () => Role | 'none';
  /** Made for the first frame that counts. */
  #conduct: Conduct | null = null;
  #isExpelled = false;

  /**
   * @param cause the connection, for the log
   * @param role asked when it matters: who it is that has joined
   */
  constructor(house: Answering, socket: Socket, outlet: Outlet, cause: Cause, role: () => Role | 'none') {
    this.#house = house;
    this.#socket = socket;
    this.#outlet = outlet;
    this.#cause = cause;
    this.#role = role;
  }

  /** True where it was closed for its conduct, and is read no more. */
  get isExpelled(): boolean {
    return this.#isExpelled;
  }

  /** Acks a frame, where it asked for that. @param stored null for what has no place in the log */
  ack(id: string | undefined, stored: StoredAt | null = null): void {
    if (id !== undefined) this.#outlet.send(ackFrame(id, stored));
  }

  /** [P-2.6] */
  pong(id: string | undefined): void {
    this.#outlet.send(PONG);
    this.ack(id);
  }

  /** [P-9] Answers with the error, and closes where the error or its repetition asks for that. */
  refuse(id: string | undefined, error: unknown): void {
    const refusal = error instanceof RefusedError ? error.refusal : this.#fault(error);
    this.#house.metrics.refused(refusal.code);
    this.#outlet.send(errorFrame(id, refusal));
    const close = refusal.close ?? errorKind(refusal.code).close;
    if (close !== undefined) this.#outlet.close(close, refusal.code);
    else this.strike(refusal.code);
  }

  /** Counts a frame towards its rate. @returns whether it is too much */
  isOver(): boolean {
    if (this.#house.settings.RATE_LIMIT === 'off') return false;
    this.#conduct ??= new Conduct();
    return !this.#conduct.take();
  }

  /** [P-9] A frame was more work than it looked. @param weight in bytes */
  charge(weight: number): void {
    this.#conduct?.charge(weight);
  }

  /** Counts what was refused, and closes where that is too much. */
  strike(code: ErrorCode): void {
    this.#conduct ??= new Conduct();
    const offence = this.#conduct.strike(code, this.#role() === 'server');
    if (offence) this.expel(offence.close, offence.reason);
  }

  /** Closes, and reads no more: what a flood goes on sending until it has gone costs nothing. */
  expel(code: CloseCode, reason: string): void {
    this.#isExpelled = true;
    this.#outlet.close(code, reason);
    this.#socket.pause();
  }

  #fault(error: unknown): Refusal {
    this.#house.log.error({ err: error, ...this.#cause }, 'a frame could not be handled');
    return { code: 'internal', message: 'this could not be handled' };
  }
}
