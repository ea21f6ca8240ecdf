/** What one who obeys has, and how it reaches a server: within every rule, and no slower than the rules allow. */
import { WebSocket } from 'ws';

/** What it may ask of its dealer: a path beneath `/v1/dealers/{dealerId}`. */
export interface Ask {
  readonly path: string;
  readonly accept?: string;
}

export interface Means {
  /** `host:port` */
  readonly at: string;
  /** The address of this machine's own that it comes from. */
  readonly from: string;
  readonly dealerId: string;
  /** How long it goes on, in ms. */
  readonly time: number;
  /** Customers of the dealer that it is. */
  readonly customers: readonly { readonly groupId: string; readonly token: string }[];
  /** Tokens of the dealer's, where it is its agent or its server. */
  readonly agent: string;
  readonly server: string;
  /** What it asks over HTTP, over and over. */
  readonly asks: readonly Ask[];
}

/** How often what came of it came: `joined`, `ack`, an error's code, a close code, an HTTP status, `cut` by the server, `left` open. */
export type Ends = Readonly<Record<string, number>>;

export class Tally {
  readonly ends: Record<string, number> = {};

  count(end: string, more = 1): void {
    this.ends[end] = (this.ends[end] ?? 0) + more;
  }
}

/** Attacks, and counts what came of it. */
export type Act = (means: Means, tally: Tally) => Promise<void>;

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
export const range = (length: number): number[] => Array.from({ length }, (_, index) => index);

/** [P-9] What one socket may send: frames at once, and a second after that. A little less, as clocks differ. */
const BURST = 20;
const PER_SECOND = 9.5;

/** Does something as often as one socket may send a frame. */
export async function atFullRate(time: number, act: (n: number) => void): Promise<void> {
  const from = performance.now();
  for (let n = 0; performance.now() - from < time; await sleep(10)) {
    const due = BURST + ((performance.now() - from) / 1000) * PER_SECOND;
    for (; n < due; n += 1) act(n);
  }
}

export const frame = (channel: string, payload: object, id?: string): string =>
  JSON.stringify({ channel, payload, ...(id !== undefined && { id }) });

/** Opens a socket. @returns null where it was not let in, which is counted */
export function open({ at, from }: Means, tally: Tally): Promise<WebSocket | null> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://${at}/ws`, { localAddress: from, perMessageDeflate: false });
    const end = (how: string) => {
      tally.count(how);
      resolve(null);
      socket.terminate();
    };
    socket.once('unexpected-response', (_, { statusCode }) => end(`http ${statusCode}`));
    socket.on('error', () => {}); // what follows it is told by the close
    socket.once('close', (code) => end(code === 1006 ? 'cut' : String(code)));
    socket.once('open', () => resolve(socket));
  });
}

/** The code of a frame that is an error, `ack` or `joined`; null for any other. Others are not parsed: there are many. */
function outcomeOf(text: string): string | null {
  if (text.startsWith('{"channel":"ack"')) return 'ack';
  if (text.startsWith('{"channel":"session"')) return 'joined';
  return text.startsWith('{"channel":"error"') ? JSON.parse(text).payload.code : null;
}

/** What it says to join with a token, or without one to claim a group. */
export const asCustomer = ({ dealerId }: Means, more: object): string =>
  frame('client_join', { type: 'CLIENT_JOIN', dealerId, ...more });

/**
 * Opens a socket and joins. From then on its answers are counted, and the bytes that come are `received`.
 * @returns null where it may not join
 */
export async function enter(means: Means, tally: Tally, join: string): Promise<WebSocket | null> {
  const socket = await open(means, tally);
  if (!socket) return null;
  const hasJoined = new Promise<boolean>((resolve) => {
    socket.once('close', () => resolve(false));
    socket.on('message', (data) => {
      const text = String(data);
      const outcome = outcomeOf(text);
      if (outcome !== null) tally.count(outcome);
      tally.count('received', text.length);
      if (outcome !== null && outcome !== 'ack') resolve(outcome === 'joined');
    });
  });
  socket.send(join);
  if (await hasJoined) return socket;
  socket.terminate();
  return null;
}

/** Enters by each of these joins. @returns the sockets that may stay */
export async function enterAll(means: Means, tally: Tally, joins: readonly string[]): Promise<WebSocket[]> {
  const sockets = await Promise.all(joins.map((join) => enter(means, tally, join)));
  return sockets.filter((socket) => socket !== null);
}

/** Lets go of sockets: what has closed is counted already, what is open until now is `left`, and the rest is `closing`. */
export function letGo(sockets: readonly WebSocket[], tally: Tally): void {
  for (const socket of sockets) {
    if (socket.readyState !== socket.CLOSED) tally.count(socket.readyState === socket.OPEN ? 'left' : 'closing');
    socket.removeAllListeners('close');
    socket.terminate();
  }
}
