/**
 * A WebSocket client of raw bytes: it sends whatever it is told, right or wrong, and says what came back. It knows no more
 * of the protocol than RFC 6455's picture of a frame (section 5.2).
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Inbox } from './until.ts';

export const OP = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

interface RawFrame {
  readonly fin: boolean;
  /** The three reserved bits, as a number. */
  readonly rsv: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

interface FrameOptions {
  readonly fin?: boolean;
  readonly rsv?: number;
  readonly opcode?: number;
  /** Null: the frame is not masked. */
  readonly mask?: Buffer | null;
  /** How the length is written, in bits; by default the shortest way. */
  readonly lengthBits?: 7 | 16 | 64;
  /** The length that is written, where it is not the payload's. */
  readonly length?: bigint;
}

function lengthField(length: bigint, bits: 7 | 16 | 64): { short: number; extended: Buffer } {
  if (bits === 7) return { short: Number(length), extended: Buffer.alloc(0) };
  const extended = Buffer.alloc(bits / 8);
  if (bits === 16) extended.writeUInt16BE(Number(length));
  else extended.writeBigUInt64BE(length);
  return { short: bits === 16 ? 126 : 127, extended };
}

const shortestBits = (length: bigint) => (length < 126n ? 7 : length < 65_536n ? 16 : 64);

/** A frame's bytes [RFC 6455, 5.2], as a client sends them unless said otherwise. */
export function frameBytes(
  given: string | Buffer,
  { fin = true, rsv = 0, opcode = OP.text, mask = randomBytes(4), lengthBits, length }: FrameOptions = {},
): Buffer {
  const payload = Buffer.from(given);
  const said = length ?? BigInt(payload.length);
  const { short, extended } = lengthField(said, lengthBits ?? shortestBits(said));
  const head = Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode, (mask ? 0x80 : 0) | short]);
  if (!mask) return Buffer.concat([head, extended, payload]);
  const masked = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([head, extended, mask, masked]);
}

/** The payload of a close frame. */
export const closePayload = (code: number, reason: string | Buffer = ''): Buffer => {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
};

/** Takes the first whole frame off some bytes. */
function readFrame(bytes: Buffer): { frame: RawFrame; rest: Buffer } | null {
  if (bytes.length < 2) return null;
  const [first = 0, second = 0] = bytes;
  const short = second & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const masked = (second & 0x80) !== 0;
  const start = 2 + extended + (masked ? 4 : 0);
  if (bytes.length < start) return null;
  const length = extended === 2 ? bytes.readUInt16BE(2) : extended === 8 ? Number(bytes.readBigUInt64BE(2)) : short;
  if (bytes.length < start + length) return null;
  const payload = bytes.subarray(start, start + length);
  const frame = { fin: (first & 0x80) !== 0, rsv: (first >> 4) & 7, opcode: first & 0xf, masked, payload };
  return { frame, rest: bytes.subarray(start + length) };
}

interface Handshake {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly socket: Socket;
  /** What came behind the answer's headers. */
  readonly rest: Buffer;
}

/** RFC 6455's own example [1.3]: this key is answered by this word. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/** The header lines that open a WebSocket. Null takes one away. */
const OPENING: Readonly<Record<string, string>> = {
  Host: 'telle.example',
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': KEY,
};

/** The text of an upgrade request, with other header lines in place of the usual, or beside them. */
export function openingText(lines: Readonly<Record<string, string | null>> = {}, start = 'GET /ws HTTP/1.1'): string {
  const headers = Object.entries({ ...OPENING, ...lines }).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}`],
  );
  return [start, ...headers, '', ''].join('\r\n');
}

/** Sends a request as it is, with any bytes behind it, and reads the answer's status and headers. */
export async function handshake(
  at: string,
  request: string | Buffer,
  behind: Buffer = Buffer.alloc(0),
): Promise<Handshake> {
  const [host = '', port] = at.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => {}); // a server may well hang up on what it is sent
  socket.write(Buffer.concat([Buffer.from(request), behind]));
  let bytes: Buffer = Buffer.alloc(0);
  const ended = once(socket, 'close');
  while (!bytes.includes('\r\n\r\n')) {
    const [more] = await Promise.race([once(socket, 'data'), ended]);
    if (!Buffer.isBuffer(more)) return { status: 0, headers: {}, socket, rest: bytes };
    bytes = Buffer.concat([bytes, more]);
  }
  socket.pause();
  const end = bytes.indexOf('\r\n\r\n');
  const [start = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  return { status: Number(start.split(' ')[1]), headers, socket, rest: bytes.subarray(end + 4) };
}

/** How a socket ended: the code of the server's close frame (1005: it had none, 1006: there was no such frame). */
export interface Ending {
  readonly code: number;
  readonly reason: string;
}

export class RawSocket {
  readonly socket: Socket;
  readonly frames = new Inbox<RawFrame>();
  /** Resolves when the server has hung up. */
  readonly ended: Promise<Ending>;
  #bytes: Buffer;

  constructor({ socket, rest }: Handshake) {
    this.socket = socket;
    this.#bytes = rest;
    this.ended = once(socket, 'close').then(() => this.#ending());
    socket.on('data', (more) => this.#read(Buffer.from(more)));
    this.#read(Buffer.alloc(0));
    socket.resume();
  }

  /** Opens a WebSocket; fails where the server does not. */
  static async open(
    at: string,
    lines: Readonly<Record<string, string | null>> = {},
    behind: Buffer = Buffer.alloc(0),
  ): Promise<RawSocket> {
    const answer = await handshake(at, openingText(lines), behind);
    if (answer.status !== 101) throw new Error(`the upgrade was answered by ${answer.status}`);
    return new RawSocket(answer);
  }

  #read(more: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, more]);
    for (let read = readFrame(this.#bytes); read; read = readFrame(this.#bytes)) {
      this.#bytes = read.rest;
      this.frames.put(read.frame);
    }
  }

  #ending(): Ending {
    const close = this.frames.items.find(({ opcode }) => opcode === OP.close);
    if (!close) return { code: 1006, reason: '' };
    if (close.payload.length < 2) return { code: 1005, reason: '' };
    return { code: close.payload.readUInt16BE(), reason: close.payload.subarray(2).toString() };
  }

  write(...bytes: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(bytes));
  }

  /** Sends bytes one by one, each in a packet of its own as far as the machine goes along. */
  async trickle(bytes: Buffer): Promise<void> {
    this.socket.setNoDelay(true);
    for (const byte of bytes) {
      await new Promise<void>((resolve) => this.socket.write(Buffer.from([byte]), () => resolve()));
    }
  }

  /** The payload of the first frame of an opcode that a function picks, once it has come. */
  async next(opcode: number, picks: (payload: string) => boolean = () => true): Promise<Buffer> {
    const [frame] = await this.frames.first(1, (each) => each.opcode === opcode && picks(each.payload.toString()));
    return frame?.payload ?? Buffer.alloc(0);
  }

  destroy(): void {
    this.socket.destroy();
  }
}
