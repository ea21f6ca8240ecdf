/** [P-2.1, P-9] The gate before every door of sockets: how many an address may ask for and have, and whether anybody is let in at all. */
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { refused } from '../../schemas/errors.ts';
import { bearerOf } from '../auth/tokens.ts';
import type { Entrance } from '../conversation/admission.ts';
import type { Guard } from '../conversation/guard.ts';
import { AWAY, type Core } from './core.ts';
import { ENDING } from './drain.ts';
import { requestIdOf } from './http/headers.ts';
import type { App } from './http/http.ts';
import { addressOf, holderOf, proxiesOf } from './http/proxies.ts';

/** A request for a socket. */
export interface Asking {
  readonly request: IncomingMessage;
  readonly stream: Duplex;
  /** The endpoint that it asks at. */
  readonly route: string;
  /** True where what it opens has no connection of its own. */
  readonly isPoll?: boolean;
  /** Throws where it is not as that endpoint has it; it has been counted by then. */
  readonly mustBeOne?: () => void;
}

export interface Gate {
  /** @returns what lets it in. @throws RefusedError for which it may not come in */
  admit(asking: Asking): Entrance;
  /** Counts what lasts as a connection of its address, though it is none. @returns what ends the count. @throws RefusedError */
  hold(request: IncomingMessage, stream: Duplex): () => void;
  /** Lets nobody in any more: a load balancer tries another node. */
  shut(): void;
}

export function openGate(app: App, { settings, link }: Pick<Core, 'settings' | 'link'>, guard: Guard): Gate {
  const isProxy = proxiesOf(settings);
  if (!isProxy) countConnections(app, guard);
  const notice = isProxy ? () => {} : warnOfUnknownProxy(app);
  const addressIn = ({ headers }: IncomingMessage, stream: Duplex): string | undefined => {
    const direct = stream instanceof Socket ? stream.remoteAddress : undefined;
    return isProxy ? addressOf(direct, headers['x-forwarded-for'], isProxy) : direct;
  };
  const hold: Gate['hold'] = (request, stream) => {
    const leave = guard.enter(holderOf(addressIn(request, stream) ?? ''));
    if (!leave) throw refused('rate_limited', 'too many connections of this address');
    return leave;
  };
  let isShut = false;
  return {
    hold,
    admit({ request, stream, route, isPoll = false, mustBeOne }) {
      if (isShut) throw refused('unavailable', ENDING);
      if (link?.isAway) throw refused('unavailable', AWAY);
      const { headers } = request;
      const address = addressIn(request, stream);
      notice(request);
      // Where there are proxies in front, whose connections are many people's, those count that become sockets.
      if (isProxy && !isPoll) stream.on('close', hold(request, stream));
      const visitor = guard.visitor(address === undefined ? null : holderOf(address));
      visitor.knock();
      mustBeOne?.();
      visitor.mustNotBeBarred();
      const bearer = bearerOf(headers.authorization);
      // Its answer has told it, as the id of this request.
      const cause = { connection: requestIdOf(request) };
      return { cause, origin: headers.origin, bearer, address: address ?? null, route, visitor };
    },
    shut: () => {
      isShut = true;
      app.server.close();
    },
  };
}

/** Counts the connections of each address that come directly, as soon as they are there, whether they say anything or not. */
function countConnections(app: App, guard: Guard): void {
  app.server.on('connection', (socket) => {
    const leave = guard.enter(holderOf(socket.remoteAddress ?? ''));
    if (leave) socket.on('close', leave);
    else socket.destroy();
  });
}

/** Told once: behind a proxy that is not named, everybody has one address, and its bounds. */
function warnOfUnknownProxy(app: App): (request: IncomingMessage) => void {
  let isTold = false;
  const notice = ({ headers }: IncomingMessage): void => {
    if (isTold || headers['x-forwarded-for'] === undefined) return;
    isTold = true;
    app.log.warn('requests are forwarded by a proxy that TRUST_PROXY does not name: they all count as one address');
  };
  app.addHook('onRequest', async ({ raw }) => notice(raw));
  return notice;
}
