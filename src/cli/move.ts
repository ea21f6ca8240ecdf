import { existsSync, realpathSync } from 'node:fs';
import { MEMORY, type Settings, shownDatabase, sqliteFile } from '../../schemas/settings.ts';
import { openSource, openTarget } from '../app.ts';
import { compareAll, copyAll, type Held, type Moved, type Source, type Target } from '../store/moving.ts';
import { ServedError, UnfitError } from '../store/store.ts';
import { mustExist } from './must-exist.ts';
import { progressBar } from './progress.ts';
import { reasonOf } from './reason.ts';
import { readAs } from './settings.ts';
import { UsageError } from './usage-error.ts';
import { warnOnStderr } from './warning.ts';

/** `telle move`: copies all of a database to another, which until the last step holds nothing, and compares the two. */
export async function move(settings: Settings, to: string): Promise<void> {
  mustExist(settings);
  const there = settingsTo(settings, to);
  const source = await held(SOURCE, settings, openSource);
  try {
    const target = await held(TARGET, there, openTarget);
    try {
      const moved = await carried(source, target);
      process.stdout.write(`${reportOn(moved, settings, there).join('\n')}\n`);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** Words for a fault of either: its flag or setting, and what cannot be done. */
const SOURCE = { name: 'DATABASE_URL', fails: 'cannot be moved' };
const TARGET = { name: '--to', fails: 'cannot be moved to' };

/** @throws UsageError where it is no database that can be moved to */
function settingsTo(settings: Settings, to: string): Settings {
  const there = { ...settings, DATABASE_URL: readAs('--to', to).DATABASE_URL };
  if (sqliteFile(there) === MEMORY) throw new UsageError(`--to is "${to}", which would be gone at once: name a file`);
  if (isSame(settings, there)) throw new UsageError('--to is the DATABASE_URL: name another');
  return there;
}

/** Tells, of files also by another name, whether two are one database. */
function isSame(one: Settings, other: Settings): boolean {
  const [file, there] = [sqliteFile(one), sqliteFile(other)];
  if (file === null || there === null || !existsSync(there)) return one.DATABASE_URL === other.DATABASE_URL;
  return realpathSync(file) === realpathSync(there);
}

/** @throws UsageError where somebody serves it, or it is not as it must be; any other error in a sentence */
async function held<T extends Held>(
  { name, fails }: typeof SOURCE,
  settings: Settings,
  open: (settings: Settings) => Promise<T>,
): Promise<T> {
  try {
    return await open(settings);
  } catch (cause) {
    const shown = `${name} is "${shownDatabase(settings)}", which`;
    if (cause instanceof UnfitError) throw new UsageError(`${shown} ${cause.message}`, { cause });
    const sentence = `${shown} ${fails}: ${reasonOf(cause)}`;
    throw cause instanceof ServedError ? new UsageError(sentence, { cause }) : new Error(sentence, { cause });
  }
}

async function carried(source: Source, target: Target): Promise<readonly Moved[]> {
  let total = 0;
  for (const table of source.tables) total += await source.count(table);
  const moved = await watched('rows copied', total, (watch) => copyAll(source, target, watch));
  await watched('rows compared', total, (watch) => compareAll(moved, target, watch));
  for (const each of [source, target]) await each.assertUnserved();
  await target.keep(source.epoch, warnOnStderr);
  return moved;
}

async function watched<T>(
  unit: string,
  total: number,
  work: (watch: (rows: number) => void) => Promise<T>,
): Promise<T> {
  const bar = progressBar(unit, total);
  try {
    return await work(bar.add);
  } finally {
    bar.end();
  }
}

function reportOn(moved: readonly Moved[], from: Settings, to: Settings): string[] {
  const [name, rows] = [
    Math.max(...moved.map((each) => each.name.length)),
    Math.max(...moved.map((each) => String(each.rows).length)),
  ];
  return [
    `Copied all of ${shownDatabase(from)} to ${shownDatabase(to)}; ${shownDatabase(from)} is unchanged. Rows and checksums, equal in both:`,
    ...moved.map((each) => `  ${each.name.padEnd(name)}  ${String(each.rows).padStart(rows)}  ${each.checksum}`),
    `Now set DATABASE_URL to it, keep AUTH_SECRET as it is (or copy telle.secret), and start the server. Start none on`,
    `${shownDatabase(from)} any more: what is said from now on would be missing there. Keep it until you are sure.`,
  ];
}
