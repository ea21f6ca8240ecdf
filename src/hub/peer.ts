import { CLOSE } from '../../schemas/errors.ts';

/** Sockets that are over their backlog in this turn of the event loop. */
const overdue = new WeakSet<Peer>();

/**
 * [P-9] Sends, and closes a socket that reads more slowly than it is sent to: 4508, it may rejoin with `since`.
 * What one turn of the event loop sends can only leave after it: what counts is what is unsent then.
 * @param maxBacklog bytes that may be unsent
 */
export function sendWithin(peer: Peer, frame: string, maxBacklog: number): void {
  peer.send(frame);
  if (peer.unsent <= maxBacklog || overdue.has(peer)) return;
  overdue.add(peer);
  setImmediate(() => {
    overdue.delete(peer);
    if (peer.unsent > maxBacklog) dropAsSlow(peer);
  });
}

export const dropAsSlow = (peer: Peer): void => peer.close(CLOSE.slowConsumer, 'slow consumer');

/** The smallest socket that the hub can live with: it never sees a WebSocket, and a test needs no port. */
export interface Peer {
  /**
   * Queues one text frame. After `close` nothing more goes out.
   * @param onGone called when it has been handed to the network, or the socket is no more
   */
  send(frame: string, onGone?: () => void): void;
  /** Closes with a code of [P-9] and a reason of at most 123 bytes. */
  close(code: number, reason: string): void;
  /** Whether what is sent still goes out: neither side has closed it. */
  readonly isOpen: boolean;
  /** Bytes that were sent and have not left this process. */
  readonly unsent: number;
}
