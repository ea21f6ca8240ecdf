import { createWriteStream, existsSync } from 'node:fs';
import { rename, rm, truncate } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Settings } from '../../schemas/settings.ts';
import { recordCommand } from '../journal/audit.ts';
import { exportOf, type Lines } from '../journal/export.ts';
import { exportOfGroup } from '../journal/export-group.ts';
import { PRIVATE } from '../private-file.ts';
import type { Store } from '../store/store.ts';
import { type Begun, begunIn, NOTHING } from './begun-export.ts';
import { openDatabase } from './database.ts';
import { mustExist } from './must-exist.ts';
import { progressBar } from './progress.ts';
import { reasonOf } from './reason.ts';
import { UsageError } from './usage-error.ts';

export interface ExportRequest {
  readonly dealer: string;
  readonly group?: string;
  readonly output?: string;
  readonly resume?: boolean;
}

/** `telle export`: writes everything of a dealer, or of one of its customers, as NDJSON, to a file or to stdout. */
export async function exportDealer(
  settings: Settings,
  { dealer, group, output, resume = false }: ExportRequest,
): Promise<void> {
  if (resume && group !== undefined)
    throw new UsageError('--resume goes on with an export of a dealer: leave --group or it out');
  const begun = resume ? await begunBefore(dealer, output) : NOTHING;
  mustExist(settings);
  const store = openDatabase(settings);
  try {
    const lines = await linesOf(store, dealer, group, begun);
    await recordCommand(store, 'telle export', { dealerId: dealer, action: 'export' }).catch(() =>
      process.stderr.write('telle: the audit has nothing of this export: the database cannot be written to\n'),
    );
    const size = group === undefined ? await store.logSize(dealer) : undefined;
    const texts = Readable.from(watched(lines, begun.counts.event ?? 0, size), { objectMode: false });
    if (output === undefined) await pipeline(texts, process.stdout, { end: false });
    else await writeWhole(texts, output, begun);
  } finally {
    await store.close();
  }
}

/** @throws where there is no such dealer, or no such customer of it */
async function linesOf(store: Store, dealer: string, group: string | undefined, begun: Begun) {
  const lines = await (group === undefined ? exportOf(store, dealer, begun) : exportOfGroup(store, dealer, group));
  if (!lines)
    throw new Error(group === undefined ? `there is no dealer ${dealer}` : `${dealer} has no conversation ${group}`);
  return lines;
}

/** Name of the file that is written until all of it is there. */
const partOf = (file: string): string => `${file}.part`;

function begunBefore(dealer: string, output: string | undefined): Promise<Begun> {
  if (output === undefined) throw new UsageError('--resume goes on with a file: name it with --output');
  const part = partOf(output);
  if (!existsSync(part)) throw new Error(`there is no ${part} to go on with: leave --resume out`);
  return begunIn(part, dealer);
}

/** A file of that name is there only when all of it is. It is its owner's alone: everything of a dealer's customers is in it. */
async function writeWhole(texts: Readable, file: string, { size }: Begun): Promise<void> {
  const part = partOf(file);
  if (size === 0) await rm(part, { force: true });
  else await truncate(part, size);
  const written = size === 0 ? { mode: PRIVATE, flags: 'wx' } : { flags: 'r+', start: size };
  try {
    await pipeline(texts, createWriteStream(part, written));
    await rename(part, file);
  } catch (fault) {
    if (!existsSync(part)) throw fault;
    throw new Error(`${reasonOf(fault)}: ${part} has what was written, and --resume goes on with it`, { cause: fault });
  }
}

async function* watched(lines: AsyncIterable<Lines>, done: number, total: number | undefined) {
  const bar = progressBar('events', total);
  bar.add(done);
  try {
    for await (const { text, events } of lines) {
      yield text;
      bar.add(events);
    }
  } finally {
    bar.end();
  }
}
