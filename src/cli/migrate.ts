import { type Settings, shownDatabase, sqliteFile } from '../../schemas/settings.ts';
import { type Manner, type Planned, secondsFor } from '../store/planning.ts';
import { bringUpToDate, openDatabase, plannedFor } from './database.ts';
import { mustExist } from './must-exist.ts';

/** `telle migrate`: brings the database's tables up to date, and ends. */
export async function migrateDatabase(settings: Settings): Promise<void> {
  const store = openDatabase(settings);
  try {
    const isNew = await bringUpToDate(settings, store, process.stdout);
    process.stdout.write(`${shownDatabase(settings)} ${isNew ? 'was made, and ' : ''}is up to date\n`);
  } finally {
    await store.close();
  }
}

/** `telle migrate --plan`: says what that would do, and for how long nobody could use what. */
export async function planMigrations(settings: Settings): Promise<void> {
  mustExist(settings);
  const store = openDatabase(settings);
  try {
    const planned = await plannedFor(settings, store);
    process.stdout.write(`${linesOf(settings, planned).join('\n')}\n`);
  } finally {
    await store.close();
  }
}

const MANNERS: Readonly<Record<Manner, string>> = {
  rewrites: 'the table is written anew',
  writes: 'each of its rows is written',
  indexes: 'an index of it is made',
  alters: 'it gets columns, which takes a moment whatever its size',
};

function linesOf(settings: Settings, planned: readonly Planned[]): string[] {
  if (planned.length === 0) return [`${shownDatabase(settings)} is up to date: no migration is pending`];
  const many = planned.length === 1 ? 'a migration' : `${planned.length} migrations`;
  return [
    `${shownDatabase(settings)} is to have ${many}; nothing was changed`,
    ...planned.flatMap(({ name, works }) => [
      name,
      ...(works.length === 0 ? ['  only what is not there yet is made'] : works.map((work) => `  ${workLine(work)}`)),
    ]),
    sqliteFile(settings) === null ? ON_POSTGRES : ON_SQLITE,
  ];
}

const ON_SQLITE =
  'All of it is one transaction, and nobody else can write meanwhile: end the server, and back up first.';
const ON_POSTGRES =
  'All of it is one transaction: whoever reads or writes a table that is named waits from then on until its end. Back up first.';

function workLine({ table, manner, rows, measured = [] }: Planned['works'][number]): string {
  const said = `${table}: ${MANNERS[manner]}`;
  if (manner === 'alters') return said;
  if (rows === null) return `${said}; how many rows it has is not known: ANALYZE ${table} has them estimated`;
  const seconds = secondsFor(rows, measured);
  const lasts =
    seconds === null ? 'how long that takes was not measured' : `about ${lasting(seconds)} (${basis(measured)})`;
  return `${said}; some ${grouped(rows)} ${rows === 1 ? 'row' : 'rows'}: ${lasts}`;
}

const grouped = (count: number): string => count.toLocaleString('en');

const basis = (measured: NonNullable<Planned['works'][number]['measured']>): string =>
  measured.map(({ rows, seconds }) => `${grouped(rows)} took ${lasting(seconds)}`).join(', ');

/** `a second`, `14 s`, `4 min 45 s` */
function lasting(seconds: number): string {
  if (seconds <= 1) return 'a second';
  const whole = Math.ceil(seconds);
  const minutes = Math.floor(whole / 60);
  return minutes === 0 ? `${whole} s` : `${minutes} min ${whole % 60} s`;
}
