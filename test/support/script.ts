/** A server of nothing but what a test makes it say: for what a real one does once in a month. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { SessionPayload } from '../../schemas/frames.ts';
import type { Frame } from './frame.ts';

/** A session for a customer, with what a test asks of it. */
export const sessionOf = (more: Partial<SessionPayload> = {}): SessionPayload => ({
  role: 'customer',
  dealerId: 'd1',
  groupId: 'g1',
  seqs: { g1: 0, '@dealer': 0 },
  recovered: {},
  epoch: 'k3v9d2',
  pingInterval: 25_000,
  ...more,
});

export const put = (socket: WebSocket, channel: string, payload: object, more: object = {}): void =>
  socket.send(JSON.stringify({ channel, payload, ...more }));

/** Such a server for the length of `use`; `hear` is called with every frame, and how many sockets there were before. */
export async function withScript(
  hear: (socket: WebSocket, frame: Frame, before: number) => void,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  let count = 0;
  server.on('connection', (socket) => {
    const before = count++;
    socket.on('message', (data) => hear(socket, JSON.parse(String(data)), before));
  });
  await once(server, 'listening');
  try {
    await use(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    for (const socket of server.clients) socket.terminate();
    server.close();
    await once(server, 'close');
  }
}
