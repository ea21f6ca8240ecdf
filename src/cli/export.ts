import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Settings } from '../../schemas/settings.ts';
import { recordCommand } from '../journal/audit.ts';
import { exportOf, type Lines } from '../journal/export.ts';
import { PRIVATE } from '../private-file.ts';
import type { Store } from '../store/store.ts';
import { openDatabase } from './database.ts';
import { mustExist } from './must-exist.ts';
import { progressBar } from './progress.ts';

export interface ExportRequest {
  readonly dealer: string;
  readonly output?: string;
}

/** `telle export`: writes everything of a dealer as NDJSON, to a file or to stdout. */
export async function exportDealer(settings: Settings, { dealer, output }: ExportRequest): Promise<void> {
  mustExist(settings);
  const store = openDatabase(settings);
  try {
    const lines = await exportOf(store, dealer);
    if (!lines) throw new Error(`there is no dealer ${dealer}`);
    await recordCommand(store, 'telle export', { dealerId: dealer, action: 'export' }).catch(() =>
      process.stderr.write('telle: the audit has nothing of this export: the database cannot be written to\n'),
    );
    const texts = Readable.from(watched(lines, await store.logSize(dealer)), { objectMode: false });
    if (output === undefined) await pipeline(texts, process.stdout, { end: false });
    else await writeWhole(texts, output);
  } finally {
    await store.close();
  }
}

/** A file of that name is there only when all of it is. It is its owner's alone: everything of a dealer's customers is in it. */
async function writeWhole(texts: Readable, file: string): Promise<void> {
  const part = `${file}.part`;
  await rm(part, { force: true });
  try {
    await pipeline(texts, createWriteStream(part, { mode: PRIVATE, flags: 'wx' }));
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

async function* watched(lines: AsyncIterable<Lines>, total: Awaited<ReturnType<Store['logSize']>>) {
  const bar = progressBar('events', total);
  try {
    for await (const { text, events } of lines) {
      yield text;
      bar.add(events);
    }
  } finally {
    bar.end();
  }
}
