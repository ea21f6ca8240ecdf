import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { CLOSE } from '../../../schemas/errors.ts';
import type { Entrance } from '../../conversation/admission.ts';
import type { Conversations } from '../../conversation/conversations.ts';
import type { Heartbeat } from './heartbeat.ts';
import { FramedSocket } from './socket.ts';

/** The parts that all WebSockets share. */
interface Shared {
  readonly conversations: Conversations;
  readonly heartbeat: Heartbeat<FramedSocket>;
}

/** Begins a conversation over a WebSocket: what `ws` tells of the one is said to the other. */
export function connect(
  { conversations, heartbeat }: Shared,
  webSocket: WebSocket,
  stream: Duplex,
  entrance: Entrance,
): void {
  const socket = new FramedSocket(webSocket, stream);
  const conversation = conversations.begin(socket, entrance);
  if (!conversation) return;
  heartbeat.start(socket);
  webSocket.on('message', (data, isBinary) => {
    if (!socket.isOpen) return;
    if (isBinary || !Buffer.isBuffer(data))
      conversation.close(CLOSE.binary, 'binary frame'); // [P-2.1]
    else conversation.hear(data);
  });
  webSocket.on('ping', () => conversation.hearControl());
  webSocket.on('pong', (payload) => {
    heartbeat.lives(socket, payload.toString('latin1'));
    conversation.hearControl();
  });
  webSocket.on('close', (code) => {
    heartbeat.stop(socket);
    conversation.end(code);
  });
}
