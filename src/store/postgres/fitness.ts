/** Checks that a Postgres has all that Telle needs, and that its role may do what is to be done, before anything fails half-way. */
import { getTableName, is } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import type pg from 'pg';
import * as tables from '../../../drizzle/postgres/schema.ts';
import { UnfitError } from '../store.ts';

type Client = Pick<pg.ClientBase, 'query'>;

const TABLES = Object.values(tables).flatMap((table) => (is(table, PgTable) ? [getTableName(table)] : []));

/** @throws UnfitError where the database cannot hold every character */
export async function assertEncoding(client: Client): Promise<void> {
  const { rows } = await client.query<{ encoding: string }>("select current_setting('server_encoding') as encoding");
  const encoding = rows[0]?.encoding;
  if (encoding === 'UTF8') return;
  throw new UnfitError(
    `has the encoding ${encoding}, which lacks characters that people write`,
    'make one with createdb --encoding UTF8 --template template0, and bring over what there is with pg_dump and pg_restore',
  );
}

/** A right that a role lacks. */
interface Lack {
  readonly role: string;
  readonly lacks: string;
  readonly grant: string;
}

const MAKING = `
  select quote_ident(current_user) as role, 'CREATE on ' || what as lacks,
    'GRANT CREATE ON ' || what || ' TO ' || quote_ident(current_user) as grant
  from (values
    ('DATABASE ' || quote_ident(current_database()), has_database_privilege(current_database(), 'CREATE')),
    ('SCHEMA ' || quote_ident(current_schema()), has_schema_privilege(current_schema(), 'CREATE'))
  ) as rights (what, has)
  where not has`;

/** @throws UnfitError where this role may not make tables */
export async function assertMayMigrate(client: Client, pending: number): Promise<void> {
  const { rows } = await client.query<Lack>(MAKING);
  if (rows.length === 0) return;
  const many = pending === 1 ? 'a migration' : `${pending} migrations`;
  throw lacking(rows, `needs ${many}, for which `, 'or run telle migrate with the DATABASE_URL of a role that has it');
}

/** Which of the tables, and of what tells their version, may not be used; of those that are not there nothing is said. */
const USING = `
  select quote_ident(current_user) as role,
    string_agg(distinct privilege, ', ') || ' on ' || quote_ident(nspname) || '.' ||
      case when count(distinct relname) = 1 then min(relname) else min(relname) || ' and ' || count(distinct relname) - 1 || ' more' end
      as lacks,
    'GRANT USAGE ON SCHEMA ' || quote_ident(nspname) || ' TO ' || quote_ident(current_user) || '; GRANT ' ||
      string_agg(distinct privilege, ', ') || ' ON ALL TABLES IN SCHEMA ' || quote_ident(nspname) || ' TO ' ||
      quote_ident(current_user) as grant
  from (
    select n.nspname, c.relname, privilege, c.oid, n.oid as schema
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) as privilege
    where c.relkind in ('r', 'p')
      and (n.nspname = current_schema() and c.relname = any($1)
        or n.nspname = 'drizzle' and c.relname = '__drizzle_migrations' and privilege = 'SELECT')
  ) as needed
  where not has_schema_privilege(schema, 'USAGE') or not has_table_privilege(oid, privilege)
  group by nspname`;

/** @throws UnfitError where this role may not use the tables that there are */
export async function assertMayUse(client: Client): Promise<void> {
  const { rows } = await client.query<Lack>(USING, [TABLES]);
  if (rows.length > 0) throw lacking(rows, 'cannot be used: ', 'as the owner of the tables');
}

function lacking(lacks: readonly Lack[], why: string, otherwise: string): UnfitError {
  const role = lacks[0]?.role ?? '';
  return new UnfitError(
    `${why}the role ${role} lacks ${lacks.map((each) => each.lacks).join(', and ')}`,
    `${lacks.map(({ grant }) => grant).join('; ')}, ${otherwise}`,
  );
}
