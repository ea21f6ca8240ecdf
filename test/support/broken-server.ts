/** A server that breaks the protocol: it passes everything on to a good one, but for what it does to some of its frames. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { Frame } from './frame.ts';

export interface Breakage {
  /** What is sent of a frame of the server's: itself, nothing, or several. */
  readonly frame?: (frame: Frame) => readonly Frame[];
  /** The close code that is said for one. */
  readonly code?: (code: number) => number;
}

/** Codes that may be sent [RFC 6455, 7.4]: others say that there was none. */
const isSendable = (code: number) => code >= 1000 && ![1004, 1005, 1006, 1015].includes(code);

function join(near: WebSocket, far: WebSocket, { frame = (each) => [each], code = (each) => each }: Breakage): void {
  const waiting: [RawData, { binary: boolean }][] = [];
  near.on('message', (data, binary) => {
    if (far.readyState === WebSocket.OPEN) far.send(data, { binary });
    else waiting.push([data, { binary }]);
  });
  far.on('open', () => {
    for (const [data, options] of waiting) far.send(data, options);
  });
  far.on('message', (data) => {
    for (const each of frame(JSON.parse(String(data)))) near.send(JSON.stringify(each));
  });
  far.on('close', (closed) => (isSendable(closed) ? near.close(code(closed)) : near.terminate()));
  near.on('close', () => far.terminate());
  // Whoever does not answer a ping is found out by the good server.
  far.on('ping', (data) => near.ping(data));
  near.on('pong', (data) => far.pong(data));
  for (const socket of [near, far]) socket.on('error', () => {}); // its close says it
}

/** Passes a request on over HTTP, and its answer back. */
function pass(at: string, asked: IncomingMessage, answer: ServerResponse): void {
  const { method, url, headers } = asked;
  const onward = request(`http://${at}${url}`, { method, headers }, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  asked.pipe(onward);
}

/** @param at `host:port` of the good server. @returns where the broken one is, and what ends it */
export async function startBroken(at: string, breakage: Breakage): Promise<{ url: string; close: () => void }> {
  const server = createServer((asked, answer) => pass(at, asked, answer));
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (near, { headers }) => {
    const { authorization } = headers;
    const far = new WebSocket(`ws://${at}/ws`, {
      autoPong: false,
      ...(authorization && { headers: { authorization } }),
    });
    join(near, far, breakage);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = () => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
    server.closeAllConnections();
  };
  return { url: `ws://127.0.0.1:${port}/ws`, close };
}
