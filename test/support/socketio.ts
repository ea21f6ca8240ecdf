/** Socket.IO's own clients, of each version that is served. */
import './no-browser.ts';
import connect2 from 'socket.io-client-2';
import { io as connect3 } from 'socket.io-client-3';
import { io as connect4 } from 'socket.io-client-4';
import type { Connection, Listener, Transport } from '../../conformance/index.ts';

/** As much of a client as the tests need; its versions differ in the types of it. */
export interface IoSocket {
  readonly connected: boolean;
  readonly io: { readonly engine: { send(packet: string): void } };
  on(event: string, listener: (...values: never[]) => void): void;
  emit(event: string, ...values: unknown[]): void;
  close(): void;
}

export const VERSIONS = ['2.5', '3.1', '4.8'] as const;
export type Version = (typeof VERSIONS)[number];

const CONNECT: Readonly<Record<Version, (url: string, options: object) => unknown>> = {
  '2.5': connect2,
  '3.1': connect3,
  '4.8': connect4,
};

const isSocket = (value: unknown): value is IoSocket => typeof value === 'object' && value !== null && 'emit' in value;

/** Every client that a file of tests has opened: what is left open would keep its process. */
const clients = new Set<IoSocket>();
export function closeClients(): void {
  for (const client of clients) client.close();
  clients.clear();
}

/** A client of its own connection, which does not come back by itself unless it is told to. */
export function ioClient(version: Version, at: string, options: object = {}): IoSocket {
  const client = CONNECT[version](`http://${at}`, { forceNew: true, reconnection: false, ...options });
  if (!isSocket(client)) throw new Error('this is no client of Socket.IO');
  clients.add(client);
  return client;
}

/** Resolves when it is connected, or rejects with why it is not. */
export const connected = (client: IoSocket): Promise<void> =>
  new Promise((resolve, reject) => {
    const fail = (fault: unknown) => reject(fault instanceof Error ? fault : new Error(String(fault)));
    client.on('connect', resolve);
    client.on('connect_error', fail);
  });

/** The next event of a name, as its arguments. */
export const told = (client: IoSocket, event: string): Promise<unknown[]> =>
  new Promise((resolve) => {
    let isOver = false;
    client.on(event, (...values: unknown[]) => {
      if (!isOver) resolve(values);
      isOver = true;
    });
  });

/** The answer that a callback gets. */
export const asked = (client: IoSocket, event: string, ...values: unknown[]): Promise<unknown> =>
  new Promise((resolve) => client.emit(event, ...values, resolve));

const TAKEN = ['error', 'ping', 'pong'];
const eventOf = (channel: string) => (TAKEN.includes(channel) ? `telle_${channel}` : channel);
/** Channels on which a server sends. Version 2 cannot listen to all that comes. */
const HEARD = [
  'session',
  'ack',
  'error',
  'pong',
  'CHAT_MESSAGE',
  'MUTE_STATE',
  'CLOSE_CHAT',
  'CHAT_STATE',
  'SYS_MESSAGE',
  'CUSTOMER_STATE',
  'TYPING_STATE',
  'READ_STATE',
];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Emits a frame as an event; what is none is sent as a packet that is none. */
function emitFrame(client: IoSocket, text: string): void {
  const frame = parsed(text);
  if (!isObject(frame) || typeof frame.channel !== 'string') {
    client.io.engine.send(`2${text}`);
    return;
  }
  const { channel, payload, ...more } = frame;
  const values = Object.keys(more).length > 0 ? [payload, more] : [payload];
  client.emit(eventOf(channel), ...values);
}

function listen(client: IoSocket, listener: Listener): void {
  for (const channel of HEARD) {
    client.on(eventOf(channel), (payload: unknown, place: object = {}) =>
      listener.text(JSON.stringify({ channel, payload, ...place })),
    );
  }
  let code = 1005;
  client.on('telle_close', (close: { code: number }) => {
    code = close.code;
  });
  client.on('disconnect', () => listener.closed(code));
}

/** The protocol over Socket.IO, by a client of a version and the transports that it is told. */
export const overSocketIo = (version: Version, at: string, transports: string[]): Transport => ({
  async open(listener, token): Promise<Connection> {
    const byHeader = { extraHeaders: { authorization: `Bearer ${token}` } };
    const auth = token === undefined ? {} : version === '2.5' ? byHeader : { auth: { token } };
    const client = ioClient(version, at, { transports, ...auth });
    listen(client, listener);
    await connected(client);
    return { send: (text) => emitFrame(client, text), close: () => client.close() };
  },
});
