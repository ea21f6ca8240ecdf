/**
 * The SQL of a batch, prepared once for a connection. Each is one statement whatever the size of the batch: rows go in as
 * one array a column. They are made from the tables' own definitions.
 */
import { getTableColumns, getTableName } from 'drizzle-orm';
import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core';
import * as tables from '../../drizzle/postgres/schema.ts';

/** A statement that Postgres parses once for a connection. */
export interface Prepared {
  readonly name: string;
  readonly text: string;
}

/** Locks, in their order, the dealers that are there, and tells the seqs of their own scopes. */
export const LOCK_DEALERS: Prepared = {
  name: 'lock_dealers',
  text: `select dealer_id as "dealerId", dealer_seq as "dealerSeq", desk_seq as "deskSeq" from dealers
    where dealer_id = any($1::text[]) order by dealer_id for no key update`,
};

/** Keeps the dealers that are there from being removed, and tells which they are. */
export const HOLD_DEALERS: Prepared = {
  name: 'hold_dealers',
  text: `select dealer_id as "dealerId", dealer_seq as "dealerSeq", desk_seq as "deskSeq" from dealers
    where dealer_id = any($1::text[]) order by dealer_id for key share`,
};

const GROUP = `g.online, g.muted_by as "mutedBy", g.closed, g.unread, g.last_seq as "lastSeq",
  g.last_message_seq as "lastMessageSeq", g.admin_read as "adminRead", g.customer_read as "customerRead"`;

/** Locks, in their order, the groups named and those where the admins named are present. */
export const LOCK_GROUPS: Prepared = {
  name: 'lock_groups',
  text: `select g.dealer_id as "dealerId", g.group_id as "groupId", ${GROUP} from groups g
    where (g.dealer_id, g.group_id) in (
      select * from unnest($1::text[], $2::text[])
      union select c.dealer_id, c.place from chats c
        join unnest($3::text[], $4::text[]) as a(dealer_id, admin_id) using (dealer_id, admin_id) where c.online)
    order by g.dealer_id, g.group_id for no key update`,
};

/** The other rows of a batch, as `kind`, the parts of the key, and a value. Read once the locks are held. */
export const READ_ROWS: Prepared = {
  name: 'read_rows',
  text: `
    select 'places' as kind, array[dealer_id, admin_id] as key, place as value, 0::bigint as seq, 0::bigint as at
      from chats join unnest($1::text[], $2::text[]) as n(dealer_id, admin_id) using (dealer_id, admin_id) where online
    union all select 'users', array[dealer_id, group_id], fields, 0, 0
      from users join unnest($3::text[], $4::text[]) as n(dealer_id, group_id) using (dealer_id, group_id)
    union all select 'leads', array[dealer_id, group_id], fields, 0, 0
      from leads join unnest($5::text[], $6::text[]) as n(dealer_id, group_id) using (dealer_id, group_id)
    union all select 'intents', array[dealer_id, group_id, intent], fields, 0, 0
      from lead_intents join unnest($7::text[], $8::text[], $9::text[]) as n(dealer_id, group_id, intent)
      using (dealer_id, group_id, intent)
    union all select 'priors', array[dealer_id, scope, sender, id], '', seq, at
      from events join unnest($10::text[], $11::text[], $12::text[], $13::text[]) as n(dealer_id, scope, sender, id)
      using (dealer_id, scope, sender, id) where keyed
    union all select 'presences', array[dealer_id, sender], node_id, 0, 0
      from presences join unnest($14::text[], $15::text[]) as n(dealer_id, sender) using (dealer_id, sender)
    union all select 'erased', array[n.dealer_id, n.group_id], '', max(e.last_seq), 0
      from erasures e join unnest($16::text[], $17::text[], $18::text[]) as n(dealer_id, group_id, digest)
      using (dealer_id, digest) group by n.dealer_id, n.group_id`,
};

/** Strikes off that a node has sockets of somebody. */
export const REMOVE_PRESENCES: Prepared = {
  name: 'remove_presences',
  text: `delete from presences where (dealer_id, sender, node_id) in (select * from unnest($1::text[], $2::text[], $3::text[]))`,
};

/** What a later write of the same key leaves as it was. */
const KEPT: ReadonlySet<string> = new Set(['created_at']);

/** A table that a batch writes to. */
interface Written {
  readonly table: PgTable;
  /** The columns that a batch writes, where that is not all of them. */
  readonly only?: readonly string[];
  /** Whether a row may be there before. It may not where it was looked for, and locked, and not found. */
  readonly isNew?: true;
}

const dealerSeqs = ['dealer_id', 'dealer_seq', 'desk_seq', 'created_at'];

/** In the order of {@link writeParameters}. */
const WRITTEN: readonly Written[] = [
  { table: tables.events, isNew: true },
  { table: tables.dealers, only: dealerSeqs, isNew: true },
  { table: tables.dealers, only: dealerSeqs },
  { table: tables.groups, isNew: true },
  { table: tables.groups },
  { table: tables.chats },
  { table: tables.users },
  { table: tables.leads },
  { table: tables.leadIntents },
  { table: tables.presences },
];

function columnsOf({ table, only }: Written) {
  const { columns } = getTableConfig(table);
  return only ? columns.filter(({ name }) => only.includes(name)) : columns;
}

function insert(written: Written, firstParameter: number): string {
  const { table, isNew } = written;
  const columns = columnsOf(written);
  const names = columns.map(({ name }) => `"${name}"`).join(', ');
  const arrays = columns.map((column, index) => `$${firstParameter + index}::${column.getSQLType()}[]`).join(', ');
  const rows = `insert into ${getTableName(table)} (${names}) select * from unnest(${arrays})`;
  if (isNew) return rows;
  const { primaryKeys, columns: all } = getTableConfig(table);
  const key = (primaryKeys[0]?.columns ?? all.filter(({ primary }) => primary)).map(({ name }) => name);
  const changed = columns.map(({ name }) => name).filter((name) => !key.includes(name) && !KEPT.has(name));
  const set = changed.map((name) => `"${name}" = excluded."${name}"`).join(', ');
  return `${rows} on conflict (${key.join(', ')}) do update set ${set}`;
}

function insertAll(): string {
  let parameter = 1;
  const parts = WRITTEN.map((written, index) => {
    const part = `w${index} as (${insert(written, parameter)})`;
    parameter += columnsOf(written).length;
    return part;
  });
  return `with ${parts.join(',\n')} select 1`;
}

/** Writes everything that a batch changes. */
export const WRITE: Prepared = { name: 'write', text: insertAll() };

/** The parameters of {@link WRITE}, an array a column, from rows with the columns' names in the code, in the order of its tables. */
export function writeParameters(rows: readonly (readonly object[])[]): unknown[][] {
  return WRITTEN.flatMap((written, index) => {
    const properties = new Map(
      Object.entries(getTableColumns(written.table)).map(([property, { name }]) => [name, property]),
    );
    return columnsOf(written).map(({ name }) =>
      (rows[index] ?? []).map((row) => Reflect.get(row, properties.get(name) ?? name) ?? null),
    );
  });
}
