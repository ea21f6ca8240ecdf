/** WebSocket frames by hand: what a client sends, made beforehand; what a server sends, looked at without copying. */

/** Any key is as good as another [RFC 6455, 5.3]: one that is not zero makes the server unmask. */
const KEY = [0x5a, 0xc3, 0x17, 0x9e] as const;
/** Where a number goes, in the text of a template. */
export const NUMBER = '00000000';

/** A masked frame of a client. */
function masked(opcode: number, payload: Buffer): { bytes: Buffer; from: number } {
  const isLong = payload.length > 125;
  const from = isLong ? 8 : 6;
  const bytes = Buffer.alloc(from + payload.length);
  bytes[0] = 0x80 | opcode;
  bytes[1] = 0x80 | (isLong ? 126 : payload.length);
  if (isLong) bytes.writeUInt16BE(payload.length, 2);
  for (const [index, byte] of KEY.entries()) bytes[from - 4 + index] = byte;
  for (const [index, byte] of payload.entries()) bytes[from + index] = byte ^ (KEY[index % 4] ?? 0);
  return { bytes, from };
}

export const textFrame = (text: string): Buffer => masked(1, Buffer.from(text)).bytes;
export const pongFrame = (payload: Buffer): Buffer => masked(10, payload).bytes;

/** A frame that is encoded once, and differs from send to send in one number of eight digits. */
export class Template {
  readonly #bytes: Buffer;
  /** Where the number's digits are in the payload, and where the payload begins. */
  readonly #places: readonly number[];
  readonly #from: number;

  constructor(text: string) {
    const { bytes, from } = masked(1, Buffer.from(text));
    this.#bytes = bytes;
    this.#from = from;
    this.#places = [...text.matchAll(new RegExp(NUMBER, 'g'))].map(({ index }) => index);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** Writes the frame with a number into `target`. @returns where the next may begin */
  write(target: Buffer, at: number, number: number): number {
    this.#bytes.copy(target, at);
    for (const place of this.#places) {
      let rest = number;
      for (let digit = place + NUMBER.length - 1; digit >= place; digit -= 1) {
        target[at + this.#from + digit] = (48 + (rest % 10)) ^ (KEY[digit & 3] ?? 0);
        rest = Math.floor(rest / 10);
      }
    }
    return at + this.#bytes.length;
  }
}

/**
 * Calls `take` for each whole frame of a server: where its payload begins and ends.
 * @returns how many bytes were whole frames
 */
export function scan(bytes: Buffer, take: (opcode: number, start: number, end: number) => void): number {
  let at = 0;
  while (at + 2 <= bytes.length) {
    const first = bytes[at] ?? 0;
    let length = bytes[at + 1] ?? 0;
    let start = at + 2;
    if (length === 126) {
      if (start + 2 > bytes.length) break;
      length = bytes.readUInt16BE(start);
      start += 2;
    } else if (length === 127) {
      if (start + 8 > bytes.length) break;
      length = Number(bytes.readBigUInt64BE(start));
      start += 8;
    }
    if (start + length > bytes.length) break;
    take(first & 0x0f, start, start + length);
    at = start + length;
  }
  return at;
}
