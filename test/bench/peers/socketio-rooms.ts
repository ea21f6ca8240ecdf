/** A server of Socket.IO, WebSocket only: rooms, broadcast to them, acknowledgements. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { accept, type Session, sessionOf, stamp } from './message.ts';
import type { Store } from './store.ts';

type Fields = Record<string, unknown>;

export function serve(store: Store): void {
  const server = createServer();
  const io = new Server(server, { transports: ['websocket'], serveClient: false });

  io.on('connection', (socket: Socket) => {
    let session: Session | undefined;
    const join = (role: Session['role'], rooms: (session: Session) => string[]) => (payload: Fields) => {
      session = sessionOf(role, payload);
      socket.join(rooms(session));
      socket.emit('session', session);
    };
    const take = ({ id, ...payload }: Fields, acknowledge: (answer: object) => void) => {
      try {
        if (!session) throw new Error('not_joined');
        const accepted = accept(session, String(id), payload);
        const { dealerId, scope } = accepted.stored;
        store(accepted.stored, () => {
          const at = stamp(accepted);
          acknowledge(at);
          const room = scope === '@dealer' ? `${dealerId}@dealer` : `${dealerId}/${scope}`;
          socket.to([room, `${dealerId}@desk`]).emit(accepted.channel, { ...accepted.event, ...at });
        });
      } catch (error) {
        socket.emit('error_message', String(error));
      }
    };
    socket.on(
      'client_join',
      join('customer', ({ dealerId, id }) => [`${dealerId}@dealer`, `${dealerId}/${id}`]),
    );
    socket.on(
      'admin_join',
      join('admin', ({ dealerId }) => [`${dealerId}@desk`]),
    );
    socket.on('customer_message', take);
    socket.on('sys_message', take);
  });
  server.listen(0, '127.0.0.1', 511, () => console.log(`port ${(server.address() as AddressInfo).port}`));
}
