/**
 * What a database takes along when it is moved to another: of the tables that both kinds have, the columns that both have and neither makes
 * by itself. So a table that is added is moved, too.
 */
import { getTableName, is } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import { getTableConfig as configOf, SQLiteTable } from 'drizzle-orm/sqlite-core';
import * as postgres from './postgres/schema.ts';
import * as sqlite from './sqlite/schema.ts';

export interface MovedColumn {
  /** Names in the code and in the tables. */
  readonly property: string;
  readonly name: string;
  /** Kind of its values, as the code has them. */
  readonly kind: 'text' | 'number' | 'boolean' | 'json';
  /** Type in Postgres. */
  readonly type: string;
}

export interface MovedTable {
  readonly name: string;
  readonly columns: readonly MovedColumn[];
  /** Names of the columns of its key. */
  readonly key: readonly string[];
}

/** Events come after the rows of their scopes, in which triggers note them. */
const FIRST = ['dealers', 'groups', 'events'];
/** The epoch is brought along, but of another log. */
const OWN = ['epochs'];

const KINDS: Readonly<Record<string, MovedColumn['kind']>> = {
  text: 'text',
  bigint: 'number',
  integer: 'number',
  boolean: 'boolean',
  jsonb: 'json',
};

const columnsInSqlite: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.values(sqlite).flatMap((table) =>
    is(table, SQLiteTable) ? [[getTableName(table), new Set(configOf(table).columns.map(({ name }) => name))]] : [],
  ),
);

function moved(table: PgTable): MovedTable[] {
  const { name, columns, primaryKeys } = getTableConfig(table);
  const others = columnsInSqlite.get(name);
  if (!others || OWN.includes(name)) return [];
  const properties = new Map(Object.entries(table).map(([property, column]) => [column, property]));
  return [
    {
      name,
      columns: columns
        .filter((column) => !column.generated && others.has(column.name))
        .map((column) => {
          const [property, kind] = [properties.get(column), KINDS[column.getSQLType()]];
          if (property === undefined || kind === undefined) throw new Error(`${name}.${column.name} cannot be moved`);
          return { property, name: column.name, kind, type: column.getSQLType() };
        }),
      key: (primaryKeys[0]?.columns ?? columns.filter(({ primary }) => primary)).map((column) => column.name),
    },
  ];
}

const place = ({ name }: MovedTable): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);

/** In the order in which they are written. */
export const MOVED: readonly MovedTable[] = Object.values(postgres)
  .flatMap((table) => (is(table, PgTable) ? moved(table) : []))
  .toSorted((one, other) => place(one) - place(other) || one.name.localeCompare(other.name));
