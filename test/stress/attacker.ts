/** One who means harm, in a process of its own: floods a server from one address, or many, and tells what became of it. */
import { connect, type Socket } from 'node:net';
import { constants, setPriority } from 'node:os';
import { WebSocket } from 'ws';

/** What it is told to do. */
export interface Attack {
  readonly kind: keyof typeof ATTACKS;
  /** `host:port` */
  readonly at: string;
  /** Whose customers they say they are. */
  readonly dealerId: string;
  /** Addresses of this machine's own that it comes from. */
  readonly from: readonly string[];
  /** How many tries, and how many a second. */
  readonly count: number;
  readonly perSecond: number;
  /** After how long it lets go of everything that is left, in ms. */
  readonly hold: number;
}

/** How often each end came: a close code, an HTTP status, an error's code, `cut` by the server, or `left` for what lasted. */
export type Ends = Readonly<Record<string, number>>;

/** Starts one try. Resolves with its end; `letGo` ends what lasts. */
type Try = (attack: Attack, from: string, index: number, letGo: Promise<void>) => Promise<string>;

const text = (channel: string, payload: object): string => JSON.stringify({ channel, payload });

/** A WebSocket's end. `act` is done once it is open. */
function socketEnd(
  { at }: Attack,
  localAddress: string,
  letGo: Promise<void>,
  act: (socket: WebSocket, end: (how: string) => void) => void,
): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://${at}/ws`, { localAddress, perMessageDeflate: false });
    const end = (how: string) => {
      resolve(how);
      socket.terminate();
    };
    socket.on('unexpected-response', (_, response) => end(`http ${response.statusCode}`));
    socket.on('error', () => end('cut'));
    socket.on('close', (code) => end(code === 1006 ? 'cut' : String(code)));
    socket.on('open', () => act(socket, end));
    letGo.then(() => end('left'));
  });
}

/** A plain connection's end. */
function plainEnd(
  { at }: Attack,
  localAddress: string,
  letGo: Promise<void>,
  act: (socket: Socket) => void,
): Promise<string> {
  const [host = '', port] = at.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), localAddress }, () => act(socket));
    socket.resume();
    socket.on('error', () => {});
    socket.on('close', () => resolve('cut'));
    letGo.then(() => {
      resolve('left');
      socket.destroy();
    });
  });
}

/** Writes byte by byte, slowly, for as long as it can. */
function drip(socket: Socket, bytes: string): void {
  socket.write(bytes);
  const timer = setInterval(() => socket.write('x'), 100);
  socket.once('close', () => clearInterval(timer));
}

/** The error's code of an answer, or `joined`. */
const outcomeOf = (data: unknown): string | null => {
  const { channel, payload } = JSON.parse(String(data));
  if (channel === 'session') return 'joined';
  return channel === 'error' ? payload.code : null;
};

const BAD_TOKENS = ['', 'x', 'a.b.c', 'x'.repeat(5000), `${'eyJhbGciOiJub25lIn0'}.e30.`];

const strangers: Try = (attack, from, _, letGo) => socketEnd(attack, from, letGo, () => {});

const halfOpen: Try = (attack, from, index, letGo) =>
  plainEnd(attack, from, letGo, (socket) => {
    if (index % 3 === 1) drip(socket, 'GET /ws HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    if (index % 3 === 2) drip(socket, 'POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n');
  });

const badTokens: Try = (attack, from, index, letGo) =>
  socketEnd(attack, from, letGo, (socket, end) => {
    socket.on('message', (data) => end(outcomeOf(data) ?? 'other'));
    const token = BAD_TOKENS[index % BAD_TOKENS.length];
    socket.send(text('client_join', { type: 'CLIENT_JOIN', dealerId: attack.dealerId, groupId: 'g0', token }));
  });

const claims: Try = (attack, from, _, letGo) =>
  socketEnd(attack, from, letGo, (socket, end) => {
    socket.on('message', (data) => end(outcomeOf(data) ?? 'other'));
    socket.send(text('client_join', { type: 'CLIENT_JOIN', dealerId: attack.dealerId }));
  });

/** Frames as large as may be, one after the other, as fast as the network takes them. */
const bigFrames: Try = (attack, from, index, letGo) =>
  socketEnd(attack, from, letGo, (socket) => {
    const filling = 'x'.repeat(16_000);
    const frames = [
      text('ping', { filling }),
      text('customer_message', { type: 'UPDATE_MSG', message: filling }),
      `{"channel":"ping","payload":${'['.repeat(8000)}${']'.repeat(8000)}}`,
      'x'.repeat(16_385),
    ];
    const send = () => {
      if (socket.readyState === socket.OPEN) socket.send(frames[index % frames.length] ?? '', send);
    };
    send();
  });

/** Pings of the WebSocket protocol itself: one for each pong, or every second time without reading a pong. */
const pings: Try = (attack, from, index, letGo) =>
  socketEnd(attack, from, letGo, (socket) => {
    const filling = Buffer.alloc(125);
    if (index % 2 === 0) {
      socket.on('pong', () => socket.ping(filling));
      socket.ping(filling);
      return;
    }
    socket.pause();
    const send = () => {
      if (socket.readyState === socket.OPEN) socket.ping(filling, true, () => setImmediate(send));
    };
    send();
  });

const ATTACKS = { strangers, halfOpen, badTokens, claims, bigFrames, pings } as const satisfies Record<string, Try>;

async function attack(order: Attack): Promise<Ends> {
  const { kind, from, count, perSecond, hold } = order;
  let release = () => {};
  const letGo = new Promise<void>((resolve) => {
    release = resolve;
  });
  const began = performance.now();
  const tries: Promise<string>[] = [];
  while (tries.length < count) {
    const due = Math.min(count, ((performance.now() - began) / 1000) * perSecond);
    while (tries.length < due) {
      const index = tries.length;
      tries.push(ATTACKS[kind](order, from[index % from.length] ?? '', index, letGo));
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  setTimeout(release, hold);
  const ends: Record<string, number> = {};
  for (const end of await Promise.all(tries)) ends[end] = (ends[end] ?? 0) + 1;
  return ends;
}

// Its work is another machine's: it takes no time of the processor's that the servers have a use for.
setPriority(constants.priority.PRIORITY_LOW);
process.on('message', async (order: Attack) => process.send?.(await attack(order)));
process.on('disconnect', () => process.exit());
process.send?.('ready');
