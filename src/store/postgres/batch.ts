/** The rows of a batch, out of Postgres and into it: a fixed number of statements, whatever the size of the batch. */
import type pg from 'pg';
import { textOf } from '../../domain/size.ts';
import { changed, type Group, type Known } from '../../domain/state.ts';
import type { Digests } from '../digests.ts';
import {
  type AdminRead,
  type Changes,
  type DealerSeqs,
  keyParts,
  type Needs,
  type Prior,
  type Rows,
  type RowTime,
} from '../rows.ts';
import { type RulesRow, rulesOfRow } from '../rules.ts';
import { askPrepared, inOneWrite, type PostgresPool } from './pool.ts';
import {
  FREE_KEYS,
  HOLD_DEALERS,
  INSERT_DEALERS,
  INSERT_EVENTS,
  INSERT_GROUPS,
  LOCK_DEALERS,
  LOCK_GROUPS,
  LOCKED_DEALERS,
  NOTE_BOTS,
  type Prepared,
  READ_ERASED,
  READ_REMOVED,
  READ_ROWS,
  REMOVE_PRESENCES,
  UPDATE_RULES,
  UPSERT_ADMIN_READS,
  UPSERT_CHATS,
  UPSERT_DEALERS,
  UPSERT_GROUPS,
  UPSERT_INTENTS,
  UPSERT_LEADS,
  UPSERT_PRESENCES,
  UPSERT_USERS,
} from './statements.ts';

/** A row of `LOCK_DEALERS` and of `HOLD_DEALERS`. */
type DealerRow = DealerSeqs & RulesRow & { readonly dealerId: string };

/** A row of `LOCK_GROUPS`. */
type GroupRow = Group & { readonly dealerId: string; readonly groupId: string };

/** A row of `READ_ROWS`. */
interface FoundRow {
  readonly kind: string;
  readonly key: readonly string[];
  readonly value: string;
  readonly seq: number;
  readonly at: number;
}

/** Which dealers and groups were there when the batch began. */
interface Existing {
  readonly dealers: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
}

/** The keys of a table's needs, as one array for each part. */
const partsOf = (needs: Map<string, readonly string[]>, parts: number): string[][] =>
  Array.from({ length: parts }, (_, part) => [...needs.values()].map((key) => key[part] ?? ''));

/** Nothing is asked where there is nothing to ask for. */
const query = async <Row extends object>(client: pg.PoolClient, prepared: Prepared, values: string[][]) =>
  values.every(({ length }) => length === 0) ? [] : (await askPrepared<Row>(client, { ...prepared, values })).rows;

/**
 * Locks what may be written, always in the same order, and only then reads the rest: nothing read can be old. All of it is
 * sent at once: the connection carries statements out one after the other, each on what was committed before it.
 */
export async function load(pool: PostgresPool, client: pg.PoolClient, digests: Digests, needs: Needs): Promise<Rows> {
  const { writtenDealers: written } = needs;
  const held = [...needs.dealers.keys()].filter((dealerId) => !written.has(dealerId));
  const [locked, kept, groups, found] = await Promise.all([
    query<DealerRow>(client, LOCK_DEALERS, [[...written]]),
    query<DealerRow>(client, HOLD_DEALERS, [held]),
    query<GroupRow>(client, LOCK_GROUPS, [...partsOf(needs.groups, 2), ...partsOf(needs.openChats, 2)]),
    query<FoundRow>(client, READ_ROWS, [
      ...partsOf(needs.openChats, 2),
      ...partsOf(needs.users, 2),
      ...partsOf(needs.leads, 2),
      ...partsOf(needs.intents, 3),
      ...partsOf(needs.priors, 4),
      ...partsOf(needs.presences, 2),
      ...partsOf(needs.intentCounts, 2),
      ...partsOf(needs.present, 1),
    ]),
  ]);
  const there = [...locked, ...kept];
  const rows = {
    dealers: new Map(there.map(({ dealerId, dealerSeq, deskSeq }) => [dealerId, { dealerSeq, deskSeq }])),
    rules: new Map(there.map((row) => [row.dealerId, rulesOfRow(row)])),
    // Written out by `changed`: to take two fields away from a row takes V8 a microsecond.
    groups: new Map(groups.map((row) => [`${row.dealerId}/${row.groupId}`, changed(row, {})])),
    ...sorted(found),
  };
  const missing = [...needs.groups].flatMap(([key, parts]) => (rows.groups.has(key) ? [] : [parts]));
  const unlocked = missing.map(([dealerId = '']) => dealerId).filter((dealerId) => !written.has(dealerId));
  if (unlocked.length > 0) {
    // No row can be locked that is not there: another node may begin this conversation, and erase it, before this batch begins
    // it with the same seqs [P-8.2]. So who begins one locks its dealer, as who erases one does.
    await inOneWrite(client, () => Promise.all([client.query('rollback'), pool.begin(client)]));
    return load(pool, client, digests, { ...needs, writtenDealers: new Set([...written, ...unlocked]) });
  }
  const unknown = [...needs.dealers.keys()].filter((dealerId) => !rows.dealers.has(dealerId));
  const removed = await query<{ dealerId: string }>(client, READ_REMOVED, [unknown]);
  return {
    ...rows,
    removed: new Set(removed.map(({ dealerId }) => dealerId)),
    erased: await erased(client, digests, missing),
  };
}

/** The dealers of which somebody else has locked a row that a batch may write. */
export async function lockedDealers(client: pg.PoolClient, needs: Needs): Promise<Set<string>> {
  const values = [[...needs.dealers.keys()], ...partsOf(needs.groups, 2), ...partsOf(needs.openChats, 2)];
  const locked = await query<{ dealerId: string }>(client, LOCKED_DEALERS, values);
  return new Set(locked.map(({ dealerId }) => dealerId));
}

function sorted(found: readonly FoundRow[]): Omit<Rows, 'dealers' | 'rules' | 'groups' | 'erased' | 'removed'> {
  const openChats = new Map<string, Set<string>>();
  const presences = new Map<string, Set<string>>();
  const users = new Map<string, Known>();
  const leads = new Map<string, Known>();
  const intents = new Map<string, Known>();
  const intentCounts = new Map<string, number>();
  const present = new Map<string, number>();
  const priors = new Map<string, Prior>();
  const takers: Readonly<Record<string, (key: string, row: FoundRow) => void>> = {
    openChats: (key, { value }) => openChats.set(key, (openChats.get(key) ?? new Set()).add(value)),
    presences: (key, { value }) => presences.set(key, (presences.get(key) ?? new Set()).add(value)),
    users: (key, { value }) => users.set(key, JSON.parse(value)),
    leads: (key, { value }) => leads.set(key, JSON.parse(value)),
    intents: (key, { value }) => intents.set(key, JSON.parse(value)),
    intentCounts: (key, { seq }) => intentCounts.set(key, seq),
    present: (key, { seq }) => present.set(key, seq),
    priors: (key, { seq, at }) => priors.set(key, { seq, at }),
  };
  for (const row of found) takers[row.kind]?.(row.key.join('/'), row);
  const findPrior = (parts: readonly string[]) => priors.get(parts.join('/'));
  return { openChats, presences, users, leads, intents, intentCounts, present, priors, findPrior };
}

/** [P-11.4] Takes their keys from events that are marked to be erased: they are free. */
export const freeKeys = ({ priors }: Needs): pg.QueryConfig => ({ ...FREE_KEYS, values: partsOf(priors, 4) });

/** Of groups that are not there: the last seq of the one of its name that was erased. */
async function erased(
  client: pg.PoolClient,
  digests: Digests,
  groups: readonly (readonly string[])[],
): Promise<Map<string, number>> {
  const names = groups.flatMap(([dealerId = '', groupId = '']) =>
    digests.all(dealerId, groupId).map((digest) => [dealerId, groupId, digest] as const),
  );
  const part = (index: 0 | 1 | 2) => names.map((name) => name[index]);
  type Row = { dealerId: string; groupId: string; lastSeq: number };
  const found = await query<Row>(client, READ_ERASED, [part(0), part(1), part(2)]);
  return new Map(found.map(({ dealerId, groupId, lastSeq }) => [`${dealerId}/${groupId}`, lastSeq]));
}

/** The statements that write what a batch changes. `known` tells which rows were there: another may not have come meanwhile. */
export function writing(changes: Changes, known: Existing): pg.QueryConfig[] {
  const { events, chatPresences, arrivals, dealers, groups, users, leads, intents, at, times } = changes;
  const now: RowTime = { created: at, updated: at };
  const dealerRow = ([dealerId, seqs]: [string, DealerSeqs]) => ({ dealerId, createdAt: at, ...seqs });
  // What is spread comes last: a field added after it takes V8 ten times as long, and there is one row for each message.
  const groupRow = ([key, group]: [string, Group]) => {
    const { dealerId, groupId } = keyParts(key);
    const { created: createdAt, updated: updatedAt } = times?.groups.get(key) ?? now;
    return { dealerId, groupId, muted: group.mutedBy !== null, createdAt, updatedAt, ...group };
  };
  const recordOf =
    (table: 'users' | 'leads' | 'intents') =>
    ([key, { fields, customer }]: [string, Known]) => {
      const { created, updated } = times?.[table].get(key) ?? now;
      return {
        ...keyParts(key),
        fields: textOf(fields),
        customer: textOf(customer),
        createdAt: created,
        updatedAt: updated,
      };
    };
  const [oldDealers, newDealers] = parted(dealers, known.dealers);
  const [oldGroups, newGroups] = parted(groups, known.groups);
  const chats = lastOf(chatPresences, ({ dealerId, adminId, scope }) => `${dealerId}/${adminId}/${scope}`);
  const settled = lastOf(arrivals, ({ dealerId, sender, nodeId }) => `${dealerId}/${sender}/${nodeId}`);
  const written: [Prepared, object[]][] = [
    [INSERT_EVENTS, events],
    [INSERT_DEALERS, newDealers.map(dealerRow)],
    [UPSERT_DEALERS, oldDealers.map(dealerRow)],
    [INSERT_GROUPS, newGroups.map(groupRow)],
    [UPSERT_GROUPS, oldGroups.map(groupRow)],
    [UPSERT_CHATS, chats.map(({ scope: place, ...presence }) => ({ place, at, ...presence }))],
    [UPSERT_USERS, [...users].map(recordOf('users'))],
    [UPSERT_LEADS, [...leads].map(recordOf('leads'))],
    [UPSERT_INTENTS, [...intents].map(recordOf('intents'))],
    [UPSERT_PRESENCES, settled.filter(({ online }) => online).map((arrival) => ({ ...arrival, at }))],
    [UPDATE_RULES, [...changes.rules].map(([dealerId, rules]) => ({ dealerId, ...rules }))],
    [NOTE_BOTS, [...changes.botsSpoke].map(([dealerId, spokeAt]) => ({ dealerId, spokeAt }))],
    [UPSERT_ADMIN_READS, furthest(changes.adminReads)],
    [REMOVE_PRESENCES, settled.filter(({ online }) => !online)],
  ];
  return written.flatMap(([prepared, rows]) =>
    rows.length === 0 ? [] : { ...prepared, values: [JSON.stringify(rows)] },
  );
}

/** Those that were there, and those that were not. */
const parted = <Row>(
  changed: ReadonlyMap<string, Row>,
  known: ReadonlySet<string>,
): [old: [string, Row][], come: [string, Row][]] => [
  [...changed].filter(([key]) => known.has(key)),
  [...changed].filter(([key]) => !known.has(key)),
];

/** The furthest of each admin in each conversation: a statement may write a row but once. */
const furthest = (reads: readonly AdminRead[]): AdminRead[] =>
  lastOf(
    reads.toSorted((one, other) => one.seq - other.seq),
    ({ dealerId, groupId, adminId }) => `${dealerId}/${groupId}/${adminId}`,
  );

/** The last of each key: a statement may write a row but once. */
const lastOf = <Each>(all: readonly Each[], keyOf: (each: Each) => string): Each[] => [
  ...new Map(all.map((each) => [keyOf(each), each])).values(),
];
