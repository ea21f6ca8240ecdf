/**
 * The SQL of every batch and every join, prepared once for a connection. Each of a batch is one statement whatever its size: keys
 * go in as one array a part, rows as one JSON text. They are made from the tables' own definitions.
 */
import { getTableColumns, getTableName } from 'drizzle-orm';
import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core';
import * as tables from '../../../drizzle/postgres/schema.ts';
import { DEALER_SCOPE, DESK_SCOPE } from '../../../schemas/table.ts';
import { MAX_INTENTS } from '../../domain/records.ts';
import { isKept } from '../erasing.ts';
import { IS_SERVER } from '../rules.ts';
import { WHOLE_DEALER } from '../subjects.ts';

/** A statement that Postgres parses once for a connection. */
export interface Prepared {
  readonly name: string;
  readonly text: string;
}

/** A dealer's rules. Whether a server of it is joined is asked of an index of servers alone. */
const RULES = `cast(d.settings as text) as settings, d.bot_spoke_at as "botSpokeAt", d.alone_since as "aloneSince", d.is_open as "isOpen",
  d.look_at as "lookAt", exists (select from presences p where p.dealer_id = d.dealer_id and ${IS_SERVER}) as "hasServer"`;

/**
 * The dealers named that are there, with the seqs of their own scopes. They are joined with their names: `= any($1)` is compared
 * with each name in turn, where the table is small enough to be read whole.
 */
const DEALERS = `select d.dealer_id as "dealerId", d.dealer_seq as "dealerSeq", d.desk_seq as "deskSeq", ${RULES}
  from unnest($1::text[]) as n (dealer_id) join dealers d using (dealer_id) order by d.dealer_id`;

/** Locks dealers, in their order. */
export const LOCK_DEALERS: Prepared = { name: 'lock_dealers', text: `${DEALERS} for no key update of d` };

/** Keeps dealers from being removed. */
export const HOLD_DEALERS: Prepared = { name: 'hold_dealers', text: `${DEALERS} for key share of d` };

const GROUP = `g.online, g.muted_by as "mutedBy", g.closed, g.closed_by as "closedBy", g.unread, g.last_seq as "lastSeq",
  g.last_message_seq as "lastMessageSeq", g.admin_read as "adminRead", g.customer_read as "customerRead", g.holder,
  g.waiting_since as "waitingSince", g.waiting_for as "waitingFor", g.turned_at as "turnedAt", g.marks, g.assignee,
  g.acted_at as "actedAt", g.bot_run as "botRun", g.due`;

/** The standing of a dealer, and of a group of it where one is named, and whether an admin is here. One row. */
export const READ_STANDING: Prepared = {
  name: 'read_standing',
  text: `select d.origins, coalesce(d.claims, 'any') as claims, d.settings ->> 'groupKey' as "groupKey", d.settings ->> 'groupKeyUntil' as "groupKeyUntil",
      d.dealer_seq as "dealerSeq", d.desk_seq as "deskSeq", ${RULES}, g.group_id as "groupId", ${GROUP},
      $2::text is not null and exists (
        select from chats c where c.dealer_id = $1 and c.place = '${DESK_SCOPE}' and c.online) as "adminOnline"
    from (values ($1::text, $2::text)) as n (dealer_id, group_id)
    left join dealers d using (dealer_id) left join groups g using (dealer_id, group_id)`,
};

/** The last seqs of a dealer's scopes, its own two and the groups named, at one moment; no row for a scope that is not there. */
export const READ_TAILS: Prepared = {
  name: 'read_tails',
  text: `select group_id as scope, last_seq as seq from groups where dealer_id = $1 and group_id = any($2::text[])
    union all select '${DEALER_SCOPE}', dealer_seq from dealers where dealer_id = $1
    union all select '${DESK_SCOPE}', desk_seq from dealers where dealer_id = $1`,
};

/**
 * The chats `c` that the admins named have open; the parameters are numbered from there. Those of the dealer are read by the index of open
 * ones, and the admin's taken out of them behind `offset 0`: by the admin's name, all that he has ever left would be read, too.
 */
const openChats = (from: number): string => `unnest($${from}::text[], $${from + 1}::text[]) as a(dealer_id, admin_id)
      cross join lateral (select * from chats o where o.dealer_id = a.dealer_id and o.online offset 0) as c
      where c.admin_id = a.admin_id`;

/** The groups `g` named, and those where the admins named are present; the parameters are numbered from there. */
const groupsNamed = (from: number): string => `(g.dealer_id, g.group_id) in (
      select * from unnest($${from}::text[], $${from + 1}::text[])
      union select c.dealer_id, c.place from ${openChats(from + 2)})`;

/** Locks, in their order, the groups named and those where the admins named are present. */
export const LOCK_GROUPS: Prepared = {
  name: 'lock_groups',
  text: `select g.dealer_id as "dealerId", g.group_id as "groupId", ${GROUP} from groups g
    where ${groupsNamed(1)}
    order by g.dealer_id, g.group_id for no key update`,
};

/** Of the dealers named, and of those of groups as {@link LOCK_GROUPS} has them, those that somebody else has locked now. */
export const LOCKED_DEALERS: Prepared = {
  name: 'locked_dealers',
  text: `with n (dealer_id) as (select unnest($1::text[])),
    free as materialized (select d.dealer_id from dealers d join n using (dealer_id) for no key update of d skip locked),
    free_groups as materialized (
      select g.dealer_id, g.group_id from groups g where ${groupsNamed(2)} for no key update skip locked)
    select dealer_id as "dealerId" from (
      (select dealer_id from dealers join n using (dealer_id) except select dealer_id from free)
      union (select dealer_id from (
        select g.dealer_id, g.group_id from groups g where ${groupsNamed(2)} except select * from free_groups) as g)
    ) as locked`,
};

/** A record as one text of JSON. */
const KNOWN = `'{"fields":' || fields || ',"customer":' || customer || '}'`;

/**
 * The other rows of a batch, as `kind`, the parts of the key, and a value. Read once the locks are held. Each prior is looked
 * for by itself (`limit 1`): a join may be planned, by statistics from before the log grew, as one pass over all of its keys.
 */
export const READ_ROWS: Prepared = {
  name: 'read_rows',
  text: `
    select 'openChats' as kind, array[c.dealer_id, c.admin_id] as key, c.place as value, 0::bigint as seq, 0::bigint as at
      from ${openChats(1)}
    union all select 'users', array[dealer_id, group_id], ${KNOWN}, 0, 0
      from users join unnest($3::text[], $4::text[]) as n(dealer_id, group_id) using (dealer_id, group_id)
    union all select 'leads', array[dealer_id, group_id], ${KNOWN}, 0, 0
      from leads join unnest($5::text[], $6::text[]) as n(dealer_id, group_id) using (dealer_id, group_id)
    union all select 'intents', array[dealer_id, group_id, intent], ${KNOWN}, 0, 0
      from lead_intents join unnest($7::text[], $8::text[], $9::text[]) as n(dealer_id, group_id, intent)
      using (dealer_id, group_id, intent)
    union all select 'priors', array[n.dealer_id, n.scope, n.sender, n.id], '', e.seq, e.at
      from unnest($10::text[], $11::text[], $12::text[], $13::text[]) as n(dealer_id, scope, sender, id)
      cross join lateral (select seq, at from events e
        where (e.dealer_id, e.scope, e.sender, e.id) = (n.dealer_id, n.scope, n.sender, n.id) and keyed
          and ${isKept('e')} limit 1) as e
    union all select 'presences', array[dealer_id, sender], node_id, 0, 0
      from presences join unnest($14::text[], $15::text[]) as n(dealer_id, sender) using (dealer_id, sender)
    union all select 'intentCounts', array[n.dealer_id, n.group_id], '', i.count, 0
      from unnest($16::text[], $17::text[]) as n(dealer_id, group_id) cross join lateral (select count(*) from (
        select from lead_intents i where (i.dealer_id, i.group_id) = (n.dealer_id, n.group_id)
        limit ${MAX_INTENTS}) as few) as i
    union all select 'present', array[n.dealer_id], '', c.count, 0
      from unnest($18::text[]) as n(dealer_id) cross join lateral (select count(*) from chats c
        where c.dealer_id = n.dealer_id and c.place = '${DESK_SCOPE}' and c.online) as c`,
};

/** Of dealers that are not there, those that were removed. */
export const READ_REMOVED: Prepared = {
  name: 'read_removed',
  text: `select dealer_id as "dealerId" from generations where dealer_id = any($1::text[]) and subject = '${WHOLE_DEALER}'`,
};

/** The last seqs of erased conversations, by the digest of their group's name, or by the name where it is still there. */
export const READ_ERASED: Prepared = {
  name: 'read_erased',
  text: `select n.dealer_id as "dealerId", n.group_id as "groupId", max(e.last_seq) as "lastSeq"
    from unnest($1::text[], $2::text[], $3::text[]) as n(dealer_id, group_id, digest) cross join lateral (
      select last_seq from erasures r where (r.dealer_id, r.digest) = (n.dealer_id, n.digest)
      union all select last_seq from erasing x where (x.dealer_id, x.group_id) = (n.dealer_id, n.group_id)) as e
    group by n.dealer_id, n.group_id`,
};

/** Takes their keys from events that are not kept. */
export const FREE_KEYS: Prepared = {
  name: 'free_keys',
  text: `update events e set keyed = false
    from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as n(dealer_id, scope, sender, id)
    where (e.dealer_id, e.scope, e.sender, e.id) = (n.dealer_id, n.scope, n.sender, n.id) and e.keyed
      and not ${isKept('e')}`,
};

/** Writes a dealer's rules, its row being locked. Its parameter is the rows' JSON. */
export const UPDATE_RULES: Prepared = {
  name: 'update_rules',
  text: `update dealers d set alone_since = r."aloneSince", is_open = r."isOpen", look_at = r."lookAt"
    from json_to_recordset($1) as r("dealerId" text, "aloneSince" bigint, "isOpen" boolean, "lookAt" bigint)
    where d.dealer_id = r."dealerId"`,
};

/** Notes that bots have spoken. A dealer that somebody has locked is left out: to wait for it could be for ever. */
export const NOTE_BOTS: Prepared = {
  name: 'note_bots',
  text: `update dealers d set bot_spoke_at = greatest(d.bot_spoke_at, r."spokeAt")
    from json_to_recordset($1) as r("dealerId" text, "spokeAt" bigint)
    join lateral (select dealer_id from dealers f where f.dealer_id = r."dealerId" for no key update skip locked) as f on true
    where d.dealer_id = f.dealer_id`,
};

/** Notes how far admins have read. Its parameter is the rows' JSON. */
export const UPSERT_ADMIN_READS: Prepared = {
  name: 'upsert_admin_reads',
  text: `insert into admin_reads as a (dealer_id, group_id, admin_id, seq)
    select * from json_to_recordset($1) as r("dealerId" text, "groupId" text, "adminId" text, "seq" bigint)
    on conflict (dealer_id, group_id, admin_id) do update set seq = greatest(a.seq, excluded.seq)`,
};

/** Strikes off that a node has sockets of somebody. Its parameter is the rows' JSON. */
export const REMOVE_PRESENCES: Prepared = {
  name: 'remove_presences',
  text: `delete from presences where (dealer_id, sender, node_id) in
    (select * from json_to_recordset($1) as gone("dealerId" text, "sender" text, "nodeId" text))`,
};

/** Columns that a later write of the same key leaves as they were, and those that only go forward: what is imported is of the past. */
const KEPT: ReadonlySet<string> = new Set(['created_at']);
const FORWARD: ReadonlySet<string> = new Set(['updated_at']);

/** Columns of a table that are written, by the names that they have in the code. */
const columnsOf = (table: PgTable, only?: readonly string[]) =>
  Object.entries(getTableColumns(table)).filter(
    ([property, { generated }]) => !generated && (only?.includes(property) ?? true),
  );

/** Writes rows that are not there: they were looked for, and locked, and not found. Its parameter is their JSON. */
function insert(table: PgTable, only?: readonly string[]): Prepared {
  const columns = columnsOf(table, only);
  const names = columns.map(([, { name }]) => `"${name}"`).join(', ');
  const fields = columns.map(([property, column]) => `"${property}" ${column.getSQLType()}`).join(', ');
  const text = `insert into ${getTableName(table)} (${names}) select * from json_to_recordset($1) as rows(${fields})`;
  return { name: `insert_${getTableName(table)}`, text };
}

/** Writes rows, whether they are there or not. Its parameter is their JSON. */
function upsert(table: PgTable, only?: readonly string[]): Prepared {
  const { primaryKeys, columns } = getTableConfig(table);
  const key = (primaryKeys[0]?.columns ?? columns.filter(({ primary }) => primary)).map(({ name }) => name);
  const names = columnsOf(table, only).map(([, { name }]) => name);
  const changed = names.filter((name) => !key.includes(name) && !KEPT.has(name));
  const valueFor = (name: string) =>
    FORWARD.has(name) ? `greatest(${getTableName(table)}."${name}", excluded."${name}")` : `excluded."${name}"`;
  const set = changed.map((name) => `"${name}" = ${valueFor(name)}`).join(', ');
  const text = `${insert(table, only).text} on conflict (${key.join(', ')}) do update set ${set}`;
  return { name: `upsert_${getTableName(table)}`, text };
}

/** The columns of a group that a batch writes: all but those about its name. */
const STANDING = Object.keys(getTableColumns(tables.groups)).filter(
  (property) => property !== 'formerly' && property !== 'beginsAfter',
);
const SEQS = ['dealerId', 'dealerSeq', 'deskSeq', 'createdAt'];

export const INSERT_EVENTS = insert(tables.events);
export const INSERT_DEALERS = insert(tables.dealers, SEQS);
export const UPSERT_DEALERS = upsert(tables.dealers, SEQS);
export const INSERT_GROUPS = insert(tables.groups, STANDING);
export const UPSERT_GROUPS = upsert(tables.groups, STANDING);
export const UPSERT_CHATS = upsert(tables.chats);
export const UPSERT_USERS = upsert(tables.users);
export const UPSERT_LEADS = upsert(tables.leads);
export const UPSERT_INTENTS = upsert(tables.leadIntents);
export const UPSERT_PRESENCES = upsert(tables.presences);
