/** The protocol over WebSocket [P-2]. */
import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';
import type { Transport } from './transport.ts';

/** A socket that is open, with nothing between it and who asks for it. @throws where it is refused */
export async function dial(url: string, protocols: string[] = [], options: ClientOptions = {}): Promise<WebSocket> {
  const socket = new WebSocket(url, protocols, { handshakeTimeout: 10_000, perMessageDeflate: false, ...options });
  await once(socket, 'open');
  socket.on('error', () => {}); // its close says it
  return socket;
}

/** Resolves with the close code, within a time. */
export async function closeOf(socket: WebSocket, patience: number): Promise<number> {
  const [code] = await once(socket, 'close', { signal: AbortSignal.timeout(patience) }).catch(() => {
    throw new Error(`it is still open after ${patience} ms`);
  });
  return Number(code);
}

export const websocket = (url: string): Transport => ({
  async open(listener, token) {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const socket = new WebSocket(url, ['telle.v1'], { headers, handshakeTimeout: 10_000, perMessageDeflate: false });
    socket.on('message', (data) => listener.text(String(data)));
    socket.on('close', (code) => listener.closed(code));
    await once(socket, 'open');
    socket.on('error', () => {}); // its close says it
    return { send: (text) => socket.send(text), close: () => socket.close() };
  },
});
