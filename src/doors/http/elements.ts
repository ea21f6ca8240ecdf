import { refused } from '../../../schemas/errors.ts';

const byteOf = (character: string): number => character.charCodeAt(0);
const [QUOTE, BACKSLASH, COMMA] = [byteOf('"'), byteOf('\\'), byteOf(',')];
/** Mark with which some programs begin a text of UTF-8. */
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** Which bytes are space, and how much deeper each leads. */
const IS_SPACE = new Uint8Array(256);
for (const space of ' \t\r\n') IS_SPACE[byteOf(space)] = 1;
const DEEPER = new Int8Array(256);
for (const open of '[{') DEEPER[byteOf(open)] = 1;
for (const close of ']}') DEEPER[byteOf(close)] = -1;

export const notJson = () => refused('invalid_payload', 'the body is not JSON');

/**
 * The texts of a JSON array's elements, one by one; of anything else, its own. None is parsed here: who has parsed each
 * without a fault has parsed the array.
 * @throws RefusedError `invalid_payload` where the array has no end, or more behind it
 */
export function* elementsOf(body: Buffer): Generator<Buffer> {
  const hasMark = body.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
  const open = afterSpaces(body, hasMark ? BYTE_ORDER_MARK.length : 0);
  if (body[open] !== byteOf('[')) {
    yield body.subarray(open);
    return;
  }
  let start = open + 1;
  let end = endOfElement(body, start);
  if (body[end] === COMMA || afterSpaces(body, start) < end) yield body.subarray(start, end);
  while (body[end] === COMMA) {
    start = end + 1;
    end = endOfElement(body, start);
    yield body.subarray(start, end);
  }
  if (end === body.length || afterSpaces(body, end + 1) < body.length) throw notJson();
}

function afterSpaces(body: Buffer, from: number): number {
  let at = from;
  while (IS_SPACE[body[at] ?? 0] === 1) at += 1;
  return at;
}

/** Where the array's next comma or its end is; the body's end where there is neither. */
function endOfElement(body: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; at < body.length; at += 1) {
    const byte = body[at] ?? 0;
    const deeper = DEEPER[byte] ?? 0;
    if (depth + deeper < 0 || (depth === 0 && byte === COMMA)) return at;
    depth += deeper;
    if (byte === QUOTE) at = endOfString(body, at);
  }
  return body.length;
}

/** Where the string ends that begins at a quote: at the next that is not escaped. */
function endOfString(body: Buffer, from: number): number {
  let at = from + 1;
  while (at < body.length && body[at] !== QUOTE) at += body[at] === BACKSLASH ? 2 : 1;
  return at;
}
