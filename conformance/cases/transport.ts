/** Sections 2.1, 2.2, 2.5 and 2.6: WebSocket itself. Another transport has no part in these. */
import { once } from 'node:events';
import type { WebSocket } from 'ws';
import { newId } from '../client.ts';
import { check, same } from '../expect.ts';
import type { Case, Visit } from '../visit.ts';
import { closeOf, dial } from '../websocket.ts';

/** The code with which the server closes a socket that has just been opened, and been sent something. */
async function ending({ house }: Visit, send: (socket: WebSocket) => void): Promise<number> {
  const socket = await dial(house.access.url, ['telle.v1']);
  const code = closeOf(socket, house.patience);
  send(socket);
  return code;
}

/** The status with which the server answers a handshake that is no WebSocket's. */
async function refusal({ house }: Visit, protocols: string[]): Promise<number | undefined> {
  const opened = dial(house.access.url, protocols).then((socket) => {
    socket.terminate();
    return undefined;
  });
  return opened.catch((error: Error) => Number(/\d{3}$/.exec(error.message)?.[0]));
}

export const TRANSPORT: readonly Case[] = [
  {
    clause: '2.1',
    says: 'a binary frame is closed with 1003',
    run: async (visit) => same('the close code', await ending(visit, (socket) => socket.send(Buffer.from('{}'))), 1003),
  },
  {
    clause: '2.1',
    says: 'a text frame that is not UTF-8 is closed with 1007',
    run: async (visit) =>
      same(
        'the close code',
        await ending(visit, (socket) => socket.send(Buffer.from([0xff]), { binary: false })),
        1007,
      ),
  },
  {
    clause: '2.1',
    says: 'compression is not negotiated',
    async run({ house }) {
      const socket = await dial(house.access.url, [], { perMessageDeflate: true });
      socket.terminate();
      same('the extensions', socket.extensions, '');
    },
  },
  {
    clause: '2.1',
    says: 'a plain GET, without an upgrade, gets 426',
    run: async ({ house }) => same('the status', (await fetch(house.access.url.replace(/^ws/i, 'http'))).status, 426),
  },
  {
    clause: '2.2',
    says: 'telle.v1 is chosen where it is offered, and a client that offers none is served',
    async run({ house }) {
      for (const [offered, chosen] of [
        [['other', 'telle.v1'], 'telle.v1'],
        [[], ''],
      ] as const) {
        const socket = await dial(house.access.url, [...offered]);
        same(`the subprotocol, of [${offered}]`, socket.protocol, chosen);
        socket.send('{"channel":"ping","payload":{}}');
        const [pong] = await once(socket, 'message', { signal: AbortSignal.timeout(house.patience) });
        socket.terminate();
        same('the answer to a ping', String(pong), '{"channel":"pong","payload":{}}');
      }
    },
  },
  {
    clause: '2.2',
    says: 'a client that offers only other subprotocols gets HTTP 400',
    run: async (visit) => same('the status', await refusal(visit, ['mqtt']), 400),
  },
  {
    clause: '2.5',
    says: 'a frame of more than 16384 bytes is closed with 1009',
    run: async (visit) =>
      same('the close code', await ending(visit, (socket) => socket.send('x'.repeat(16_385))), 1009),
  },
  {
    clause: '2.5',
    says: 'a frame in 1024 fragments is taken, one in more is closed with 1008',
    async run(visit) {
      const text = JSON.stringify({ channel: 'ping', payload: {}, id: newId() }).padEnd(1025, ' ');
      const send = (socket: WebSocket, count: number) => {
        for (let at = 0; at < count - 1; at += 1) socket.send(text.charAt(at), { fin: false });
        socket.send(text.slice(count - 1), { fin: true });
      };
      const socket = await dial(visit.house.access.url);
      send(socket, 1024);
      await once(socket, 'message', { signal: AbortSignal.timeout(visit.house.patience) });
      socket.terminate();
      same('the close code', await ending(visit, (other) => send(other, 1025)), 1008);
    },
  },
  {
    clause: '2.6',
    says: 'the server pings every 25 s, and drops a socket that has not answered in 10 s',
    waits: 40_000,
    async run(visit) {
      const socket = await dial(visit.house.access.url, [], { autoPong: false });
      const client = await visit.customer();
      let pings = 0;
      socket.on('ping', () => {
        pings += 1;
      });
      const { dealer } = visit.house;
      const payload = { type: 'CLIENT_JOIN', dealerId: dealer, groupId: visit.house.group() };
      socket.send(JSON.stringify({ channel: 'client_join', payload }));
      await closeOf(socket, 40_000);
      check(pings > 0, 'it was closed without a ping');
      await client.settled(); // it has answered, and stays
    },
  },
];
