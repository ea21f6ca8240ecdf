/** Moving an embedded database. What is written goes to a file beside its place, which it takes when it is whole. */
import { existsSync, realpathSync } from 'node:fs';
import Database from 'better-sqlite3';
import { MOVED, type MovedTable } from '../../../drizzle/moved.ts';
import { makeFolderOf, makePrivate } from '../../private-file.ts';
import { type Held, isLong, type MovedRow, paged, type Source, type Target } from '../moving.ts';
import { MINUTE } from '../sql.ts';
import { UnfitError } from '../store.ts';
import { loadSqlite } from './addon.ts';
import { beginEpoch, bringEpoch, epochOf } from './epoch.ts';
import { lock } from './lock.ts';
import { hadBy, migrateFile, pendingOf } from './migrating.ts';
import { makeWhole, removeParts, takePlace } from './restore.ts';

/** An event follows the last of its scope: the trigger notes it as the last. */
const PREVIOUS = `coalesce(case :scope
  when '@dealer' then (select dealer_position from dealers where dealer_id = :dealerId)
  when '@desk' then (select desk_position from dealers where dealer_id = :dealerId)
  else (select last_position from groups where dealer_id = :dealerId and group_id = :scope) end, 0)`;

/** Columns that the file has of its own, and their values. The driver hands numbers on as they come: as reals. */
const DERIVED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  groups: { updated_minute: `cast(:updatedAt as integer) / ${MINUTE}` },
  events: { previous: PREVIOUS },
};

/** Holds a file that is to be moved. @throws ServedError where a server has it; UnfitError where it cannot be moved as it is */
export function openSource(file: string): Source {
  loadSqlite();
  const held = lock(file);
  const client = new Database(file, { fileMustExist: true });
  const close = async () => {
    client.close();
    held.close();
  };
  try {
    client.exec('begin immediate'); // a command that would write is refused: it would be missing there
    assertReady(client);
    return { ...heldOf(client, close), epoch: epochOf(client) };
  } catch (fault) {
    void close();
    throw fault;
  }
}

function assertReady(client: Database.Database): void {
  if (hadBy(client).length === 0) throw new UnfitError("is no database of Telle's", 'name another');
  if (pendingOf(client).length > 0)
    throw new UnfitError('is of an older version', 'bring it up to date with telle migrate');
  const [erasing] = client.prepare('select 1 from erasing where group_id is not null limit 1').all();
  if (erasing) throw new UnfitError('has erasures that are not finished', 'finish them with telle prune');
}

const heldOf = (client: Database.Database, close: () => Promise<void>): Held => ({
  tables: MOVED,
  rows: (table) => pagesOf(client, table),
  count: async ({ name }) => Number(client.prepare(`select count(*) from ${name}`).pluck().get()),
  assertUnserved: async () => {}, // as long as the lock is held nobody can
  close,
});

async function* pagesOf(client: Database.Database, { name, columns, key }: MovedTable): AsyncGenerator<MovedRow[]> {
  const order = name === 'events' ? 'position' : key.join(', ');
  const listed = columns.map((column) => `"${column.name}" as "${column.property}"`);
  const booleans = columns.filter(({ kind }) => kind === 'boolean');
  const json = columns.filter(({ kind }) => kind === 'json');
  const long = columns.filter(isLong);
  const bytesOf = (row: MovedRow) =>
    long.reduce((sum, { property }) => sum + Buffer.byteLength(String(row[property] ?? '')), 0);
  const rows = client.prepare<[], Record<string, unknown>>(`select ${listed} from ${name} order by ${order}`).iterate();
  for (const page of paged(rows, bytesOf)) {
    for (const row of page) {
      for (const { property } of booleans) row[property] = row[property] === 1;
      for (const { property } of json) row[property] = JSON.parse(String(row[property]));
    }
    yield page;
  }
}

/** Holds the place of a file. @throws ServedError where a server has it; UnfitError where something is in it */
export function openTarget(file: string): Target {
  loadSqlite();
  makeFolderOf(file);
  const held = lock(file);
  const place = existsSync(file) ? realpathSync(file) : file;
  const part = `${place}.moving`;
  try {
    if (existsSync(place)) assertEmpty(place);
    removeParts(part);
    makePrivate(part);
    return targetAt({ place, part, held });
  } catch (fault) {
    removeParts(part);
    held.close();
    throw fault;
  }
}

function assertEmpty(place: string): void {
  const client = new Database(place, { readonly: true });
  try {
    const isForeign = hadBy(client).length === 0 && client.prepare('select 1 from sqlite_master').get();
    if (isForeign) throw new UnfitError("is no database of Telle's", 'name one that is new');
    const exists = client.prepare("select 1 from sqlite_master where type = 'table' and name = ?");
    const isFilled = ({ name }: MovedTable) =>
      name !== 'nodes' && exists.get(name) && client.prepare(`select 1 from ${name} limit 1`).get();
    const filled = MOVED.find(isFilled);
    if (filled) throw new UnfitError(`is not empty: its table ${filled.name} has rows`, 'name one that is new');
  } catch (fault) {
    if (!(fault instanceof Database.SqliteError)) throw fault;
    throw new UnfitError("is no database of Telle's", 'name one that is new', { cause: fault });
  } finally {
    client.close();
  }
}

function targetAt({ place, part, held }: { place: string; part: string; held: Database.Database }): Target {
  const client = new Database(part);
  // It is thrown away where this does not end well.
  for (const setting of ['journal_mode = OFF', 'synchronous = OFF', 'cache_size = -65536']) client.pragma(setting);
  migrateFile(client);
  beginEpoch(client);
  const writers = new Map<string, Writer>();
  const writerOf = (table: MovedTable) => {
    const writer = writers.get(table.name) ?? writerIn(client, table);
    writers.set(table.name, writer);
    return writer;
  };
  return {
    ...heldOf(client, async () => {
      client.close();
      removeParts(part);
      held.close();
    }),
    write: async (table, rows) => writerOf(table)(rows),
    keep: async (epoch) => {
      bringEpoch(client, epoch);
      client.pragma('journal_mode = DELETE');
      client.close();
      if (existsSync(place)) makeWhole(place);
      takePlace(part, place);
    },
  };
}

type Writer = (rows: readonly MovedRow[]) => void;

function writerIn(client: Database.Database, { name, columns }: MovedTable): Writer {
  const derived = DERIVED[name] ?? {};
  const names = [...columns.map((column) => column.name), ...Object.keys(derived)].map((each) => `"${each}"`);
  const values = [...columns.map(({ property }) => `:${property}`), ...Object.values(derived)];
  const insert = client.prepare(`insert into ${name} (${names}) values (${values})`);
  const bound = (row: MovedRow) =>
    Object.fromEntries(columns.map(({ property, kind }) => [property, inSqlite(kind, row[property])]));
  return (rows) => {
    client.exec('begin');
    for (const row of rows) insert.run(bound(row));
    client.exec('commit');
  };
}

function inSqlite(kind: MovedTable['columns'][number]['kind'], value: unknown): unknown {
  if (kind === 'boolean') return value ? 1 : 0;
  return kind === 'json' ? JSON.stringify(value) : value;
}
