/** A server of Socket.IO, WebSocket only: rooms, broadcast to them, acknowledgements. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { type Accepted, accept, admit, JOINS, roomsOf, type Session, stamp } from './message.ts';
import type { Store } from './store.ts';

type Fields = Record<string, unknown>;

export function serve(store: Store): void {
  const server = createServer();
  const io = new Server(server, { transports: ['websocket'], serveClient: false });

  io.on('connection', (socket: Socket) => {
    let session: Session | undefined;
    const tell = (accepted: Accepted, rooms: string[]) => {
      socket.to(rooms).emit(accepted.channel, { ...accepted.event, ...stamp(accepted) });
    };
    const join = (payload: unknown) => {
      try {
        const { session: joined, arrival } = admit(payload);
        store(arrival.stored, () => {
          session = joined;
          socket.join(roomsOf(joined));
          socket.emit('session', joined);
          tell(arrival, [`${joined.dealerId}@desk`]);
        });
      } catch (error) {
        socket.emit('error_message', String(error));
      }
    };
    const take = ({ id, ...payload }: Fields, acknowledge: (answer: object) => void) => {
      try {
        if (!session) throw new Error('not_joined');
        const accepted = accept(session, String(id), payload);
        const { dealerId, scope } = accepted.stored;
        store(accepted.stored, () => {
          acknowledge(stamp(accepted));
          const room = scope === '@dealer' ? `${dealerId}@dealer` : `${dealerId}/${scope}`;
          tell(accepted, [room, `${dealerId}@desk`]);
        });
      } catch (error) {
        socket.emit('error_message', String(error));
      }
    };
    for (const channel of JOINS) socket.on(channel, join);
    socket.on('customer_message', take);
    socket.on('sys_message', take);
  });
  server.listen(0, '127.0.0.1', 511, () => console.log(`port ${(server.address() as AddressInfo).port}`));
}
