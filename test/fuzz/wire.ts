/** A client of WebSocket's raw bytes [RFC 6455], which may say what no client should. */
import { isUtf8 } from 'node:buffer';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Dice } from '../support/chance.ts';
import { ECHOED } from './oracle.ts';

const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

interface Bits {
  readonly opcode?: number;
  readonly isLast?: boolean;
  /** RSV1 to RSV3, which nothing here has agreed on. */
  readonly reserved?: number;
  readonly isMasked?: boolean;
  /** The length that it says it has. */
  readonly length?: number;
}

/** The longest frame that the server takes [P-2.5]. */
const MAX_FRAME = 16_384;

const MASK = Buffer.from([0x12, 0x34, 0x56, 0x78]);

/** One frame's bytes [RFC 6455, 5.2]. */
export function frame(
  payload: Buffer,
  { opcode = 1, isLast = true, reserved = 0, isMasked = true, length }: Bits = {},
) {
  const size = length ?? payload.length;
  const head = Buffer.alloc(size < 126 ? 2 : size < 65_536 ? 4 : 10);
  head[0] = (isLast ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = (isMasked ? 0x80 : 0) | (size < 126 ? size : size < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(size, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(size), 2);
  if (!isMasked) return Buffer.concat([head, payload]);
  const masked = Buffer.from(payload);
  for (let index = 0; index < masked.length; index += 1) masked[index] = (masked[index] ?? 0) ^ (MASK[index % 4] ?? 0);
  return Buffer.concat([head, MASK, masked]);
}

const { continuation, binary, close, ping, pong } = OPCODE;

/** In pieces of so many bytes, now and then with a ping between them. */
function inPieces(payload: Buffer, size: number, dice: Dice): Buffer {
  const pieces: Buffer[] = [];
  for (let from = 0; from === 0 || from < payload.length; from += size) {
    const isLast = from + size >= payload.length;
    pieces.push(frame(payload.subarray(from, from + size), { opcode: from === 0 ? 1 : continuation, isLast }));
    if (!isLast && dice.once(20)) pieces.push(frame(Buffer.from('between'), { opcode: dice.once(2) ? ping : pong }));
  }
  return Buffer.concat(pieces);
}

const closing = (code: number) => frame(Buffer.from([code >> 8, code & 0xff]), { opcode: close });

/** Ways to say a message that the protocol does not know. */
const WRONG: readonly ((payload: Buffer, dice: Dice) => Buffer)[] = [
  (payload) => frame(payload, { opcode: binary }),
  (payload) => frame(payload, { isMasked: false }),
  (payload, dice) => frame(payload, { reserved: 1 + dice.below(7) }),
  (payload, dice) => frame(payload, { opcode: dice.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) }),
  (payload) => frame(payload, { opcode: continuation }),
  (payload) => Buffer.concat([frame(payload, { isLast: false }), frame(payload)]),
  (payload) => frame(payload, { opcode: ping, isLast: false }),
  () => frame(Buffer.alloc(126), { opcode: ping }),
  () => frame(Buffer.from([0x03]), { opcode: close }),
  (_, dice) => closing(dice.pick([0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535, ECHOED])),
  () => frame(Buffer.from([0x03, 0xe8, 0xff, 0xfe]), { opcode: close }),
  (payload) => frame(payload, { length: 2 ** 53 }),
  (payload) => frame(payload, { length: 16_385 }),
  () => frame(Buffer.alloc(16_385, 0x78)),
];

/** What leaves the server waiting for the rest of a frame: whatever is said behind it is taken for that. */
const UNFINISHED: readonly ((payload: Buffer, dice: Dice) => Buffer)[] = [
  (payload) => frame(payload.subarray(0, 10), { length: 100 }),
  (payload, dice) => frame(payload).subarray(0, 1 + dice.below(payload.length + 5)),
  (payload) => frame(payload, { isLast: false }),
  (_, dice) => Buffer.from(Array.from({ length: 1 + dice.below(200) }, () => dice.below(256))),
];

/** A message's bytes, and what must come of them: `more` can be said behind it, or the server closes, or waits for its rest. */
export interface OnTheWire {
  readonly bytes: Buffer;
  readonly after: 'more' | 'close' | 'rest';
}

/** A message on the wire, mostly as it should be. */
export function onTheWire(payload: Buffer, dice: Dice): OnTheWire {
  const turn = dice.below(160);
  if (turn === 0) return { bytes: dice.pick(UNFINISHED)(payload, dice), after: 'rest' };
  if (turn < 9) return { bytes: dice.pick(WRONG)(payload, dice), after: 'close' };
  const inCrumbs = turn >= 155;
  const said = inCrumbs ? payload.subarray(0, 900) : payload;
  const bytes = turn < 140 ? frame(said) : inPieces(said, inCrumbs ? 1 : 1 + dice.below(50), dice);
  return { bytes, after: isUtf8(said) && said.length <= MAX_FRAME ? 'more' : 'close' };
}

/** How long a server may be silent, in ms, before it hangs. */
const PATIENCE = 20_000;

/** A connection that was upgraded. */
export class Wire {
  readonly #socket: Socket;
  #buffer = Buffer.alloc(0);
  #pongs = 0;
  #wake = () => {};
  /** The texts that came and were not taken yet. */
  texts: string[] = [];
  /** The code with which it was closed; null while it is open, 1006 where there was none. */
  code: number | null = null;
  isOpen = true;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isOpen = false;
      this.code ??= 1006;
      this.#wake();
    });
  }

  static async open(at: string): Promise<Wire> {
    const [host = '', port] = at.split(':');
    const socket = connect({ host, port: Number(port) });
    const wire = new Wire(socket);
    await once(socket, 'connect');
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: ${at}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    let answer = Buffer.alloc(0);
    while (!answer.includes('\r\n\r\n')) {
      const [data] = await once(socket, 'data');
      answer = Buffer.concat([answer, data]);
    }
    if (!answer.toString('latin1').startsWith('HTTP/1.1 101 ')) throw new Error(`not upgraded: ${answer}`);
    wire.#take(answer.subarray(answer.indexOf('\r\n\r\n') + 4));
    socket.on('data', (data) => wire.#take(data));
    return wire;
  }

  /** The server's frames: whole, and not masked. */
  #take(data: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, data]);
    for (;;) {
      const [first, second] = this.#buffer;
      if (first === undefined || second === undefined) break;
      const short = second & 0x7f;
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (this.#buffer.length < head) break;
      const size =
        short < 126 ? short : short === 126 ? this.#buffer.readUInt16BE(2) : Number(this.#buffer.readBigUInt64BE(2));
      if (this.#buffer.length < head + size) break;
      const payload = this.#buffer.subarray(head, head + size);
      this.#buffer = this.#buffer.subarray(head + size);
      const opcode = first & 0x0f;
      if (opcode === OPCODE.text) this.texts.push(payload.toString());
      else if (opcode === pong) this.#pongs += 1;
      else if (opcode === close) this.#closed(payload);
    }
    this.#wake();
  }

  #closed(payload: Buffer): void {
    this.isOpen = false;
    this.code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    this.#socket.end();
  }

  write(bytes: Buffer): void {
    if (this.isOpen) this.#socket.write(bytes);
  }

  /** Resolves when all that was written has been read by the server, or the connection is closed. */
  async settled(): Promise<void> {
    const asked = this.#pongs + 1;
    this.write(frame(Buffer.from('settled?'), { opcode: ping }));
    await this.#until(() => this.#pongs >= asked, 'answer a ping');
  }

  /** Resolves when the server has closed. */
  async closed(): Promise<void> {
    await this.#until(() => false, 'close what breaks the protocol');
  }

  /** Resolves when something holds, or the connection is closed. */
  async #until(holds: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    while (this.isOpen && !holds()) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`the server does not ${what}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  end(): void {
    this.#socket.destroy();
  }
}
