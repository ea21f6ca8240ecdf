/** A server of plain `ws`: who is where, in maps, and one `ws.send` a socket, of text that is written once. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Accepted, accept, admit, JOINS, roomsOf, type Session, stamp } from './message.ts';
import type { Store } from './store.ts';

const MAX_FRAME_BYTES = 16_384;

/** Sockets by dealer, and by dealer and group. */
class Rooms {
  readonly #rooms = new Map<string, Set<WebSocket>>();

  enter(name: string, socket: WebSocket): void {
    const room = this.#rooms.get(name) ?? new Set();
    this.#rooms.set(name, room.add(socket));
  }

  leave(name: string, socket: WebSocket): void {
    const room = this.#rooms.get(name);
    room?.delete(socket);
    if (room?.size === 0) this.#rooms.delete(name);
  }

  in(name: string): Iterable<WebSocket> {
    return this.#rooms.get(name) ?? [];
  }
}

export function serve(store: Store): void {
  const rooms = new Rooms();

  function connected(socket: WebSocket): void {
    let session: Session | undefined;
    const say = (channel: string, payload: object) => socket.send(JSON.stringify({ channel, payload }));
    const tell = (accepted: Accepted, names: readonly string[]) => {
      const frame = JSON.stringify({ channel: accepted.channel, payload: accepted.event, ...stamp(accepted) });
      for (const name of names) {
        for (const other of rooms.in(name)) if (other !== socket) other.send(frame);
      }
    };
    const join = (payload: unknown) => {
      const { session: joined, arrival } = admit(payload);
      store(arrival.stored, () => {
        session = joined;
        for (const room of roomsOf(joined)) rooms.enter(room, socket);
        say('session', { ...joined });
        tell(arrival, [`${joined.dealerId}@desk`]);
      });
    };
    const take = (text: string) => {
      const { channel, payload, id } = JSON.parse(text);
      if (JOINS.includes(channel)) {
        join(payload);
        return;
      }
      if (!session) throw new Error('not_joined');
      const accepted = accept(session, id, payload);
      const { dealerId, scope } = accepted.stored;
      store(accepted.stored, () => {
        say('ack', stamp(accepted));
        const name = scope === '@dealer' ? `${dealerId}@dealer` : `${dealerId}/${scope}`;
        tell(accepted, [name, `${dealerId}@desk`]);
      });
    };
    socket.on('message', (data) => {
      try {
        take(data.toString());
      } catch (error) {
        say('error', { message: String(error) });
      }
    });
    socket.on('close', () => {
      for (const room of session ? roomsOf(session) : []) rooms.leave(room, socket);
    });
    socket.on('error', () => {});
  }

  const server = createServer();
  const options = { server, path: '/ws', maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false };
  new WebSocketServer(options).on('connection', connected);
  server.listen(0, '127.0.0.1', 511, () => console.log(`port ${(server.address() as AddressInfo).port}`));
}
