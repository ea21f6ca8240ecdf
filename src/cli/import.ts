/** `telle import`: takes what another system, or another Telle, has kept. Nobody is told. */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { type Settings, shownDatabase } from '../../schemas/settings.ts';
import { shownUrl } from '../../schemas/urls.ts';
import { rowsElsewhere } from '../app.ts';
import { lineOf, queryOf, TABLES, THERE } from '../dialects/telle2019/tables.ts';
import { type OwnLine, ownLineOf, ReadingBack } from '../journal/reading-back.ts';
import { commandOf, reasonOf, recallAll, timeOf, type Verdict } from '../journal/recalling.ts';
import { isJsonObject } from '../protocol/checker.ts';
import type { Store } from '../store/store.ts';
import { openDatabase } from './database.ts';
import { type FileLine, linesOf, withStdin } from './lines.ts';
import { missing, mustExist } from './must-exist.ts';
import { progressBar } from './progress.ts';
import { reasonOf as whyOf } from './reason.ts';
import { Rejects } from './rejects.ts';
import { readSecrets } from './secrets.ts';
import { readAs } from './settings.ts';
import { UsageError } from './usage-error.ts';

export interface ImportRequest {
  readonly dryRun?: boolean;
  readonly rejected?: string;
  /** The system whose own tables are read: the file is their URL. */
  readonly from?: string;
}

/** Advice where there is no database yet. */
const MAKE = ', or make it with telle migrate';
/** Lines of one transaction. */
const AT_ONCE = 1000;

/** An import under way, and what has come of it. */
interface Run {
  readonly store: Store;
  readonly rejects: Rejects;
  readonly isTrial: boolean;
  readonly now: number;
  taken: number;
  repeated: number;
  /** Dealers whose export has no last line. */
  readonly cut: string[];
}

export async function importFile(settings: Settings, file: string, request: ImportRequest): Promise<void> {
  if (request.from !== undefined) return importTables(settings, file, request);
  if (file !== '-' && !existsSync(file)) throw new UsageError(missing(file));
  if (file !== '-' && statSync(file).isDirectory()) throw new UsageError(`${file} is a folder: name a file`);
  mustExist(settings, MAKE);
  const rejects = request.rejected ?? (file === '-' ? 'telle-import.rejected.ndjson' : `${file}.rejected.ndjson`);
  await withRun(settings, { rejects, isTrial: request.dryRun ?? false }, (run) =>
    file === '-' ? withStdin((copy) => read(run, copy)) : read(run, file),
  );
}

async function importTables(settings: Settings, from: string, request: ImportRequest): Promise<void> {
  const url = databaseOf(from);
  mustExist(settings, MAKE);
  const rejects = request.rejected ?? `${request.from}.rejected.ndjson`;
  await withRun(settings, { rejects, isTrial: request.dryRun ?? false }, async (run) => {
    const bar = progressBar('rows');
    try {
      const there = await tablesIn(url);
      for await (const rows of rowsElsewhere(url, queryOf(there))) {
        await keepCommands(run, rows.map(lineOf));
        bar.add(rows.length);
      }
    } finally {
      bar.end();
    }
  });
}

/** @throws UsageError where it is no Postgres */
function databaseOf(url: string): string {
  const { DATABASE_URL } = readAs('<file>', url);
  if (DATABASE_URL.startsWith('postgres')) return DATABASE_URL;
  throw new UsageError('with --from, <file> must be postgres://<user>:<password>@<host>/<database>');
}

/** @throws UsageError where it has none of them; an error in a sentence where it does not answer */
async function tablesIn(url: string): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const rows of rowsElsewhere(url, THERE)) found.push(...rows.map(({ name }) => String(name)));
  } catch (cause) {
    throw new Error(`${shownUrl(url)} does not answer: ${whyOf(cause)}`, { cause });
  }
  if (found.length > 0) return found;
  throw new UsageError(`${shownUrl(url)} has none of ${Object.keys(TABLES).join(', ')}`);
}

/** Opens the database for an import, and says in the end what came of it. */
async function withRun(
  settings: Settings,
  { rejects, isTrial }: { rejects: string; isTrial: boolean },
  use: (run: Run) => Promise<void>,
): Promise<void> {
  const secrets = settings.AUTH_SECRET === undefined ? [] : readSecrets(settings);
  const store = openDatabase(settings, { secrets, alone: true });
  const run: Run = {
    store,
    rejects: new Rejects(rejects),
    isTrial,
    now: await store.now(),
    taken: 0,
    repeated: 0,
    cut: [],
  };
  try {
    if ((await store.pendingMigrations()) > 0)
      throw new UsageError(`${shownDatabase(settings)} is of an older version: bring it up to date with telle migrate`);
    await use(run);
  } finally {
    run.rejects.close();
    await store.close();
  }
  report(run);
}

function report({ taken, repeated, rejects, cut, isTrial }: Run): void {
  const would = isTrial ? ' would be' : '';
  const refused = rejects.count === 0 ? '' : `, with the reason in ${rejects.file}`;
  process.stdout.write(
    `${taken}${would} taken, ${repeated} are there already, ${rejects.count} not understood${refused}\n`,
  );
  for (const dealer of cut) process.stderr.write(`telle: the export of ${dealer} has no last line: it was cut off\n`);
  if (rejects.count > 0 || cut.length > 0) process.exitCode = 1;
}

/** Lines of older systems, and where each is in the file. */
interface Past {
  readonly times: number[];
  readonly lines: Omit<FileLine, 'text'>[];
}

/** A line, understood as far as it says what it is: one of an export, or when it was. */
type Seen = { readonly own: OwnLine } | { readonly at: number };

/** An export is kept as it is read; what older systems say, in the order of its times. */
async function read(run: Run, file: string): Promise<void> {
  const past: Past = { times: [], lines: [] };
  const own = new Exports(run);
  const bar = progressBar('lines read');
  try {
    for await (const line of linesOf(file)) {
      bar.add(1);
      const seen = understood(run, line, (value): Seen => {
        return 'kind' in value ? { own: ownLineOf(value) } : { at: timeOf(value, run.now) };
      });
      if (seen === null) continue;
      if ('own' in seen) await own.add(line, seen.own);
      else {
        past.times.push(seen.at);
        past.lines.push({ number: line.number, offset: line.offset, bytes: line.bytes });
      }
    }
    await own.end();
  } finally {
    bar.end();
  }
  await keepPast(run, file, past);
}

/** A line, by its number, or what else it is called. */
type Text = Pick<FileLine, 'text'> & { readonly number: number | string };

/** Makes something of a line. @returns null where that cannot be, which is told */
function understood<T>(
  { rejects }: Run,
  { number, text }: Text,
  make: (value: Record<string, unknown>) => T,
): T | null {
  try {
    const value: unknown = JSON.parse(text);
    if (!isJsonObject(value)) throw new Error('it is no JSON object');
    return make(value);
  } catch (fault) {
    rejects.add(number, reasonOf(fault), text);
    return null;
  }
}

/** Counts what became of lines. */
function tell(
  run: Run,
  lines: readonly { number: number | string; text: string }[],
  verdicts: readonly Verdict[],
): void {
  for (const [index, verdict] of verdicts.entries()) {
    const line = lines[index];
    if (verdict === 'taken') run.taken += 1;
    else if (verdict === 'repeated') run.repeated += 1;
    else if (line) run.rejects.add(line.number, verdict.reason, line.text);
  }
}

/** The exports in a file, one dealer's after another's. */
class Exports {
  readonly #run: Run;
  #reading: ReadingBack | null = null;
  #waiting: { readonly line: Text; readonly own: OwnLine }[] = [];

  constructor(run: Run) {
    this.#run = run;
  }

  async add({ number, text }: Text, own: OwnLine): Promise<void> {
    const line = { number, text };
    if (own.kind === 'dealer') {
      await this.end();
      const { store, isTrial } = this.#run;
      const { reading, verdict } = await ReadingBack.begin(store, own.row, isTrial);
      this.#reading = reading;
      tell(this.#run, [line], [verdict]);
    } else if (this.#reading === null) tell(this.#run, [line], [{ reason: 'no line of a dealer comes before it' }]);
    else {
      this.#waiting.push({ line, own });
      if (this.#waiting.length === AT_ONCE) await this.#keep(this.#reading);
    }
  }

  async #keep(reading: ReadingBack): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    const verdicts = await reading.keep(waiting.map(({ own }) => own));
    tell(
      this.#run,
      waiting.map(({ line }) => line),
      verdicts,
    );
  }

  /** No more of this dealer comes. */
  async end(): Promise<void> {
    if (this.#reading === null) return;
    await this.#keep(this.#reading);
    if (!this.#reading.isWhole) this.#run.cut.push(this.#reading.dealerId);
    this.#reading = null;
  }
}

async function keepPast(run: Run, file: string, { times, lines }: Past): Promise<void> {
  const order = Uint32Array.from(lines.keys());
  order.sort((one, other) => (times[one] ?? 0) - (times[other] ?? 0) || one - other);
  const bar = progressBar('events', order.length);
  const handle = openSync(file, 'r');
  try {
    for (let from = 0; from < order.length; from += AT_ONCE) {
      const part = [...order.subarray(from, from + AT_ONCE)].flatMap((index) => lines[index] ?? []);
      await keepCommands(
        run,
        part.map((line) => ({ number: line.number, text: textAt(handle, line) })),
      );
      bar.add(part.length);
    }
  } finally {
    closeSync(handle);
    bar.end();
  }
}

function textAt(handle: number, { offset, bytes }: Omit<FileLine, 'text'>): string {
  const buffer = Buffer.allocUnsafe(bytes);
  readSync(handle, buffer, 0, bytes, offset);
  return buffer.toString('utf8');
}

/** Keeps lines of the past, in their order. */
async function keepCommands(run: Run, lines: readonly Text[]): Promise<void> {
  const { store, now, isTrial } = run;
  const good = lines.flatMap((line) => {
    const command = understood(run, line, (value) => commandOf(value, now));
    return command === null ? [] : [{ line, command }];
  });
  const verdicts = await recallAll(
    store,
    good.map(({ command }) => command),
    now,
    isTrial,
  );
  tell(
    run,
    good.map(({ line }) => line),
    verdicts,
  );
}
