import type { CloseCode } from '../../schemas/errors.ts';

/** A door's socket: the smallest that a conversation can live with, whatever carries it. */
export interface Socket {
  /**
   * Queues one text.
   * @param onGone called when it has been handed to the network, or the socket is no more
   */
  send(text: string, onGone?: () => void): void;
  /** Closes it. What was sent before still leaves. */
  close(code: CloseCode, reason: string): void;
  /** Takes nothing from the network until it resumes. */
  pause(): void;
  resume(): void;
  /** True while neither side has closed it. */
  readonly isOpen: boolean;
  /** Bytes that were sent and have not left this process. */
  readonly unsent: number;
}
