/**
 * One request under way on each connection: what is pipelined behind it [RFC 9112, 9.3.2] is begun when its answer has left.
 * An answer that nobody takes is held in memory, so a connection that takes nothing of one for a while is cut; and of an
 * address that holds too many of them, the oldest.
 */
import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { beginInTurn, readInTurn } from '../../commands/turns.ts';
import type { Timing } from '../../timing.ts';
import type { App } from './http.ts';
import { bareAddress, holderOf } from './proxies.ts';

/** Requests that may wait on a connection for those before them. With one more it is cut: nobody who reads has so many. */
const MAX_WAITING = 50;
/** Bytes of answers that wait to be taken: of one address, fifty pages; and of all. */
const MAX_UNSENT_PER_ADDRESS = 16 * 1024 * 1024;
const MAX_UNSENT = 64 * 1024 * 1024;

/** Requests that wait on each connection, behind the one under way. */
const lines = new WeakMap<Duplex, (() => void)[]>();

/**
 * Starts something on a connection when all that came before it there is over; never, where the connection ends before.
 * @param start handed what it must call when it is over
 */
function inLine(connection: Duplex, start: (over: () => void) => void): void {
  const begin = () => start(() => goOn(connection));
  const waiting = lines.get(connection);
  if (!waiting) {
    lines.set(connection, []);
    begin();
  } else if (waiting.length < MAX_WAITING) {
    waiting.push(begin);
    connection.pause();
  } else connection.destroy();
}

function goOn(connection: Duplex): void {
  const waiting = lines.get(connection) ?? [];
  const begin = connection.destroyed ? undefined : waiting.shift();
  if (!begin) lines.delete(connection);
  else {
    if (waiting.length === 0) connection.resume();
    begin();
  }
}

/** Does something with a connection that is no longer one of requests, when they have all been answered. */
export const whenAnswered = (connection: Duplex, work: () => void): void =>
  inLine(connection, (over) => {
    over();
    work();
  });

/** Connections with an answer under way, the oldest first, and whose they are. */
const answering = new Map<Socket, string>();

/** Cuts the oldest connections that hold unsent bytes, until those of an address, and of all, are within bounds. */
function boundUnsent(holder: string): void {
  const sum = (sockets: Iterable<[Socket, string]>) =>
    [...sockets].reduce((bytes, [{ writableLength }]) => bytes + writableLength, 0);
  let excess = sum(answering) - MAX_UNSENT;
  let own = sum([...answering].filter(([, of]) => of === holder)) - MAX_UNSENT_PER_ADDRESS;
  for (const [socket, of] of answering) {
    if (excess <= 0 && own <= 0) return;
    if (excess <= 0 && of !== holder) continue;
    excess -= socket.writableLength;
    if (of === holder) own -= socket.writableLength;
    if (socket.writableLength > 0) socket.destroy();
  }
}

/** Leaves an answer that does not end to whoever makes it: how much of it may wait, and how long, is theirs to say. */
export function endless(answer: ServerResponse): void {
  if (answer.socket) answering.delete(answer.socket);
  answer.setTimeout(0);
}

/** Lets requests for what a dealer has go on in turn: hundreds of pages at once would hold up everybody else. */
export function readPagesInTurn(app: App): void {
  app.addHook('preHandler', async ({ method, routeOptions: { url = '' } }) => {
    if (method === 'GET' && url.startsWith('/v1/')) await readInTurn();
  });
}

/** To be called before any other hook is added. */
export function answerInTurn(app: App, { stallTimeout }: Timing): void {
  app.addHook('onRequest', ({ raw: { socket }, ip }, { raw: response }, done) => {
    inLine(socket, (over) => {
      response.once('close', over);
      if (!(socket instanceof Socket)) return done(); // through memory: nobody else's
      const holder = holderOf(bareAddress(ip));
      boundUnsent(holder);
      answering.set(socket, holder);
      response.once('close', () => answering.delete(socket));
      // Told when nothing has gone either way for so long; of an answer that is still being made, nothing can.
      response.setTimeout(stallTimeout, () => {
        if (socket.writableLength > 0) socket.destroy();
        else socket.setTimeout(stallTimeout);
      });
      void beginInTurn().then(() => done());
    });
  });
}
