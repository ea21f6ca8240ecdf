/** Lines of a file of NDJSON, and where each is, so that it can be read again. */
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PRIVATE } from '../private-file.ts';

export interface FileLine {
  readonly number: number;
  readonly text: string;
  readonly offset: number;
  readonly bytes: number;
}

const NEWLINE = 10;
const CHUNK = 1024 * 1024;

/** All lines of a file that are not blank. */
export async function* linesOf(file: string): AsyncGenerator<FileLine> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  let number = 0;
  const lineOf = (bytes: Buffer): FileLine => {
    number += 1;
    const line = { number, text: bytes.toString('utf8'), offset, bytes: bytes.length };
    offset += bytes.length + 1;
    return line;
  };
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK })) {
    const all: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let begin = 0;
    for (let end = all.indexOf(NEWLINE); end !== -1; end = all.indexOf(NEWLINE, begin)) {
      const line = lineOf(all.subarray(begin, end));
      if (line.text.trim() !== '') yield line;
      begin = end + 1;
    }
    rest = all.subarray(begin);
  }
  const last = lineOf(rest);
  if (last.text.trim() !== '') yield last;
}

/** Lends a file with all of stdin, which can be read but once: its owner's alone, and gone afterwards. */
export async function withStdin<T>(use: (file: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'telle-import-'));
  try {
    const file = join(folder, 'stdin.ndjson');
    await pipeline(process.stdin, createWriteStream(file, { mode: PRIVATE, flags: 'wx' }));
    return await use(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
