/** The writes of every batch, prepared once. */
import type { Database } from 'better-sqlite3';
import { textOf } from '../../domain/size.ts';
import type { Group, Known } from '../../domain/state.ts';
import { type DealerSeqs, keyParts, type RowTime, type RulesChange } from '../rows.ts';

/** SQLite has no booleans. */
export const flag = (value: boolean): number => (value ? 1 : 0);

const knownValues = ({ fields, customer }: Known): string[] => [textOf(fields), textOf(customer)];

/** The columns of a group's row that say how it stands, but for those that an index has, in the order of {@link groupValues}. */
const GROUP_STATE = [
  'muted',
  'muted_by',
  'closed',
  'closed_by',
  'unread',
  'last_seq',
  'last_message_seq',
  'admin_read',
  'customer_read',
  'holder',
  'waiting_since',
  'waiting_for',
  'turned_at',
  'marks',
  'assignee',
  'acted_at',
  'bot_run',
  'updated_at',
];

export const groupValues = (group: Group, at: number): (number | string | null)[] => [
  flag(group.mutedBy !== null),
  group.mutedBy,
  flag(group.closed),
  group.closedBy,
  group.unread,
  group.lastSeq,
  group.lastMessageSeq,
  group.adminRead,
  group.customerRead,
  group.holder,
  group.waitingSince,
  group.waitingFor,
  group.turnedAt,
  group.marks,
  group.assignee,
  group.actedAt,
  group.botRun,
  at,
];

/** Those that an index has. */
const INDEXED = ['online', 'due', 'updated_minute'];

/** The columns of a dealer's row that say how far its own two scopes go. */
const DEALER_STATE = ['dealer_seq', 'desk_seq'];

const marks = (count: number): string => Array.from({ length: count }, () => '?').join(', ');
/** Columns that only go forward: what is imported is of the past. */
const FORWARD: ReadonlySet<string> = new Set(['updated_at', 'updated_minute']);
const set = (column: string, value: string): string =>
  `${column} = ${FORWARD.has(column) ? `max(${column}, ${value})` : value}`;
/** Each column as an upsert would have inserted it. */
const asGiven = (columns: readonly string[]): string =>
  columns.map((column) => set(column, `excluded.${column}`)).join(', ');

export function prepareWrites(client: Database) {
  const dealer = client.prepare(
    `INSERT INTO dealers (dealer_id, ${DEALER_STATE}, created_at) VALUES (${marks(2 + DEALER_STATE.length)})
      ON CONFLICT (dealer_id) DO UPDATE SET ${asGiven(DEALER_STATE)}`,
  );
  const recordInto = (table: string, key: readonly string[]) =>
    client.prepare(
      `INSERT INTO ${table} (${key}, fields, customer, created_at, updated_at) VALUES (${marks(key.length + 4)})
        ON CONFLICT (${key}) DO UPDATE SET ${asGiven(['fields', 'customer', 'updated_at'])}`,
    );
  const rules = client.prepare<[number | null, number, number | null, string]>(
    'UPDATE dealers SET alone_since = ?, is_open = ?, look_at = ? WHERE dealer_id = ?',
  );
  const intent = recordInto('lead_intents', ['dealer_id', 'group_id', 'intent']);
  const records = {
    users: recordInto('users', ['dealer_id', 'group_id']),
    leads: recordInto('leads', ['dealer_id', 'group_id']),
  };
  return {
    dealer: (dealerId: string, { dealerSeq, deskSeq }: DealerSeqs, at: number) =>
      dealer.run(dealerId, dealerSeq, deskSeq, at),
    group: client.prepare(
      `INSERT INTO groups (dealer_id, group_id, created_at, ${[...INDEXED, ...GROUP_STATE]})
        VALUES (${marks(3 + INDEXED.length + GROUP_STATE.length)})
        ON CONFLICT (dealer_id, group_id) DO UPDATE SET ${asGiven([...INDEXED, ...GROUP_STATE])}`,
    ),
    groupInPlace: client.prepare(
      `UPDATE groups SET ${GROUP_STATE.map((column) => set(column, '?'))} WHERE dealer_id = ? AND group_id = ?`,
    ),
    rules: (dealerId: string, { aloneSince, isOpen, lookAt }: RulesChange) =>
      rules.run(aloneSince, flag(isOpen), lookAt, dealerId),
    botSpoke: client.prepare<[number, string]>('UPDATE dealers SET bot_spoke_at = ? WHERE dealer_id = ?'),
    adminRead: client.prepare(
      `INSERT INTO admin_reads (dealer_id, group_id, admin_id, seq) VALUES (${marks(4)})
        ON CONFLICT (dealer_id, group_id, admin_id) DO UPDATE SET seq = max(seq, excluded.seq)`,
    ),
    chat: client.prepare(
      `INSERT INTO chats (dealer_id, admin_id, place, online, at) VALUES (${marks(5)})
        ON CONFLICT (dealer_id, admin_id, place) DO UPDATE SET ${asGiven(['online', 'at'])}`,
    ),
    presence: client.prepare(
      `INSERT INTO presences (dealer_id, sender, node_id, at) VALUES (${marks(4)}) ON CONFLICT DO NOTHING`,
    ),
    absence: client.prepare('DELETE FROM presences WHERE dealer_id = ? AND sender = ? AND node_id = ?'),
    record: (table: keyof typeof records, key: string, row: Known, { created, updated }: RowTime) => {
      const { dealerId, groupId } = keyParts(key);
      records[table].run(dealerId, groupId, ...knownValues(row), created, updated);
    },
    intent: (key: string, row: Known, { created, updated }: RowTime) => {
      const { dealerId, groupId, intent: word } = keyParts(key);
      intent.run(dealerId, groupId, word, ...knownValues(row), created, updated);
    },
  };
}
