/** The rows of a batch, out of Postgres and into it: a fixed number of statements, whatever the size of the batch. */
import type pg from 'pg';
import type { Fields } from '../../schemas/records.ts';
import type { Group } from '../domain/state.ts';
import { digestOf } from './erasing.ts';
import {
  HOLD_DEALERS,
  LOCK_DEALERS,
  LOCK_GROUPS,
  type Prepared,
  READ_ROWS,
  REMOVE_PRESENCES,
  WRITE,
  writeParameters,
} from './postgres-statements.ts';
import { type Changes, type DealerSeqs, type Needs, namedRow, type Prior, type Rows } from './store.ts';

/** A row of `READ_ROWS`. */
interface FoundRow {
  readonly kind: string;
  readonly key: readonly string[];
  readonly value: string;
  readonly seq: number;
  readonly at: number;
}

/** Which dealers and groups were there when the batch began. */
export interface Known {
  readonly dealers: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
}

/** The keys of a table's needs, as one array for each part. */
const partsOf = (needs: Map<string, readonly string[]>, parts: number): string[][] =>
  Array.from({ length: parts }, (_, part) => [...needs.values()].map((key) => key[part] ?? ''));

const query = <Row extends object>(client: pg.PoolClient, prepared: Prepared, values: unknown[][]) =>
  client.query<Row>({ ...prepared, values }).then(({ rows }) => rows);

/** Locks what may be written, always in the same order, and only then reads the rest: nothing read can be old. */
export async function load(client: pg.PoolClient, needs: Needs): Promise<Rows> {
  const { writtenDealers: written } = needs;
  const held = [...needs.dealers.keys()].filter((dealerId) => !written.has(dealerId));
  type DealerRow = DealerSeqs & { dealerId: string };
  const dealers = [
    ...(await query<DealerRow>(client, LOCK_DEALERS, [[...written]])),
    ...(await query<DealerRow>(client, HOLD_DEALERS, [held])),
  ];
  type GroupRow = Group & { dealerId: string; groupId: string };
  const groups = await query<GroupRow>(client, LOCK_GROUPS, [...partsOf(needs.groups, 2), ...partsOf(needs.places, 2)]);
  const found = new Map(groups.map(({ dealerId, groupId, ...group }) => [`${dealerId}/${groupId}`, group]));
  const missing = new Map([...needs.groups].filter(([key]) => !found.has(key)));
  return {
    dealers: new Map(dealers.map(({ dealerId, ...seqs }) => [dealerId, seqs])),
    groups: found,
    ...(await readRows(client, needs, missing)),
  };
}

async function readRows(
  client: pg.PoolClient,
  needs: Needs,
  missingGroups: Map<string, readonly string[]>,
): Promise<Omit<Rows, 'dealers' | 'groups'>> {
  const places = new Map<string, Set<string>>();
  const presences = new Map<string, Set<string>>();
  const users = new Map<string, Fields>();
  const leads = new Map<string, Fields>();
  const intents = new Map<string, Fields>();
  const priors = new Map<string, Prior>();
  const erased = new Map<string, number>();
  const takers: Readonly<Record<string, (key: string, row: FoundRow) => void>> = {
    places: (key, { value }) => places.set(key, (places.get(key) ?? new Set()).add(value)),
    presences: (key, { value }) => presences.set(key, (presences.get(key) ?? new Set()).add(value)),
    users: (key, { value }) => users.set(key, JSON.parse(value)),
    leads: (key, { value }) => leads.set(key, JSON.parse(value)),
    intents: (key, { value }) => intents.set(key, JSON.parse(value)),
    priors: (key, { seq, at }) => priors.set(key, { seq, at }),
    erased: (key, { seq }) => erased.set(key, seq),
  };
  const parameters = [
    ...partsOf(needs.places, 2),
    ...partsOf(needs.users, 2),
    ...partsOf(needs.leads, 2),
    ...partsOf(needs.intents, 3),
    ...partsOf(needs.priors, 4),
    ...partsOf(needs.presences, 2),
    ...partsOf(missingGroups, 2),
    [...missingGroups.values()].map(([dealerId = '', groupId = '']) => digestOf(dealerId, groupId)),
  ];
  for (const row of await query<FoundRow>(client, READ_ROWS, parameters)) takers[row.kind]?.(row.key.join('/'), row);
  return {
    places,
    presences,
    users,
    leads,
    intents,
    priors,
    findPrior: (parts) => priors.get(parts.join('/')),
    erased,
  };
}

/** Writes what a batch changes. `known` tells which rows were there: another may not have come meanwhile. */
export async function write(client: pg.PoolClient, changes: Changes, known: Known): Promise<void> {
  const { events, moves, arrivals, dealers, groups, users, leads, intents, at } = changes;
  const stamps = { createdAt: at, updatedAt: at };
  const dealerRows = [...dealers].map(([dealerId, seqs]) => ({ dealerId, ...seqs, ...stamps }));
  const groupRows = [...groups].map(([key, group]) => ({
    ...namedRow(key),
    ...group,
    muted: group.mutedBy !== null,
    ...stamps,
  }));
  const records = (rows: Map<string, Fields>) =>
    [...rows].map(([key, fields]) => ({ ...namedRow(key), fields: JSON.stringify(fields), ...stamps }));
  const isNewDealer = ({ dealerId }: { dealerId: string }) => !known.dealers.has(dealerId);
  const isNewGroup = ({ dealerId, groupId }: { dealerId: string; groupId: string }) =>
    !known.groups.has(`${dealerId}/${groupId}`);
  const settled = lastOf(arrivals, ({ dealerId, sender, nodeId }) => `${dealerId}/${sender}/${nodeId}`);
  await query(
    client,
    WRITE,
    writeParameters([
      events,
      dealerRows.filter(isNewDealer),
      dealerRows.filter((row) => !isNewDealer(row)),
      groupRows.filter(isNewGroup),
      groupRows.filter((row) => !isNewGroup(row)),
      lastOf(moves, ({ dealerId, adminId, place }) => `${dealerId}/${adminId}/${place}`).map((move) => ({
        ...move,
        at,
      })),
      records(users),
      records(leads),
      records(intents),
      settled.filter(({ online }) => online).map((arrival) => ({ ...arrival, at })),
    ]),
  );
  const gone = settled.filter(({ online }) => !online);
  if (gone.length === 0) return;
  await query(client, REMOVE_PRESENCES, [
    gone.map(({ dealerId }) => dealerId),
    gone.map(({ sender }) => sender),
    gone.map(({ nodeId }) => nodeId),
  ]);
}

/** The last of each key: a statement may write a row but once. */
const lastOf = <Each>(all: readonly Each[], keyOf: (each: Each) => string): Each[] => [
  ...new Map(all.map((each) => [keyOf(each), each])).values(),
];
