/**
 * The statements that every batch and every join run, prepared once. They are plain SQL over the tables of
 * `drizzle/sqlite/schema.ts`: Drizzle's own way through a prepared statement costs more than the statement.
 */
import type { Database } from 'better-sqlite3';
import { DEALER_SCOPE, DESK_SCOPE } from '../../schemas/table.ts';
import { MAX_INTENTS } from '../domain/records.ts';
import { textOf } from '../domain/size.ts';
import type { Group, Known } from '../domain/state.ts';
import { type Generation, WHOLE_DEALER } from './credentials.ts';
import type { Digests } from './digests.ts';
import { isKept } from './erasing.ts';
import { type Changes, type DealerSeqs, type Needs, namedRow, type Prior, type Rows } from './rows.ts';
import { type End, RowCache } from './sqlite-cache.ts';
import { prepareLog } from './sqlite-log.ts';
import type { Doorway, Standing } from './store.ts';

export function prepareStatements(client: Database, digests: Digests) {
  const read = prepareReads(client, digests);
  const insert = prepareWrites(client);
  const cache = new RowCache(client);
  const log = prepareLog(client, cache);

  /** The rows that a batch needs, as they stand. @param withPriors whether keys are looked up before they are written */
  function load(needs: Needs, withPriors: boolean): Rows {
    cache.refresh();
    if (withPriors) for (const parts of needs.priors.values()) read.freeKey(parts);
    const places = found(needs.places, ([dealerId = '', adminId = '']) => read.places(dealerId, adminId));
    const groups = new Map(needs.groups);
    for (const [key, [dealerId = '']] of needs.places) {
      for (const place of places.get(key) ?? []) groups.set(`${dealerId}/${place}`, [dealerId, place]);
    }
    const foundGroups = found(groups, ([dealerId = '', groupId = ''], key) =>
      cache.groups.get(key, () => read.group(dealerId, groupId)),
    );
    const missing = new Map([...groups].filter(([key]) => !foundGroups.has(key)));
    const dealers = found(needs.dealers, ([dealerId = '']) =>
      cache.dealers.get(dealerId, () => read.dealerSeqs(dealerId)),
    );
    return {
      removed: new Set(
        [...needs.dealers.keys()].filter((dealerId) => !dealers.has(dealerId) && read.removed(dealerId)),
      ),
      erased: found(missing, ([dealerId = '', groupId = '']) => read.erased(dealerId, groupId)),
      dealers,
      groups: foundGroups,
      places,
      presences: found(needs.presences, ([dealerId = '', sender = '']) => read.presences(dealerId, sender)),
      users: found(needs.users, ([dealerId = '', groupId = '']) => read.user(dealerId, groupId)),
      leads: found(needs.leads, ([dealerId = '', groupId = '']) => read.lead(dealerId, groupId)),
      intents: found(needs.intents, ([dealerId = '', groupId = '', intent = '']) =>
        read.intent(dealerId, groupId, intent),
      ),
      intentCounts: found(needs.intentCounts, ([dealerId = '', groupId = '']) => read.intentCount(dealerId, groupId)),
      priors: withPriors ? found(needs.priors, read.prior) : new Map(),
      findPrior: read.prior,
    };
  }

  /** @returns where the scopes end that events were written to, by dealer and scope */
  function write(changes: Changes): Map<string, End> {
    const { moves, arrivals, dealers, groups, users, leads, intents, at } = changes;
    const ends = log.append(changes);
    const endOf = (dealerId: string, scope: string): End =>
      ends.get(`${dealerId}/${scope}`) ?? log.endOf(dealerId, scope);
    for (const [dealerId, row] of dealers) {
      insert.dealer(dealerId, row, endOf(dealerId, DEALER_SCOPE), endOf(dealerId, DESK_SCOPE), at);
    }
    for (const [key, row] of groups) {
      const { dealerId, groupId } = namedRow(key);
      const values = groupValues(row, endOf(dealerId, groupId), at);
      // A column that is written is written to its index, too, though it stays as it is.
      if (cache.groups.peek(key)?.online === row.online) insert.groupInPlace.run(...values, dealerId, groupId);
      else insert.group.run(dealerId, groupId, at, flag(row.online), ...values);
    }
    for (const { dealerId, sender, nodeId, online } of arrivals) {
      if (online) insert.presence.run(dealerId, sender, nodeId, at);
      else insert.absence.run(dealerId, sender, nodeId);
    }
    for (const { dealerId, adminId, place, online } of moves)
      insert.chat.run(dealerId, adminId, place, flag(online), at);
    for (const [key, row] of users) insert.record('users', key, row, at);
    for (const [key, row] of leads) insert.record('leads', key, row, at);
    for (const [key, row] of intents) insert.intent(key, row, at);
    return ends;
  }

  function dealer(dealerId: string): DealerSeqs | undefined {
    cache.refreshOnce();
    return cache.dealers.get(dealerId, () => read.dealerSeqs(dealerId));
  }

  function group(dealerId: string, groupId: string): Group | undefined {
    cache.refreshOnce();
    return cache.groups.get(`${dealerId}/${groupId}`, () => read.group(dealerId, groupId));
  }

  function standing(dealerId: string, groupId?: string): Standing {
    const seqs = dealer(dealerId);
    const doorway = seqs && cache.doorways.get(dealerId, () => read.doorway(dealerId));
    return {
      dealer: seqs && doorway ? { ...seqs, ...doorway } : null,
      group: (groupId !== undefined && group(dealerId, groupId)) || null,
      adminOnline: groupId !== undefined && read.adminOnline(dealerId),
    };
  }

  /** The seq of a scope's first event after one. What is not there was erased, and left a receipt, or was set aside. */
  function firstAfter(dealerId: string, scope: string, seq: number): number | undefined {
    cache.refreshOnce();
    const first = Math.max(seq, read.erased(dealerId, scope) ?? 0, read.beginsAfter(dealerId, scope)) + 1;
    return first <= log.endOf(dealerId, scope).seq ? first : undefined;
  }

  return { cache, load, write, standing, dealer, group, firstAfter, log, generation: read.generation };
}

function found<Row>(
  needs: Map<string, readonly string[]>,
  get: (parts: readonly string[], key: string) => Row | undefined,
): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const [key, parts] of needs) {
    const row = get(parts, key);
    if (row !== undefined) rows.set(key, row);
  }
  return rows;
}

/** SQLite has no booleans. */
const flag = (value: boolean): number => (value ? 1 : 0);

interface GroupRow extends Omit<Group, 'online' | 'closed'> {
  readonly online: number;
  readonly closed: number;
}

const parsed = (json: string | undefined): Known | undefined => (json === undefined ? undefined : JSON.parse(json));

/** A record as one text of JSON. */
const KNOWN = `'{"fields":' || fields || ',"customer":' || customer || '}'`;

const knownValues = ({ fields, customer }: Known): string[] => [textOf(fields), textOf(customer)];

function prepareReads(client: Database, digests: Digests) {
  const dealerSeqs = client.prepare<[string], DealerSeqs>(
    'SELECT dealer_seq AS dealerSeq, desk_seq AS deskSeq FROM dealers WHERE dealer_id = ?',
  );
  const doorway = client.prepare<[string], { origins: string; claims: Doorway['claims'] }>(
    "SELECT origins, coalesce(claims, 'any') AS claims FROM dealers WHERE dealer_id = ?",
  );
  const group = client.prepare<[string, string], GroupRow>(
    `SELECT online, muted_by AS mutedBy, closed, closed_by AS closedBy, unread, last_seq AS lastSeq, last_message_seq AS lastMessageSeq,
      admin_read AS adminRead, customer_read AS customerRead, holder FROM groups WHERE dealer_id = ? AND group_id = ?`,
  );
  const places = client
    .prepare<[string, string], string>('SELECT place FROM chats WHERE dealer_id = ? AND admin_id = ? AND online = 1')
    .pluck();
  const presences = client
    .prepare<[string, string], string>('SELECT node_id FROM presences WHERE dealer_id = ? AND sender = ?')
    .pluck();
  const adminOnline = client.prepare<[string], unknown>(
    `SELECT 1 FROM chats WHERE dealer_id = ? AND place = '${DESK_SCOPE}' AND online = 1 LIMIT 1`,
  );
  const record = (table: 'users' | 'leads') =>
    client
      .prepare<[string, string], string>(`SELECT ${KNOWN} FROM ${table} WHERE dealer_id = ? AND group_id = ?`)
      .pluck();
  const [user, lead] = [record('users'), record('leads')];
  const intent = client
    .prepare<[string, string, string], string>(
      `SELECT ${KNOWN} FROM lead_intents WHERE dealer_id = ? AND group_id = ? AND intent = ?`,
    )
    .pluck();
  const intentCount = client
    .prepare<[string, string], number>(
      `SELECT count(*) FROM (SELECT 1 FROM lead_intents WHERE dealer_id = ? AND group_id = ? LIMIT ${MAX_INTENTS})`,
    )
    .pluck();
  const prior = client.prepare<[string, string, string, string], Prior>(
    `SELECT seq, at FROM events e WHERE dealer_id = ? AND scope = ? AND sender = ? AND id = ? AND keyed = 1 AND ${isKept('e')}`,
  );
  const unkey = client.prepare<[string, string, string, string]>(
    `UPDATE events AS e SET keyed = 0
      WHERE dealer_id = ? AND scope = ? AND sender = ? AND id = ? AND keyed = 1 AND NOT ${isKept('e')}`,
  );
  // By the digest of its name, or by the name where it is still there.
  const erased = client
    .prepare<[string, string, string, string], number | null>(
      `SELECT max(last_seq) FROM (
        SELECT last_seq FROM erasures WHERE dealer_id = ? AND digest IN (SELECT value FROM json_each(?))
        UNION ALL SELECT last_seq FROM erasing WHERE dealer_id = ? AND group_id = ?)`,
    )
    .pluck();
  const beginsAfter = client
    .prepare<[string, string], number>('SELECT begins_after FROM groups WHERE dealer_id = ? AND group_id = ?')
    .pluck();
  const removed = client.prepare<[string], unknown>(
    `SELECT 1 FROM generations WHERE dealer_id = ? AND subject = '${WHOLE_DEALER}'`,
  );
  // Every join asks.
  const generation = client.prepare<
    { dealer: string; names: string; tokenId: string },
    { current: number | null; least: number | null; spent: number }
  >(
    `SELECT
      (SELECT max(gen) FROM generations WHERE dealer_id = @dealer) AS current,
      (SELECT max(gen) FROM generations WHERE dealer_id = @dealer
        AND subject IN (SELECT value FROM json_each(@names))) AS least,
      (SELECT count(*) FROM spent_tokens WHERE dealer_id = @dealer AND token_id = @tokenId) AS spent`,
  );
  return {
    generation: (dealer: string, names: readonly string[], tokenId: string): Generation => {
      const found = generation.get({ dealer, names: JSON.stringify(names), tokenId });
      return { current: found?.current ?? 0, least: found?.least ?? 0, isSpent: (found?.spent ?? 0) > 0 };
    },
    beginsAfter: (dealerId: string, groupId: string) => beginsAfter.get(dealerId, groupId) ?? 0,
    removed: (dealerId: string) => removed.get(dealerId) !== undefined,
    erased: (dealerId: string, groupId: string) =>
      erased.get(dealerId, JSON.stringify(digests.all(dealerId, groupId)), dealerId, groupId) ?? undefined,
    dealerSeqs: (dealerId: string) => dealerSeqs.get(dealerId),
    doorway: (dealerId: string): Doorway | undefined => {
      const found = doorway.get(dealerId);
      return found && { origins: JSON.parse(found.origins), claims: found.claims };
    },
    group: (dealerId: string, groupId: string): Group | undefined => {
      const row = group.get(dealerId, groupId);
      return row && { ...row, online: row.online === 1, closed: row.closed === 1 };
    },
    places: (dealerId: string, adminId: string) => new Set(places.all(dealerId, adminId)),
    presences: (dealerId: string, sender: string) => new Set(presences.all(dealerId, sender)),
    adminOnline: (dealerId: string) => adminOnline.get(dealerId) !== undefined,
    user: (dealerId: string, groupId: string) => parsed(user.get(dealerId, groupId)),
    lead: (dealerId: string, groupId: string) => parsed(lead.get(dealerId, groupId)),
    intent: (dealerId: string, groupId: string, word: string) => parsed(intent.get(dealerId, groupId, word)),
    /** [P-11.4] The key of an event that is marked to be erased is free. */
    freeKey: ([dealerId = '', scope = '', sender = '', id = '']: readonly string[]) =>
      unkey.run(dealerId, scope, sender, id),
    intentCount: (dealerId: string, groupId: string) => intentCount.get(dealerId, groupId),
    prior: ([dealerId = '', scope = '', sender = '', id = '']: readonly string[]) =>
      prior.get(dealerId, scope, sender, id),
  };
}

/** What a group's row says of how it stands, but for `online`, in the order of {@link groupValues}. */
const GROUP_STATE = [
  'muted',
  'muted_by',
  'closed',
  'closed_by',
  'unread',
  'last_seq',
  'last_message_seq',
  'last_position',
  'last_message_position',
  'admin_read',
  'customer_read',
  'holder',
  'updated_at',
];

const groupValues = (group: Group, end: End, at: number): (number | string | null)[] => [
  flag(group.mutedBy !== null),
  group.mutedBy,
  flag(group.closed),
  group.closedBy,
  group.unread,
  group.lastSeq,
  group.lastMessageSeq,
  end.position,
  end.message,
  group.adminRead,
  group.customerRead,
  group.holder,
  at,
];

/** What a dealer's row says of its own two scopes. */
const DEALER_STATE = ['dealer_seq', 'desk_seq', 'dealer_position', 'desk_position'];

const marks = (count: number): string => Array.from({ length: count }, () => '?').join(', ');
/** Each column as an upsert would have inserted it. */
const asGiven = (columns: readonly string[]): string =>
  columns.map((column) => `${column} = excluded.${column}`).join(', ');

function prepareWrites(client: Database) {
  const dealer = client.prepare(
    `INSERT INTO dealers (dealer_id, ${DEALER_STATE}, created_at) VALUES (${marks(2 + DEALER_STATE.length)})
      ON CONFLICT (dealer_id) DO UPDATE SET ${asGiven(DEALER_STATE)}`,
  );
  const recordInto = (table: string, key: readonly string[]) =>
    client.prepare(
      `INSERT INTO ${table} (${key}, fields, customer, created_at, updated_at) VALUES (${marks(key.length + 4)})
        ON CONFLICT (${key}) DO UPDATE SET ${asGiven(['fields', 'customer', 'updated_at'])}`,
    );
  const intent = recordInto('lead_intents', ['dealer_id', 'group_id', 'intent']);
  const records = {
    users: recordInto('users', ['dealer_id', 'group_id']),
    leads: recordInto('leads', ['dealer_id', 'group_id']),
  };
  return {
    dealer: (dealerId: string, { dealerSeq, deskSeq }: DealerSeqs, dealerEnd: End, deskEnd: End, at: number) =>
      dealer.run(dealerId, dealerSeq, deskSeq, dealerEnd.position, deskEnd.position, at),
    group: client.prepare(
      `INSERT INTO groups (dealer_id, group_id, created_at, online, ${GROUP_STATE})
        VALUES (${marks(4 + GROUP_STATE.length)})
        ON CONFLICT (dealer_id, group_id) DO UPDATE SET ${asGiven(['online', ...GROUP_STATE])}`,
    ),
    groupInPlace: client.prepare(
      `UPDATE groups SET ${GROUP_STATE.map((column) => `${column} = ?`)} WHERE dealer_id = ? AND group_id = ?`,
    ),
    chat: client.prepare(
      `INSERT INTO chats (dealer_id, admin_id, place, online, at) VALUES (${marks(5)})
        ON CONFLICT (dealer_id, admin_id, place) DO UPDATE SET ${asGiven(['online', 'at'])}`,
    ),
    presence: client.prepare(
      `INSERT INTO presences (dealer_id, sender, node_id, at) VALUES (${marks(4)}) ON CONFLICT DO NOTHING`,
    ),
    absence: client.prepare('DELETE FROM presences WHERE dealer_id = ? AND sender = ? AND node_id = ?'),
    record: (table: keyof typeof records, key: string, row: Known, at: number) => {
      const { dealerId, groupId } = namedRow(key);
      records[table].run(dealerId, groupId, ...knownValues(row), at, at);
    },
    intent: (key: string, row: Known, at: number) => {
      const { dealerId, groupId, intent: word } = namedRow(key);
      intent.run(dealerId, groupId, word, ...knownValues(row), at, at);
    },
  };
}
