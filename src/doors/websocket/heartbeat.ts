import type { WebSocket } from 'ws';
import type { Timing } from '../../timing.ts';

/**
 * [P-2.6] Pings a socket at an interval and cuts it when an answer does not come in time.
 * @returns what stops it
 */
export function startHeartbeat(socket: WebSocket, { pingInterval, pongTimeout }: Timing): () => void {
  let deadline: NodeJS.Timeout | undefined;
  const beat = setInterval(() => {
    socket.ping();
    deadline ??= setTimeout(() => socket.terminate(), pongTimeout);
  }, pingInterval);
  socket.on('pong', () => {
    clearTimeout(deadline);
    deadline = undefined;
  });
  return () => {
    clearInterval(beat);
    clearTimeout(deadline);
  };
}
