/** An export that was broken off: how far it had come. */
import { createReadStream } from 'node:fs';
import { type Counts, isListed, type Place, placeOf } from '../journal/export.ts';

export interface Begun {
  /** The line behind which it goes on; undefined: it begins. */
  readonly after?: Place;
  /** Lines up to there, by kind. */
  readonly counts: Counts;
  /** Bytes up to there. */
  readonly size: number;
}

export const NOTHING: Begun = { counts: {}, size: 0 };

/** @throws where it is no export, another dealer's, or damaged */
export async function begunIn(file: string, dealerId: string): Promise<Begun> {
  const refused = (why: string) => new Error(`${file} is ${why}: remove it, and leave --resume out`);
  const damaged = (number: number) => refused(`damaged at line ${number}`);
  const counts: Record<string, number> = {};
  let [number, size, last] = [0, 0, ''];
  for await (const line of wholeLines(file)) {
    const kind = kindOf(line);
    if (number === 0 && !(kind === 'dealer' && fieldsOf(line)?.dealerId === dealerId))
      throw refused(`no export of ${dealerId}`);
    if (kind === 'end') break;
    number += 1;
    size += line.length;
    last = String(line);
    if (number === 1) continue;
    if (!isListed(kind)) throw damaged(number);
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  if (number < 2) return NOTHING;
  const after = placeOf(fieldsOf(last) ?? {});
  if (!after) throw damaged(number);
  return { after, counts, size };
}

/** Fields of a line; null: it is not whole. */
function fieldsOf(line: Buffer | string): Record<string, unknown> | null {
  try {
    return JSON.parse(String(line));
  } catch {
    return null;
  }
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
