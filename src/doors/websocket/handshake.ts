/** [P-2.1, P-2.2] Rules of who may open a socket: what a handshake must be, and how many of them an address may make. */
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { refused } from '../../../schemas/errors.ts';
import type { Settings } from '../../../schemas/settings.ts';
import { bearerOf } from '../../auth/tokens.ts';
import type { Entrance } from '../../conversation/admission.ts';
import type { Guard } from '../../conversation/guard.ts';
import { requestIdOf } from '../http/headers.ts';
import type { App } from '../http/http.ts';
import { addressOf, holderOf, proxiesOf } from '../http/proxies.ts';

/** [P-2.1] */
export const ENDPOINT = '/ws';
/** [P-2.2] */
export const SUBPROTOCOL = 'telle.v1';
export const VERSION = '13';

const offered = (header: string | undefined): string[] => header?.split(',').map((name) => name.trim()) ?? [];

/**
 * [RFC 6455, 4.2.1] What `ws` lets pass: an older HTTP, no host, or an older version of the protocol, which tells its
 * origin under another name; and another endpoint or subprotocol than ours.
 */
function mustUpgrade({ method, url = '', httpVersion, headers }: IncomingMessage): void {
  if (method !== 'GET' || (url !== ENDPOINT && !url.startsWith(`${ENDPOINT}?`))) {
    throw refused('unknown_route', `the WebSocket endpoint is ${ENDPOINT}`);
  }
  if (Number(httpVersion) < 1.1 || headers.host === undefined) {
    throw refused('invalid_payload', 'a WebSocket handshake needs HTTP/1.1 and a Host');
  }
  if (String(headers['sec-websocket-version']) !== VERSION) {
    throw refused('upgrade_required', `the version of WebSocket is ${VERSION}`);
  }
  const names = offered(headers['sec-websocket-protocol']);
  if (names.length > 0 && !names.includes(SUBPROTOCOL)) {
    throw refused('invalid_payload', `the subprotocol is ${SUBPROTOCOL}`);
  }
}

/** @returns what lets a handshake in, or throws the RefusedError for which it may not come in */
export function doorkeeper(
  app: App,
  settings: Settings,
  guard: Guard,
): (request: IncomingMessage, stream: Duplex) => Entrance {
  const isProxy = proxiesOf(settings);
  if (!isProxy) countConnections(app, guard);
  const notice = isProxy ? () => {} : warnOfUnknownProxy(app);
  return (request, stream) => {
    const { headers } = request;
    const direct = stream instanceof Socket ? stream.remoteAddress : undefined;
    const address = isProxy ? addressOf(direct, headers['x-forwarded-for'], isProxy) : direct;
    notice(request);
    if (isProxy) countSocket(guard, address, stream);
    const visitor = guard.visitor(address === undefined ? null : holderOf(address));
    visitor.knock();
    mustUpgrade(request);
    visitor.mustNotBeBarred();
    const bearer = bearerOf(headers.authorization);
    // Its answer has told it, as the id of this request.
    const cause = { connection: requestIdOf(request) };
    return { cause, origin: headers.origin, bearer, address: address ?? null, route: ENDPOINT, visitor };
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

/** Where there are proxies in front, whose connections are many people's, those count that become sockets. */
function countSocket(guard: Guard, address: string | undefined, stream: Duplex): void {
  const leave = guard.enter(holderOf(address ?? ''));
  if (!leave) throw refused('rate_limited', 'too many connections of this address');
  stream.on('close', leave);
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
