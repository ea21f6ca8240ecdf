import { CLOSE } from '../../schemas/errors.ts';

/** [P-9] 4508: it may rejoin with `since`. */
export const dropAsSlow = (peer: Peer): void => peer.close(CLOSE.slowConsumer, 'slow consumer');

/** The smallest socket that the hub can live with: it never sees a WebSocket, and a test needs no port. */
export interface Peer {
  /**
   * Queues one text frame. After `close` nothing more goes out. One that reads more slowly than it is sent to is
   * {@link dropAsSlow dropped} by it: nobody who sends needs to look.
   * @param onGone called when it has been handed to the network, or the socket is no more
   */
  send(frame: string, onGone?: () => void): void;
  /** Closes with a code of [P-9] and a reason of at most 123 bytes. */
  close(code: number, reason: string): void;
  /** True while what is sent still goes out: neither side has closed it. */
  readonly isOpen: boolean;
  /** Bytes that were sent and have not left this process. */
  readonly unsent: number;
}
