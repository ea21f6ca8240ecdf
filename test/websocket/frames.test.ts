/** [P-2.1] Frames are written past `ws`: each length is written as RFC 6455 (5.2) has it, in as few bytes as it takes. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { WebSocketServer } from 'ws';
import { FramedSocket } from '../../src/doors/websocket/socket.ts';
import { frameBytes, handshake, openingText } from '../support/raw-socket.ts';

/** To either side of where a length takes more bytes. */
const LENGTHS = [0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536, 65_537];
const TEXTS = ['a', 'é', '😀'].flatMap((unit) =>
  LENGTHS.map((length) => {
    const count = Math.floor(length / Buffer.byteLength(unit));
    return unit.repeat(count) + '.'.repeat(length - count * Buffer.byteLength(unit));
  }),
);

describe('a frame of text from the server', () => {
  const http = createServer();
  before(async () => {
    const sockets = new WebSocketServer({ noServer: true });
    http.on('upgrade', (request, stream, head) =>
      sockets.handleUpgrade(request, stream, head, (socket) => {
        const framed = new FramedSocket(socket, stream);
        for (const text of TEXTS) framed.send(text);
      }),
    );
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  });
  after(() => http.close());

  it('is, to the byte, what the picture of a frame asks for, whatever its length', async () => {
    const { port } = http.address() as AddressInfo;
    const { socket, rest } = await handshake(`127.0.0.1:${port}`, openingText());
    const expected = Buffer.concat(TEXTS.map((text) => frameBytes(text, { mask: null })));
    const chunks = [rest];
    let length = rest.length;
    for await (const chunk of socket) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= expected.length) break;
    }
    assert.ok(Buffer.concat(chunks).equals(expected));
  });
});
