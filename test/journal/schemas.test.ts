/**
 * The tables of Postgres are, column by column, those of SQLite; only how a database keeps a kind of value differs, and by
 * what an event of the log is found (Postgres has a key of all of them, SQLite their positions and some of that key), and who
 * writes the minute of a group's last change (Postgres itself).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Column,
  getTableColumns,
  getViewName,
  getViewSelectedFields,
  is,
  isTable,
  isView,
  SQL,
} from 'drizzle-orm';
import * as ofPostgres from 'drizzle-orm/pg-core';
import * as ofSqlite from 'drizzle-orm/sqlite-core';
import * as postgres from '../../drizzle/postgres/schema.ts';
import * as sqlite from '../../drizzle/sqlite/schema.ts';

/** What a column holds, by the name that either dialect has for it. */
const KINDS: Readonly<Record<string, string>> = {
  PgText: 'text',
  SQLiteText: 'text',
  PgBoolean: 'flag',
  SQLiteBoolean: 'flag',
  PgBigInt53: 'number',
  PgInteger: 'number',
  SQLiteInteger: 'number',
  PgJsonb: 'json',
  SQLiteTextJson: 'json',
};

/** A flag, a count, an instant, … and whether it may be null, and what it is where nothing is said. */
const factsOf = (column: Column) => ({
  name: column.name,
  kind: KINDS[column.columnType] ?? `unknown: ${column.columnType}`,
  notNull: column.notNull,
  primary: column.primary,
  unique: column.isUnique,
  default: column.hasDefault ? column.default : 'none',
});

const namesOf = (columns: readonly unknown[]): string[] =>
  columns.map((column) => {
    const name: unknown = typeof column === 'object' && column !== null ? Reflect.get(column, 'name') : undefined;
    const text = is(column, SQL) ? conditionOf(column) : null;
    return typeof name === 'string' ? name : (text ?? assert.fail('an index of neither a column nor an expression'));
  });

/** The words of a condition, without the names of columns that it takes from the table. */
const conditionOf = (where: SQL | undefined): string | null =>
  where === undefined
    ? null
    : where.queryChunks
        .flatMap((chunk) => Reflect.get(Object(chunk), 'value') ?? [])
        .join('')
        .replace(/ = 1$/, '');

interface Config {
  readonly indexes: readonly {
    readonly config: {
      name?: string | undefined;
      columns: readonly unknown[];
      unique: boolean;
      where?: SQL | undefined;
    };
  }[];
  readonly primaryKeys: readonly { readonly columns: readonly unknown[] }[];
  readonly uniqueConstraints: readonly unknown[];
  readonly foreignKeys: readonly unknown[];
  readonly checks: readonly unknown[];
}

const constraintsOf = ({ indexes, primaryKeys, uniqueConstraints, foreignKeys, checks }: Config) => ({
  indexes: indexes
    .map(({ config: { name, columns, unique, where } }) => ({
      name,
      columns: namesOf(columns),
      unique,
      where: conditionOf(where),
    }))
    .toSorted((one, other) => String(one.name).localeCompare(String(other.name))),
  primaryKeys: primaryKeys.map(({ columns }) => namesOf(columns)),
  others: [uniqueConstraints.length, foreignKeys.length, checks.length],
});

/** What a schema's module gives out that a function picks, by the name in the code. */
const pick = <Kind>(module: object, isIt: (value: unknown) => value is Kind): Map<string, Kind> =>
  new Map(Object.entries(module).flatMap(([name, value]) => (isIt(value) ? [[name, value]] : [])));

const isPgTable = (value: unknown): value is ofPostgres.PgTable =>
  isTable(value) && value instanceof ofPostgres.PgTable;
const isSqliteTable = (value: unknown): value is ofSqlite.SQLiteTable =>
  isTable(value) && value instanceof ofSqlite.SQLiteTable;

/** Columns that SQLite alone has, and one that each fills in its own way. */
const OWN: readonly string[] = [
  'position',
  'previous',
  'lastPosition',
  'lastMessagePosition',
  'logged',
  'dealerPosition',
  'deskPosition',
  'dealerLogged',
  'deskLogged',
  'updatedMinute',
];

/** Indexes that SQLite alone has, for views that Postgres finds by its key, and by time not at all. */
const OF_VIEWS: readonly unknown[] = ['events_place', 'events_messages_at', 'events_pageviews_at'];

/** As if the index of milestones were the log's key. */
function asInPostgres({ indexes, primaryKeys, others }: ReturnType<typeof constraintsOf>) {
  const milestones = indexes.filter(({ name }) => name === 'events_milestones');
  const keys = milestones.map(({ columns }) => columns);
  return {
    indexes: indexes.filter((each) => !milestones.includes(each) && !OF_VIEWS.includes(each.name)),
    primaryKeys: [...primaryKeys, ...keys],
    others,
  };
}

const tables = { postgres: pick(postgres, isPgTable), sqlite: pick(sqlite, isSqliteTable) };
const views = { postgres: pick(postgres, isView), sqlite: pick(sqlite, isView) };

/** The names of a view's columns in the database, by those in the code, in order. */
const columnsOfView = (view: Parameters<typeof getViewSelectedFields>[0]) =>
  Object.entries(getViewSelectedFields(view)).map(([property, field]) => [
    property,
    Reflect.get(Object(field), 'name') ?? Reflect.get(Object(field), 'fieldAlias'),
  ]);

describe('the schemas of Postgres and SQLite', () => {
  it('have the same tables and views, and nothing else', () => {
    const names = { tables: [...tables.sqlite.keys()], views: [...views.sqlite.keys()] };
    assert.deepEqual({ tables: [...tables.postgres.keys()], views: [...views.postgres.keys()] }, names);
    const all = [...names.tables, ...names.views];
    assert.deepEqual(Object.keys(postgres).sort(), all.toSorted());
    assert.deepEqual(Object.keys(sqlite).sort(), ['IS_MILESTONE', ...all].sort());
    assert.ok(names.tables.includes('events') && names.views.includes('messages'));
  });

  for (const [name, table] of tables.sqlite) {
    const twin = tables.postgres.get(name);

    it(`have the same columns in ${name}, in the same order, of the same kinds`, () => {
      assert.ok(twin);
      const factsOfAll = (columns: Record<string, Column>) =>
        Object.entries(columns).map(([property, column]) => ({ property, ...factsOf(column) }));
      const facts = factsOfAll(getTableColumns(table)).filter(({ property }) => !OWN.includes(property));
      const written = factsOfAll(getTableColumns(twin)).filter(({ property }) => !OWN.includes(property));
      assert.deepEqual(written, facts);
      assert.deepEqual(
        facts.filter(({ kind }) => kind.startsWith('unknown')),
        [],
      );
    });

    it(`have the same name, keys and indexes of ${name}`, () => {
      assert.ok(twin);
      const [one, other] = [ofPostgres.getTableConfig(twin), ofSqlite.getTableConfig(table)];
      assert.equal(one.name, other.name);
      assert.deepEqual(constraintsOf(one), asInPostgres(constraintsOf(other)));
      const isKeyed = other.primaryKeys.length === 1 || other.columns.some(({ primary }) => primary);
      assert.ok(isKeyed, 'it has a primary key');
    });
  }

  for (const [name, view] of views.sqlite) {
    it(`have the same columns in the view ${name}`, () => {
      const twin = views.postgres.get(name);
      assert.ok(twin);
      assert.equal(getViewName(twin), getViewName(view));
      const columns = columnsOfView(view);
      assert.deepEqual(columnsOfView(twin), columns);
      assert.ok(
        columns.length > 0 && columns.every(([, column]) => typeof column === 'string'),
        JSON.stringify(columns),
      );
    });
  }
});
