/** [P-2.1, P-2.2] Rules of what a handshake must be. */
import type { IncomingMessage } from 'node:http';
import { refused } from '../../../schemas/errors.ts';

/** [P-2.1] */
export const ENDPOINT = '/ws';
/** [P-2.2] */
export const SUBPROTOCOL = 'telle.v1';
export const VERSION = '13';

const offered = (header: string | undefined): string[] => header?.split(',').map((name) => name.trim()) ?? [];

/**
 * [RFC 6455, 4.2.1] What `ws` lets pass: an older HTTP, no host, or an older version of the protocol, which tells its
 * origin under another name.
 */
export function mustBeHandshake({ httpVersion, headers }: IncomingMessage): void {
  if (Number(httpVersion) < 1.1 || headers.host === undefined) {
    throw refused('invalid_payload', 'a WebSocket handshake needs HTTP/1.1 and a Host');
  }
  if (String(headers['sec-websocket-version']) !== VERSION) {
    throw refused('upgrade_required', `the version of WebSocket is ${VERSION}`);
  }
}

/** A handshake of this endpoint: another is not there, and neither is another subprotocol than ours. */
export function mustUpgrade(request: IncomingMessage): void {
  const { method, url = '', headers } = request;
  if (method !== 'GET' || (url !== ENDPOINT && !url.startsWith(`${ENDPOINT}?`))) {
    throw refused('unknown_route', `the WebSocket endpoint is ${ENDPOINT}`);
  }
  mustBeHandshake(request);
  const names = offered(headers['sec-websocket-protocol']);
  if (names.length > 0 && !names.includes(SUBPROTOCOL)) {
    throw refused('invalid_payload', `the subprotocol is ${SUBPROTOCOL}`);
  }
}
