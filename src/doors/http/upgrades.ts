/**
 * Requests that ask to go on in another protocol. WebSocket is the one that is spoken here; where any other is asked for, the
 * request is answered as if it had not been [RFC 9110, 7.8], which Node.js leaves to a server by itself from version 24 on.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Server as TlsServer } from 'node:tls';
import type { App } from './http.ts';
import { whenAnswered } from './pipelining.ts';

type Upgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => void;

/** Has handshakes of WebSocket handled, each when what came before it on its connection is answered. */
export function onWebSocket(app: App, handle: Upgrade): void {
  // What Node.js itself does with a connection: it has put it there before anybody else could.
  const [accept] = app.server.listeners(app.server instanceof TlsServer ? 'secureConnection' : 'connection');
  app.server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const cut = () => stream.destroy();
    stream.on('error', cut); // whoever takes the stream over listens for themselves
    whenAnswered(stream, () => {
      stream.off('error', cut);
      if (asksForWebSocket(request)) return handle(request, stream, head);
      stream.unshift(Buffer.concat([headOf(request), head]));
      accept?.call(app.server, stream);
    });
  });
}

/** Tells whether it is a handshake, though a broken one: a key means WebSocket, whatever else is asked for. */
const asksForWebSocket = ({ headers }: IncomingMessage): boolean =>
  headers['sec-websocket-key'] !== undefined ||
  (headers.upgrade ?? '').split(',').some((name) => name.trim().toLowerCase() === 'websocket');

/** A request's head as it came, but for what it asks to upgrade to. */
function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() !== 'upgrade') lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'); // as Node.js reads it
}
