/** An export that was broken off: how far it had come. */
import { createReadStream } from 'node:fs';
import { type Counts, type Place, placeOf } from '../journal/export.ts';

export interface Begun {
  /** The line behind which it goes on; undefined: it begins. */
  readonly after?: Place;
  /** Lines up to there, by kind. */
  readonly counts: Counts;
  /** Bytes up to there. */
  readonly size: number;
}

export const NOTHING: Begun = { counts: {}, size: 0 };

/** @throws where it is no export, or another dealer's */
export async function begunIn(file: string, dealerId: string): Promise<Begun> {
  const counts: Record<string, number> = {};
  let size = 0;
  let last = '';
  for await (const line of wholeLines(file)) {
    const kind = kindOf(line);
    if (size === 0 && !(kind === 'dealer' && JSON.parse(String(line)).dealerId === dealerId)) {
      throw new Error(`${file} is no export of ${dealerId}: remove it, and leave --resume out`);
    }
    if (kind === 'end') break;
    if (kind !== 'dealer') counts[kind] = (counts[kind] ?? 0) + 1;
    size += line.length;
    last = String(line);
  }
  const after = last === '' ? null : placeOf(JSON.parse(last));
  return after ? { after, counts, size } : NOTHING;
}

/** The kind of a line, which is its first field: what follows need not be read. */
const kindOf = (line: Buffer): string => /^\{"kind":"(\w+)"/.exec(line.toString('latin1', 0, 64))?.[1] ?? '';

/** The lines of a file that have an end. */
async function* wholeLines(file: string): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(file)) {
    const text = Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      yield text.subarray(from, end + 1);
      from = end + 1;
    }
    rest = text.subarray(from);
  }
}
